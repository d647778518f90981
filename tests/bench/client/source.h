/*
 * Where events come from: the publisher of the product, by HTTP, or the limit server's
 * control. Each event of a burst has a connection that stays, and a lane of its room, for
 * itself. One thread.
 */
#ifndef TESTS_BENCH_CLIENT_SOURCE_H
#define TESTS_BENCH_CLIENT_SOURCE_H

#include "bench/client/options.h"
#include "proto/buf.h"

enum {
    SOURCE_MAX_BURST = 64
};

struct source {
    const struct options *options;
    int fds[SOURCE_MAX_BURST];
    struct buf answers[SOURCE_MAX_BURST]; /* what has come of them */
    uint64_t unanswered[SOURCE_MAX_BURST];
    char host[80];
    size_t rooms, burst;
    uint64_t rung; /* bursts so far; they take turns among the rooms */
    struct buf out;
};

void source_open(struct source *source, const struct options *options);
void source_close(struct source *source);

/* Sends a burst to the next room, stamped with `due_us`. */
void source_ring(struct source *source, uint64_t due_us);

/* Takes the answers that have come; `waits`: until all are there. Gives up unless each
 * is 202. */
void source_settle(struct source *source, bool waits);

#endif
