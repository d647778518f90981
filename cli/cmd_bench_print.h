/* What `sidecast bench` shows: a line while it runs, tables, JSON. */
#ifndef CLI_CMD_BENCH_PRINT_H
#define CLI_CMD_BENCH_PRINT_H

#include "cli/load_verdict.h"

#include <stdio.h>

enum {
    BENCH_TRANSPORTS = 4
};

/* What was asked for. */
struct bench_shape {
    uint64_t clients, rooms, rate, payload_bytes, duration_ms;
};

/* One row: what came of one transport. */
struct bench_row {
    const char *transport;
    struct load_report report;
    bool has_server; /* its processes are known */
    bool has_lag;    /* and how late their loops were */
    uint64_t lag_us;
};

/* One line that is written over again; for terminals. */
void bench_print_progress(FILE *out, const char *transport,
                          const struct load_progress *progress);
void bench_clear_progress(FILE *out);

void bench_print_text(FILE *out, const struct bench_shape *shape,
                      const struct bench_row *rows, size_t count);
void bench_print_json(FILE *out, const struct bench_shape *shape,
                      const struct bench_row *rows, size_t count,
                      const struct load_limits *limits);

/* Worst first: the row that a verdict speaks of. */
const struct bench_row *bench_worst(const struct bench_row *rows, size_t count,
                                    const struct load_limits *limits);

#endif
