/* A crowd that is cut off and comes back: see scenarios.h. */
#include "bench/client/audience.h"
#include "bench/client/gauge.h"
#include "bench/client/prober.h"
#include "bench/client/scenarios.h"
#include "bench/client/source.h"
#include "bridge/clock.h"
#include "cli/load_publisher.h"
#include "cli/load_usage.h"

#include <stdio.h>

enum {
    SETTLE_MS = 500,    /* the servers notice that all have gone */
    BACKGROUND_RUN = 2, /* whose events the clients do not count */
    STEP_US = 1000,
    WEIGH_US = 10000,
    FIRST_WINDOW = 500,
    PROBERS = 2, /* of the gateway and of the operators' listener */
};

/* What is looked at of the servers meanwhile. */
struct watch {
    struct prober probers[PROBERS];
    uint64_t due_us;        /* when memory is looked at */
    uint64_t gateway_bytes; /* at their peaks */
    uint64_t publisher_bytes;
};

struct storm {
    const struct options *options;
    struct audience audience;
    struct source source;
    uint64_t rung;       /* bursts so far: one for each room, one event for each client */
    struct watch *watch; /* NULL: nothing is */
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

static void weigh(struct storm *storm)
{
    const struct options *options = storm->options;
    struct watch *watch = storm->watch;
    uint64_t gateway_bytes = gauge_resident_bytes(&options->gateway_pids);
    uint64_t publisher_bytes = gauge_resident_bytes(&options->publisher_pids);

    if (gateway_bytes > watch->gateway_bytes)
        watch->gateway_bytes = gateway_bytes;
    if (publisher_bytes > watch->publisher_bytes)
        watch->publisher_bytes = publisher_bytes;
    watch->due_us = (uint64_t)clock_us() + WEIGH_US;
}

static void look(struct storm *storm)
{
    struct watch *watch = storm->watch;
    uint64_t now_us = (uint64_t)clock_us();

    for (size_t i = 0; i < PROBERS; i++)
        prober_run(&watch->probers[i], now_us);
    if (now_us >= watch->due_us)
        weigh(storm);
}

static void step(struct storm *storm, struct load_publisher *publisher)
{
    if (storm->watch)
        look(storm);
    uint64_t next_us = load_publisher_run(publisher, (uint64_t)clock_us());
    uint64_t soon_us = (uint64_t)clock_us() + STEP_US;

    load_loop_step(&storm->audience.loop, next_us < soon_us ? next_us : soon_us);
}

/* Until all are back and have what they missed. Gives how long that took. */
static double come_back(struct storm *storm, struct load_publisher *publisher)
{
    struct audience *audience = &storm->audience;
    int64_t start_us = clock_us();

    for (size_t i = 0; storm->watch && i < PROBERS; i++)
        prober_start(&storm->watch->probers[i], (uint64_t)start_us);
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
    uint64_t p99_us;
    uint64_t server_us, client_us; /* of CPU time */
};

/* The same connects without a backlog and with one, one after the other. */
struct pair {
    struct return_figures bare, backlog;
};

static uint64_t server_us(const struct options *options)
{
    return gauge_cpu_us(&options->gateway_pids) + gauge_cpu_us(&options->publisher_pids);
}

static void cut_and_return(struct storm *storm, uint64_t missed,
                           struct return_figures *figures)
{
    audience_hang_up(&storm->audience);
    audience_idle(&storm->audience, SETTLE_MS);
    ring_all(storm, missed);
    const struct options *options = storm->options;
    struct load_publisher *publisher = publish_meanwhile(storm);
    uint64_t before_us = server_us(options);
    uint64_t own_us = load_usage_of_self().cpu_us;
    figures->back_ms = come_back(storm, publisher);
    figures->server_us = server_us(options) - before_us;
    figures->client_us = load_usage_of_self().cpu_us - own_us;
    load_publisher_stop(publisher);
    while (!load_publisher_is_done(publisher))
        step(storm, publisher);

    const struct load_publisher_counts *counts = load_publisher_counts(publisher);
    if (counts->failed > 0)
        give_up("%llu publishes failed: %s", (unsigned long long)counts->failed,
                counts->failure);
    figures->p99_us = load_histogram_at(&counts->answer, 990);
    load_publisher_destroy(publisher);
}

/* Which of the two comes first takes turns, so that nothing favours one. */
static void run_pair(struct storm *storm, size_t number, struct pair *pair)
{
    uint64_t missed = storm->options->missed.value;

    if (number % 2 == 0)
        cut_and_return(storm, 0, &pair->bare);
    cut_and_return(storm, missed, &pair->backlog);
    if (number % 2 != 0)
        cut_and_return(storm, 0, &pair->bare);
}

static void print_return(const char *name, const struct return_figures *figures)
{
    printf("\"%s\":{\"back_ms\":%.1f,\"server_cpu_us\":%llu,\"client_cpu_us\":%llu,"
           "\"publish_p99_us\":%llu}",
           name, figures->back_ms, (unsigned long long)figures->server_us,
           (unsigned long long)figures->client_us, (unsigned long long)figures->p99_us);
}

static void open_storm(struct storm *storm)
{
    struct audience *audience = &storm->audience;
    const struct options *options = storm->options;

    audience_open(audience, options);
    audience_remember(audience);
    source_open(&storm->source, options);
    audience_connect(audience, FIRST_WINDOW);
    ring_all(storm, 1); /* all have a position */
    audience_await(audience, expected(storm));
}

/* What went wrong of all events, as the last members of the object, and the end. */
static void close_storm(struct storm *storm)
{
    struct audience *audience = &storm->audience;
    const struct load_measure *measure = &audience->measure;

    audience_idle(audience, SETTLE_MS); /* what comes twice comes by then */
    printf(
        "\"lost\":%llu,\"doubled\":%llu,\"disordered\":%llu,\"stray\":%llu}\n",
        (unsigned long long)audience_lost(audience, 0, storm->rung * storm->source.rooms),
        (unsigned long long)measure->doubled, (unsigned long long)measure->disordered,
        (unsigned long long)measure->stray);
    source_close(&storm->source);
    audience_close(audience);
}

void scenario_storm(const struct options *options)
{
    struct storm storm = {.options = options};
    struct pair pair;

    open_storm(&storm);
    printf("{\"pairs\":[");
    for (size_t i = 0; i < options->blocks.value; i++) {
        run_pair(&storm, i, &pair);
        printf("%s{", i > 0 ? "," : "");
        print_return("bare", &pair.bare);
        printf(",");
        print_return("backlog", &pair.backlog);
        printf("}");
    }
    printf("],");
    close_storm(&storm);
}

/* It is steady: everybody is there and has heard something. */
static void open_watch(struct storm *storm, struct watch *watch)
{
    const struct options *options = storm->options;
    struct load_loop *loop = &storm->audience.loop;

    if (!options->ops)
        give_up("no --ops");
    prober_open(&watch->probers[0], options->server, loop);
    prober_open(&watch->probers[1], options->ops, loop);
    storm->watch = watch;
    weigh(storm);
}

static double growth(uint64_t peak_bytes, uint64_t steady_bytes)
{
    return (double)peak_bytes / (double)steady_bytes;
}

static uint64_t health_p99_us(const struct prober *prober)
{
    return load_histogram_at(&prober->answers, 990);
}

void scenario_herd(const struct options *options)
{
    struct storm storm = {.options = options};
    struct return_figures backlog;
    struct watch watch = {0};

    open_storm(&storm);
    open_watch(&storm, &watch);
    uint64_t gateway_bytes = watch.gateway_bytes;
    uint64_t publisher_bytes = watch.publisher_bytes;
    audience_forgive(&storm.audience);
    cut_and_return(&storm, options->missed.value, &backlog);
    printf("{");
    print_return("backlog", &backlog);
    printf(",\"refusals\":%zu,\"gateway_health_p99_us\":%llu,"
           "\"ops_health_p99_us\":%llu,\"gateway_growth\":%.3f,"
           "\"publisher_growth\":%.3f,",
           storm.audience.refusals, (unsigned long long)health_p99_us(&watch.probers[0]),
           (unsigned long long)health_p99_us(&watch.probers[1]),
           growth(watch.gateway_bytes, gateway_bytes),
           growth(watch.publisher_bytes, publisher_bytes));
    for (size_t i = 0; i < PROBERS; i++)
        prober_close(&watch.probers[i]);
    close_storm(&storm);
}
