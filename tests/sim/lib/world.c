/* A world of events: see the header. */
#include "sim/lib/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void world_init(struct world *world, uint64_t seed, bool is_tracing)
{
    world->now_ms = 1000;
    world->chance = seed;
    world->order = 0;
    world->count = 0;
    world->texts = 0;
    world->is_tracing = is_tracing;
    world->has_failed = false;
    world->failure[0] = '\0';
}

static void drop_text(struct world *world, struct world_event *event)
{
    if (event->text.ptr)
        world->texts--;
    free((void *)event->text.ptr);
}

void world_finish(struct world *world)
{
    while (world->count > 0)
        drop_text(world, &world->heap[--world->count]);
}

/* splitmix64 */
static uint64_t next_random(struct world *world)
{
    uint64_t z = world->chance += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned world_pick(struct world *world, unsigned below)
{
    return below > 0 ? (unsigned)(next_random(world) % below) : 0;
}

bool world_chance(struct world *world, unsigned percent)
{
    return world_pick(world, 100) < percent;
}

static bool is_sooner(const struct world_event *a, const struct world_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void world_add(struct world *world, const struct world_event *event)
{
    unsigned at = world->count;
    struct world_event copy = *event;

    if (at == WORLD_EVENTS) {
        world_fail(world, "the world is full: something goes round in a loop");
        return;
    }
    if (copy.at_ms < world->now_ms)
        copy.at_ms = world->now_ms;
    copy.order = world->order++;
    if (event->text.len > 0) {
        copy.text.ptr = slice_dup(event->text);
        if (!copy.text.ptr)
            abort();
        world->texts++;
    } else {
        copy.text = (struct slice){0};
    }
    world->count++;
    while (at > 0) {
        unsigned parent = (at - 1) / 2;
        if (!is_sooner(&copy, &world->heap[parent]))
            break;
        world->heap[at] = world->heap[parent];
        at = parent;
    }
    world->heap[at] = copy;
}

static struct world_event take_first(struct world *world)
{
    struct world_event first = world->heap[0];
    struct world_event last = world->heap[--world->count];
    unsigned at = 0;

    for (;;) {
        unsigned child = 2 * at + 1;
        if (child >= world->count)
            break;
        if (child + 1 < world->count &&
            is_sooner(&world->heap[child + 1], &world->heap[child]))
            child++;
        if (is_sooner(&last, &world->heap[child]))
            break;
        world->heap[at] = world->heap[child];
        at = child;
    }
    world->heap[at] = last;
    return first;
}

bool world_step(struct world *world)
{
    if (world->count == 0 || world->has_failed)
        return false;
    struct world_event event = take_first(world);
    world->now_ms = event.at_ms;
    event.run(event.ctx, &event);
    drop_text(world, &event);
    return !world->has_failed;
}

bool world_next(const struct world *world, uint64_t *at_ms)
{
    if (world->count == 0)
        return false;
    *at_ms = world->heap[0].at_ms;
    return true;
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list args;

    if (world->has_failed)
        return;
    world->has_failed = true;
    va_start(args, format);
    vsnprintf(world->failure, sizeof world->failure, format, args);
    va_end(args);
    world_trace(world, "BROKEN: %s", world->failure);
}

void world_trace(const struct world *world, const char *format, ...)
{
    va_list args;

    if (!world->is_tracing)
        return;
    printf("%7llu ms  ", (unsigned long long)world->now_ms);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}
