/* Loads: see the header. */
#include "cli/load.h"

#include "bridge/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MS_US = 1000,
    PROGRESS_US = 200 * MS_US,
    OPEN_TIMEOUT_US = 10 * 1000 * MS_US,    /* of the publisher's connections */
    CONNECT_TIMEOUT_US = 60 * 1000 * MS_US, /* of the last clients, after the ramp */
    START_US = MS_US,
    HASTE_US = 1000 * MS_US /* for what is under way when the user wants an end */
};

struct load {
    struct load_plan plan;
    struct load_loop loop;
    struct load_peer peer;
    struct load_crowd crowd;
    struct load_measure measure;
    struct load_report report;
    unsigned run;
    size_t started, on_their_way;
    uint64_t begun_us, progress_us;
    struct load_client *clients;
};

/* --- the crowd */

static void on_live(struct load_crowd *crowd, struct load_client *client)
{
    struct load *load = crowd->ctx;

    load->on_their_way--;
    load->report.in.connected++;
    load_histogram_add(&load->report.in.connect,
                       (uint64_t)clock_us() - client->started_us);
}

static void on_gone(struct load_crowd *crowd, struct load_client *client, bool was_live,
                    const char *reason)
{
    struct load *load = crowd->ctx;

    (void)client;
    if (was_live) {
        load->report.in.connected--;
        load->report.closed++;
        snprintf(load->report.closed_because, LOAD_REASON_BYTES, "%s", reason);
        return;
    }
    load->on_their_way--;
    load->report.in.refused++;
    snprintf(load->report.in.failure, LOAD_REASON_BYTES, "%s", reason);
}

static void seat_client(struct load *load, size_t i)
{
    const struct load_plan *plan = &load->plan;

    load->clients[i] = (struct load_client){
        .link = {.fd = -1                   },
        .crowd = &load->crowd,
        .index = i,
        .seat = { .token = plan->token ? plan->token(plan->ctx, i) : NULL,
                 .first_room = i * plan->rooms_per_client % plan->rooms,
                 .room_count = plan->rooms_per_client,
                 .rooms_in_all = plan->rooms},
    };
}

static bool check(const struct load_plan *plan, char error[DIAL_ERROR_BYTES])
{
    size_t limit = 0;

    error[0] = '\0';
    if (plan->clients > LOAD_CLIENTS_MAX || plan->rooms > LOAD_ROOMS_MAX)
        snprintf(error, DIAL_ERROR_BYTES, "at most %d clients and %d rooms",
                 LOAD_CLIENTS_MAX, LOAD_ROOMS_MAX);
    else if (plan->rooms_per_client > LOAD_SEAT_ROOMS)
        snprintf(error, DIAL_ERROR_BYTES, "at most %d rooms for each client",
                 LOAD_SEAT_ROOMS);
    else if (!load_may_open(plan->clients, &limit))
        snprintf(error, DIAL_ERROR_BYTES,
                 "%zu clients need as many open files, and the limit here is %zu: raise "
                 "it with ulimit -n",
                 plan->clients, limit);
    return error[0] == '\0';
}

static void complete_plan(struct load_plan *plan)
{
    if (plan->rooms == 0)
        plan->rooms = 1;
    if (plan->rooms_per_client == 0 || plan->rooms_per_client > plan->rooms)
        plan->rooms_per_client = plan->rooms;
    if (plan->window == 0)
        plan->window = LOAD_WINDOW;
}

struct load *load_create(const struct load_plan *plan, char error[DIAL_ERROR_BYTES])
{
    struct load *load = calloc(1, sizeof *load);

    snprintf(error, DIAL_ERROR_BYTES, "out of memory or descriptors");
    if (!load)
        return NULL;
    load->plan = *plan;
    complete_plan(&load->plan);
    load->clients = calloc(plan->clients + 1, sizeof *load->clients);
    load->crowd = (struct load_crowd){
        .loop = &load->loop,
        .peer = &load->peer,
        .dialect = plan->dialect,
        .measure = &load->measure,
        .on_live = on_live,
        .on_gone = on_gone,
        .ctx = load,
    };
    if (!load_loop_open(&load->loop, plan->stop_fd) || !load->clients ||
        !load_measure_begin(&load->measure, 0, plan->clients, load->plan.rooms_per_client,
                            1) ||
        !check(&load->plan, error) || !load_peer_find(plan->url, &load->peer, error)) {
        load_destroy(load);
        return NULL;
    }
    for (size_t i = 0; i < plan->clients; i++)
        seat_client(load, i);
    return load;
}

void load_destroy(struct load *load)
{
    if (!load)
        return;
    for (size_t i = 0; load->clients && i < load->plan.clients; i++)
        load_client_stop(&load->clients[i]);
    load_measure_finish(&load->measure);
    load_loop_close(&load->loop);
    free(load->clients);
    free(load);
}

static struct load_usage usage_of_server(const struct load *load)
{
    return load_usage_of(load->plan.pids, load->plan.pid_count);
}

static void tell(struct load *load, const char *phase,
                 const struct load_publisher_counts *counts)
{
    uint64_t now_us = (uint64_t)clock_us();
    struct load_progress progress = {
        .phase = phase,
        .elapsed_us = now_us - load->begun_us,
        .connected = load->report.in.connected,
        .clients = load->plan.clients,
        .sent = counts ? counts->sent : 0,
        .received = load->measure.received,
    };

    if (!load->plan.on_progress || now_us < load->progress_us)
        return;
    progress.p95_us = load_histogram_at(&load->measure.delivery, 950);
    load->progress_us = now_us + PROGRESS_US;
    load->plan.on_progress(load->plan.ctx, &progress);
}

/* --- coming in */

static uint64_t ramp_due_us(const struct load *load, size_t i)
{
    return load->begun_us + load->plan.ramp_ms * MS_US * i / load->plan.clients;
}

/* Gives when the next one is due; UINT64_MAX: when somebody else has come in. */
static uint64_t start_due(struct load *load)
{
    while (load->started < load->plan.clients && load->on_their_way < load->plan.window) {
        struct load_client *client = &load->clients[load->started];
        uint64_t due_us = ramp_due_us(load, load->started);
        if (due_us > (uint64_t)clock_us())
            return due_us;
        load->started++;
        if (client->state != LOAD_CLIENT_NEW && client->state != LOAD_CLIENT_GONE)
            continue;
        load->on_their_way++;
        load_client_start(client);
    }
    return UINT64_MAX;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Those who are still on their way have had their time, unless the user had enough. */
static void give_up(struct load *load)
{
    for (size_t i = 0; i < load->plan.clients; i++) {
        struct load_client *client = &load->clients[i];
        if (client->state == LOAD_CLIENT_NEW || client->state == LOAD_CLIENT_LIVE ||
            client->state == LOAD_CLIENT_GONE)
            continue;
        load_client_stop(client);
        if (!load->loop.is_stopped)
            on_gone(&load->crowd, client, false, "no answer in time");
    }
}

void load_connect(struct load *load)
{
    struct load_connecting *in = &load->report.in;
    uint64_t own_us = load_usage_of_self().cpu_us;
    size_t connected = in->connected;

    *in = (struct load_connecting){.connected = connected};
    in->before = usage_of_server(load);
    load->started = load->on_their_way = 0;
    load->begun_us = (uint64_t)clock_us();
    uint64_t end_us = load->begun_us + load->plan.ramp_ms * MS_US + CONNECT_TIMEOUT_US;

    while (!load->loop.is_stopped && (uint64_t)clock_us() < end_us) {
        uint64_t due_us = start_due(load);
        if (load->started == load->plan.clients && load->on_their_way == 0)
            break;
        load_loop_step(&load->loop, earlier(due_us, (uint64_t)clock_us() + PROGRESS_US));
        tell(load, "connecting", NULL);
    }
    give_up(load);
    in->elapsed_us = (uint64_t)clock_us() - load->begun_us;
    in->after = usage_of_server(load);
    in->own_cpu_us = load_usage_of_self().cpu_us - own_us;
    load->report.is_cut = load->loop.is_stopped;
}

/* --- publishing */

/* Who listened at the start is a member, also when lost since. Visits each sequence at
 * each member: what was accepted there, and what is lacking. */
static void count_lost(const struct load *load,
                       const struct load_publisher_counts *counts, const bool *members,
                       uint64_t *expected, uint64_t *lost)
{
    const struct load_lanes *lanes = &counts->lanes;

    *expected = *lost = 0;
    for (size_t i = 0; i < load->plan.clients; i++) {
        const struct load_seat *seat = &load->clients[i].seat;
        if (!members[i])
            continue;
        for (size_t slot = 0; slot < seat->room_count; slot++) {
            size_t room = load_seat_room(seat, slot);
            for (size_t l = 0; room < lanes->rooms && l < lanes->lanes; l++) {
                uint64_t accepted = counts->accepted_in_lane[room * lanes->lanes + l];
                *expected += accepted;
                *lost += load_measure_lost(&load->measure, i, slot, l, accepted);
            }
        }
    }
}

static bool open_publisher(struct load *load, struct load_publisher *publisher,
                           char error[DIAL_ERROR_BYTES])
{
    uint64_t end_us = (uint64_t)clock_us() + OPEN_TIMEOUT_US;

    while (!load_publisher_is_open(publisher) && !load->loop.is_stopped &&
           (uint64_t)clock_us() < end_us)
        load_loop_step(&load->loop, end_us);
    if (load_publisher_is_open(publisher) &&
        load_publisher_counts(publisher)->failure[0] == '\0')
        return true;
    snprintf(error, DIAL_ERROR_BYTES, "%s",
             load_publisher_counts(publisher)->failure[0]
                 ? load_publisher_counts(publisher)->failure
                 : "no connection to the publisher in time");
    return false;
}

static void run_publisher(struct load *load, struct load_publisher *publisher)
{
    load->begun_us = (uint64_t)clock_us() + START_US;
    load_publisher_start(publisher, load->begun_us);
    while (!load_publisher_is_done(publisher)) {
        uint64_t now_us = (uint64_t)clock_us();
        uint64_t wake_us = load_publisher_run(publisher, now_us);
        if (load->loop.is_stopped)
            load_publisher_stop(publisher);
        load_loop_step(&load->loop, earlier(wake_us, now_us + PROGRESS_US));
        tell(load, "publishing", load_publisher_counts(publisher));
    }
}

/* Until all has come, or nothing more for too long. */
static void drain(struct load *load, const struct load_publish_plan *plan,
                  const struct load_publisher_counts *counts, uint64_t expected)
{
    uint64_t patience_us = plan->drain_ms * MS_US;
    uint64_t since_us = (uint64_t)clock_us();

    if (load->loop.is_stopped)
        patience_us = earlier(patience_us, HASTE_US);
    while (load->measure.received < expected) {
        uint64_t now_us = (uint64_t)clock_us();
        if (load->measure.last_us > since_us)
            since_us = load->measure.last_us;
        if (now_us >= since_us + patience_us)
            break;
        load_loop_step(&load->loop,
                       earlier(since_us + patience_us, now_us + PROGRESS_US));
        tell(load, "publishing", counts);
    }
}

static void fill_report(struct load *load, const struct load_publisher_counts *counts)
{
    struct load_report *report = &load->report;
    const struct load_measure *measure = &load->measure;

    report->sent = counts->sent;
    report->accepted = counts->accepted;
    report->failed = counts->failed;
    memcpy(report->failure, counts->failure, sizeof report->failure);
    report->publish_us = counts->last_us - counts->start_us;
    report->deliver_us =
        measure->last_us > counts->start_us ? measure->last_us - counts->start_us : 0;
    report->received = measure->received;
    report->doubled = measure->doubled;
    report->disordered = measure->disordered;
    report->stray = measure->stray;
    report->received_bytes = measure->bytes;
    report->delivery = measure->delivery;
    report->answer = counts->answer;
    report->is_cut = load->loop.is_stopped;
}

static void measure_run(struct load *load, const struct load_publish_plan *plan,
                        struct load_publisher *publisher, const bool *members)
{
    const struct load_publisher_counts *counts = load_publisher_counts(publisher);
    struct load_report *report = &load->report;
    uint64_t own_us = load_usage_of_self().cpu_us;

    report->before = usage_of_server(load);
    run_publisher(load, publisher);
    count_lost(load, counts, members, &report->expected, &report->lost);
    drain(load, plan, counts, report->expected);
    count_lost(load, counts, members, &report->expected, &report->lost);
    report->after = usage_of_server(load);
    report->own_cpu_us = load_usage_of_self().cpu_us - own_us;
    fill_report(load, counts);
}

bool load_publish(struct load *load, const struct load_publish_plan *plan,
                  char error[DIAL_ERROR_BYTES])
{
    struct load_publish_plan complete = *plan;
    bool *members = calloc(load->plan.clients + 1, sizeof *members);
    bool is_measured = false;

    if (complete.rooms == 0 || complete.rooms > load->plan.rooms)
        complete.rooms = load->plan.rooms;
    load->run = (load->run + 1) % LOAD_STAMP_RUNS;
    struct load_publisher *publisher =
        load_publisher_create(&complete, &load->loop, load->run, error);
    for (size_t i = 0; members && i < load->plan.clients; i++)
        members[i] = load->clients[i].state == LOAD_CLIENT_LIVE;
    if (members && publisher &&
        load_measure_begin(&load->measure, load->run, load->plan.clients,
                           load->plan.rooms_per_client,
                           load_publisher_counts(publisher)->lanes.lanes) &&
        open_publisher(load, publisher, error)) {
        measure_run(load, &complete, publisher, members);
        is_measured = true;
    }
    load_publisher_destroy(publisher);
    free(members);
    return is_measured;
}

const struct load_report *load_report(const struct load *load)
{
    return &load->report;
}
