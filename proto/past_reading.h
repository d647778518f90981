/*
 * How far it has come when somebody gets from the log what came before live events: page
 * after page, while live events wait behind. Numbers only, no state beside them: what was
 * sent, what was read, and from where on events are held. Because the numbers of the log
 * say what is next, nothing is missing at the seam and nothing comes twice.
 */
#ifndef PROTO_PAST_READING_H
#define PROTO_PAST_READING_H

#include <stdbool.h>
#include <stdint.h>

struct past_reading {
    uint64_t position; /* everything up to here was sent */
    uint64_t read;     /* everything up to here was read */
    uint64_t to;       /* what comes after it is held */
    bool is_going;     /* what is read may be sent */
};

/* Everything up to `from` was sent before; what is applied from now on is held. */
void past_reading_begin(struct past_reading *reading, uint64_t from, uint64_t applied,
                        bool is_going);
/* Of one room more is wanted: what comes after `base`. */
void past_reading_reach_back(struct past_reading *reading, uint64_t base);
/* What was read is sent, and what will be. */
void past_reading_go(struct past_reading *reading);
/* What is held is let go, up to `applied`: the log is read up to there instead. */
void past_reading_extend(struct past_reading *reading, uint64_t applied);
/* Nothing is left to be read: what is held is next. */
bool past_reading_is_over(const struct past_reading *reading);

/* One page, while its events come. */
struct past_page {
    uint64_t last; /* events up to here were taken */
    bool is_cut;   /* and no more: there was no room */
};

struct past_page past_page_begin(const struct past_reading *reading);
/* Is the next event to be taken? What follows one that had no room is not, either. */
bool past_page_takes(struct past_page *page, bool has_room);
void past_page_took(struct past_page *page, uint64_t seq);
/* Whether a page that is complete up to `through` has brought anything. If not, the log
 * could read nothing of what was asked for: that says not even that nothing is missing.
 */
bool past_page_has_come(const struct past_page *page, const struct past_reading *reading,
                        uint64_t through);
/* That was all of the page, which is complete up to `through`. */
void past_reading_turn(struct past_reading *reading, const struct past_page *page,
                       uint64_t through);

#endif
