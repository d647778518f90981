/*
 * The stamp that travels in each event of a load: which run and lane it belongs to, its
 * place there, and when it was due. A fixed number of plain characters, so that a client
 * finds and reads it without parsing what is around it. Pure.
 */
#ifndef CLI_LOAD_STAMP_H
#define CLI_LOAD_STAMP_H

#include "proto/slice.h"

/* "~load~RRRR.LLLLLL.SSSSSSSSSS.TTTTTTTTTTTTTTTT~", all digits decimal */
#define LOAD_STAMP_MARK "~load~"

enum {
    LOAD_STAMP_BYTES = 6 + 4 + 1 + 6 + 1 + 10 + 1 + 16 + 1,
    LOAD_STAMP_RUNS = 10000,
    LOAD_STAMP_LANES = 1000000
};

struct load_stamp {
    unsigned run;    /* which publishing of a load, below LOAD_STAMP_RUNS */
    size_t lane;     /* a sequence that one connection publishes in order */
    uint64_t seq;    /* from 0 in each lane */
    uint64_t due_us; /* when it was to be sent, on clock_us, sent or not */
};

/* Not terminated. */
void load_stamp_write(char out[LOAD_STAMP_BYTES], const struct load_stamp *stamp);

/*
 * Finds and reads the stamp in `text`. `*hint` is where the last one stood: tried first,
 * and updated. False: there is none.
 */
bool load_stamp_find(struct slice text, size_t *hint, struct load_stamp *stamp);

#endif
