/* The body of a publish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/publish_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct publish_request request;
static struct publish_fault fault;

static int finish(void **state)
{
    (void)state;
    publish_request_finish(&request);
    return 0;
}

static enum status decode(const char *body)
{
    return publish_request_decode(slice_of(body), &request, &fault);
}

static void assert_target(size_t i, enum room_kind kind, const char *name)
{
    assert_true(i < request.envelope.target_count);
    assert_int_equal(request.envelope.targets[i].kind, kind);
    assert_true(slice_is(request.envelope.targets[i].name, name));
}

static void a_small_request_gets_the_defaults(void **state)
{
    (void)state;
    assert_int_equal(decode("{\"event\":\"a.b\",\"room\":\"project:7\"}"), ST_OK);
    assert_int_equal(request.envelope.kind, ENVELOPE_EVENT);
    assert_int_equal(request.envelope.flags, ENVELOPE_HISTORY);
    assert_int_equal(request.envelope.ttl_ms, 0);
    assert_int_equal(request.envelope.id.len, 0);
    assert_int_equal(request.envelope.data.len, 0);
    assert_int_equal(request.envelope.args.len, 0);
    assert_int_equal(request.envelope.except_count, 0);
    assert_true(slice_is(request.envelope.nsp, "/"));
    assert_true(slice_is(request.envelope.event, "a.b"));
    assert_true(slice_is(request.envelope.event_json, "\"a.b\""));
    assert_int_equal(request.envelope.target_count, 1);
    assert_target(0, ROOM_NAMED, "project:7");
}

static void every_field_is_taken(void **state)
{
    (void)state;
    assert_int_equal(
        decode(" { \"event\" : \"x\", \"args\": [ 1, 0.10 ], \"users\":[\"a b\",42,-7],"
               "\"except\":[\"abcdefghij-_23456789\"],\"namespace\":\"/custom\","
               "\"id\":\"A.b_c:d-9\",\"volatile\":true,\"history\":false,\"ttl\":\"5m\","
               "\"meta\":{ \"k\" : 1e2 } } "),
        ST_OK);
    assert_true(slice_is(request.envelope.args, "[ 1, 0.10 ]"));
    assert_true(slice_is(request.envelope.nsp, "/custom"));
    assert_true(slice_is(request.envelope.id, "A.b_c:d-9"));
    assert_int_equal(request.envelope.flags, ENVELOPE_VOLATILE);
    assert_int_equal(request.envelope.ttl_ms, 300000);
    assert_true(slice_is(request.envelope.meta, "{ \"k\" : 1e2 }"));
    assert_int_equal(request.envelope.target_count, 3);
    assert_target(0, ROOM_USER, "a b");
    assert_target(1, ROOM_USER, "42");
    assert_target(2, ROOM_USER, "-7");
    assert_int_equal(request.envelope.except_count, 1);
    assert_true(slice_is(request.envelope.except[0], "abcdefghij-_23456789"));
}

static void data_stays_the_bytes_that_came(void **state)
{
    static const char *const values[] = {
        "null",
        "-0",
        "1e308",
        "0.1",
        "9007199254740993",
        "\"\\u00e9\\ud83d\\ude00\"",
        "{ \"__proto__\" : [ ] }",
        "{\"$binary\":\"AAAA\"}",
        "\"\xe2\x80\xa8\"",
        "false",
    };
    char body[256];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(body, sizeof body, "{\"data\": %s ,\"event\":\"e\",\"all\":true}",
                 values[i]);
        assert_int_equal(decode(body), ST_OK);
        assert_true(slice_is(request.envelope.data, values[i]));
    }
}

static void escapes_in_names_are_decoded(void **state)
{
    (void)state;
    assert_int_equal(
        decode("{\"\\u0065vent\":\"caf\\u00e9\",\"room\":\"\\u0061:\\u0062\","
               "\"id\":\"\\u0031\"}"),
        ST_OK);
    assert_true(slice_is(request.envelope.event, "caf\xc3\xa9"));
    assert_true(slice_is(request.envelope.event_json, "\"caf\\u00e9\""));
    assert_true(slice_is(request.envelope.id, "1"));
    assert_target(0, ROOM_NAMED, "a:b");
}

static void each_target_field_has_its_kind(void **state)
{
    static const struct {
        const char *field;
        enum room_kind kind;
        const char *name;
    } rows[] = {
        {"\"room\":\"a\"",                         ROOM_NAMED,  "a"                   },
        {"\"room\":\"user:42\"",                   ROOM_USER,   "42"                  },
        {"\"room\":\"*\"",                         ROOM_ALL,    ""                    },
        {"\"rooms\":[\"a:b\"]",                    ROOM_NAMED,  "a:b"                 },
        {"\"user\":\"a:b\"",                       ROOM_USER,   "a:b"                 },
        {"\"user\":42",                            ROOM_USER,   "42"                  },
        {"\"users\":[9007199254740993]",           ROOM_USER,   "9007199254740993"    },
        {"\"sockets\":[\"abcdefghij0123456789\"]", ROOM_SOCKET, "abcdefghij0123456789"},
        {"\"all\":true",                           ROOM_ALL,    ""                    },
    };
    char body[256];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(body, sizeof body, "{\"event\":\"e\",%s}", rows[i].field);
        assert_int_equal(decode(body), ST_OK);
        assert_int_equal(request.envelope.target_count, 1);
        assert_target(0, rows[i].kind, rows[i].name);
    }
}

static void a_room_that_comes_twice_counts_once(void **state)
{
    (void)state;
    assert_int_equal(decode("{\"event\":\"e\",\"rooms\":[\"b\",\"user:b\",\"a\",\"b\","
                            "\"\\u0061\",\"*\",\"user:b\",\"aa\",\"*\"]}"),
                     ST_OK);
    assert_int_equal(request.envelope.target_count, 5);
    assert_target(0, ROOM_NAMED, "b");
    assert_target(1, ROOM_USER, "b");
    assert_target(2, ROOM_NAMED, "a");
    assert_target(3, ROOM_ALL, "");
    assert_target(4, ROOM_NAMED, "aa");
}

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *pointer;
        const char *detail;
    } rows[] = {
        {"",                                                      ST_BAD_REQUEST, "",           "byte 0: "        },
        {"{\"event\":\"e\",}",                                    ST_BAD_REQUEST, "",           "byte "           },
        {"{\"event\":\"e\",\"event\":\"f\",\"all\":true}",        ST_BAD_REQUEST, "",           "byte "           },
        {"[]",                                                    ST_BAD_PAYLOAD, "",           "not an object"   },
        {"{}",                                                    ST_BAD_PAYLOAD, "",           "event is missing"},
        {"{\"event\":1,\"all\":true}",                            ST_BAD_PAYLOAD, "/event",     "not a string"    },
        {"{\"event\":\"\",\"all\":true}",                         ST_BAD_PAYLOAD, "/event",     "empty"           },
        {"{\"event\":\"a\\n\",\"all\":true}",                     ST_BAD_PAYLOAD, "/event",
         "control character"                                                                                      },
        {"{\"event\":\"a\\u0000\",\"all\":true}",                 ST_BAD_PAYLOAD, "/event",
         "control character"                                                                                      },
        {"{\"event\":\"connect\",\"all\":true}",                  ST_BAD_PAYLOAD, "/event",     "reserved"        },
        {"{\"event\":\"disconn\\u0065cting\",\"all\":true}",      ST_BAD_PAYLOAD, "/event",
         "reserved"                                                                                               },
        {"{\"event\":\"newListener\",\"all\":true}",              ST_BAD_PAYLOAD, "/event",
         "reserved"                                                                                               },
        {"{\"event\":\"e\"}",                                     ST_BAD_TARGET,  "",           "missing"         },
        {"{\"event\":\"e\",\"room\":\"a\",\"user\":1}",           ST_BAD_TARGET,  "/user",
         "two targets: room and user"                                                                             },
        {"{\"event\":\"e\",\"room\":\"a b\"}",                    ST_BAD_TARGET,  "/room",
         "not a valid room"                                                                                       },
        {"{\"event\":\"e\",\"room\":\"user:\"}",                  ST_BAD_TARGET,  "/room",
         "not a valid room"                                                                                       },
        {"{\"event\":\"e\",\"room\":[\"a\"]}",                    ST_BAD_TARGET,  "/room",
         "not a valid room"                                                                                       },
        {"{\"event\":\"e\",\"room\":null}",                       ST_BAD_TARGET,  "/room",      "not a valid room"},
        {"{\"event\":\"e\",\"rooms\":\"a\"}",                     ST_BAD_TARGET,  "/rooms",     "not an array"    },
        {"{\"event\":\"e\",\"rooms\":[]}",                        ST_BAD_TARGET,  "/rooms",     "empty"           },
        {"{\"event\":\"e\",\"rooms\":[\"a\",\"{\"]}",             ST_BAD_TARGET,  "/rooms/1",
         "item 1 of rooms"                                                                                        },
        {"{\"event\":\"e\",\"rooms\":[\"a\",7]}",                 ST_BAD_TARGET,  "/rooms/1",
         "item 1 of rooms"                                                                                        },
        {"{\"event\":\"e\",\"user\":1.5}",                        ST_BAD_TARGET,  "/user",      "user id"         },
        {"{\"event\":\"e\",\"user\":1e3}",                        ST_BAD_TARGET,  "/user",      "user id"         },
        {"{\"event\":\"e\",\"user\":true}",                       ST_BAD_TARGET,  "/user",      "user id"         },
        {"{\"event\":\"e\",\"users\":[\"\"]}",                    ST_BAD_TARGET,  "/users/0",   "user id"         },
        {"{\"event\":\"e\",\"sockets\":[\"a\"]}",                 ST_BAD_TARGET,  "/sockets/0", "sid"             },
        {"{\"event\":\"e\",\"all\":false}",                       ST_BAD_TARGET,  "/all",       "not true"        },
        {"{\"event\":\"e\",\"all\":1}",                           ST_BAD_TARGET,  "/all",       "not true"        },
        {"{\"event\":\"e\",\"all\":true,\"except\":\"a\"}",       ST_BAD_PAYLOAD, "/except",
         "not an array"                                                                                           },
        {"{\"event\":\"e\",\"all\":true,\"except\":[\"a\"]}",     ST_BAD_PAYLOAD, "/except/0",
         "sid"                                                                                                    },
        {"{\"event\":\"e\",\"all\":true,\"data\":1,\"args\":[]}", ST_BAD_PAYLOAD, "/args",
         "exclude"                                                                                                },
        {"{\"event\":\"e\",\"all\":true,\"args\":{}}",            ST_BAD_PAYLOAD, "/args",
         "not an array"                                                                                           },
        {"{\"event\":\"e\",\"all\":true,\"namespace\":\"x\"}",    ST_BAD_PAYLOAD,
         "/namespace",                                                                          "not valid"       },
        {"{\"event\":\"e\",\"all\":true,\"namespace\":1}",        ST_BAD_PAYLOAD, "/namespace",
         "not valid"                                                                                              },
        {"{\"event\":\"e\",\"all\":true,\"id\":\"a b\"}",         ST_BAD_PAYLOAD, "/id",
         "not valid"                                                                                              },
        {"{\"event\":\"e\",\"all\":true,\"id\":7}",               ST_BAD_PAYLOAD, "/id",        "not valid"       },
        {"{\"event\":\"e\",\"all\":true,\"id\":\"\"}",            ST_BAD_PAYLOAD, "/id",
         "not valid"                                                                                              },
        {"{\"event\":\"e\",\"all\":true,\"volatile\":1}",         ST_BAD_PAYLOAD, "/volatile",
         "volatile is not a boolean"                                                                              },
        {"{\"event\":\"e\",\"all\":true,\"history\":null}",       ST_BAD_PAYLOAD, "/history",
         "history is not a boolean"                                                                               },
        {"{\"event\":\"e\",\"all\":true,\"ttl\":30}",             ST_BAD_PAYLOAD, "/ttl",
         "bare number"                                                                                            },
        {"{\"event\":\"e\",\"all\":true,\"ttl\":\"30\"}",         ST_BAD_PAYLOAD, "/ttl",
         "needs a unit"                                                                                           },
        {"{\"event\":\"e\",\"all\":true,\"ttl\":\"0s\"}",         ST_BAD_PAYLOAD, "/ttl",
         "from 1ms"                                                                                               },
        {"{\"event\":\"e\",\"all\":true,\"ttl\":\"9999h\"}",      ST_BAD_PAYLOAD, "/ttl",
         "from 1ms"                                                                                               },
        {"{\"event\":\"e\",\"all\":true,\"ttl\":true}",           ST_BAD_PAYLOAD, "/ttl",
         "not a duration"                                                                                         },
        {"{\"event\":\"e\",\"all\":true,\"meta\":[]}",            ST_BAD_PAYLOAD, "/meta",
         "not an object"                                                                                          },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(decode(rows[i].body), rows[i].status);
        assert_string_equal(fault.pointer, rows[i].pointer);
        assert_non_null(strstr(fault.detail, rows[i].detail));
        assert_true(strlen(fault.expected) > 0);
    }
}

static void an_unknown_field_gets_the_nearest_name(void **state)
{
    static const struct {
        const char *field;
        const char *pointer;
        const char *detail;
        const char *hint;
    } rows[] = {
        {"roms",            "/roms",            "unknown field \"roms\"; did you mean \"rooms\"?",   "\"rooms\""},
        {"Data",            "/Data",            "unknown field \"Data\"; did you mean \"data\"?",    "\"data\"" },
        {"payload",         "/payload",         "unknown field \"payload\"; did you mean \"data\"?",
         "\"data\""                                                                                             },
        {"idempotency_key", "/idempotency_key",
         "unknown field \"idempotency_key\"; did you mean \"id\"?",                                  "\"id\""   },
        {"zzzzzzzz",        "/zzzzzzzz",        "unknown field \"zzzzzzzz\"",                        "Remove it"},
        {"a/b~c",           "/a~1b~0c",         "unknown field \"a/b~c\"",                           "Remove it"},
        {"",                "/",                "unknown field \"\"",                                "Remove it"},
    };
    char body[256];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(body, sizeof body, "{\"event\":\"e\",\"all\":true,\"%s\":1}",
                 rows[i].field);
        assert_int_equal(decode(body), ST_BAD_PAYLOAD);
        assert_string_equal(fault.pointer, rows[i].pointer);
        assert_string_equal(fault.detail, rows[i].detail);
        assert_non_null(strstr(fault.hint, rows[i].hint));
    }
}

static void a_long_unknown_field_is_cut_between_characters(void **state)
{
    struct buf body = {.max = 4096};

    (void)state;
    buf_add_text(&body, "{\"x");
    for (int i = 0; i < 100; i++)
        buf_add_text(&body, "\xc3\xa9");
    buf_add_text(&body, "\":1}");
    assert_int_equal(publish_request_decode(buf_slice(&body), &request, &fault),
                     ST_BAD_PAYLOAD);
    assert_int_equal(strlen(fault.pointer), 1 + 39);
    body.len = 0;
    buf_add_text(&body, "{\"");
    for (int i = 0; i < 100; i++)
        buf_add_text(&body, "~/");
    buf_add_text(&body, "\":1}");
    assert_int_equal(publish_request_decode(buf_slice(&body), &request, &fault),
                     ST_BAD_PAYLOAD);
    assert_int_equal(strlen(fault.pointer), 1 + 80);
    buf_finish(&body);
}

/* {"event":"e","<field>":[<count times item>]} */
static enum status decode_list(const char *field, const char *item, size_t count)
{
    struct buf body = {.max = 1 << 20};

    buf_print(&body, "{\"event\":\"e\",\"%s\":[", field);
    for (size_t i = 0; i < count; i++)
        buf_print(&body, "%s\"%s\"", i ? "," : "", item);
    buf_add_text(&body, "]}");
    enum status st = publish_request_decode(buf_slice(&body), &request, &fault);
    buf_finish(&body);
    return st;
}

static void lists_have_ceilings(void **state)
{
    (void)state;
    assert_int_equal(decode_list("rooms", "a", LIMIT_TARGETS), ST_OK);
    assert_int_equal(request.envelope.target_count, 1);
    assert_int_equal(decode_list("rooms", "a", LIMIT_TARGETS + 1), ST_BAD_TARGET);
    assert_string_equal(fault.expected, "an array of 1-1000 items");
    assert_int_equal(decode_list("except", "abcdefghij0123456789", LIMIT_EXCEPT),
                     ST_BAD_TARGET); /* the target is missing, the list is not wrong */
    assert_int_equal(decode_list("except", "abcdefghij0123456789", LIMIT_EXCEPT + 1),
                     ST_BAD_PAYLOAD);
}

static void names_and_meta_have_ceilings(void **state)
{
    char text[LIMIT_META_BYTES + 1], body[LIMIT_META_BYTES + 128];

    (void)state;
    memset(text, 'a', sizeof text);
    snprintf(body, sizeof body, "{\"event\":\"%.*s\",\"all\":true}",
             LIMIT_EVENT_NAME_BYTES, text);
    assert_int_equal(decode(body), ST_OK);
    snprintf(body, sizeof body, "{\"event\":\"%.*s\",\"all\":true}",
             LIMIT_EVENT_NAME_BYTES + 1, text);
    assert_int_equal(decode(body), ST_BAD_PAYLOAD);
    snprintf(body, sizeof body,
             "{\"event\":\"e\",\"all\":true,\"meta\":{\"k\":\"%.*s\"}}",
             LIMIT_META_BYTES - 8, text);
    assert_int_equal(decode(body), ST_OK);
    snprintf(body, sizeof body,
             "{\"event\":\"e\",\"all\":true,\"meta\":{\"k\":\"%.*s\"}}",
             LIMIT_META_BYTES - 7, text);
    assert_int_equal(decode(body), ST_BAD_PAYLOAD);
}

static void a_body_has_a_ceiling(void **state)
{
    static char body[LIMIT_PUBLISH_BYTES + 1];
    static const char start[] = "{\"event\":\"e\",\"all\":true}";

    (void)state;
    memset(body, ' ', sizeof body);
    memcpy(body, start, sizeof start - 1);
    struct slice whole = {body, sizeof body};
    assert_int_equal(publish_request_decode(whole, &request, &fault), ST_TOO_LARGE);
    assert_true(strlen(fault.detail) > 0);
    whole.len--;
    assert_int_equal(publish_request_decode(whole, &request, &fault), ST_OK);
}

static void every_prefix_is_refused(void **state)
{
    static const char body[] =
        "{\"event\":\"\\u0061\",\"rooms\":[\"a\",\"user:\\u0062\"],"
        "\"id\":\"1\",\"data\":{\"a\":[1]}}";

    (void)state;
    for (size_t n = 0; n < sizeof body - 1; n++) {
        char *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, body, n);
        assert_int_equal(
            publish_request_decode((struct slice){copy, n}, &request, &fault),
            ST_BAD_REQUEST);
        free(copy);
    }
    assert_int_equal(decode(body), ST_OK);
}

static void what_was_decoded_becomes_an_envelope(void **state)
{
    static struct envelope_room room;
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};
    struct envelope back;

    (void)state;
    assert_int_equal(decode("{\"event\":\"\\u0061\",\"rooms\":[\"a\",\"user:\\u0062\"],"
                            "\"id\":\"1\",\"data\":{\"a\":[1]}}"),
                     ST_OK);
    envelope_encode(&request.envelope, &wire);
    assert_int_equal(envelope_decode(buf_slice(&wire), &room, &back), ST_OK);
    assert_true(slice_is(back.event, "a"));
    assert_true(slice_is(back.event_json, "\"\\u0061\""));
    assert_true(slice_is(back.targets[1].name, "b"));
    buf_finish(&wire);
}

static void attachments_are_found_and_checked_once(void **state)
{
    static const struct {
        const char *payload;
        enum status status;
        bool is_binary;
        const char *pointer;
        const char *detail;
    } rows[] = {
        {"\"data\":{\"a\":1}",                                                                    ST_OK,          false, "",          ""           },
        {"\"data\":{\"a\":{\"$binary\":\"AAEC\"}}",                                               ST_OK,          true,  "",          ""           },
        {"\"args\":[1,{\"$binary\":\"\\/+8=\"}]",                                                 ST_OK,          true,  "",          ""           },
        {"\"meta\":{\"$binary\":\"?\"}",                                                          ST_OK,          false, "",          ""           },
        {"\"data\":{\"_placeholder\":true,\"num\":0}",                                            ST_OK,          false, "",          ""           },
        {"\"data\":[0,{\"x\":{\"$binary\":\"?\"}}]",                                              ST_BAD_PAYLOAD, true,  "/data/1/x",
         "not base64"                                                                                                                              },
        {"\"args\":[{\"$binary\":\"A\"}]",                                                        ST_BAD_PAYLOAD, true,  "/args/0",   "not base64" },
        {"\"args\":[{\"$binary\":\"\"},{\"$binary\":\"\"},{\"$binary\":\"\"},"
         "{\"$binary\":\"\"},{\"$binary\":\"\"},{\"$binary\":\"\"},{\"$binary\":\"\"},"
         "{\"$binary\":\"\"},{\"$binary\":\"\"},{\"$binary\":\"\"},{\"$binary\":\"\"}]", ST_BAD_PAYLOAD, true,  "/args/10",  "too many"   },
        {"\"data\":{\"a\":{\"$binary\":\"\"},\"b\":{\"_placeholder\":true,\"num\":7}}",
         ST_BAD_PAYLOAD,                                                                                          true,  "/data/b",   "placeholder"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[512];

        snprintf(body, sizeof body, "{\"event\":\"e\",\"all\":true,%s}", rows[i].payload);
        assert_int_equal(decode(body), rows[i].status);
        assert_int_equal(!!(request.envelope.flags & ENVELOPE_BINARY), rows[i].is_binary);
        assert_string_equal(fault.pointer, rows[i].pointer);
        assert_non_null(strstr(fault.detail, rows[i].detail));
    }
}

static void a_pointer_that_is_too_long_leads_as_far_as_it_fits(void **state)
{
    char body[512] = "{\"event\":\"e\",\"all\":true,\"data\":{\"";
    size_t at = strlen(body);

    (void)state;
    memset(body + at, 'k', 200);
    strcpy(body + at + 200, "\":{\"$binary\":\"?\"}}}");
    assert_int_equal(decode(body), ST_BAD_PAYLOAD);
    assert_true(strncmp(fault.pointer, "/data/k", 7) == 0);
}

static void ids_follow_the_grammar(void **state)
{
    static const char *const bad[] = {"", "a b", "a/b", "a\n", "\xc3\xa9", "a,b"};
    char longest[LIMIT_EVENT_ID_BYTES + 1];

    (void)state;
    assert_true(event_id_is_valid(SLICE("Az09._:-")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(event_id_is_valid(slice_of(bad[i])));
    memset(longest, 'a', sizeof longest);
    assert_true(event_id_is_valid((struct slice){longest, LIMIT_EVENT_ID_BYTES}));
    assert_false(event_id_is_valid((struct slice){longest, LIMIT_EVENT_ID_BYTES + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_request_gets_the_defaults),
        cmocka_unit_test(every_field_is_taken),
        cmocka_unit_test(data_stays_the_bytes_that_came),
        cmocka_unit_test(escapes_in_names_are_decoded),
        cmocka_unit_test(each_target_field_has_its_kind),
        cmocka_unit_test(a_room_that_comes_twice_counts_once),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(an_unknown_field_gets_the_nearest_name),
        cmocka_unit_test(a_long_unknown_field_is_cut_between_characters),
        cmocka_unit_test(lists_have_ceilings),
        cmocka_unit_test(names_and_meta_have_ceilings),
        cmocka_unit_test(a_body_has_a_ceiling),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(attachments_are_found_and_checked_once),
        cmocka_unit_test(a_pointer_that_is_too_long_leads_as_far_as_it_fits),
        cmocka_unit_test(what_was_decoded_becomes_an_envelope),
        cmocka_unit_test(ids_follow_the_grammar),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
