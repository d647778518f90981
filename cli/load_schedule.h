/*
 * When events are due, by the clock alone: an answer that is late moves nothing, and the
 * stamp of an event is when it was due, not when it could be sent. So a server that
 * stands still shows in all the latencies of that time. Pure.
 */
#ifndef CLI_LOAD_SCHEDULE_H
#define CLI_LOAD_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_schedule {
    uint64_t start_us;
    uint64_t rate;  /* events per second over all lanes; 0: each is due at once */
    uint64_t count; /* how many; UINT64_MAX: without end */
};

/* When event `k` (from 0) is due. */
uint64_t load_schedule_due_us(const struct load_schedule *schedule, uint64_t k);

/* How many are due by `now_us`. */
uint64_t load_schedule_due(const struct load_schedule *schedule, uint64_t now_us);

/*
 * Rooms take turns; each room has `lanes` sequences which take turns, too. A connection
 * owns whole lanes, so that what it sends is in order in each.
 */
struct load_lanes {
    size_t rooms;
    size_t connections;
    size_t lanes; /* in each room: 1 while there are no more connections than rooms */
};

/* Fewer connections than asked for when they do not go into whole lanes. */
struct load_lanes load_lanes_for(size_t rooms, size_t connections);

/* The event after `k` on the same connection; connection c begins with event c. */
uint64_t load_lanes_after(const struct load_lanes *lanes, uint64_t k);

size_t load_lanes_room(const struct load_lanes *lanes, uint64_t k);
size_t load_lanes_lane(const struct load_lanes *lanes, uint64_t k);

#endif
