/*
 * Somebody who asks a server by the clock whether it lives, on one kept connection. The
 * time of an answer counts from when the question was due, so a server that stands still
 * shows in all of them. Whatever else comes ends the program. One thread.
 */
#ifndef TESTS_BENCH_CLIENT_PROBER_H
#define TESTS_BENCH_CLIENT_PROBER_H

#include "cli/load_histogram.h"
#include "cli/load_link.h"
#include "cli/load_loop.h"

struct prober {
    struct load_link link; /* first: links are cast back to their prober */
    struct load_loop *loop;
    struct load_peer peer;
    bool is_asking;
    uint64_t due_us; /* the next question, or the one that was asked */
    struct load_histogram answers;
};

/* Connects to "http://127.0.0.1:N" and asks once; waits for the answer. Keeps `loop`. */
void prober_open(struct prober *prober, const char *url, struct load_loop *loop);
void prober_close(struct prober *prober);

/* Forgets what it was told; asks from now on. */
void prober_start(struct prober *prober, uint64_t now_us);
/* Asks when it is time to. */
void prober_run(struct prober *prober, uint64_t now_us);

#endif
