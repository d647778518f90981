/* The rows behind bridge/options: what can be set. Constant, any thread. */
#ifndef BRIDGE_OPTIONS_TABLE_H
#define BRIDGE_OPTIONS_TABLE_H

#include "bridge/config.h"

enum option_type {
    OPTION_DURATION, /* uint64_t, milliseconds */
    OPTION_SIZE,     /* uint64_t, bytes */
    OPTION_INT,      /* uint64_t */
    OPTION_TEXT,     /* const char * */
    OPTION_ADDRESS,  /* const char *, to listen on */
    OPTION_ORIGINS,  /* const char *, separated by commas: proto/origin */
    OPTION_PREFIXES, /* const char *, separated by commas: proto/ip_prefix */
    OPTION_RATE,     /* const char *, "5000/s": proto/token_bucket */
    OPTION_SECRET,   /* const char *; never shown, never a flag */
    OPTION_WORD,     /* const char *, one of `words` */
    OPTION_CHOICE    /* an enum: the index into `words` */
};

struct option {
    const char *key;
    enum option_type type;
    const char *fallback;     /* the default, as one would write it */
    size_t offset;            /* in struct config */
    uint64_t min, max;        /* numbers */
    const char *const *words; /* NULL ends them */
    const char *doc;
};

extern const struct option option_table[];
extern const size_t option_count;

enum {
    OPTION_MAX_COUNT = 64 /* the table never has more rows */
};

#endif
