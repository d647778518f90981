/* Scenarios in which events are delivered: see scenarios.h. */
#include "bench/client/audience.h"
#include "bench/client/gauge.h"
#include "bench/client/scenarios.h"
#include "bench/client/source.h"
#include "bridge/clock.h"
#include "cli/load_schedule.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WARM_UP = 3,
};

/* CPU time of the servers: between the two of a run lies what it cost. */
struct spent {
    uint64_t gateway_us, publisher_us;
};

static struct spent spent_now(const struct options *options)
{
    return (struct spent){gauge_cpu_us(&options->gateway_pids),
                          gauge_cpu_us(&options->publisher_pids)};
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/* What every scenario with events ends its object with. */
static void print_result(const struct audience *audience, const struct source *source,
                         const struct spent *before, const struct spent *after)
{
    const struct load_measure *measure = &audience->measure;
    size_t first_reader = source->options->asleep.value;

    printf("\"message_bytes\":%.0f,\"lost\":%llu,\"doubled\":%llu,\"disordered\":%llu,"
           "\"stray\":%llu,\"p50_us\":%llu,\"p95_us\":%llu,\"p99_us\":%llu,"
           "\"gateway_cpu_us\":%llu,"
           "\"publisher_cpu_us\":%llu}\n",
           (double)measure->bytes / (double)(measure->received ? measure->received : 1),
           (unsigned long long)audience_lost(audience, first_reader, source->rung),
           (unsigned long long)measure->doubled, (unsigned long long)measure->disordered,
           (unsigned long long)measure->stray,
           (unsigned long long)load_histogram_at(&measure->delivery, 500),
           (unsigned long long)load_histogram_at(&measure->delivery, 950),
           (unsigned long long)load_histogram_at(&measure->delivery, 990),
           (unsigned long long)(after->gateway_us - before->gateway_us),
           (unsigned long long)(after->publisher_us - before->publisher_us));
    fflush(stdout);
}

/* The first of all clients read no more. */
static void put_to_sleep(struct audience *audience, size_t count)
{
    for (size_t i = 0; i < count; i++)
        load_link_pause(&audience->clients[i].link, audience->loop.epoll);
}

/* Who reads what comes to one room. */
static size_t readers_of(const struct options *options)
{
    return (options->clients.value - options->asleep.value) / options->rooms.value;
}

/* One burst to one room, until the last of its readers has it. Gives the time between the
 * first byte and the last. */
static uint64_t one_round(struct audience *audience, struct source *source)
{
    uint64_t deliveries = readers_of(source->options) * source->burst;
    uint64_t received = audience->measure.received + deliveries;

    source_ring(source, (uint64_t)clock_us());
    uint64_t first_us = audience_await(audience, received);
    source_settle(source, true);
    return audience->measure.last_us > first_us ? audience->measure.last_us - first_us
                                                : 1;
}

static void one_block(struct audience *audience, struct source *source, uint64_t *walls)
{
    const struct options *options = source->options;
    size_t rounds = options->events.value;
    size_t deliveries = readers_of(options) * source->burst;

    struct spent before = spent_now(options);
    for (size_t i = 0; i < rounds; i++)
        walls[i] = one_round(audience, source);
    struct spent after = spent_now(options);
    qsort(walls, rounds, sizeof *walls, by_size);
    uint64_t wall_us = walls[rounds / 2];
    printf(
        "{\"rounds\":%zu,\"deliveries\":%zu,\"wall_us\":%llu,\"deliveries_per_s\":%.0f,",
        rounds, deliveries * rounds, (unsigned long long)wall_us,
        (double)deliveries * 1e6 / (double)wall_us);
    print_result(audience, source, &before, &after);
}

void scenario_rounds(const struct options *options)
{
    uint64_t *walls = calloc(options->events.value + 1, sizeof *walls);
    struct audience audience;
    struct source source;

    if (!walls || readers_of(options) == 0 || options->events.value == 0 ||
        options->clients.value % options->rooms.value != 0 ||
        (options->rooms.value > 1 && options->asleep.value > 0))
        give_up("these clients and rooms do not fit together");
    audience_open(&audience, options);
    audience_connect(&audience, options->window.value);
    put_to_sleep(&audience, options->asleep.value);
    source_open(&source, options);
    for (size_t i = 0; i < WARM_UP; i++)
        one_round(&audience, &source);
    if (options->blocks.value == 0)
        one_block(&audience, &source, walls);
    for (uint64_t i = 0; i < options->blocks.value && getchar() == '\n'; i++)
        one_block(&audience, &source, walls);
    source_close(&source);
    audience_close(&audience);
    free(walls);
}

void scenario_latency(const struct options *options)
{
    struct load_schedule schedule = {.rate = options->rate.value,
                                     .count = options->events.value};
    struct audience audience;
    struct source source;

    audience_open(&audience, options);
    audience_connect(&audience, options->window.value);
    source_open(&source, options);
    for (size_t i = 0; i < WARM_UP * options->rooms.value; i++)
        one_round(&audience, &source);
    audience.measure.delivery = (struct load_histogram){0};
    struct spent before = spent_now(options);
    schedule.start_us = (uint64_t)clock_us() + 1000;
    for (uint64_t k = 0; k < schedule.count; k++) {
        uint64_t due_us = load_schedule_due_us(&schedule, k);
        while ((uint64_t)clock_us() < due_us)
            load_loop_step(&audience.loop, due_us);
        source_ring(&source, due_us);
        source_settle(&source, false);
    }
    audience_await(&audience, source.rung * readers_of(options));
    source_settle(&source, true);
    struct spent after = spent_now(options);
    printf("{\"events\":%llu,\"rate\":%llu,", (unsigned long long)schedule.count,
           (unsigned long long)schedule.rate);
    print_result(&audience, &source, &before, &after);
    source_close(&source);
    audience_close(&audience);
}
