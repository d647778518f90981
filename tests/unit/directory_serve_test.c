/* Requests of gateways to the directory, in bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/directory_serve.h"
#include "support/directory_kit.h"
#include "support/large_session.h"

enum {
    CROWD = 64, /* as many as one request may look for */
    ANSWER_BYTES = LIMIT_DIRECTORY_BYTES + 32 * 1024,
};

/* One request: a drop of "s1". */
/* The meeting that the gateway has heard of, and the one that the last answer told. */
static uint64_t heard, told;

static enum directory_standing serve_drop(struct directory *directory, const char *id,
                                          uint64_t incarnation, uint64_t number,
                                          uint32_t *results)
{
    struct buf request = {.max = 4096}, out = {.max = 4096};
    struct directory_request head = {slice_of(id), incarnation, number, heard, 1, {0}};
    struct directory_answer answer;

    directory_request_encode(&head, &request);
    directory_drop_encode(SLICE("s1"), 99, &request);
    assert_int_equal(directory_serve(directory, buf_slice(&request), 0, NULL, &out),
                     ST_OK);
    assert_int_equal(directory_answer_decode(buf_slice(&out), &answer), ST_OK);
    *results = answer.count;
    told = answer.meeting;
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
    heard = directory_meeting(gateway);
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
    heard = 0;
    for (int i = LIMIT_GATEWAYS - 1; i >= 0; i--) {
        snprintf(id, sizeof id, "g%d", i);
        assert_int_equal(serve_drop(directory, id, 1, 1, &results), STANDING_NEW);
    }
    heard = told;
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
static void who_is_met_is_told_until_it_has_heard(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    uint32_t results;

    (void)state;
    heard = 0;
    for (uint64_t incarnation = 1; incarnation <= 2; incarnation++) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(serve_drop(directory, "g1", incarnation, 7, &results),
                             STANDING_NEW);
        assert_int_equal(serve_drop(directory, "g1", incarnation, 8, &results),
                         STANDING_NEW);
        heard = told;
        assert_int_equal(serve_drop(directory, "g1", incarnation, 9, &results),
                         STANDING_KNOWN);
        assert_int_equal(serve_drop(directory, "g1", incarnation, 7, &results),
                         STANDING_KNOWN); /* overtaken: nobody waits for it */
        assert_int_equal(results, 0);
    }
    directory_destroy(directory);
}

/* A gateway that stood still has the answer of before to the request that it sends again:
 * it does not read the one that says that it was met. */
static void who_heard_an_older_answer_is_told_with_the_next(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    uint32_t results;

    (void)state;
    heard = 0;
    serve_drop(directory, "g1", 1, 1, &results);
    heard = told;
    assert_int_equal(serve_drop(directory, "g1", 1, 2, &results), STANDING_KNOWN);
    directory_expire(directory, DIRECTORY_LEASE_MS + 1);
    serve_drop(directory, "g1", 1, 2, &results);
    assert_int_equal(serve_drop(directory, "g1", 1, 3, &results), STANDING_NEW);
    assert_int_not_equal(told, heard);
    heard = told;
    assert_int_equal(serve_drop(directory, "g1", 1, 4, &results), STANDING_KNOWN);
    directory_destroy(directory);
}

/* Asks with `ops` in the request of that number and lends the results until `out` ends.
 */
static struct slice ask_with(struct directory *directory, uint64_t number,
                             const struct buf *ops, uint32_t count, struct buf *out)
{
    const struct directory_request head = {
        SLICE("g1"), 1, number, number == 1 ? 0 : heard, count, {0}};
    struct buf request = {.max = ANSWER_BYTES};
    struct directory_answer answer;

    directory_request_encode(&head, &request);
    buf_add(&request, buf_slice(ops));
    buf_clear(out);
    assert_int_equal(directory_serve(directory, buf_slice(&request), LATER, NULL, out),
                     ST_OK);
    assert_int_equal(directory_answer_decode(buf_slice(out), &answer), ST_OK);
    assert_int_equal(answer.standing, number == 1 ? STANDING_NEW : STANDING_KNOWN);
    heard = answer.meeting;
    assert_int_equal(answer.count, count);
    buf_finish(&request);
    return answer.results;
}

static const struct directory_op settled = {.is_settled = true};

static void a_request_in_bytes_is_answered_in_bytes(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct buf ops = {.max = 4096}, out = {.max = 4096};
    struct engine_membership room = {ROOM_NAMED, SLICE("a"), 5};
    struct engine_session session = {.sid = SLICE("s1"),
                                     .pid = SLICE("p1"),
                                     .nsp = SLICE("/"),
                                     .generation = 1,
                                     .epoch = 6,
                                     .proven = 7,
                                     .rooms = &room,
                                     .room_count = 1};
    struct directory_result result;

    (void)state;
    directory_encode_put(&session, &ops);
    directory_find_encode(SLICE("p1"), &ops);
    struct slice results = ask_with(directory, 1, &ops, 2, &out);
    assert_true(directory_result_next(&results, &result));
    assert_int_equal(result.outcome, OUTCOME_OK);
    assert_true(directory_result_next(&results, &result));
    assert_int_equal(result.outcome, OUTCOME_LATER); /* it may have more to put */

    buf_clear(&ops);
    directory_lease_encode(&settled, 0, &ops);
    directory_find_encode(SLICE("p1"), &ops);
    directory_find_encode(SLICE("p2"), &ops);
    results = ask_with(directory, 2, &ops, 3, &out);
    assert_true(directory_result_next(&results, &result));
    assert_true(directory_result_next(&results, &result));
    assert_true(result.kind == RESULT_SESSION && slice_is(result.gateway, "g1"));
    assert_true(slice_is(result.session.sid, "s1") && result.session.room_count == 1);
    assert_true(result.session.epoch == 6 && result.session.proven == 7);
    assert_true(directory_result_next(&results, &result));
    assert_int_equal(result.outcome, OUTCOME_NOT_FOUND);

    assert_int_equal(directory_serve(directory, SLICE("nonsense"), 0, NULL, &out),
                     ST_BAD_PACKET);
    buf_finish(&ops);
    buf_finish(&out);
    directory_destroy(directory);
}

static void proofs_and_parks_come_in_bytes(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct buf ops = {.max = 4096}, out = {.max = 4096};
    const struct wire_session parked = {
        .sid = SLICE("s2"), .generation = 9, .epoch = 0, .proven = 30};
    struct engine_session found;
    struct slice gateway;

    (void)state;
    directory_lease_encode(&settled, 0, &ops);
    ask_with(directory, 1, &ops, 1, &out);
    struct directory_gateway *g1 = meet(directory, "g1", 1, LATER);
    put(directory, g1, "s1", 1, "", "a");
    put(directory, g1, "s2", 1, "", "a");
    buf_clear(&ops);
    directory_prove_encode(0, 2, &ops);
    wire_named_add(&ops, SLICE("s1"), 10);
    wire_named_add(&ops, SLICE("nobody"), 11);
    directory_park_encode(&parked, &ops);
    ask_with(directory, 2, &ops, 2, &out);
    assert_true(directory_find(directory, SLICE("pid-of-s1"), LATER, &found, &gateway));
    assert_true(found.proven == 10 && slice_is(gateway, "g1"));
    assert_true(directory_find(directory, SLICE("pid-of-s2"), LATER, &found, &gateway));
    assert_true(found.proven == 30 && found.generation == 9 && slice_is(gateway, ""));

    buf_clear(&ops);
    directory_leave_encode(&ops);
    ask_with(directory, 3, &ops, 1, &out);
    assert_true(directory_find(directory, SLICE("pid-of-s1"), LATER, &found, &gateway));
    assert_true(slice_is(gateway, ""));
    directory_expire(directory, LATER);
    struct engine_count none = count(directory, LATER, "a", NULL);
    assert_true(none.connections == 0 && none.complete);
    buf_finish(&ops);
    buf_finish(&out);
    directory_destroy(directory);
}

/* Reads the answer's tellings: "s1>TERM " for each. */
static void read_moved(struct directory *directory, uint64_t number, char *text)
{
    const struct directory_request head = {SLICE("g1"), 1, number, 0, 1, {0}};
    struct buf request = {.max = 4096}, out = {.max = 4096};
    struct directory_answer answer;
    struct wire_named moved;

    directory_request_encode(&head, &request);
    directory_lease_encode(&settled, 0, &request);
    assert_int_equal(directory_serve(directory, buf_slice(&request), LATER, NULL, &out),
                     ST_OK);
    assert_int_equal(directory_answer_decode(buf_slice(&out), &answer), ST_OK);
    text[0] = 0;
    for (size_t i = 0; i < answer.moved_count; i++) {
        assert_true(wire_named_next(&answer.moved, &moved));
        sprintf(text + strlen(text), "%.*s>%d ", (int)moved.name.len, moved.name.ptr,
                (int)(moved.number >> 32));
    }
    buf_finish(&request);
    buf_finish(&out);
}

static void ghosts_are_told_until_they_have_heard(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    char text[64];

    (void)state;
    read_moved(directory, 1, text);
    assert_string_equal(text, "");
    struct directory_gateway *g1 = meet(directory, "g1", 1, LATER);
    struct directory_gateway *g2 = meet(directory, "g2", 1, LATER);
    put(directory, g1, "s1", 1, "", "a");
    put(directory, g1, "s2", 1, "", "a");
    put(directory, g2, "s1", TERM(1), "", "a");
    put(directory, g1, "s2", TERM(1), "", "a"); /* it came back where it was */
    read_moved(directory, 2, text);
    assert_string_equal(text, "s1>1 ");
    assert_int_equal(put_pid(directory, g2, "new", "pid-of-s2", TERM(2), "", ""), ST_OK);
    read_moved(directory, 2, text); /* the answer was lost: the same again */
    assert_string_equal(text, "s1>1 ");
    read_moved(directory, 3, text);
    assert_string_equal(text, "s2>2 ");
    read_moved(directory, 4, text);
    assert_string_equal(text, "");
    directory_destroy(directory);
}

/* What a gateway says of itself was true of the directory that has forgotten it. */
static void a_lease_that_meets_the_directory_is_not_settled(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct directory_op lease = {.pid = 1, .is_ready = true, .is_settled = true};

    (void)state;
    /* The first is sent twice, and neither answer has arrived when the third leaves. */
    static const uint64_t numbers[] = {1, 1, 2, 3};
    heard = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buf request = {.max = 4096}, out = {.max = 4096};
        struct directory_request head = {SLICE("g1"), 1, numbers[i], heard, 1, {0}};
        struct directory_answer answer;
        directory_request_encode(&head, &request);
        directory_lease_encode(&lease, 0, &request);
        assert_int_equal(directory_serve(directory, buf_slice(&request), 0, NULL, &out),
                         ST_OK);
        assert_int_equal(count(directory, LATER, "a", NULL).complete, numbers[i] == 3);
        assert_int_equal(directory_answer_decode(buf_slice(&out), &answer), ST_OK);
        heard = numbers[i] == 2 ? answer.meeting : 0;
        buf_finish(&request);
        buf_finish(&out);
    }
    directory_destroy(directory);
}

static void put_large(struct directory *directory, unsigned number, size_t bytes)
{
    struct buf ops = {.max = ANSWER_BYTES}, out = {.max = 4096};
    struct directory_result result;
    struct large_session large;

    large_session_init(&large, number, bytes);
    directory_encode_put(&large.record, &ops);
    directory_lease_encode(&settled, 0, &ops);
    struct slice results = ask_with(directory, number, &ops, 2, &out);
    assert_true(directory_result_next(&results, &result));
    assert_int_equal(result.outcome, OUTCOME_OK);
    large_session_finish(&large);
    buf_finish(&ops);
    buf_finish(&out);
}

/* Looks for these sessions; gives how many it is to look for later, which are the first
 * ones of `numbers` then. */
static size_t find_large(struct directory *directory, uint64_t request, unsigned *numbers,
                         size_t count)
{
    struct buf ops = {.max = 4096}, out = {.max = ANSWER_BYTES};
    struct directory_result result;
    size_t later = 0;
    char pid[16];

    for (size_t i = 0; i < count; i++) {
        snprintf(pid, sizeof pid, "p%u", numbers[i]);
        directory_find_encode(slice_of(pid), &ops);
    }
    struct slice results = ask_with(directory, request, &ops, (uint32_t)count, &out);
    for (size_t i = 0; i < count; i++) {
        assert_true(directory_result_next(&results, &result));
        snprintf(pid, sizeof pid, "p%u", numbers[i]);
        if (result.outcome == OUTCOME_LATER) {
            numbers[later++] = numbers[i];
        } else {
            assert_int_equal(result.outcome, OUTCOME_OK);
            assert_true(slice_is(result.session.pid, pid));
        }
    }
    buf_finish(&ops);
    buf_finish(&out);
    return later;
}

/* One answer has no room for all of them: nobody is turned away for that. */
static void a_crowd_that_is_looked_for_at_once_is_found_in_turns(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    unsigned numbers[CROWD];
    size_t count = CROWD;
    uint64_t turns = 0;

    (void)state;
    for (unsigned i = 0; i < CROWD; i++) {
        numbers[i] = i + 1;
        put_large(directory, i + 1, 20000);
    }
    while (count > 0 && turns < 3)
        count = find_large(directory, CROWD + ++turns, numbers, count);
    assert_int_equal(count, 0);
    assert_int_equal(turns, 2);
    directory_destroy(directory);
}

static void the_largest_session_that_may_be_put_is_found(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    unsigned number = 2;

    (void)state;
    put_large(directory, 1, 1000); /* the gateway is met with it */
    put_large(directory, number, LIMIT_DIRECTORY_BYTES);
    assert_int_equal(find_large(directory, 3, &number, 1), 0);
    directory_destroy(directory);
}

struct kept_events {
    char text[64];
    size_t at;
};

static void keep_event(void *ctx, const struct directory_request *from,
                       const struct directory_op *op, size_t at)
{
    struct kept_events *kept = ctx;

    assert_false(op->is_volatile);
    assert_true(slice_is(from->gateway, "g1"));
    strncat(kept->text, op->envelope.ptr, op->envelope.len);
    kept->at = at;
}

/* Asks with one event; gives what the result says so far. */
static enum directory_outcome publish(struct directory *directory, uint64_t number,
                                      uint64_t serial, const char *event,
                                      struct kept_events *kept)
{
    const struct directory_keeper keeper = {.keep = keep_event, .ctx = kept};
    struct directory_request head = {SLICE("g1"), 7, number, 0, 1, {0}};
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

/* There was no memory for an answer: none leaves, and the request comes again. */
static void an_event_without_room_for_its_answer_is_still_new(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct kept_events kept = {{0}, 0};
    const struct directory_keeper keeper = {.keep = keep_event, .ctx = &kept};
    struct directory_request head = {SLICE("g1"), 7, 1, 0, 2, {0}};
    struct buf request = {.max = 1000};
    size_t max = 0;

    (void)state;
    directory_request_encode(&head, &request);
    directory_publish_encode(1, false, SLICE("a"), &request);
    directory_publish_encode(2, false, SLICE("b"), &request);
    while (kept.text[0] == '\0' && max < 1000) {
        max++;
        struct buf out = {.max = max};
        directory_serve(directory, buf_slice(&request), 0, &keeper, &out);
        buf_finish(&out);
    }
    assert_string_equal(kept.text, "a");
    assert_int_equal(publish(directory, 1, 1, "a", &kept), OUTCOME_OK);
    assert_int_equal(publish(directory, 1, 2, "b", &kept), OUTCOME_FULL);
    assert_string_equal(kept.text, "ab");
    buf_finish(&request);
    directory_destroy(directory);
}

/* Its answer was lost, and said that the log is down. */
static void an_event_that_could_not_be_kept_is_never_said_to_be(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct kept_events kept = {{0}, 0};

    (void)state;
    publish(directory, 1, 1, "a", &kept);
    assert_int_equal(publish(directory, 2, 2, "b", &kept), OUTCOME_FULL);
    directory_refuse(directory, SLICE("g1"), 7, 2);
    directory_refuse(directory, SLICE("g1"), 6, 1);
    directory_refuse(directory, SLICE("g2"), 7, 1);
    assert_int_equal(publish(directory, 2, 2, "b", &kept), OUTCOME_FULL);
    assert_int_equal(publish(directory, 2, 2, "b", &kept), OUTCOME_FULL);
    assert_int_equal(publish(directory, 2, 1, "a", &kept), OUTCOME_OK);
    assert_int_equal(publish(directory, 3, 3, "c", &kept), OUTCOME_FULL);
    assert_int_equal(publish(directory, 3, 3, "c", &kept), OUTCOME_OK);
    assert_int_equal(publish(directory, 4, 2, "b", &kept), OUTCOME_FULL);
    assert_int_equal(publish(directory, 4, 4, "d", &kept), OUTCOME_FULL);
    directory_refuse(directory, SLICE("g1"), 7, 4);
    assert_int_equal(publish(directory, 5, 2, "b", &kept), OUTCOME_FULL);
    assert_int_equal(publish(directory, 5, 4, "d", &kept), OUTCOME_FULL);
    assert_string_equal(kept.text, "abcd"); /* not b once more, behind others */
    directory_destroy(directory);
}

/* The publisher before had kept what came first, and the gateway heard nothing of it. */
static void an_event_of_before_this_start_is_kept_once(void **state)
{
    static const struct directory_published known = {7, 3, 2, 2}, other = {6, 9, 0, 0};
    struct directory *directory = directory_create(&hash_key, 0);
    struct kept_events kept = {{0}, 0};

    (void)state;
    directory_restore_published(directory, SLICE("g2"), &known);
    directory_restore_published(directory, SLICE("g1"), &other);
    directory_restore_published(directory, SLICE("g1"), &known);
    for (uint64_t serial = 1; serial <= 4; serial++)
        assert_int_equal(publish(directory, 9, serial, "a", &kept),
                         serial == 2 || serial == 4 ? OUTCOME_FULL : OUTCOME_OK);
    assert_string_equal(kept.text, "a"); /* the fourth */
    directory_destroy(directory);

    /* Another start of the gateway counts from one. */
    directory = directory_create(&hash_key, 0);
    directory_restore_published(directory, SLICE("g1"), &other);
    publish(directory, 9, 1, "b", &kept);
    assert_string_equal(kept.text, "ab");
    directory_destroy(directory);
}

/* It stood still for longer than its lease, with a request whose answer it then has. */
static void an_event_of_before_a_lost_lease_is_kept_once(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct kept_events kept = {{0}, 0};

    (void)state;
    publish(directory, 1, 1, "a", &kept);
    directory_expire(directory, DIRECTORY_LEASE_MS + 1);
    assert_int_equal(publish(directory, 1, 1, "a", &kept), OUTCOME_OK);
    publish(directory, 2, 2, "b", &kept);
    assert_string_equal(kept.text, "ab");
    directory_destroy(directory);
}

static void of_very_many_gateways_the_last_are_known(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    const struct directory_published known = {7, 1, 0, 0};
    struct kept_events kept = {{0}, 0};

    (void)state;
    directory_restore_published(directory, SLICE("g2"), &known);
    directory_restore_published(directory, SLICE("g1"), &known);
    for (int i = 1; i < LIMIT_GATEWAYS; i++)
        directory_restore_published(directory, SLICE("other"), &known);
    publish(directory, 1, 1, "a", &kept);
    assert_string_equal(kept.text, ""); /* of g2 nothing is known any more */
    directory_destroy(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_requests_of_an_old_start_change_nothing),
        cmocka_unit_test(a_full_directory_says_so_and_lets_in_who_comes_after_a_lease),
        cmocka_unit_test(a_request_that_was_overtaken_does_nothing),
        cmocka_unit_test(who_is_met_is_told_until_it_has_heard),
        cmocka_unit_test(who_heard_an_older_answer_is_told_with_the_next),
        cmocka_unit_test(a_request_in_bytes_is_answered_in_bytes),
        cmocka_unit_test(proofs_and_parks_come_in_bytes),
        cmocka_unit_test(ghosts_are_told_until_they_have_heard),
        cmocka_unit_test(a_lease_that_meets_the_directory_is_not_settled),
        cmocka_unit_test(a_crowd_that_is_looked_for_at_once_is_found_in_turns),
        cmocka_unit_test(the_largest_session_that_may_be_put_is_found),
        cmocka_unit_test(an_event_that_is_sent_again_is_kept_once),
        cmocka_unit_test(an_event_without_room_for_its_answer_is_still_new),
        cmocka_unit_test(an_event_that_could_not_be_kept_is_never_said_to_be),
        cmocka_unit_test(an_event_of_before_this_start_is_kept_once),
        cmocka_unit_test(an_event_of_before_a_lost_lease_is_kept_once),
        cmocka_unit_test(of_very_many_gateways_the_last_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
