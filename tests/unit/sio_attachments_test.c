/* Binary packets, out and in. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/sio_attachments.h"

#include <stdlib.h>
#include <string.h>

#define PLACEHOLDER(num) "{\"_placeholder\":true,\"num\":" num "}"

/* --- out */

static void objects_become_attachments(void **state)
{
    static const struct {
        const char *plain;
        const char *text;
        const char *attachments[3];
    } rows[] = {
        {"42[\"x\",{\"$binary\":\"YQ==\"}]",                                         "451-[\"x\"," PLACEHOLDER("0") "]", {"a"} },
        {"42/a,17[\"x\",{\"b\":[{\"$binary\":\"YWI=\"}],\"c\":{\"$binary\":\"\"}}]",
         "452-/a,17[\"x\",{\"b\":[" PLACEHOLDER("0") "],\"c\":" PLACEHOLDER("1") "}]",
         {"ab", ""}                                                                                                            },
        {"430[1,{\"$binary\":\"YQ\"}]",                                              "461-0[1," PLACEHOLDER("0") "]",    {"a"} },
        {"42[\"x\",{\"$binary\":\"?\"},{\"$binary\":\"YQ\"}]",
         "451-[\"x\",{\"$binary\":\"?\"}," PLACEHOLDER("0") "]",
         {"a"}                                                                                                                 },
        {"42/[{\"$binary\":\"YQ\"}],[\"x\",{\"$binary\":\"Yg\"}]",
         "451-/[{\"$binary\":\"YQ\"}],[\"x\"," PLACEHOLDER("0") "]",
         {"b"}                                                                                                                 },
        {"42[\"x\"]",                                                                "42[\"x\"]",                        {NULL}},
        {"42[\"x\"," PLACEHOLDER("0") "]",                                           "42[\"x\"," PLACEHOLDER("0") "]",   {NULL}},
        {"42[\"x\",{\"$binary\":\"?\"}]",                                            "42[\"x\",{\"$binary\":\"?\"}]",    {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf packet = {.max = 512};
        struct sio_parts parts;
        size_t count = 0;

        buf_add_text(&packet, rows[i].plain);
        assert_int_equal(sio_attach(&packet, &parts), ST_OK);
        if (!slice_is(parts.text, rows[i].text))
            fail_msg("%s: %.*s", rows[i].plain, (int)parts.text.len, parts.text.ptr);
        for (; count < 3 && rows[i].attachments[count]; count++)
            assert_true(slice_is(parts.attachments[count], rows[i].attachments[count]));
        assert_int_equal(parts.count, count);
        buf_finish(&packet);
    }
}

static enum status attach_so_many(size_t objects, size_t max)
{
    struct buf packet = {.max = max};
    struct sio_parts parts;

    buf_add_text(&packet, "42[\"x\"");
    for (size_t i = 0; i < objects; i++)
        buf_add_text(&packet, ",{\"$binary\":\"YQ\"}");
    buf_add_text(&packet, "]");
    enum status st = sio_attach(&packet, &parts);
    if (!st)
        assert_int_equal(parts.count, objects);
    buf_finish(&packet);
    return st;
}

static void there_are_ceilings(void **state)
{
    (void)state;
    assert_int_equal(attach_so_many(LIMIT_ATTACHMENTS, 4096), ST_OK);
    assert_int_equal(attach_so_many(LIMIT_ATTACHMENTS + 1, 4096), ST_LIMIT);
    assert_int_equal(attach_so_many(1, 40), ST_TOO_LARGE);
}

static void what_a_client_would_mistake_may_not_go_along(void **state)
{
    static const struct {
        const char *json;
        enum status status;
        size_t bad;
    } rows[] = {
        {"",                                                                          ST_OK,          0 },
        {PLACEHOLDER("0"),                                                            ST_OK,          0 },
        {"{\"$binary\":\"YQ\"},{\"_placeholder\":false},{\"_placeholder\":\"true\"}",
         ST_OK,                                                                                       0 },
        {"{\"$binary\":\"YQ\"},\"_placeholder\",[true]",                              ST_OK,          0 },
        {"{\"$binary\":\"YQ\"}," PLACEHOLDER("0"),                                    ST_BAD_PAYLOAD, 17},
        {"[{\"$binary\":\"YQ\"},{\"a\":{\"b\":1,\"_place\\u0068older\":true}}]",
         ST_BAD_PAYLOAD,                                                                              23},
    };
    const char *bad;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice json = slice_of(rows[i].json);
        if (sio_may_attach(json, &bad) != rows[i].status)
            fail_msg("%s", rows[i].json);
        if (rows[i].status)
            assert_int_equal((size_t)(bad - json.ptr), rows[i].bad);
    }
}

/* --- in */

/* What the packet has become; "closed" when the protocol ends it. Attachments are the
 * letters of `bytes`, one each. */
static const char *receive(const char *text, const char *bytes, struct buf *json)
{
    struct sio_packet packet;
    struct sio_incoming *incoming;

    buf_clear(json);
    assert_int_equal(sio_decode(slice_of(text), &json_limits_default, &packet), ST_OK);
    if (sio_incoming_create(&packet, 100, &incoming))
        return "closed";
    memset(&packet, 0, sizeof packet);
    for (; !sio_incoming_is_whole(incoming) && *bytes; bytes++)
        assert_int_equal(sio_incoming_add(incoming, (struct slice){bytes, 1}), ST_OK);
    if (!sio_incoming_is_whole(incoming)) {
        sio_incoming_destroy(incoming);
        return "waits";
    }
    sio_incoming_finish(incoming, json, &packet);
    sio_incoming_destroy(incoming);
    assert_int_equal(buf_status(json), ST_OK);
    assert_true(slice_equal(packet.json, buf_slice(json)));
    buf_add_byte(json, '\0');
    return json->ptr;
}

static void attachments_take_their_places(void **state)
{
    static const struct {
        const char *text;
        const char *bytes;
        const char *becomes;
    } rows[] = {
        {"51-[\"x\"," PLACEHOLDER("0") "]",                                                "a",  "[\"x\",{\"$binary\":\"YQ==\"}]"                  },
        {"52-[\"x\"," PLACEHOLDER("1") "," PLACEHOLDER("0") "]",                           "ab",
         "[\"x\",{\"$binary\":\"Yg==\"},{\"$binary\":\"YQ==\"}]"                                                                                   },
        {"51-[\"x\"," PLACEHOLDER("0") "," PLACEHOLDER("0") "]",                           "a",
         "[\"x\",{\"$binary\":\"YQ==\"},{\"$binary\":\"YQ==\"}]"                                                                                   },
        {"51-[\"x\",{\"num\" : 0 , \"_placeholder\" : true}]",                             "a",
         "[\"x\",{\"$binary\":\"YQ==\"}]"                                                                                                          },
        {"51-[\"x\",{\"a\":[{\"more\":[1,{}],\"_placeholder\":true,\"num\":0}],\"b\":1}]",
         "a",                                                                                    "[\"x\",{\"a\":[{\"$binary\":\"YQ==\"}],\"b\":1}]"},
        {"51-[\"x\",{\"in\":" PLACEHOLDER("0") ",\"_placeholder\":true,\"num\":0}]",       "a",
         "closed"                                                                                                                                  },
        {"51-[\"x\",{\"_placeholder\":true,\"num\":0,\"in\":[{\"b\":" PLACEHOLDER(
             "0") "}]}]",
         "a",                                                                                    "closed"                                          },
        {"51-[\"x\",{\"\\u005fplaceholder\":true,\"n\\u0075m\":0}]",                       "a",
         "[\"x\",{\"$binary\":\"YQ==\"}]"                                                                                                          },
        {"51-[\"x\",{\"_placeholder\":false,\"num\":7},{\"_placeholder\":1},"
         "\"_placeholder\"]",                                                     "a",
         "[\"x\",{\"_placeholder\":false,\"num\":7},{\"_placeholder\":1},"
         "\"_placeholder\"]"                                                                                                                       },
        {"51-[\"x\",5]",                                                                   "a",  "[\"x\",5]"                                       },
        {"52-[\"x\"," PLACEHOLDER("0") "]",                                                "a",  "waits"                                           },
        {"61-3[" PLACEHOLDER("0") "]",                                                     "a",  "[{\"$binary\":\"YQ==\"}]"                        },
        {"51-[\"x\"," PLACEHOLDER("1") "]",                                                "a",  "closed"                                          },
        {"51-[\"x\"," PLACEHOLDER("-1") "]",                                               "a",  "closed"                                          },
        {"51-[\"x\"," PLACEHOLDER("0.5") "]",                                              "a",  "closed"                                          },
        {"51-[\"x\"," PLACEHOLDER("1e0") "]",                                              "a",  "closed"                                          },
        {"51-[\"x\"," PLACEHOLDER("18446744073709551616") "]",                             "a",  "closed"                                          },
        {"51-[\"x\"," PLACEHOLDER("\"0\"") "]",                                            "a",  "closed"                                          },
        {"51-[\"x\"," PLACEHOLDER("\"splice\"") "]",                                       "a",  "closed"                                          },
        {"51-[\"x\"," PLACEHOLDER("[0]") "]",                                              "a",  "closed"                                          },
        {"51-[\"x\"," PLACEHOLDER("null") "]",                                             "a",  "closed"                                          },
        {"51-[\"x\",{\"_placeholder\":true}]",                                             "a",  "closed"                                          },
        {"51-[\"x\",{\"_placeholder\":true,\"deep\":{\"num\":0}}]",                        "a",  "closed"                                          },
    };
    struct buf json = {.max = 1024};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *became = receive(rows[i].text, rows[i].bytes, &json);
        if (strcmp(became, rows[i].becomes) != 0)
            fail_msg("%s: %s", rows[i].text, became);
    }
    buf_finish(&json);
}

static void attachments_have_a_ceiling_together(void **state)
{
    static char bytes[101];
    struct sio_packet packet;
    struct sio_incoming *incoming;

    (void)state;
    assert_int_equal(sio_decode(SLICE("52-[\"x\"]"), &json_limits_default, &packet),
                     ST_OK);
    assert_int_equal(sio_incoming_create(&packet, 100, &incoming), ST_OK);
    assert_int_equal(sio_incoming_add(incoming, (struct slice){bytes, 60}), ST_OK);
    assert_int_equal(sio_incoming_add(incoming, (struct slice){bytes, 41}), ST_TOO_LARGE);
    sio_incoming_destroy(incoming);

    assert_int_equal(sio_incoming_create(&packet, 100, &incoming), ST_OK);
    assert_int_equal(sio_incoming_add(incoming, (struct slice){bytes, 100}), ST_OK);
    assert_int_equal(sio_incoming_add(incoming, (struct slice){0}), ST_OK);
    assert_true(sio_incoming_is_whole(incoming));
    sio_incoming_destroy(incoming);
}

static void one_attachment_in_many_places_ends_at_the_ceiling(void **state)
{
    struct buf text = {.max = 64 * 1024}, json = {.max = 16 * 1024};
    struct sio_packet packet;
    struct sio_incoming *incoming;
    static char bytes[1000];

    (void)state;
    buf_add_text(&text, "51-[\"x\"");
    for (size_t i = 0; i < 1000; i++)
        buf_add_text(&text, "," PLACEHOLDER("0"));
    buf_add_byte(&text, ']');
    assert_int_equal(sio_decode(buf_slice(&text), &json_limits_default, &packet), ST_OK);
    assert_int_equal(sio_incoming_create(&packet, 1000, &incoming), ST_OK);
    assert_int_equal(sio_incoming_add(incoming, (struct slice){bytes, 1000}), ST_OK);
    sio_incoming_finish(incoming, &json, &packet);
    assert_int_equal(buf_status(&json), ST_TOO_LARGE);
    sio_incoming_destroy(incoming);
    buf_finish(&text);
    buf_finish(&json);
}

static void what_came_in_goes_out_the_same(void **state)
{
    struct buf json = {.max = 256}, packet = {.max = 512};
    struct sio_parts parts;
    struct slice name, args;

    (void)state;
    receive("52-[\"x\",{\"a\":" PLACEHOLDER("1") "}," PLACEHOLDER("0") "]", "ab", &json);
    json.len--;
    assert_int_equal(sio_event_decode(buf_slice(&json), &name, &args), ST_OK);
    sio_encode_event(&packet, SLICE("/"), name, args, (struct slice){0},
                     (struct slice){0});
    assert_int_equal(sio_attach(&packet, &parts), ST_OK);
    assert_true(slice_is(
        parts.text, "452-[\"x\",{\"a\":" PLACEHOLDER("0") "}," PLACEHOLDER("1") "]"));
    assert_true(slice_is(parts.attachments[0], "b"));
    assert_true(slice_is(parts.attachments[1], "a"));
    buf_finish(&json);
    buf_finish(&packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_become_attachments),
        cmocka_unit_test(there_are_ceilings),
        cmocka_unit_test(what_a_client_would_mistake_may_not_go_along),
        cmocka_unit_test(attachments_take_their_places),
        cmocka_unit_test(attachments_have_a_ceiling_together),
        cmocka_unit_test(one_attachment_in_many_places_ends_at_the_ceiling),
        cmocka_unit_test(what_came_in_goes_out_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
