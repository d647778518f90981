/*
 * Inside the event log: what its two kinds share, in memory (event_log_memory.c) and
 * durable (event_log_durable.c). Nobody else includes this.
 */
#ifndef BRIDGE_EVENT_LOG_PARTS_H
#define BRIDGE_EVENT_LOG_PARTS_H

#include "bridge/event_log.h"

#include <stdatomic.h>
#include <uv.h>

enum {
    EVENT_LOG_READ_SLICE = 4096, /* events that one read visits */
};

/* How a read went on. */
struct event_log_reading {
    event_log_visit_fn *visit;
    void *ctx;
    uint64_t epoch;
    size_t visited;
    uint64_t last;         /* of those */
    uint64_t read_through; /* set to the end that was asked for, lowered by a stop */
    bool has_stopped;
};

/* Visits one event; false: stop. */
bool event_log_reading_visit(struct event_log_reading *reading, uint64_t seq,
                             struct slice envelope);

struct event_log_ops {
    enum status (*append)(struct event_log *log, const struct event_log_entry *entries,
                          size_t count, uint64_t now_ms, uint64_t *first);
    bool (*trim)(struct event_log *log, uint64_t now_ms);
    /* False: nothing can be read of this epoch now. */
    bool (*begin_read)(struct event_log *log, uint64_t epoch);
    /* Between `begin_read` and `end_read`: the events after `after` up to and including
     * `through`, or those with these seqs, ascending, but what retention removes. */
    void (*read)(struct event_log *log, uint64_t after, uint64_t through,
                 struct event_log_reading *reading);
    void (*pick)(struct event_log *log, const uint64_t *seqs, size_t count,
                 struct event_log_reading *reading);
    void (*end_read)(struct event_log *log);
    void (*keys)(struct event_log *log, event_log_key_fn *visit, void *ctx);
    enum status (*records)(struct event_log *log, const struct event_log_record *first,
                           uint64_t now_ms);
    void (*doubt_sessions)(struct event_log *log);
    void (*sessions)(struct event_log *log, event_log_session_fn *visit, void *ctx);
    void (*notes)(struct event_log *log, enum event_log_subject subject,
                  event_log_note_fn *visit, void *ctx);
    void (*close)(struct event_log *log);
    void (*destroy)(struct event_log *log);
};

/* Each kind begins with it. */
struct event_log {
    const struct event_log_ops *ops;
    uv_mutex_t writing; /* taken first: for what the writer's calls use, all they take */
    uv_mutex_t lock;
    struct event_log_limits keep;
    struct event_log_state state; /* under the lock, as rooms */
    struct room_index *rooms;
    atomic_uint_fast64_t overtaken_epoch;
    atomic_bool is_lost; /* what event_log_state says */
};

/* False: out of memory. */
bool event_log_init(struct event_log *log, const struct event_log_ops *ops,
                    const struct event_log_limits *keep);
void event_log_finish(struct event_log *log);

#endif
