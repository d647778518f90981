/* Rooms against a naive model: members, their places, rooms that come and go. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "client-gw/room.h"
#include "client-gw/session.h"

#include <stdlib.h>

enum {
    SESSIONS = 40,
    ROOMS = 12,
    STEPS = 20000,
};

struct world {
    struct metrics metrics;
    struct room_set *set;
    struct session sessions[SESSIONS];
    struct membership places[SESSIONS][ROOMS];
    bool is_in[SESSIONS][ROOMS]; /* the model; a session's slot is the room's number */
};

/* Names repeat over the kinds: only kind and name together are a room. */
static struct room_key key_of(size_t room)
{
    static const char names[] = "abcd";

    return (struct room_key){
        SLICE("/"), (enum room_kind)(room % 3), {names + room / 3, 1}
    };
}

static void assert_same(struct world *world, size_t room)
{
    struct room_key key = key_of(room);
    struct room *found = room_find(world->set, &key);
    size_t expected = 0, count = 0;

    for (size_t i = 0; i < SESSIONS; i++) {
        if (!world->is_in[i][room])
            continue;
        expected++;
        assert_ptr_equal(world->places[i][room].room, found);
        assert_ptr_equal(room_member_at(&world->places[i][room])->session,
                         &world->sessions[i]);
    }
    if (found)
        room_members(found, &count);
    assert_int_equal(count, expected);
    assert_int_equal(found != NULL, expected > 0);
}

static void it_behaves_as_a_table_of_bools_does(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    unsigned seed = 11;

    (void)state;
    world->set = room_set_create(&world->metrics, ROOMS);
    for (size_t i = 0; i < SESSIONS; i++)
        world->sessions[i].memberships = world->places[i];
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)rand_r(&seed) % SESSIONS, room = (size_t)rand_r(&seed) % ROOMS;
        struct room_member member = {.slot = (uint16_t)room,
                                     .session = &world->sessions[i]};
        struct room_key key = key_of(room);
        bool is_emptying = step / 500 % 2 == 1;
        if (world->is_in[i][room])
            room_leave(world->set, &world->places[i][room]);
        else if (is_emptying)
            continue;
        else
            assert_int_equal(
                room_join(world->set, &key, &member, &world->places[i][room]), ST_OK);
        world->is_in[i][room] = !world->is_in[i][room];
        assert_same(world, room);
    }
    for (size_t i = 0; i < SESSIONS * ROOMS; i++) {
        if (world->is_in[i / ROOMS][i % ROOMS])
            room_leave(world->set, &world->places[i / ROOMS][i % ROOMS]);
    }
    assert_int_equal(atomic_load(&world->metrics.values[METRIC_ROOMS]), 0);
    assert_int_equal(atomic_load(&world->metrics.values[METRIC_USERS]), 0);
    assert_int_equal(atomic_load(&world->metrics.values[METRIC_MEMBERSHIPS]), 0);
    room_set_destroy(world->set);
    free(world);
}

static void rooms_have_a_ceiling(void **state)
{
    struct metrics metrics = {0};
    struct room_set *set = room_set_create(&metrics, 2);
    struct membership places[3] = {0};
    struct session session = {.memberships = places};

    (void)state;
    for (uint16_t i = 0; i < 3; i++) {
        struct room_member member = {.slot = i, .session = &session};
        struct room_key key = key_of(i);
        assert_int_equal(room_join(set, &key, &member, &places[i]),
                         i < 2 ? ST_OK : ST_LIMIT);
    }
    assert_null(places[2].room);
    room_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_behaves_as_a_table_of_bools_does),
        cmocka_unit_test(rooms_have_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
