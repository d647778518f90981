/* Who is where: joins, counts, generations, leases. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/directory_kit.h"

static void counts_take_each_connection_once(void **state)
{
    static const struct {
        const char *rooms, *except;
        uint64_t connections;
    } cases[] = {
        {"a",   NULL, 3},
        {"b",   NULL, 1},
        {"c",   NULL, 0},
        {"ab",  NULL, 3},
        {"abc", NULL, 3},
        {"a",   "s1", 2},
        {"b",   "s1", 0},
        {"b",   "s2", 1},
        {"*",   NULL, 4},
        {"a*b", NULL, 4},
        {"*",   "s1", 3},
        {"*",   "s9", 4},
    };
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *gateway = meet(directory, "g1", 1, 0);

    (void)state;
    put(directory, gateway, "s1", 1, "u", "ab");
    put(directory, gateway, "s2", 1, "u", "a");
    put(directory, gateway, "s3", 1, "", "a");
    put(directory, gateway, "s4", 1, "", "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_count found =
            count(directory, LATER, cases[i].rooms, cases[i].except);
        assert_int_equal(found.connections, cases[i].connections);
        assert_true(found.complete);
    }
    directory_destroy(directory);
}

static void another_namespace_is_another_room(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *gateway = meet(directory, "g1", 1, 0);
    struct envelope_target room = {ROOM_NAMED, SLICE("a")};
    struct engine_count found;

    (void)state;
    put(directory, gateway, "s1", 1, "", "a");
    directory_count(directory, LATER, SLICE("/x"), &room, 1, NULL, 0, &found);
    assert_int_equal(found.connections, 0);
    directory_destroy(directory);
}

static void a_record_is_written_whole(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *gateway = meet(directory, "g1", 1, 0);
    struct engine_totals totals;

    (void)state;
    put(directory, gateway, "s1", 1, "u", "abc");
    put(directory, gateway, "s1", 2, "u", "cd");
    put(directory, gateway, "s1", 1, "u", "z"); /* late */
    put(directory, gateway, "s1", 2, "u", "cdd");
    directory_totals(directory, LATER, &totals);
    assert_true(totals.sessions == 1 && totals.users == 1);
    assert_true(totals.rooms == 2 && totals.memberships == 2);
    assert_int_equal(count(directory, LATER, "abz", NULL).connections, 0);
    assert_int_equal(count(directory, LATER, "d", NULL).connections, 1);
    directory_destroy(directory);
}

static void rooms_stay_dense_whoever_leaves(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *gateway = meet(directory, "g1", 1, 0);
    char sid[16];

    (void)state;
    for (int i = 0; i < 300; i++) {
        snprintf(sid, sizeof sid, "s%d", i);
        put(directory, gateway, sid, 1, i % 2 ? "u" : "", i % 3 ? "ab" : "b");
    }
    for (int i = 0; i < 300; i += 7) {
        snprintf(sid, sizeof sid, "s%d", i);
        directory_drop(directory, gateway, slice_of(sid), 1);
    }
    uint64_t a = 0, b = 0;
    for (int i = 0; i < 300; i++) {
        b += i % 7 != 0;
        a += i % 7 != 0 && i % 3;
    }
    assert_int_equal(count(directory, LATER, "a", NULL).connections, a);
    assert_int_equal(count(directory, LATER, "b", NULL).connections, b);
    assert_int_equal(count(directory, LATER, "*", NULL).connections, b);
    directory_destroy(directory);
}

static void a_session_moves_with_a_later_term(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct directory_gateway *g2 = meet(directory, "g2", 1, 0);
    struct engine_session found;
    struct slice gateway;

    (void)state;
    put(directory, g1, "s1", 1, "", "a");
    /* The same term elsewhere: ignored. */
    assert_int_equal(try_put(directory, g2, "s1", 1, "", "b"), ST_CONFLICT);
    assert_int_equal(try_put(directory, g2, "s1", 2, "", "b"), ST_CONFLICT);
    assert_true(directory_find(directory, SLICE("pid-of-s1"), LATER, &found, &gateway));
    assert_true(slice_is(gateway, "g1"));
    put(directory, g2, "s1", TERM(1), "", "b");
    /* Whatever the ghost still writes: it is not its own any more. */
    assert_int_equal(try_put(directory, g1, "s1", 2, "", "c"), ST_CONFLICT);
    assert_int_equal(try_put(directory, g1, "s1", TERM(1) + 5, "", "c"), ST_CONFLICT);
    assert_false(directory_drop(directory, g1, SLICE("s1"), UINT64_MAX));
    assert_true(directory_find(directory, SLICE("pid-of-s1"), LATER, &found, &gateway));
    assert_true(slice_is(gateway, "g2") && found.room_count == 1);
    assert_int_equal(count(directory, LATER, "ab", NULL).connections, 1);
    directory_destroy(directory);
}

/* A gateway that was given up and comes back has clients that live elsewhere by now. */
static void who_comes_back_hears_what_has_moved(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct directory_gateway *g2 = meet(directory, "g2", 1, DIRECTORY_LEASE_MS);

    (void)state;
    put(directory, g1, "moved", 4, "", "a");
    put(directory, g1, "stayed", 4, "", "a");
    directory_expire(directory, DIRECTORY_LEASE_MS + 1);
    put(directory, g2, "moved", TERM(1), "", "a");
    g1 = meet(directory, "g1", 1, DIRECTORY_LEASE_MS + 2);
    assert_int_equal(try_put(directory, g1, "moved", 5, "", "a"), ST_CONFLICT);
    put(directory, g1, "stayed", 5, "", "a");
    assert_int_equal(count(directory, LATER, "a", NULL).connections, 2);
    directory_destroy(directory);
}

static void a_pid_has_one_session(void **state)
{
    static const struct {
        const char *sid;
        bool is_at_g2;
        uint64_t generation;
        enum status status;
        const char *owner;
        uint64_t sessions;
    } puts[] = {
        {"old",   false, 3,           ST_OK,       "old",   1},
        {"new",   true,  4,           ST_CONFLICT, "old",   1},
        {"new",   true,  TERM(1),     ST_OK,       "new",   1},
        {"old",   false, 9,           ST_CONFLICT, "new",   1},
        {"third", true,  TERM(1) + 1, ST_CONFLICT, "new",   1},
        {"third", true,  TERM(2),     ST_OK,       "third", 1},
    };
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *gateways[] = {meet(directory, "g1", 1, 0),
                                            meet(directory, "g2", 1, 0)};
    struct engine_session found;
    struct slice gateway;

    (void)state;
    for (size_t i = 0; i < sizeof puts / sizeof *puts; i++) {
        enum status st = put_pid(directory, gateways[puts[i].is_at_g2], puts[i].sid, "p",
                                 puts[i].generation, "", "a");
        assert_int_equal(st, puts[i].status);
        assert_true(directory_find(directory, SLICE("p"), LATER, &found, &gateway));
        assert_true(slice_is(found.sid, puts[i].owner));
        assert_int_equal(count(directory, LATER, "a", NULL).connections,
                         puts[i].sessions);
    }
    /* Its end is the end of the pid, and nobody else's. */
    directory_drop(directory, gateways[1], SLICE("new"), UINT64_MAX);
    assert_true(directory_find(directory, SLICE("p"), LATER, &found, &gateway));
    directory_drop(directory, gateways[1], SLICE("third"), UINT64_MAX);
    assert_false(directory_find(directory, SLICE("p"), LATER, &found, &gateway));
    directory_destroy(directory);
}

static void a_lease_ends_with_its_sessions(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);

    (void)state;
    put(directory, g1, "s1", 1, "", "a");
    meet(directory, "g2", 1, 9000);
    directory_expire(directory, DIRECTORY_LEASE_MS);
    assert_int_equal(count(directory, LATER, "a", NULL).connections, 1);
    directory_expire(directory, DIRECTORY_LEASE_MS + 1);
    assert_int_equal(count(directory, LATER, "a", NULL).connections, 0);

    struct directory_gateway *again;
    assert_int_equal(directory_contact(directory, SLICE("g1"), 1, 20000, &again),
                     MEETING_NEW);
    assert_int_equal(directory_contact(directory, SLICE("g2"), 1, 20000, &again),
                     MEETING_KNOWN);
    directory_destroy(directory);
}

static void a_later_incarnation_fences_off_the_earlier(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *gateway = meet(directory, "g1", 5, 0);

    (void)state;
    put(directory, gateway, "s1", 1, "", "a");
    assert_int_equal(directory_contact(directory, SLICE("g1"), 6, 0, &gateway),
                     MEETING_NEW);
    assert_int_equal(count(directory, LATER, "a", NULL).connections, 0);
    assert_int_equal(directory_contact(directory, SLICE("g1"), 5, 0, &gateway),
                     MEETING_FENCED);
    directory_destroy(directory);
}

static void counts_say_when_they_are_not_complete(void **state)
{
    struct directory *directory = directory_create(&hash_key, 1000);
    struct directory_gateway *gateway;

    (void)state;
    assert_false(count(directory, 1000, "a", NULL).complete);
    assert_false(count(directory, 999 + DIRECTORY_GRACE_MS, "a", NULL).complete);
    assert_true(count(directory, 1000 + DIRECTORY_GRACE_MS, "a", NULL).complete);
    directory_contact(directory, SLICE("g1"), 1, 1000, &gateway);
    assert_false(count(directory, 9000, "a", NULL).complete);
    meet(directory, "g1", 1, 9000);
    assert_true(count(directory, 9000, "a", NULL).complete);
    directory_destroy(directory);
}

static void a_silent_gateway_makes_counts_incomplete(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *g1 = meet(directory, "g1", 1, LATER);

    (void)state;
    put(directory, g1, "s1", 1, "", "a");
    struct engine_count last =
        count(directory, LATER + DIRECTORY_SILENT_MS - 1, "a", NULL);
    assert_true(last.complete);
    last = count(directory, LATER + DIRECTORY_SILENT_MS, "a", NULL);
    assert_false(last.complete || last.is_rebuilding);
    assert_int_equal(last.connections, 1);
    meet(directory, "g1", 1, LATER + DIRECTORY_SILENT_MS);
    assert_true(count(directory, LATER + DIRECTORY_SILENT_MS, "a", NULL).complete);
    directory_destroy(directory);
}

/* Those that are missing may have sessions, as long as an earlier lease can be good. */
static void counts_wait_for_the_gateways_that_run(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);

    (void)state;
    directory_expect(directory, 2);
    meet(directory, "g1", 1, LATER);
    assert_true(count(directory, LATER, "a", NULL).is_rebuilding);
    meet(directory, "g2", 1, LATER);
    assert_true(count(directory, LATER, "a", NULL).complete);
    directory_destroy(directory);

    /* All are there, but one that nobody expects may come. */
    directory = directory_create(&hash_key, 0);
    directory_expect(directory, 1);
    meet(directory, "g1", 1, 0);
    struct engine_count early = count(directory, 0, "a", NULL);
    assert_false(early.complete || early.is_rebuilding);
    directory_destroy(directory);

    directory = directory_create(&hash_key, 0);
    directory_expect(directory, 2);
    meet(directory, "g1", 1, DIRECTORY_LEASE_MS);
    assert_true(count(directory, DIRECTORY_LEASE_MS, "a", NULL).is_rebuilding);
    assert_true(count(directory, DIRECTORY_LEASE_MS + 1, "a", NULL).complete);
    directory_destroy(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_take_each_connection_once),
        cmocka_unit_test(another_namespace_is_another_room),
        cmocka_unit_test(a_record_is_written_whole),
        cmocka_unit_test(rooms_stay_dense_whoever_leaves),
        cmocka_unit_test(a_session_moves_with_a_later_term),
        cmocka_unit_test(who_comes_back_hears_what_has_moved),
        cmocka_unit_test(a_pid_has_one_session),
        cmocka_unit_test(a_lease_ends_with_its_sessions),
        cmocka_unit_test(a_later_incarnation_fences_off_the_earlier),
        cmocka_unit_test(counts_say_when_they_are_not_complete),
        cmocka_unit_test(a_silent_gateway_makes_counts_incomplete),
        cmocka_unit_test(counts_wait_for_the_gateways_that_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
