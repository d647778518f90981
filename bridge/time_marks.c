/* Moments of the log: see the header. */
#include "bridge/time_marks.h"

#include <stdlib.h>

enum {
    FIRST_MARKS = 64
};

void time_marks_finish(struct time_marks *marks)
{
    free(marks->marks);
    *marks = (struct time_marks){0};
}

void time_marks_clear(struct time_marks *marks, int64_t now_ms)
{
    marks->count = 0;
    marks->has_last = false;
    marks->from_ms = now_ms;
}

/* Every second one of the older half goes: what is between two marks counts as later. */
static void thin_out(struct time_marks *marks)
{
    size_t half = marks->count / 2, kept = 0;

    for (size_t i = 0; i < marks->count; i++)
        if (i >= half || i % 2 == 1)
            marks->marks[kept++] = marks->marks[i];
    marks->count = kept;
}

static bool make_room(struct time_marks *marks)
{
    if (marks->count < marks->capacity)
        return true;
    if (marks->capacity < TIME_MARKS_MAX) {
        size_t capacity = marks->capacity ? marks->capacity * 2 : FIRST_MARKS;
        struct time_mark *grown = realloc(marks->marks, capacity * sizeof *grown);
        if (grown) {
            marks->marks = grown;
            marks->capacity = capacity;
            return true;
        }
    }
    thin_out(marks);
    return marks->count < marks->capacity;
}

void time_marks_add(struct time_marks *marks, uint64_t seq, int64_t at_ms)
{
    if (!marks->has_last) {
        /* Of a log that is read again: nobody remembers when it began. */
        if (at_ms < marks->from_ms)
            marks->from_ms = at_ms;
        marks->last = (struct time_mark){seq, at_ms};
        marks->has_last = true;
        return;
    }
    if (at_ms > marks->last.at_ms) {
        if (make_room(marks))
            marks->marks[marks->count++] = marks->last;
        marks->last.at_ms = at_ms;
    }
    marks->last.seq = seq;
}

uint64_t time_marks_before(const struct time_marks *marks, int64_t at_ms)
{
    size_t low = 0, high = marks->count;

    if (marks->has_last && marks->last.at_ms < at_ms)
        return marks->last.seq;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks->marks[middle].at_ms < at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? marks->marks[low - 1].seq : 0;
}

int64_t time_marks_from(const struct time_marks *marks)
{
    return marks->from_ms;
}
