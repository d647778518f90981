/*
 * How files look, and what is in them: digests over several, to see whether one was
 * changed without reading it each time. Any one thread.
 */
#ifndef BRIDGE_FILE_LOOK_H
#define BRIDGE_FILE_LOOK_H

#include "bridge/digest.h"

enum {
    FILE_LOOK_MS = 500 /* how often it is worth while */
};

/* Zeroed: nothing was looked at. */
struct file_look {
    unsigned char outside[DIGEST_SHA256_BYTES];
    unsigned char inside[DIGEST_SHA256_BYTES];
    bool is_young; /* to be read again: its times may not tell, or it was unreadable */
    size_t files;
};

/* Each adds one file to `ctx`, a struct file_look: first all from outside. A file that is
 * not there looks like nothing. */
void file_look_outside(void *ctx, const char *path);
void file_look_inside(void *ctx, const char *path);

/* Whether nothing was changed between two looks from outside at the same files. */
bool file_look_is_same_outside(const struct file_look *before,
                               const struct file_look *now);
bool file_look_is_same_inside(const struct file_look *before,
                              const struct file_look *now);

#endif
