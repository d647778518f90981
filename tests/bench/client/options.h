/* What the measuring client is told, and how it gives up. */
#ifndef TESTS_BENCH_CLIENT_OPTIONS_H
#define TESTS_BENCH_CLIENT_OPTIONS_H

#include "cli/flags.h"

struct options {
    const char *scenario;
    const char *server;    /* http://127.0.0.1:N that clients connect to */
    const char *publisher; /* http://127.0.0.1:N; NULL: `control` */
    const char *ops;       /* http://127.0.0.1:N for operators; NULL: it is not asked */
    const char *control;   /* of the limit server */
    const char *key;
    const char *token_file; /* a token in each line; clients take turns; NULL: none */
    const char *dialect;    /* native, ws, raw */
    struct flag_list gateway_pids, publisher_pids;
    struct flag_number clients, rooms, rooms_each, events, burst, bytes, asleep, rate,
        connections, window, at_once, blocks, idle_ms, run_ms, missed;
};

/* `options` is zeroed but for its defaults. Exits with 2 when the flags are wrong. */
void options_parse(struct options *options, int argc, char **argv);

/* Nothing can be measured: says why and ends. */
__attribute__((noreturn, format(printf, 1, 2))) void give_up(const char *format, ...);

#endif
