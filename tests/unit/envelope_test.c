/* The envelope's bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/envelope.h"

#include <stdlib.h>
#include <string.h>

static struct envelope_target targets[] = {
    {ROOM_NAMED,  {"project:7", 9}            },
    {ROOM_USER,   {"42", 2}                   },
    {ROOM_SOCKET, {"abcdefghij0123456789", 20}},
    {ROOM_ALL,    {NULL, 0}                   },
};
static struct slice except[] = {
    {"ABCDEFGHIJ-123456789", 20},
    {"ABCDEFGHIJ_123456789", 20},
};

static struct envelope sample(void)
{
    return (struct envelope){
        .flags = ENVELOPE_HISTORY,
        .at_ms = 1700000000123,
        .accepted_us = -5,
        .ttl_ms = 30000,
        .id = SLICE("01ARYZ6S4104106102081G72GA"),
        .nsp = SLICE("/"),
        .event = SLICE("task.created"),
        .event_json = SLICE("\"task.created\""),
        .data = SLICE("{\"a\": -0}"),
        .meta = SLICE("{}"),
        .request_id = SLICE("req-1"),
        .targets = targets,
        .target_count = sizeof targets / sizeof *targets,
        .except = except,
        .except_count = sizeof except / sizeof *except,
    };
}

static struct buf encode(const struct envelope *envelope)
{
    struct buf out = {.max = LIMIT_ENVELOPE_BYTES};

    envelope_encode(envelope, &out);
    assert_int_equal(buf_status(&out), ST_OK);
    return out;
}

/* Decodes from a copy of exact size, so that the address sanitizer sees one byte too far.
 */
static enum status decode(struct slice bytes)
{
    static struct envelope_room room;
    struct envelope envelope;
    char *copy = malloc(bytes.len ? bytes.len : 1);

    assert_non_null(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    enum status st = envelope_decode((struct slice){copy, bytes.len}, &room, &envelope);
    free(copy);
    return st;
}

static void an_envelope_comes_back_as_it_was(void **state)
{
    static struct envelope_room room;
    struct envelope in = sample(), out;
    struct buf bytes = encode(&in);

    (void)state;
    assert_int_equal(envelope_decode(buf_slice(&bytes), &room, &out), ST_OK);
    assert_int_equal(out.kind, ENVELOPE_EVENT);
    assert_int_equal(out.flags, in.flags);
    assert_int_equal(out.at_ms, in.at_ms);
    assert_int_equal(out.accepted_us, in.accepted_us);
    assert_int_equal(out.ttl_ms, in.ttl_ms);
    assert_true(slice_equal(out.id, in.id));
    assert_true(slice_equal(out.nsp, in.nsp));
    assert_true(slice_equal(out.event, in.event));
    assert_true(slice_equal(out.event_json, in.event_json));
    assert_true(slice_equal(out.data, in.data));
    assert_true(slice_equal(out.args, in.args));
    assert_true(slice_equal(out.meta, in.meta));
    assert_true(slice_equal(out.request_id, in.request_id));
    assert_int_equal(out.target_count, in.target_count);
    for (size_t i = 0; i < in.target_count; i++) {
        assert_int_equal(out.targets[i].kind, in.targets[i].kind);
        assert_true(slice_equal(out.targets[i].name, in.targets[i].name));
    }
    assert_int_equal(out.except_count, in.except_count);
    for (size_t i = 0; i < in.except_count; i++)
        assert_true(slice_equal(out.except[i], in.except[i]));
    buf_finish(&bytes);
}

static void an_encoding_is_appended_to_what_is_there(void **state)
{
    struct envelope envelope = sample();
    struct buf alone = encode(&envelope), out = {.max = 65536};

    (void)state;
    buf_add_text(&out, "xyz");
    envelope_encode(&envelope, &out);
    assert_int_equal(out.len, alone.len + 3);
    assert_memory_equal(out.ptr + 3, alone.ptr, alone.len);
    buf_finish(&out);
    buf_finish(&alone);
}

static void a_full_buffer_is_remembered(void **state)
{
    struct envelope envelope = sample();
    struct buf out = {.max = 100};

    (void)state;
    envelope_encode(&envelope, &out);
    assert_int_equal(buf_status(&out), ST_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_finish(&out);
}

static void every_prefix_is_refused(void **state)
{
    struct envelope envelope = sample();
    struct buf bytes = encode(&envelope);

    (void)state;
    for (size_t n = 0; n < bytes.len; n++)
        assert_int_equal(decode(slice_first(buf_slice(&bytes), n)), ST_BAD_PACKET);
    assert_int_equal(decode(buf_slice(&bytes)), ST_OK);
    buf_finish(&bytes);
}

static void a_byte_too_many_is_refused(void **state)
{
    struct envelope envelope = sample();
    struct buf bytes = encode(&envelope);

    (void)state;
    buf_add_byte(&bytes, 0);
    assert_int_equal(decode(buf_slice(&bytes)), ST_BAD_PACKET);
    buf_finish(&bytes);
}

static void other_versions_kinds_and_flags_are_refused(void **state)
{
    static const struct {
        size_t at;
        char byte;
    } rows[] = {
        {0, 0        },
        {0, 2        },
        {1, 3        },
        {1, (char)255},
        {2, 8        },
        {2, (char)128},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct envelope envelope = sample();
        struct buf bytes = encode(&envelope);
        bytes.ptr[rows[i].at] = rows[i].byte;
        assert_int_equal(decode(buf_slice(&bytes)), ST_BAD_PACKET);
        buf_finish(&bytes);
    }
}

static void assert_refused(const struct envelope *envelope)
{
    struct buf bytes = encode(envelope);

    assert_int_equal(decode(buf_slice(&bytes)), ST_BAD_PACKET);
    buf_finish(&bytes);
}

static void a_target_is_valid_for_its_kind(void **state)
{
    static struct envelope_target bad[] = {
        {ROOM_NAMED,      {"", 0}         },
        {ROOM_NAMED,      {"a b", 3}      },
        {ROOM_NAMED,      {"*", 1}        },
        {ROOM_USER,       {"", 0}         },
        {ROOM_USER,       {"a\n", 2}      },
        {ROOM_SOCKET,     {"short", 5}    },
        {ROOM_ALL,        {"x", 1}        },
        {ROOM_KIND_COUNT, {"project:7", 9}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct envelope envelope = sample();
        envelope.targets = &bad[i];
        envelope.target_count = 1;
        assert_refused(&envelope);
    }
}

static void parts_that_do_not_go_together_are_refused(void **state)
{
    static struct slice bad_sid = {"x", 1};
    struct envelope envelope = sample();

    (void)state;
    envelope.args = SLICE("[1]");
    assert_refused(&envelope);
    envelope = sample();
    envelope.nsp = SLICE("custom");
    assert_refused(&envelope);
    envelope = sample();
    envelope.id = (struct slice){0};
    assert_refused(&envelope);
    envelope = sample();
    envelope.event_json = (struct slice){0};
    assert_refused(&envelope);
    envelope = sample();
    envelope.except = &bad_sid;
    envelope.except_count = 1;
    assert_refused(&envelope);
}

static void a_control_envelope_needs_no_event(void **state)
{
    struct envelope envelope = sample();

    (void)state;
    envelope.kind = ENVELOPE_CONTROL_DISCONNECT;
    envelope.event = envelope.event_json = envelope.data = (struct slice){0};
    struct buf bytes = encode(&envelope);
    assert_int_equal(decode(buf_slice(&bytes)), ST_OK);
    buf_finish(&bytes);
}

static void counts_have_ceilings(void **state)
{
    enum {
        COUNTS_AT = 3 + 8 + 8 + 4
    };
    struct envelope envelope = sample();
    struct buf bytes = encode(&envelope);

    (void)state;
    memcpy(bytes.ptr + COUNTS_AT, "\xe9\x03", 2); /* 1,001 targets */
    assert_int_equal(decode(buf_slice(&bytes)), ST_BAD_PACKET);
    memcpy(bytes.ptr + COUNTS_AT, "\0\0", 2);
    assert_int_equal(decode(buf_slice(&bytes)), ST_BAD_PACKET);
    memcpy(bytes.ptr + COUNTS_AT, "\x04\x00\x65\x00", 4); /* 101 sids */
    assert_int_equal(decode(buf_slice(&bytes)), ST_BAD_PACKET);
    buf_finish(&bytes);
}

static void the_largest_envelope_fits(void **state)
{
    static struct envelope_target many[LIMIT_TARGETS];
    static struct slice sids[LIMIT_EXCEPT];
    static char data[LIMIT_PUBLISH_BYTES - LIMIT_TARGETS * 10 - LIMIT_EXCEPT * 22];
    struct envelope envelope = sample();

    (void)state;
    for (size_t i = 0; i < LIMIT_TARGETS; i++)
        many[i] = targets[0];
    for (size_t i = 0; i < LIMIT_EXCEPT; i++)
        sids[i] = except[0];
    memset(data, '1', sizeof data);
    envelope.targets = many;
    envelope.target_count = LIMIT_TARGETS;
    envelope.except = sids;
    envelope.except_count = LIMIT_EXCEPT;
    envelope.data = (struct slice){data, sizeof data};
    struct buf bytes = encode(&envelope);
    assert_int_equal(decode(buf_slice(&bytes)), ST_OK);
    buf_finish(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_comes_back_as_it_was),
        cmocka_unit_test(an_encoding_is_appended_to_what_is_there),
        cmocka_unit_test(a_full_buffer_is_remembered),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(a_byte_too_many_is_refused),
        cmocka_unit_test(other_versions_kinds_and_flags_are_refused),
        cmocka_unit_test(a_target_is_valid_for_its_kind),
        cmocka_unit_test(parts_that_do_not_go_together_are_refused),
        cmocka_unit_test(a_control_envelope_needs_no_event),
        cmocka_unit_test(counts_have_ceilings),
        cmocka_unit_test(the_largest_envelope_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
