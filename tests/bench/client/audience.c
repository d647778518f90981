/* The clients that listen: see the header. */
#include "bench/client/audience.h"

#include "bridge/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUN = 1,
    WAIT_US = 30 * 1000000,
    AWAKE_US = 20000,
    AGAIN_US = 1000000,
    AGAIN_MOST_US = 5000000,
};

static void on_live(struct load_crowd *crowd, struct load_client *client)
{
    (void)client;
    ((struct audience *)crowd->ctx)->live++;
}

static void wait_again(struct audience *audience, size_t index)
{
    struct audience_again *again = &audience->again[index];
    unsigned doublings = again->refusals < 3 ? again->refusals : 3;
    uint64_t delay_us = (uint64_t)AGAIN_US << doublings;

    if (delay_us > AGAIN_MOST_US)
        delay_us = AGAIN_MOST_US;
    delay_us = delay_us / 2 + (uint64_t)rand() % delay_us;
    again->due_us = (uint64_t)clock_us() + delay_us;
    again->refusals++;
    audience->waiting++;
    audience->refusals++;
}

static void on_gone(struct load_crowd *crowd, struct load_client *client, bool was_live,
                    const char *reason)
{
    struct audience *audience = crowd->ctx;

    if (was_live || !audience->again)
        give_up("client %zu %s: %s", client->index, was_live ? "was lost" : "was refused",
                reason);
    wait_again(audience, client->index);
}

static void read_tokens(struct audience *audience, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;

    if (!file)
        give_up("cannot read %s", path);
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        audience->tokens = realloc(audience->tokens, (audience->token_count + 1) *
                                                         sizeof *audience->tokens);
        audience->tokens[audience->token_count++] = strdup(line);
    }
    free(line);
    fclose(file);
}

static void seat_clients(struct audience *audience, size_t rooms_each)
{
    for (size_t i = 0; i < audience->count; i++)
        audience->clients[i] = (struct load_client){
            .link = {.fd = -1                       },
            .crowd = &audience->crowd,
            .index = i,
            .seat = { .token = audience->token_count
                                  ? audience->tokens[i % audience->token_count]
                                  : NULL,
                     .first_room = i % audience->rooms,
                     .room_count = rooms_each,
                     .rooms_in_all = audience->rooms},
        };
}

void audience_open(struct audience *audience, const struct options *options)
{
    char error[DIAL_ERROR_BYTES];
    size_t limit;

    *audience = (struct audience){.count = options->clients.value,
                                  .rooms = options->rooms.value,
                                  .lanes = options->burst.value,
                                  .at_once = options->at_once.value};
    if (!load_may_open(audience->count, &limit))
        give_up("%zu clients need more open files than %zu", audience->count, limit);
    if (!load_peer_find(options->server, &audience->peer, error))
        give_up("%s", error);
    if (options->token_file)
        read_tokens(audience, options->token_file);
    audience->clients = calloc(audience->count, sizeof *audience->clients);
    if (!audience->clients || !load_loop_open(&audience->loop, -1) ||
        !load_measure_begin(&audience->measure, RUN, audience->count,
                            options->rooms_each.value, audience->lanes))
        give_up("out of memory");
    audience->crowd = (struct load_crowd){.loop = &audience->loop,
                                          .peer = &audience->peer,
                                          .dialect = load_dialect_find(options->dialect),
                                          .measure = &audience->measure,
                                          .on_live = on_live,
                                          .on_gone = on_gone,
                                          .ctx = audience};
    if (!audience->crowd.dialect)
        give_up("no dialect %s", options->dialect);
    seat_clients(audience, options->rooms_each.value);
}

void audience_close(struct audience *audience)
{
    audience_hang_up(audience);
    for (size_t i = 0; i < audience->token_count; i++)
        free(audience->tokens[i]);
    free(audience->tokens);
    free(audience->clients);
    free(audience->recalls);
    free(audience->again);
    load_measure_finish(&audience->measure);
    load_loop_close(&audience->loop);
}

void audience_remember(struct audience *audience)
{
    audience->recalls = calloc(audience->count, sizeof *audience->recalls);
    if (!audience->recalls)
        give_up("out of memory");
    for (size_t i = 0; i < audience->count; i++)
        audience->clients[i].seat.recall = &audience->recalls[i];
}

size_t audience_recovered(const struct audience *audience)
{
    size_t count = 0;

    for (size_t i = 0; audience->recalls && i < audience->count; i++)
        count += audience->recalls[i].is_recovered;
    return count;
}

void audience_forgive(struct audience *audience)
{
    audience->again = calloc(audience->count, sizeof *audience->again);
    if (!audience->again)
        give_up("out of memory");
}

static void start_again(struct audience *audience)
{
    uint64_t now_us = (uint64_t)clock_us();

    for (size_t i = 0; audience->waiting > 0 && i < audience->count; i++) {
        struct audience_again *again = &audience->again[i];
        if (again->due_us == 0 || again->due_us > now_us)
            continue;
        again->due_us = 0;
        audience->waiting--;
        load_client_start(&audience->clients[i]);
    }
}

void audience_start(struct audience *audience, size_t window)
{
    size_t left = audience->at_once;

    start_again(audience);
    while (left-- > 0 && audience->started < audience->count &&
           audience->started - audience->live < window)
        load_client_start(&audience->clients[audience->started++]);
}

void audience_connect(struct audience *audience, size_t window)
{
    uint64_t end_us = (uint64_t)clock_us() + 4 * (uint64_t)WAIT_US;

    while (audience->live < audience->count) {
        audience_start(audience, window);
        load_loop_step(&audience->loop, end_us);
        if ((uint64_t)clock_us() >= end_us)
            give_up("only %zu of %zu clients are connected", audience->live,
                    audience->count);
    }
}

void audience_hang_up(struct audience *audience)
{
    for (size_t i = 0; i < audience->started; i++)
        load_client_stop(&audience->clients[i]);
    audience->started = audience->live = audience->waiting = 0;
    if (audience->again)
        memset(audience->again, 0, audience->count * sizeof *audience->again);
}

void audience_idle(struct audience *audience, uint64_t ms)
{
    uint64_t end_us = (uint64_t)clock_us() + ms * 1000;

    while ((uint64_t)clock_us() < end_us)
        load_loop_step(&audience->loop, end_us);
}

/* A client that sleeps meanwhile may find its core taken when the first byte comes, and
 * would see less of the fan-out than one that did not have to wait: so it stays awake. */
static uint64_t await_first(const struct audience *audience)
{
    struct pollfd readable = {.fd = audience->loop.epoll, .events = POLLIN};
    uint64_t awake_until_us = (uint64_t)clock_us() + AWAKE_US;

    while (poll(&readable, 1, 0) == 0 && (uint64_t)clock_us() < awake_until_us)
        ;
    poll(&readable, 1, WAIT_US / 1000);
    return (uint64_t)clock_us();
}

uint64_t audience_await(struct audience *audience, uint64_t received)
{
    uint64_t end_us = (uint64_t)clock_us() + WAIT_US;
    uint64_t first_us = await_first(audience);

    while (audience->measure.received < received) {
        load_loop_step(&audience->loop, end_us);
        if ((uint64_t)clock_us() >= end_us)
            give_up("only %llu of %llu deliveries have come",
                    (unsigned long long)audience->measure.received,
                    (unsigned long long)received);
    }
    return first_us;
}

/* Bursts take turns among the rooms, from room 0 on. */
static uint64_t sent_to(const struct audience *audience, size_t room, uint64_t bursts)
{
    return bursts / audience->rooms + (room < bursts % audience->rooms);
}

uint64_t audience_lost(const struct audience *audience, size_t first, uint64_t bursts)
{
    uint64_t lost = 0;

    for (size_t i = first; i < audience->count; i++) {
        const struct load_seat *seat = &audience->clients[i].seat;
        for (size_t cell = 0; cell < seat->room_count * audience->lanes; cell++) {
            size_t slot = cell / audience->lanes;
            uint64_t sent = sent_to(audience, load_seat_room(seat, slot), bursts);
            lost += load_measure_lost(&audience->measure, i, slot, cell % audience->lanes,
                                      sent);
        }
    }
    return lost;
}
