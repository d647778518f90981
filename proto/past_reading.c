/* Reading the past up to live events: see the header. */
#include "proto/past_reading.h"

void past_reading_begin(struct past_reading *reading, uint64_t from, uint64_t applied,
                        bool is_going)
{
    *reading = (struct past_reading){from, from, applied, is_going};
}

void past_reading_reach_back(struct past_reading *reading, uint64_t base)
{
    if (base < reading->read)
        reading->read = base;
}

/* What it gets of before `from` is more than is owed to it: its position stays. */
static void move_on(struct past_reading *reading)
{
    if (reading->is_going && reading->read > reading->position)
        reading->position = reading->read;
}

void past_reading_go(struct past_reading *reading)
{
    reading->is_going = true;
    move_on(reading);
}

void past_reading_extend(struct past_reading *reading, uint64_t applied)
{
    reading->to = applied;
}

bool past_reading_is_over(const struct past_reading *reading)
{
    return reading->read >= reading->to;
}

struct past_page past_page_begin(const struct past_reading *reading)
{
    return (struct past_page){.last = reading->read};
}

bool past_page_takes(struct past_page *page, bool has_room)
{
    page->is_cut = page->is_cut || !has_room;
    return !page->is_cut;
}

void past_page_took(struct past_page *page, uint64_t seq)
{
    page->last = seq;
}

bool past_page_has_come(const struct past_page *page, const struct past_reading *reading,
                        uint64_t through)
{
    return page->is_cut || page->last > reading->read || through > reading->read;
}

void past_reading_turn(struct past_reading *reading, const struct past_page *page,
                       uint64_t through)
{
    reading->read = page->is_cut || through < page->last ? page->last : through;
    move_on(reading);
}
