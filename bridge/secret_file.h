/* A secret that lies in a file, as `_FILE` variables and --key-file name it. Any thread.
 */
#ifndef BRIDGE_SECRET_FILE_H
#define BRIDGE_SECRET_FILE_H

#include "proto/status.h"

#include <stdbool.h>

enum {
    SECRET_FILE_BYTES = 64 * 1024
};

/*
 * Gives the text (free), without the blanks and line ends around it; never an empty one.
 * Reads to the end, also of a pipe. On failure
 * `*reason` is a few words to stand after the file's name: "Permission denied".
 */
enum status secret_file_read(const char *path, char **text, const char **reason);

/* Can it be read again and again? A pipe gives its text once, and makes readers wait. */
bool secret_file_is_regular(const char *path);

#endif
