/* The schedule: see the header. */
#include "cli/load_schedule.h"

enum {
    SECOND_US = 1000000
};

/* a * b / c without an overflow on the way. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    return a / c * b + a % c * b / c;
}

uint64_t load_schedule_due_us(const struct load_schedule *schedule, uint64_t k)
{
    if (schedule->rate == 0)
        return schedule->start_us;
    return schedule->start_us + scale(k, SECOND_US, schedule->rate);
}

uint64_t load_schedule_due(const struct load_schedule *schedule, uint64_t now_us)
{
    if (now_us < schedule->start_us || schedule->count == 0)
        return 0;
    if (schedule->rate == 0)
        return schedule->count;
    /* Due times are rounded down: the quotient may be one short. */
    uint64_t k = scale(now_us - schedule->start_us, schedule->rate, SECOND_US);
    while (k < schedule->count && load_schedule_due_us(schedule, k) <= now_us)
        k++;
    return k < schedule->count ? k : schedule->count;
}

struct load_lanes load_lanes_for(size_t rooms, size_t connections)
{
    struct load_lanes lanes = {rooms ? rooms : 1, connections ? connections : 1, 1};

    if (lanes.connections > lanes.rooms) {
        lanes.lanes = lanes.connections / lanes.rooms;
        lanes.connections = lanes.lanes * lanes.rooms;
    }
    return lanes;
}

uint64_t load_lanes_after(const struct load_lanes *lanes, uint64_t k)
{
    uint64_t room = k % lanes->rooms;

    if (lanes->connections >= lanes->rooms)
        return k + lanes->connections;
    if (room + lanes->connections < lanes->rooms)
        return k + lanes->connections;
    /* The same connection's first room in the next turn. */
    return (k / lanes->rooms + 1) * lanes->rooms + room % lanes->connections;
}

size_t load_lanes_room(const struct load_lanes *lanes, uint64_t k)
{
    return (size_t)(k % lanes->rooms);
}

size_t load_lanes_lane(const struct load_lanes *lanes, uint64_t k)
{
    return load_lanes_room(lanes, k) * lanes->lanes +
           (size_t)(k / lanes->rooms % lanes->lanes);
}
