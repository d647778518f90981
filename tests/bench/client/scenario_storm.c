/* A crowd that is cut off and comes back: see scenarios.h. */
#include "bench/client/audience.h"
#include "bench/client/gauge.h"
#include "bench/client/scenarios.h"
#include "bench/client/source.h"
#include "bridge/clock.h"
#include "cli/load_publisher.h"

#include <stdio.h>

enum {
    SETTLE_MS = 500,    /* the servers notice that all have gone */
    BACKGROUND_RUN = 2, /* whose events the clients do not count */
    STEP_US = 1000,
};

struct storm {
    const struct options *options;
    struct audience audience;
    struct source source;
    uint64_t
        rung; /* bursts so far: one for each room counts as one event for each client */
};

/* One event to each room, `times` over. */
static void ring_all(struct storm *storm, uint64_t times)
{
    for (uint64_t i = 0; i < times * storm->source.rooms; i++) {
        source_ring(&storm->source, (uint64_t)clock_us());
        source_settle(&storm->source, false);
    }
    source_settle(&storm->source, true);
    storm->rung += times;
}

/* Each client is in one room. */
static uint64_t expected(const struct storm *storm)
{
    return storm->rung * storm->audience.count *
           storm->audience.clients[0].seat.room_count;
}

static struct load_publisher *publish_meanwhile(struct storm *storm)
{
    const struct options *options = storm->options;
    struct load_publish_plan plan = {.url = options->publisher,
                                     .key = options->key,
                                     .connections = 4,
                                     .rooms = 1,
                                     .rate = options->rate.value,
                                     .count = 1000000};
    struct load_loop *loop = &storm->audience.loop;
    char error[DIAL_ERROR_BYTES];
    struct load_publisher *publisher =
        load_publisher_create(&plan, loop, BACKGROUND_RUN, error);

    if (!publisher)
        give_up("%s", error);
    while (!load_publisher_is_open(publisher))
        load_loop_step(loop, (uint64_t)clock_us() + STEP_US);
    load_publisher_start(publisher, (uint64_t)clock_us());
    return publisher;
}

static void step(struct storm *storm, struct load_publisher *publisher)
{
    uint64_t next_us = load_publisher_run(publisher, (uint64_t)clock_us());
    uint64_t soon_us = (uint64_t)clock_us() + STEP_US;

    load_loop_step(&storm->audience.loop, next_us < soon_us ? next_us : soon_us);
}

/* Until all are back and have what they missed. Gives how long that took. */
static double come_back(struct storm *storm, struct load_publisher *publisher)
{
    struct audience *audience = &storm->audience;
    int64_t start_us = clock_us();

    while (audience->live < audience->count ||
           audience->measure.received < expected(storm)) {
        audience_start(audience, storm->options->window.value);
        step(storm, publisher);
        if (audience->live == audience->count &&
            audience_recovered(audience) < audience->count)
            give_up("only %zu of %zu clients went on where they were",
                    audience_recovered(audience), audience->count);
        if (clock_us() - start_us > 60 * INT64_C(1000000))
            give_up("only %zu of %zu clients are back, with %llu of %llu events",
                    audience->live, audience->count,
                    (unsigned long long)audience->measure.received,
                    (unsigned long long)expected(storm));
    }
    return (double)(clock_us() - start_us) / 1000;
}

struct return_figures {
    double back_ms;
    uint64_t p99_us, publishes;
    uint64_t gateway_us, publisher_us; /* of CPU time */
};

static void cut_and_return(struct storm *storm, uint64_t missed,
                           struct return_figures *figures)
{
    audience_hang_up(&storm->audience);
    audience_idle(&storm->audience, SETTLE_MS);
    ring_all(storm, missed);
    const struct options *options = storm->options;
    struct load_publisher *publisher = publish_meanwhile(storm);
    uint64_t gateway_us = gauge_cpu_us(&options->gateway_pids);
    uint64_t publisher_us = gauge_cpu_us(&options->publisher_pids);
    figures->back_ms = come_back(storm, publisher);
    figures->gateway_us = gauge_cpu_us(&options->gateway_pids) - gateway_us;
    figures->publisher_us = gauge_cpu_us(&options->publisher_pids) - publisher_us;
    load_publisher_stop(publisher);
    while (!load_publisher_is_done(publisher))
        step(storm, publisher);

    const struct load_publisher_counts *counts = load_publisher_counts(publisher);
    if (counts->failed > 0)
        give_up("%llu publishes failed: %s", (unsigned long long)counts->failed,
                counts->failure);
    figures->p99_us = load_histogram_at(&counts->answer, 990);
    figures->publishes = counts->accepted;
    load_publisher_destroy(publisher);
}

void scenario_storm(const struct options *options)
{
    struct storm storm = {.options = options};
    struct audience *audience = &storm.audience;
    struct return_figures bare, backlog;

    audience_open(audience, options);
    audience_remember(audience);
    source_open(&storm.source, options);
    audience_connect(audience, options->window.value);
    ring_all(&storm, 1); /* all have a position */
    audience_await(audience, expected(&storm));
    cut_and_return(&storm, 0, &bare);
    cut_and_return(&storm, options->missed.value, &backlog);
    audience_idle(audience, SETTLE_MS); /* what comes twice comes by then */
    const struct load_measure *measure = &audience->measure;
    printf(
        "{\"connections\":%zu,\"bare_ms\":%.1f,\"back_ms\":%.1f,"
        "\"bare_cpu_us\":%llu,\"gateway_cpu_us\":%llu,\"publisher_cpu_us\":%llu,"
        "\"publishes\":%llu,\"publish_p99_us\":%llu,\"lost\":%llu,\"doubled\":%llu,"
        "\"disordered\":%llu,\"stray\":%llu}\n",
        audience->count, bare.back_ms, backlog.back_ms,
        (unsigned long long)(bare.gateway_us + bare.publisher_us),
        (unsigned long long)backlog.gateway_us, (unsigned long long)backlog.publisher_us,
        (unsigned long long)backlog.publishes, (unsigned long long)backlog.p99_us,
        (unsigned long long)audience_lost(audience, 0, storm.rung * storm.source.rooms),
        (unsigned long long)measure->doubled, (unsigned long long)measure->disordered,
        (unsigned long long)measure->stray);
    source_close(&storm.source);
    audience_close(audience);
}
