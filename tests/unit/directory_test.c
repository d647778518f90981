/* Who is where: joins, counts, generations, leases, and the requests of gateways. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/directory.h"
#include "bridge/directory_serve.h"

#include <stdio.h>
#include <string.h>

enum {
    LATER = 2500, /* after the grace, and nobody is silent yet */
};

static const struct hash_key hash_key = {3, 4};

/* A gateway that has put everything it has. */
static struct directory_gateway *meet(struct directory *directory, const char *id,
                                      uint64_t incarnation, uint64_t now_ms)
{
    static const struct directory_lease settled = {1, true, true, {{0}}};
    struct directory_gateway *gateway;

    directory_contact(directory, slice_of(id), incarnation, now_ms, &gateway);
    directory_renew(gateway, &settled);
    return gateway;
}

/* `rooms`: one letter each. */
static enum status put_pid(struct directory *directory, struct directory_gateway *gateway,
                           const char *sid, const char *pid, uint64_t generation,
                           const char *user, const char *rooms)
{
    struct engine_membership memberships[16];
    struct engine_session session = {
        .sid = slice_of(sid),
        .pid = slice_of(pid),
        .nsp = SLICE("/"),
        .user = slice_of(user),
        .generation = generation,
        .rooms = memberships,
        .room_count = strlen(rooms),
    };

    for (size_t i = 0; rooms[i]; i++)
        memberships[i] = (struct engine_membership){
            ROOM_NAMED, {&rooms[i], 1},
             1
        };
    return directory_put(directory, gateway, &session);
}

static enum status try_put(struct directory *directory, struct directory_gateway *gateway,
                           const char *sid, uint64_t generation, const char *user,
                           const char *rooms)
{
    char pid[32];

    snprintf(pid, sizeof pid, "pid-of-%s", sid);
    return put_pid(directory, gateway, sid, pid, generation, user, rooms);
}

static void put(struct directory *directory, struct directory_gateway *gateway,
                const char *sid, uint64_t generation, const char *user, const char *rooms)
{
    assert_int_equal(try_put(directory, gateway, sid, generation, user, rooms), ST_OK);
}

static struct engine_count count(struct directory *directory, uint64_t now_ms,
                                 const char *rooms, const char *except)
{
    struct envelope_target targets[16];
    struct slice sids[1] = {slice_of(except)};
    struct engine_count found;
    size_t n = strlen(rooms);

    for (size_t i = 0; i < n; i++)
        targets[i] = rooms[i] == '*' ? (struct envelope_target){ROOM_ALL, {0}}
                                     : (struct envelope_target){ROOM_NAMED, {&rooms[i], 1}};
    directory_count(directory, now_ms, SLICE("/"), targets, n, sids, except ? 1 : 0,
                    &found);
    return found;
}

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

static void a_session_moves_with_a_higher_generation(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct directory_gateway *g2 = meet(directory, "g2", 1, 0);
    struct engine_session found;
    struct slice gateway;

    (void)state;
    put(directory, g1, "s1", 1, "", "a");
    /* The same generation elsewhere: ignored. */
    assert_int_equal(try_put(directory, g2, "s1", 1, "", "b"), ST_CONFLICT);
    assert_true(directory_find(directory, SLICE("pid-of-s1"), &found, &gateway));
    assert_true(slice_is(gateway, "g1"));
    put(directory, g2, "s1", 2, "", "b");
    directory_drop(directory, g1, SLICE("s1"), 9); /* not its own any more */
    assert_true(directory_find(directory, SLICE("pid-of-s1"), &found, &gateway));
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
    put(directory, g2, "moved", 5, "", "a");
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
        {"old",   false, 3, ST_OK,       "old",   1},
        {"new",   true,  3, ST_CONFLICT, "old",   1},
        {"new",   true,  4, ST_OK,       "new",   1},
        {"old",   false, 3, ST_CONFLICT, "new",   1},
        {"third", true,  4, ST_CONFLICT, "new",   1},
        {"third", true,  5, ST_OK,       "third", 1},
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
        assert_true(directory_find(directory, SLICE("p"), &found, &gateway));
        assert_true(slice_is(found.sid, puts[i].owner));
        assert_int_equal(count(directory, LATER, "a", NULL).connections,
                         puts[i].sessions);
    }
    /* Its end is the end of the pid, and nobody else's. */
    directory_drop(directory, gateways[1], SLICE("new"), 9);
    assert_true(directory_find(directory, SLICE("p"), &found, &gateway));
    directory_drop(directory, gateways[1], SLICE("third"), 9);
    assert_false(directory_find(directory, SLICE("p"), &found, &gateway));
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

/* One request: a drop of "s1". */
static enum directory_standing serve_drop(struct directory *directory, const char *id,
                                          uint64_t incarnation, uint64_t number,
                                          uint32_t *results)
{
    struct buf request = {.max = 4096}, out = {.max = 4096};
    struct directory_request head = {slice_of(id), incarnation, number, 1, {0}};
    struct directory_answer answer;

    directory_request_encode(&head, &request);
    directory_drop_encode(SLICE("s1"), 99, &request);
    assert_int_equal(directory_serve(directory, buf_slice(&request), 0, NULL, &out),
                     ST_OK);
    assert_int_equal(directory_answer_decode(buf_slice(&out), &answer), ST_OK);
    *results = answer.count;
    buf_finish(&request);
    buf_finish(&out);
    return answer.standing;
}

static void late_requests_of_an_old_start_change_nothing(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *gateway = meet(directory, "g1", 6, 0);
    uint32_t results;

    (void)state;
    put(directory, gateway, "s1", 1, "", "a");
    assert_int_equal(serve_drop(directory, "g1", 5, 90, &results), STANDING_FENCED);
    assert_int_equal(results, 0);
    assert_int_equal(count(directory, LATER, "a", NULL).connections, 1);

    /* Of this start, but overtaken. */
    assert_true(directory_is_in_order(gateway, 7));
    assert_int_equal(serve_drop(directory, "g1", 6, 6, &results), STANDING_KNOWN);
    assert_int_equal(results, 0);
    assert_int_equal(count(directory, LATER, "a", NULL).connections, 1);
    assert_int_equal(serve_drop(directory, "g1", 6, 8, &results), STANDING_KNOWN);
    assert_int_equal(results, 1);
    assert_int_equal(count(directory, LATER, "a", NULL).connections, 0);
    directory_destroy(directory);
}

static void a_full_directory_says_so_and_lets_in_who_comes_after_a_lease(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    char id[16];
    uint32_t results;

    (void)state;
    for (int i = 0; i < LIMIT_GATEWAYS; i++) {
        snprintf(id, sizeof id, "g%d", i);
        assert_int_equal(serve_drop(directory, id, 1, 1, &results), STANDING_NEW);
    }
    assert_int_equal(serve_drop(directory, "late", 1, 1, &results), STANDING_FULL);
    assert_int_equal(results, 0);
    assert_int_equal(serve_drop(directory, "g0", 1, 2, &results), STANDING_KNOWN);
    directory_expire(directory, DIRECTORY_LEASE_MS + 1);
    assert_int_equal(serve_drop(directory, "late", 1, 2, &results), STANDING_NEW);
    directory_destroy(directory);
}

static void a_request_that_was_overtaken_does_nothing(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_gateway *gateway = meet(directory, "g1", 1, 0);

    (void)state;
    assert_true(directory_is_in_order(gateway, 1));
    assert_true(directory_is_in_order(gateway, 1)); /* the same again */
    assert_true(directory_is_in_order(gateway, 2));
    assert_false(directory_is_in_order(gateway, 1));
    directory_destroy(directory);
}

/* Its answer was lost with the connection: who is met again has to hear that it was met,
 * or it would never put what was forgotten. */
static void a_repeated_request_hears_again_that_it_was_met(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    uint32_t results;

    (void)state;
    for (uint64_t incarnation = 1; incarnation <= 2; incarnation++) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(serve_drop(directory, "g1", incarnation, 7, &results),
                             STANDING_NEW);
        assert_int_equal(serve_drop(directory, "g1", incarnation, 8, &results),
                         STANDING_KNOWN);
        assert_int_equal(serve_drop(directory, "g1", incarnation, 7, &results),
                         STANDING_KNOWN); /* overtaken: nobody waits for it */
        assert_int_equal(results, 0);
    }
    directory_destroy(directory);
}

static void a_request_in_bytes_is_answered_in_bytes(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct buf request = {.max = 4096}, out = {.max = 4096};
    struct directory_request head = {SLICE("g1"), 1, 1, 3, {0}};
    struct engine_membership room = {ROOM_NAMED, SLICE("a"), 5};
    struct engine_session session = {.sid = SLICE("s1"),
                                     .pid = SLICE("p1"),
                                     .nsp = SLICE("/"),
                                     .generation = 1,
                                     .rooms = &room,
                                     .room_count = 1};
    struct directory_answer answer;
    struct directory_result result;

    (void)state;
    directory_request_encode(&head, &request);
    directory_encode_put(&session, &request);
    directory_find_encode(SLICE("p1"), &request);
    directory_find_encode(SLICE("p2"), &request);
    assert_int_equal(directory_serve(directory, buf_slice(&request), 0, NULL, &out),
                     ST_OK);
    assert_int_equal(directory_answer_decode(buf_slice(&out), &answer), ST_OK);
    assert_int_equal(answer.standing, STANDING_NEW);
    assert_true(directory_result_next(&answer.results, &result));
    assert_int_equal(result.outcome, OUTCOME_OK);
    assert_true(directory_result_next(&answer.results, &result));
    assert_true(result.kind == RESULT_SESSION && slice_is(result.gateway, "g1"));
    assert_true(slice_is(result.session.sid, "s1") && result.session.room_count == 1);
    assert_true(directory_result_next(&answer.results, &result));
    assert_int_equal(result.outcome, OUTCOME_NOT_FOUND);

    assert_int_equal(directory_serve(directory, SLICE("nonsense"), 0, NULL, &out),
                     ST_BAD_PACKET);
    buf_finish(&request);
    buf_finish(&out);
    directory_destroy(directory);
}

/* What a gateway says of itself was true of the directory that has forgotten it. */
static void a_lease_that_meets_the_directory_is_not_settled(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_op lease = {.pid = 1, .is_ready = true, .is_settled = true};

    (void)state;
    static const uint64_t numbers[] = {1, 1, 2}; /* the first is sent twice */
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buf request = {.max = 4096}, out = {.max = 4096};
        struct directory_request head = {SLICE("g1"), 1, numbers[i], 1, {0}};
        directory_request_encode(&head, &request);
        directory_lease_encode(&lease, 0, &request);
        assert_int_equal(directory_serve(directory, buf_slice(&request), 0, NULL, &out),
                         ST_OK);
        assert_int_equal(count(directory, LATER, "a", NULL).complete, numbers[i] == 2);
        buf_finish(&request);
        buf_finish(&out);
    }
    directory_destroy(directory);
}

struct kept_events {
    char text[64];
    size_t at;
};

static void keep_event(void *ctx, struct slice envelope, bool is_volatile, size_t at)
{
    struct kept_events *kept = ctx;

    assert_false(is_volatile);
    strncat(kept->text, envelope.ptr, envelope.len);
    kept->at = at;
}

/* Asks with one event; gives what the result says so far. */
static enum directory_outcome publish(struct directory *directory, uint64_t number,
                                      uint64_t serial, const char *event,
                                      struct kept_events *kept)
{
    const struct directory_keeper keeper = {.keep = keep_event, .ctx = kept};
    struct directory_request head = {SLICE("g1"), 7, number, 1, {0}};
    struct buf request = {.max = 1000}, out = {.max = 1000};
    struct directory_answer answer;
    struct directory_result result = {0};

    directory_request_encode(&head, &request);
    directory_publish_encode(serial, false, slice_of(event), &request);
    assert_int_equal(directory_serve(directory, buf_slice(&request), 0, &keeper, &out),
                     ST_OK);
    assert_int_equal(directory_answer_decode(buf_slice(&out), &answer), ST_OK);
    assert_true(directory_result_next(&answer.results, &result));
    assert_int_equal(result.kind, RESULT_POSITION);
    buf_finish(&request);
    buf_finish(&out);
    return result.outcome;
}

static void an_event_that_is_sent_again_is_kept_once(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct kept_events kept = {{0}, 0};

    (void)state;
    /* Not kept until the keeper says so. */
    assert_int_equal(publish(directory, 1, 1, "a", &kept), OUTCOME_FULL);
    assert_int_equal(publish(directory, 2, 2, "b", &kept), OUTCOME_FULL);
    assert_int_equal(publish(directory, 2, 2, "b", &kept), OUTCOME_OK);
    assert_int_equal(publish(directory, 3, 1, "a", &kept), OUTCOME_OK);
    assert_string_equal(kept.text, "ab");
    directory_destroy(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_take_each_connection_once),
        cmocka_unit_test(another_namespace_is_another_room),
        cmocka_unit_test(a_record_is_written_whole),
        cmocka_unit_test(rooms_stay_dense_whoever_leaves),
        cmocka_unit_test(a_session_moves_with_a_higher_generation),
        cmocka_unit_test(who_comes_back_hears_what_has_moved),
        cmocka_unit_test(a_pid_has_one_session),
        cmocka_unit_test(a_lease_ends_with_its_sessions),
        cmocka_unit_test(a_later_incarnation_fences_off_the_earlier),
        cmocka_unit_test(counts_say_when_they_are_not_complete),
        cmocka_unit_test(a_silent_gateway_makes_counts_incomplete),
        cmocka_unit_test(counts_wait_for_the_gateways_that_run),
        cmocka_unit_test(late_requests_of_an_old_start_change_nothing),
        cmocka_unit_test(a_full_directory_says_so_and_lets_in_who_comes_after_a_lease),
        cmocka_unit_test(a_request_that_was_overtaken_does_nothing),
        cmocka_unit_test(a_repeated_request_hears_again_that_it_was_met),
        cmocka_unit_test(a_request_in_bytes_is_answered_in_bytes),
        cmocka_unit_test(a_lease_that_meets_the_directory_is_not_settled),
        cmocka_unit_test(an_event_that_is_sent_again_is_kept_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
