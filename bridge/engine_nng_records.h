/*
 * Records of sessions and users on their way to the log: the loop puts them, the writer's
 * thread writes all that wait in one transaction. What could not be written is tried
 * again, in its order, so that no older record stays in the place of a later one.
 */
#ifndef BRIDGE_ENGINE_NNG_RECORDS_H
#define BRIDGE_ENGINE_NNG_RECORDS_H

#include "bridge/event_log.h"

#include <stdatomic.h>
#include <uv.h>

struct record_list {
    struct event_log_record *first;
    struct event_log_record **end;
    size_t count, bytes;
};

/* Embedded; only engine_nng_records.c looks inside. */
struct records {
    uv_mutex_t lock;
    struct record_list put; /* under the lock, as the next */
    uv_sem_t *awaited;
    struct record_list writing;    /* writer's thread, as the next */
    size_t kept_users, kept_bytes; /* of those that were too many before */
    atomic_bool are_behind;        /* some were lost, and the log is to be told */
    atomic_bool has_lost;
};

enum status records_init(struct records *records);

/* Gives a copy (free), or NULL. */
struct event_log_record *records_copy(enum event_log_subject subject, struct slice name,
                                      struct slice bytes);
/* Copies. Sessions that are too much while the disk is full, 100,000 records or 64 MiB,
 * are lost, and all that wait with them: see records_take_loss. Then the log's are not
 * believed until all of them are written anew.
 * Of each user the last stays: nobody would write it anew. */
void records_put(struct records *records, enum event_log_subject subject,
                 struct slice name, struct slice bytes);

/* The same for one that there was no memory to make. */
void records_lose(struct records *records);

/* Posts `written` once all that was put so far is written, or could not be. One at a
 * time. */
void records_await(struct records *records, uv_sem_t *written);

/* Writer's thread. */
void records_write(struct records *records, struct event_log *log, uint64_t now_ms);
/* Whether some could not be written, and wait for the next records_write. */
bool records_wait(const struct records *records);

/* True once after some were lost: what is kept is older than what is known. */
bool records_take_loss(struct records *records);

#endif
