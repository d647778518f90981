/* What is chosen of a past, against a model that looks at every event. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/room_past.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOMS = 4,
    EVENTS = 400,
    TRIALS = 300,
};

struct event {
    int64_t at_ms;
    unsigned rooms; /* a bit each */
    bool is_past;
};

struct world {
    struct room_index *index;
    struct event events[EVENTS + 1]; /* by seq */
    uint64_t head, removed;
};

static const struct hash_key hash_key = {1, 2};
static const char *const names[ROOMS] = {"a", "b", "c", "d"};

static uint64_t hash_of(const struct world *world, size_t room)
{
    const struct room_key key = {SLICE("/"), ROOM_NAMED, slice_of(names[room])};
    return room_index_hash(world->index, &key);
}

static void add(struct world *world, const struct event *event)
{
    char bytes[512];
    struct buf wire = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    struct envelope_target targets[ROOMS];
    struct envelope envelope = {
        .flags = event->is_past ? ENVELOPE_HISTORY : 0,
        .at_ms = event->at_ms,
        .id = SLICE("id"),
        .nsp = SLICE("/"),
        .event = SLICE("e"),
        .event_json = SLICE("\"e\""),
        .targets = targets,
    };

    for (size_t i = 0; i < ROOMS; i++)
        if (event->rooms & 1u << i)
            targets[envelope.target_count++] =
                (struct envelope_target){ROOM_NAMED, slice_of(names[i])};
    envelope_encode(&envelope, &wire);
    assert_int_equal(buf_status(&wire), ST_OK);
    world->events[++world->head] = *event;
    room_index_add(world->index, world->head, buf_slice(&wire));
}

/* A log whose clock now and then steps back, and of which a part is gone. */
static void make_world(struct world *world, unsigned seed)
{
    int64_t now_ms = 1000;

    srand(seed);
    memset(world, 0, sizeof *world);
    world->index = room_index_create(&hash_key);
    uint64_t count = 1 + (uint64_t)rand() % EVENTS;
    for (uint64_t i = 0; i < count; i++) {
        now_ms += rand() % 3 - (rand() % 50 == 0 ? 40 : 0);
        const struct event event = {now_ms, 1 + (unsigned)rand() % 15, rand() % 5 > 0};
        add(world, &event);
    }
    world->removed = rand() % 3 ? 0 : (uint64_t)rand() % (count + 1);
    room_index_remove(world->index, world->removed);
}

/* The first seq whose event was accepted at the moment or later, less one. */
static uint64_t before(const struct world *world, int64_t moment_ms)
{
    for (uint64_t seq = 1; seq <= world->head; seq++)
        if (world->events[seq].at_ms >= moment_ms)
            return seq - 1;
    return world->head;
}

struct wish {
    uint64_t max;
    int64_t since_ms, asked_ms;
};

struct answer {
    bool is_given[EVENTS + 1];
    bool is_cut[ROOMS];
    size_t count;
};

static void model_event(const struct world *world, const struct wish *wishes,
                        size_t total, uint64_t seq, uint64_t *taken,
                        struct answer *answer)
{
    const struct event *event = &world->events[seq];
    bool is_given = false;

    if (!event->is_past || seq <= world->removed)
        return;
    for (size_t i = 0; i < ROOMS; i++)
        if (event->rooms & 1u << i && seq > before(world, wishes[i].since_ms) &&
            taken[i] < wishes[i].max && answer->count < total)
            is_given = true;
    for (size_t i = 0; i < ROOMS; i++) {
        if (!(event->rooms & 1u << i) || seq <= before(world, wishes[i].asked_ms))
            continue;
        if (!is_given)
            answer->is_cut[i] = true;
        else if (seq > before(world, wishes[i].since_ms))
            taken[i]++;
    }
    answer->is_given[seq] = is_given;
    answer->count += is_given;
}

static void model(const struct world *world, const struct wish *wishes, size_t total,
                  bool oldest_first, struct answer *answer)
{
    uint64_t taken[ROOMS] = {0};

    memset(answer, 0, sizeof *answer);
    for (uint64_t i = 1; i <= world->head; i++)
        model_event(world, wishes, total, oldest_first ? i : world->head + 1 - i, taken,
                    answer);
    /* What is gone may have been the room's, whether new members might have it or not. */
    for (size_t i = 0; i < ROOMS; i++)
        for (uint64_t seq = 1; seq <= world->removed; seq++)
            if (world->events[seq].rooms & 1u << i &&
                seq > before(world, wishes[i].asked_ms))
                answer->is_cut[i] = true;
    for (size_t i = 0; i < ROOMS; i++)
        if (wishes[i].asked_ms < world->events[1].at_ms)
            answer->is_cut[i] = true;
}

static bool is_in_a_range(const struct world *world, const struct past_room *rooms,
                          uint64_t seq)
{
    for (size_t i = 0; i < ROOMS; i++)
        if (world->events[seq].rooms & 1u << rooms[i].place && seq > rooms[i].base &&
            seq <= rooms[i].top)
            return world->events[seq].is_past;
    return false;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = ((const struct past_room *)a)->hash;
    uint64_t right = ((const struct past_room *)b)->hash;
    return left < right ? -1 : left > right;
}

static void check(const struct world *world, const struct wish *wishes, size_t total,
                  bool oldest_first)
{
    struct answer answer;
    struct past_room rooms[ROOMS];
    struct room_past past = {.rooms = rooms,
                             .count = ROOMS,
                             .oldest_first = oldest_first,
                             .through = world->head,
                             .total = total};

    for (size_t i = 0; i < ROOMS; i++)
        rooms[i] = (struct past_room){.hash = hash_of(world, i),
                                      .max = wishes[i].max,
                                      .since_ms = wishes[i].since_ms,
                                      .asked_ms = wishes[i].asked_ms,
                                      .place = i};
    qsort(rooms, ROOMS, sizeof *rooms, compare);
    room_past_begin(&past, world->index);
    while (room_past_step(&past, world->index))
        ;
    room_past_end(&past, world->index);
    model(world, wishes, total, oldest_first, &answer);

    assert_int_equal(past.found, answer.count);
    for (uint64_t seq = world->removed + 1; seq <= world->head; seq++)
        assert_int_equal(is_in_a_range(world, rooms, seq), answer.is_given[seq]);
    for (size_t i = 0; i < ROOMS; i++)
        assert_int_equal(rooms[i].is_cut, answer.is_cut[rooms[i].place]);
}

static void the_choice_is_what_a_look_at_every_event_gives(void **state)
{
    struct world world;

    (void)state;
    for (unsigned seed = 0; seed < TRIALS; seed++) {
        struct wish wishes[ROOMS];
        make_world(&world, seed);
        for (size_t i = 0; i < ROOMS; i++) {
            int64_t asked_ms = 950 + rand() % 500;
            wishes[i] =
                (struct wish){(uint64_t)rand() % 60,
                              asked_ms + (rand() % 2 ? 0 : rand() % 100), asked_ms};
        }
        size_t total = rand() % 3 ? EVENTS : (size_t)rand() % 100;
        check(&world, wishes, total, false);
        check(&world, wishes, total, true);
        room_index_destroy(world.index);
    }
}

/* More entries than one slice has: a walk goes on where it was. */
static void a_long_log_is_walked_in_slices(void **state)
{
    struct world world = {.index = room_index_create(&hash_key)};
    const struct event quiet = {1000, 1, true}, busy = {1001, 2, true};

    (void)state;
    add(&world, &quiet);
    for (int i = 0; i < 3 * ROOM_INDEX_SLICE; i++) {
        world.head = (uint64_t)i + 1; /* `events` is not looked at */
        struct event copy = busy;
        char bytes[256];
        struct buf wire = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
        struct envelope_target target = {ROOM_NAMED, SLICE("b")};
        const struct envelope envelope = {.flags = ENVELOPE_HISTORY,
                                          .at_ms = copy.at_ms,
                                          .id = SLICE("id"),
                                          .nsp = SLICE("/"),
                                          .event = SLICE("e"),
                                          .event_json = SLICE("\"e\""),
                                          .targets = &target,
                                          .target_count = 1};
        envelope_encode(&envelope, &wire);
        room_index_add(world.index, world.head + 1, buf_slice(&wire));
    }
    for (int is_oldest = 0; is_oldest < 2; is_oldest++) {
        struct past_room room = {
            .hash = hash_of(&world, 0), .max = 5, .since_ms = 1000, .asked_ms = 1000};
        struct room_past past = {.rooms = &room,
                                 .count = 1,
                                 .oldest_first = is_oldest,
                                 .through = world.head + 1,
                                 .total = 10};
        size_t steps = 0;
        room_past_begin(&past, world.index);
        while (room_past_step(&past, world.index))
            steps++;
        room_past_end(&past, world.index);
        assert_in_range(steps, 3, 4);
        assert_int_equal(past.found, 1);
        assert_true(room.base == 0 && room.top == 1 && !room.is_cut);
    }
    room_index_destroy(world.index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_choice_is_what_a_look_at_every_event_gives),
        cmocka_unit_test(a_long_log_is_walked_in_slices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
