/*
 * Where events come from: the publisher of the product, by HTTP over one connection that
 * stays, or the limit server's control. One thread.
 */
#ifndef TESTS_BENCH_CLIENT_SOURCE_H
#define TESTS_BENCH_CLIENT_SOURCE_H

#include "bench/client/options.h"
#include "proto/buf.h"

struct source {
    const struct options *options;
    int fd;
    char host[80];
    size_t rooms;
    uint64_t rung; /* events so far; they take turns among the rooms */
    uint64_t unanswered;
    struct buf out, in;
};

void source_open(struct source *source, const struct options *options);
void source_close(struct source *source);

/* Sends `count` events in one write, stamped with `due_us`. */
void source_ring(struct source *source, size_t count, uint64_t due_us);

/* Takes the answers that have come; `waits`: until all are there. Gives up unless each
 * is 202. */
void source_settle(struct source *source, bool waits);

/* Appends one whole request to publish an event with `stamp` in `room`, `bytes` long. */
void source_encode_publish(struct buf *out, const char *host, const char *key,
                           size_t room, uint64_t seq, uint64_t due_us, size_t bytes);

#endif
