/*
 * The writer: one thread that commits what waits to the log, then tells the bus, then
 * hands the answers back to the loop, a batch at a time. While nothing happens it repeats
 * the head on the bus, so that a lost last message is noticed.
 */
#ifndef BRIDGE_ENGINE_NNG_WRITER_H
#define BRIDGE_ENGINE_NNG_WRITER_H

#include "bridge/engine.h"
#include "bridge/engine_nng_door.h"
#include "bridge/engine_nng_link.h"
#include "bridge/event_log.h"

struct writer;

struct writer_config {
    uv_loop_t *loop;
    struct event_log *log;   /* keeps */
    struct link events;      /* sends on it from its own thread */
    struct door *door;       /* keeps */
    struct metrics *metrics; /* keeps */
};

/* Gives a running writer (writer_stop), or NULL. Loop thread, as all below. */
struct writer *writer_start(const struct writer_config *config);

/*
 * As engine_ops.append, with a record (borrows; NULL: none) in the place of a note;
 * ST_TOO_LARGE for what no queue would take. The thread gets it when the loop next waits.
 */
enum status writer_append(struct writer *writer, const struct engine_append *what,
                          const struct event_log_record *record, engine_kept_fn *on_kept,
                          void *ctx);

/* Has the record written with what comes next; empty `bytes`: removed. Borrows. */
void writer_record(struct writer *writer, enum event_log_subject subject,
                   struct slice name, struct slice bytes);

/* One could not be made: the log is told that those that are kept are older. */
void writer_lose_record(struct writer *writer);

/* Posts `written` once the records so far are written; while the disk is full, once they
 * could not be. One at a time, and not after writer_stop. */
void writer_await_records(struct writer *writer, uv_sem_t *written);
/* True once after records were lost: those that are kept may be older than others. */
bool writer_take_loss(struct writer *writer);

/* Odd while it writes, and another one each time: a disk that stands still holds it. */
unsigned writer_turn(const struct writer *writer);

/* The last position answered. */
void writer_head(const struct writer *writer, struct position *head);

/*
 * Commits and sends what waits and ends the thread. The answers are in the door: they run
 * when it is shut, at the latest. The memory goes with the process, as the answers need
 * it.
 */
void writer_stop(struct writer *writer);

#endif
