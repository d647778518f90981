/*
 * Which part of the log came before a moment: so that "what happened since 12:00" becomes
 * a position. Events have the wall clock of the machine that accepted them, which may
 * step back, and several share a millisecond. What is asked is therefore not the time of
 * each event but where the log's highest time so far reached the moment: everything from
 * there on is given, whatever its own clock said. That may repeat an event; it loses
 * none. Not thread-safe: its owner locks.
 *
 * Bounded: beyond TIME_MARKS_MAX moments the older half becomes coarser, which repeats
 * more and loses no more.
 */
#ifndef BRIDGE_TIME_MARKS_H
#define BRIDGE_TIME_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TIME_MARKS_MAX = 16384
};

struct time_mark {
    uint64_t seq;  /* up to it the log's times are … */
    int64_t at_ms; /* … at most this */
};

/* Start zeroed, then time_marks_clear; time_marks_finish frees. */
struct time_marks {
    struct time_mark *marks; /* both ascending */
    size_t count, capacity;
    struct time_mark last; /* the whole log's; the next mark */
    int64_t from_ms;       /* nothing is known of before it */
    bool has_last;
};
void time_marks_finish(struct time_marks *marks);

/* A log that begins now. */
void time_marks_clear(struct time_marks *marks, int64_t now_ms);

/* The next event. Where memory is short, marks become coarser. */
void time_marks_add(struct time_marks *marks, uint64_t seq, int64_t at_ms);

/* All events up to the seq that it gives were accepted before `at_ms`. */
uint64_t time_marks_before(const struct time_marks *marks, int64_t at_ms);

/* The log knows of everything that was accepted from then on, kept or removed. */
int64_t time_marks_from(const struct time_marks *marks);

#endif
