/* Requests to the directory and their answers: round trips, prefixes, lies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/directory_wire.h"
#include "support/wire_messages.h"

#include <string.h>

static const struct wire_session session = {
    .sid = {"sid",  3},
    .pid = {"pid",  3},
    .nsp = {"/",    1},
    .user = {"user", 4},
    .generation = 5,
    .epoch = 6,
    .proven = 4,
    .room_count = 1,
};

static void add_request(struct buf *out)
{
    struct directory_request request = {SLICE("g1"), 77, 3, 88, 9, {0}};
    struct directory_op lease = {.pid = 42, .is_ready = true};

    directory_request_encode(&request, out);
    directory_lease_encode(&lease, 2, out);
    wire_counter_add(out, 10);
    wire_counter_add(out, 11);
    directory_put_encode(&session, out);
    wire_named_add(out, SLICE("r:1"), 9);
    directory_drop_encode(SLICE("sid"), 8, out);
    directory_find_encode(SLICE("pid"), out);
    directory_publish_encode(12, true, SLICE("an envelope"), out);
    directory_seen_encode(SLICE("/"), SLICE("user"), out);
    directory_park_encode(&session, out);
    directory_prove_encode(21, 2, out);
    wire_named_add(out, SLICE("s1"), 22);
    wire_named_add(out, SLICE("s2"), 23);
    directory_leave_encode(out);
}

static void add_answer(struct buf *out)
{
    struct directory_answer answer = {.incarnation = 77,
                                      .number = 3,
                                      .meeting = 88,
                                      .standing = STANDING_NEW,
                                      .count = 4,
                                      .moved_count = 1};
    struct directory_result none = {.outcome = OUTCOME_NOT_FOUND};
    struct directory_result found = {
        .kind = RESULT_SESSION, .gateway = SLICE("g2"), .session = session};
    struct directory_result seen = {.kind = RESULT_SEEN, .seen_ms = 1700000000123};

    directory_answer_encode(&answer, out);
    wire_named_add(out, SLICE("gone"), 31);
    directory_result_encode(&none, out);
    directory_result_encode(&found, out);
    wire_named_add(out, SLICE("r:1"), 9);
    size_t at = out->len;
    struct directory_result kept = {.outcome = OUTCOME_FULL, .kind = RESULT_POSITION};
    directory_result_encode(&kept, out);
    kept.outcome = OUTCOME_OK;
    kept.epoch = 5;
    kept.seq = 6;
    directory_result_settle(out, at, &kept);
    directory_result_encode(&seen, out);
}

static void check_session(const struct wire_session *got)
{
    struct slice rooms = got->rooms;
    struct wire_named membership;

    assert_true(slice_is(got->sid, "sid") && slice_is(got->pid, "pid"));
    assert_true(slice_is(got->nsp, "/") && slice_is(got->user, "user"));
    assert_true(got->generation == 5 && got->epoch == 6 && got->proven == 4 &&
                got->room_count == 1);
    assert_true(wire_named_next(&rooms, &membership));
    assert_true(slice_is(membership.name, "r:1") && membership.number == 9);
    assert_false(wire_named_next(&rooms, &membership));
}

static void a_request_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct directory_request request;
    struct directory_op op;
    uint64_t counter;

    (void)state;
    add_request(&wire);
    assert_int_equal(directory_request_decode(buf_slice(&wire), &request), ST_OK);
    assert_true(slice_is(request.gateway, "g1") && request.incarnation == 77 &&
                request.number == 3 && request.meeting == 88 && request.count == 9);
    assert_true(directory_op_next(&request.ops, &op));
    assert_true(op.kind == DIRECTORY_LEASE && op.pid == 42 && op.is_ready &&
                !op.is_settled);
    assert_true(wire_counter_next(&op.counters, &counter) && counter == 10);
    assert_true(wire_counter_next(&op.counters, &counter) && counter == 11);
    assert_false(wire_counter_next(&op.counters, &counter));
    assert_true(directory_op_next(&request.ops, &op) && op.kind == DIRECTORY_PUT);
    check_session(&op.session);
    assert_true(directory_op_next(&request.ops, &op) && op.kind == DIRECTORY_DROP);
    assert_true(slice_is(op.session.sid, "sid") && op.session.generation == 8);
    assert_true(directory_op_next(&request.ops, &op) && op.kind == DIRECTORY_FIND);
    assert_true(slice_is(op.session.pid, "pid"));
    assert_true(directory_op_next(&request.ops, &op) && op.kind == DIRECTORY_PUBLISH);
    assert_true(op.serial == 12 && op.is_volatile &&
                slice_is(op.envelope, "an envelope"));
    assert_true(directory_op_next(&request.ops, &op) && op.kind == DIRECTORY_SEEN);
    assert_true(slice_is(op.session.nsp, "/") && slice_is(op.session.user, "user"));
    assert_true(directory_op_next(&request.ops, &op) && op.kind == DIRECTORY_PARK);
    assert_true(slice_is(op.session.sid, "sid") && op.session.generation == 5 &&
                op.session.epoch == 6 && op.session.proven == 4);
    assert_true(directory_op_next(&request.ops, &op) && op.kind == DIRECTORY_PROVE);
    assert_true(op.session.epoch == 21 && op.proof_count == 2);
    struct wire_named proof;
    assert_true(wire_named_next(&op.proofs, &proof) && slice_is(proof.name, "s1") &&
                proof.number == 22);
    assert_true(wire_named_next(&op.proofs, &proof) && slice_is(proof.name, "s2") &&
                proof.number == 23);
    assert_false(wire_named_next(&op.proofs, &proof));
    assert_true(directory_op_next(&request.ops, &op) && op.kind == DIRECTORY_LEAVE);
    assert_false(directory_op_next(&request.ops, &op));
    buf_finish(&wire);
}

static void an_answer_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct directory_answer answer;
    struct directory_result result;

    (void)state;
    add_answer(&wire);
    assert_int_equal(directory_answer_decode(buf_slice(&wire), &answer), ST_OK);
    assert_true(answer.incarnation == 77 && answer.number == 3 && answer.count == 4);
    assert_int_equal(answer.standing, STANDING_NEW);
    assert_int_equal(answer.meeting, 88);
    struct wire_named moved;
    assert_int_equal(answer.moved_count, 1);
    assert_true(wire_named_next(&answer.moved, &moved));
    assert_true(slice_is(moved.name, "gone") && moved.number == 31);
    assert_true(directory_result_next(&answer.results, &result));
    assert_true(result.outcome == OUTCOME_NOT_FOUND && result.kind == RESULT_PLAIN);
    assert_true(directory_result_next(&answer.results, &result));
    assert_true(result.kind == RESULT_SESSION && slice_is(result.gateway, "g2"));
    check_session(&result.session);
    assert_true(directory_result_next(&answer.results, &result));
    assert_true(result.outcome == OUTCOME_OK && result.kind == RESULT_POSITION &&
                result.epoch == 5 && result.seq == 6);
    assert_true(directory_result_next(&answer.results, &result));
    assert_true(result.kind == RESULT_SEEN && result.seen_ms == 1700000000123);
    assert_false(directory_result_next(&answer.results, &result));
    buf_finish(&wire);
}

static void add_record(struct buf *out)
{
    const struct directory_record record = {SLICE("g3"), true, session};

    directory_record_encode(&record, out);
    wire_named_add(out, SLICE("r:1"), 9);
}

static void a_record_comes_back_as_it_was(void **state)
{
    struct buf wire = {.max = 1000};
    struct directory_record record;

    (void)state;
    add_record(&wire);
    assert_int_equal(directory_record_decode(buf_slice(&wire), &record), ST_OK);
    assert_true(slice_is(record.gateway, "g3") && record.is_parked);
    check_session(&record.session);
    buf_finish(&wire);
}

static enum status decode_record(struct slice bytes)
{
    struct directory_record record;
    return directory_record_decode(bytes, &record);
}

static const struct directory_published published = {7, 1u << 30, 3, 5};

static void add_published(struct buf *out)
{
    directory_published_encode(&published, out);
}

static enum status decode_published(struct slice bytes)
{
    struct directory_published found;
    enum status st = directory_published_decode(bytes, &found);

    assert_true(st || memcmp(&found, &published, sizeof found) == 0);
    return st;
}

static enum status decode_request(struct slice bytes)
{
    struct directory_request request;
    return directory_request_decode(bytes, &request);
}

static enum status decode_answer(struct slice bytes)
{
    struct directory_answer answer;
    return directory_answer_decode(bytes, &answer);
}

static void only_whole_messages_are_taken(void **state)
{
    static const struct wire_message kinds[] = {
        {add_request,   decode_request  },
        {add_answer,    decode_answer   },
        {add_record,    decode_record   },
        {add_published, decode_published},
    };

    (void)state;
    assert_only_whole(kinds, sizeof kinds / sizeof *kinds);
}

static void a_request_without_a_gateway_is_refused(void **state)
{
    struct buf wire = {.max = 1000};
    struct directory_request request = {{0}, 1, 1, 1, 0, {0}};

    (void)state;
    directory_request_encode(&request, &wire);
    assert_int_equal(decode_request(buf_slice(&wire)), ST_BAD_PACKET);
    buf_finish(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_back_as_it_was),
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(an_answer_comes_back_as_it_was),
        cmocka_unit_test(only_whole_messages_are_taken),
        cmocka_unit_test(a_request_without_a_gateway_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
