/* Reads a file of a configuration, up to a ceiling. Any thread. */
#ifndef BRIDGE_CONFIG_READ_H
#define BRIDGE_CONFIG_READ_H

#include "proto/slice.h"
#include "proto/status.h"

/*
 * Gives the bytes (free text->ptr; terminated). ST_NOT_FOUND when there is no such file;
 * on any failure `*reason` is a few words to stand after its name.
 */
enum status config_read(const char *path, struct slice *text, const char **reason);

#endif
