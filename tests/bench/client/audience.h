/*
 * The clients that listen: they connect, join and count what comes. Whatever goes wrong
 * with them ends the program: a figure of half an audience is none. One thread.
 */
#ifndef TESTS_BENCH_CLIENT_AUDIENCE_H
#define TESTS_BENCH_CLIENT_AUDIENCE_H

#include "bench/client/options.h"
#include "cli/load_client.h"

/* Of a client that was refused. */
struct audience_again {
    uint64_t due_us; /* when it comes again; 0: it is not waiting */
    unsigned refusals;
};

struct audience {
    struct load_loop loop;
    struct load_peer peer;
    struct load_measure measure;
    struct load_crowd crowd;
    struct load_client *clients;
    struct load_recall *recalls;  /* NULL: who comes back begins anew */
    struct audience_again *again; /* NULL: nobody may be refused */
    size_t waiting;               /* to come again */
    size_t refusals;              /* in all */
    size_t count, started, live;
    size_t rooms, lanes;
    size_t at_once; /* connects before anything else is looked at */
    char **tokens;
    size_t token_count;
};

/* Room i is that of the clients i, i + rooms, … */
void audience_open(struct audience *audience, const struct options *options);
void audience_close(struct audience *audience);

/* From now on who comes back goes on where it was. */
void audience_remember(struct audience *audience);
/* How many went on, the last time they came. */
size_t audience_recovered(const struct audience *audience);

/* From now on who is refused comes again by itself, when the official client would: after
 * 0.5 to 1.5 s, then twice as long each time, at most 5 s give or take half. */
void audience_forgive(struct audience *audience);

/* Begins connects, as long as fewer than `window` are under way. */
void audience_start(struct audience *audience, size_t window);
/* Returns when all are live; at most `window` connects are under way at a time. */
void audience_connect(struct audience *audience, size_t window);
/* All hang up at once, without a word. */
void audience_hang_up(struct audience *audience);

/* Runs the clients until then, whatever comes. */
void audience_idle(struct audience *audience, uint64_t ms);

/* Until `received` deliveries have come in all. Gives when the first of them could be
 * read. */
uint64_t audience_await(struct audience *audience, uint64_t received);

/* What has not come to clients from `first` on, of `bursts` that took turns among the
 * rooms. */
uint64_t audience_lost(const struct audience *audience, size_t first, uint64_t bursts);

#endif
