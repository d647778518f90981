/* One schedule: see the header. */
#include "sim/lib/schedule.h"

#include <string.h>

enum {
    SETTLE_MS = 3000,        /* after the last word, until all must have arrived */
    END_MS = 10 * 60 * 1000, /* by then all is over */
    EVENTS = 100000
};

enum ending {
    ENDING_CLIENT_CLOSES,
    ENDING_SERVER_SHUTS,
    ENDING_SERVER_ABANDONS,
    ENDING_CLIENT_VANISHES,
    ENDING_COUNT
};

static void plan(struct schedule *schedule, uint64_t at_ms, world_fn *run)
{
    const struct world_event event = {.at_ms = at_ms, .run = run, .ctx = schedule};

    world_add(&schedule->world, &event);
}

static void plan_some(struct schedule *schedule, unsigned at_most, world_fn *run)
{
    struct world *world = &schedule->world;
    uint64_t span_ms = schedule->quiet_ms - world->now_ms;

    for (unsigned n = world_pick(world, at_most + 1); n > 0; n--)
        plan(schedule, world->now_ms + world_pick(world, (unsigned)span_ms), run);
}

/* --- what happens --- */

static void server_says(void *ctx, const struct world_event *event)
{
    struct schedule *schedule = ctx;

    (void)event;
    host_say(&schedule->host, 1 + world_pick(&schedule->world, 4));
}

static void client_says(void *ctx, const struct world_event *event)
{
    struct schedule *schedule = ctx;

    (void)event;
    client_say(&schedule->client, 1 + world_pick(&schedule->world, 4));
}

static void client_probes(void *ctx, const struct world_event *event)
{
    struct schedule *schedule = ctx;

    (void)event;
    client_probe(&schedule->client);
}

static void client_suffers(void *ctx, const struct world_event *event)
{
    struct schedule *schedule = ctx;

    (void)event;
    client_suffer(&schedule->client);
}

static void pest_pesters(void *ctx, const struct world_event *event)
{
    struct schedule *schedule = ctx;

    (void)event;
    hostile_pester(&schedule->hostile,
                   eio_session_state(&schedule->host.session) == EIO_UPGRADED);
}

static void hostile_acts(void *ctx, const struct world_event *event)
{
    struct schedule *schedule = ctx;

    (void)event;
    hostile_act(&schedule->hostile);
}

static void it_ends(void *ctx, const struct world_event *event)
{
    struct schedule *schedule = ctx;
    struct client *client = &schedule->client;

    (void)event;
    schedule->was_pausing = client->is_pausing || client->probe;
    switch (schedule->ending) {
    case ENDING_CLIENT_CLOSES: client_close(client); break;
    case ENDING_SERVER_SHUTS: host_shut(&schedule->host, false); break;
    case ENDING_SERVER_ABANDONS: host_shut(&schedule->host, true); break;
    default: client_vanish(client); break;
    }
}

/* --- promises to an honest client --- */

static void check_upgrade(struct schedule *schedule, struct tally *tally)
{
    struct client *client = &schedule->client;
    uint64_t took_ms = client->upgraded_ms - client->probed_ms;
    /* A poll that is just being sent, its noop, and a POST: head, body, answer. */
    uint64_t at_most_ms = EIO_TICK_MS + HOST_LATE_MS + 3 * schedule->net.delay_ms;

    if (client->probed_ms == 0)
        return;
    if (client->upgraded_ms == 0 && client->is_open &&
        schedule->world.now_ms - client->probed_ms > at_most_ms)
        world_fail(&schedule->world, "an upgrade hangs");
    if (client->upgraded_ms == 0)
        return;
    if (took_ms > at_most_ms)
        world_fail(&schedule->world, "an upgrade takes %u ms", (unsigned)took_ms);
    if (took_ms > tally->slowest_upgrade_ms)
        tally->slowest_upgrade_ms = took_ms;
}

/* Everything was said a while ago: it has arrived. */
static void check_settled(struct schedule *schedule, struct tally *tally)
{
    const struct host *host = &schedule->host;
    const struct client *client = &schedule->client;

    if (!client->is_open || !host->is_known)
        world_fail(&schedule->world, "an honest client was cut off: %s, %s", client->end,
                   eio_end_text(eio_session_end(&host->session)));
    if (client->heard != host->said)
        world_fail(&schedule->world, "the client heard %u of %u", client->heard,
                   host->said);
    if (host->heard != client->said)
        world_fail(&schedule->world, "the server heard %u of %u", host->heard,
                   client->said);
    check_upgrade(schedule, tally);
}

/* Last words are heard where the end is: `1` and close frames come after them. */
static void check_last_words(struct schedule *schedule)
{
    const struct host *host = &schedule->host;
    const struct client *client = &schedule->client;

    if (strcmp(client->end, "forced close") == 0 && host->heard != client->said)
        world_fail(&schedule->world, "the client closed, and the server heard %u of %u",
                   host->heard, client->said);
    if (schedule->ending == ENDING_SERVER_SHUTS &&
        strcmp(client->end, "transport close") == 0 && client->heard != host->said)
        world_fail(&schedule->world, "the server closed, and the client heard %u of %u",
                   client->heard, host->said);
}

static void check_ending(struct schedule *schedule)
{
    const struct client *client = &schedule->client;
    enum eio_end end = eio_session_end(&schedule->host.session);

    check_last_words(schedule);

    if (schedule->ending == ENDING_CLIENT_CLOSES && end != EIO_END_TRANSPORT_CLOSE)
        world_fail(&schedule->world, "the client closed, and the server sees: %s",
                   eio_end_text(end));
    /* A POST may be cut, or come too late, and a client that pauses does not ask. */
    if (schedule->ending == ENDING_SERVER_SHUTS && !client->post &&
        !schedule->was_pausing && strcmp(client->end, "transport close") != 0)
        world_fail(&schedule->world, "the server closed, and the client sees: %s",
                   client->end);
    if (schedule->ending == ENDING_CLIENT_VANISHES && end != EIO_END_PING_TIMEOUT)
        world_fail(&schedule->world, "the client vanished, and the server sees: %s",
                   eio_end_text(end));
}

/* --- the plot --- */

static enum plot pick_plot(struct world *world)
{
    unsigned n = world_pick(world, 100);

    return n < 40 ? PLOT_CLEAN : n < 55 ? PLOT_PEST : n < 75 ? PLOT_FAULTY : PLOT_HOSTILE;
}

static void set_stage(struct schedule *schedule, const struct sabotage *sabotage)
{
    struct world *world = &schedule->world;

    schedule->plot = pick_plot(world);
    schedule->is_websocket = schedule->plot < PLOT_HOSTILE && world_chance(world, 10);
    schedule->ending = world_pick(world, ENDING_COUNT);
    schedule->was_pausing = false;
    schedule->quiet_ms = world->now_ms + 100 + world_pick(world, 2000);
    host_init(&schedule->host, world, &schedule->net, schedule->is_websocket, sabotage);
    schedule->host.talk_percent = world_pick(world, 60);
    hostile_init(&schedule->hostile, world, &schedule->net);
    memset(&schedule->client, 0, sizeof schedule->client);
    if (schedule->plot == PLOT_HOSTILE)
        return;
    client_init(&schedule->client, world, &schedule->net, schedule->is_websocket,
                schedule->host.config.ping_interval_ms +
                    schedule->host.config.ping_timeout_ms);
    schedule->host.websocket = schedule->client.websocket;
}

static void write_plot(struct schedule *schedule)
{
    struct world *world = &schedule->world;
    bool ends_early = world_chance(world, 50);
    uint64_t end_ms = schedule->quiet_ms + SETTLE_MS;

    plan_some(schedule, 20, server_says);
    if (schedule->plot == PLOT_HOSTILE) {
        plan_some(schedule, 60, hostile_acts);
        if (schedule->ending == ENDING_SERVER_SHUTS && ends_early)
            plan_some(schedule, 1, it_ends);
        return;
    }
    plan_some(schedule, 20, client_says);
    if (world_chance(world, 80))
        plan_some(schedule, 4, client_probes);
    if (schedule->plot == PLOT_PEST)
        plan_some(schedule, 10, pest_pesters);
    if (schedule->plot == PLOT_FAULTY) {
        schedule->net.loss_percent = world_pick(world, 5);
        plan_some(schedule, 4, client_suffers);
    }
    if (ends_early)
        end_ms = world->now_ms +
                 world_pick(world, (unsigned)(schedule->quiet_ms - world->now_ms));
    plan(schedule, end_ms, it_ends);
}

/* Until the end, or until it is time to look whether all has arrived. */
static void run(struct schedule *schedule, uint64_t until_ms, struct tally *tally)
{
    struct world *world = &schedule->world;
    uint64_t next_ms;

    for (unsigned n = 0; world_next(world, &next_ms) && next_ms < until_ms; n++) {
        if (n == EVENTS)
            world_fail(world, "it goes on and on");
        if (!world_step(world))
            return;
        tally->events++;
        host_check(&schedule->host);
    }
}

static void count(const struct schedule *schedule, struct tally *tally)
{
    tally->schedules++;
    tally->plots[schedule->plot]++;
    tally->messages += schedule->host.heard + schedule->client.heard;
    tally->upgrades += schedule->host.upgrades;
    tally->requests += schedule->net.requests;
    tally->sockets += schedule->net.sockets;
}

bool schedule_run(struct schedule *schedule, uint64_t seed,
                  const struct sabotage *sabotage, bool is_tracing, struct tally *tally)
{
    struct world *world = &schedule->world;

    world_init(world, seed, is_tracing);
    set_stage(schedule, sabotage);
    write_plot(schedule);

    bool is_fair = schedule->plot == PLOT_CLEAN || schedule->plot == PLOT_PEST;
    uint64_t start_ms = world->now_ms;
    run(schedule, schedule->quiet_ms + SETTLE_MS, tally);
    bool has_ended = schedule->host.shut_ms || schedule->client.is_closing ||
                     schedule->client.has_vanished;
    if (is_fair && !has_ended && !world->has_failed)
        check_settled(schedule, tally);
    run(schedule, UINT64_MAX, tally);
    if (!world->has_failed)
        host_check_gone(&schedule->host);
    if (is_fair && !world->has_failed)
        check_ending(schedule);
    if (world->now_ms > start_ms + END_MS)
        world_fail(world, "it takes too long to end");
    count(schedule, tally);
    world_finish(world);
    if (world->texts > 0)
        world_fail(world, "%u texts are left", world->texts);
    return !world->has_failed;
}
