/*
 * What a puppet (engine_puppet.h) knows, and how it says a line. One thread.
 */
#ifndef TESTS_SUPPORT_ENGINE_PUPPET_STATE_H
#define TESTS_SUPPORT_ENGINE_PUPPET_STATE_H

#include "bridge/engine.h"
#include "bridge/lifecycle.h"
#include "proto/envelope.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PUPPET_LINE = 4096,
    PUPPET_WORDS = 8,
    PUPPET_OUTSTANDING = 5000,
};

struct puppet {
    uv_loop_t loop;
    uv_poll_t lines;
    uv_timer_t check;
    int fd;
    struct engine *engine;
    struct logger log;
    struct metrics metrics;
    char input[PUPPET_LINE];
    size_t input_len;

    /* publisher */
    uint64_t to_append, answered, failed, appended;
    uint64_t first_seq, last_seq;
    struct buf wire;
    bool is_volatile;
    bool is_mixed; /* every other event is volatile */

    /* gateway */
    uint64_t received, holes, faults, last_applied, settled, settles;
    unsigned resets, forgotten, moved, fenced;
    uint64_t crowd, crowd_generation; /* sessions that are put each time */
    unsigned parting;                 /* answers since somebody asked to part */
    unsigned parted_at_close;
    bool has_parted;
    unsigned finding, found; /* sessions that are looked for, and those that are there */
    char reason[32];
    uint64_t wanted_seq; /* 0: nobody waits */
    int wanted_ready;    /* -1: nobody waits */
    uint64_t replay_count, replay_last;
};

__attribute__((format(printf, 2, 3))) static inline void
puppet_say(struct puppet *puppet, const char *format, ...)
{
    char line[PUPPET_LINE];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    line[n] = '\n';
    if (write(puppet->fd, line, (size_t)n + 1) != n + 1)
        _exit(3);
}

#endif
