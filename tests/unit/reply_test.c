/* The body of a 202, to the byte. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "publisher-api/reply.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void check(const struct reply *reply, const char *expected)
{
    struct buf out = {.max = REPLY_BYTES};

    reply_encode(&out, reply);
    assert_int_equal(buf_status(&out), ST_OK);
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    buf_finish(&out);
}

static struct reply sample(void)
{
    return (struct reply){
        .id = SLICE("order-1"),
        .position = {0, 71},
        .durability = "memory",
        .recipients = 17,
        .has_recipients = true,
        .complete = true,
        .rooms = SLICE("[\"project:7\"]"),
    };
}

static void the_body_is_the_one_of_the_contract(void **state)
{
    (void)state;
    struct reply reply = sample();

    check(&reply, "{\"id\":\"order-1\",\"position\":\"AAAAAAAA-1z\",\"durability\":"
                  "\"memory\",\"recipients\":17,\"complete\":true,\"duplicate\":false,"
                  "\"rooms\":[\"project:7\"]}");
}

static void what_nobody_could_count_is_null(void **state)
{
    (void)state;
    struct reply reply = sample();

    reply.has_recipients = false;
    reply.complete = false;
    reply.duplicate = true;
    check(&reply, "{\"id\":\"order-1\",\"position\":\"AAAAAAAA-1z\",\"durability\":"
                  "\"memory\",\"recipients\":null,\"complete\":false,\"duplicate\":true,"
                  "\"rooms\":[\"project:7\"]}");
}

/* Gives the code of the warning, or NULL. */
static bool warns(const struct reply *reply)
{
    struct buf out = {.max = REPLY_BYTES};

    reply_encode(&out, reply);
    json_t *tree = json_loadb(out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(tree);
    json_t *warning = json_object_get(tree, "warning");
    if (warning) {
        assert_string_equal(json_string_value(json_object_get(warning, "code")),
                            "W_NO_RECIPIENTS");
        assert_true(json_string_length(json_object_get(warning, "detail")) > 10);
    }
    bool found = warning != NULL;
    json_decref(tree);
    buf_finish(&out);
    return found;
}

static void only_a_certain_nobody_is_warned_about(void **state)
{
    (void)state;
    static const struct {
        uint64_t recipients;
        bool has_recipients, complete, warns;
    } rows[] = {
        {0, true,  true,  true },
        {1, true,  true,  false},
        {0, true,  false, false},
        {0, false, false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply reply = sample();
        reply.recipients = rows[i].recipients;
        reply.has_recipients = rows[i].has_recipients;
        reply.complete = rows[i].complete;
        assert_int_equal(warns(&reply), rows[i].warns);
    }
}

static void targets_are_spelled_as_callers_spell_them(void **state)
{
    (void)state;
    const struct envelope_target targets[] = {
        {ROOM_NAMED,  SLICE("project:7")           },
        {ROOM_USER,   SLICE("42")                  },
        {ROOM_USER,   SLICE("a \"b\"")             },
        {ROOM_SOCKET, SLICE("01234567890123456789")},
        {ROOM_ALL,    SLICE("")                    },
    };
    struct buf out = {.max = REPLY_ROOMS_BYTES};

    reply_add_rooms(&out, targets, sizeof targets / sizeof *targets);
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr, "[\"project:7\",\"user:42\",\"user:a \\\"b\\\"\","
                                 "\"01234567890123456789\",\"*\"]");
    buf_finish(&out);
}

static void no_more_than_20_targets_are_named(void **state)
{
    (void)state;
    struct envelope_target targets[LIMIT_TARGETS];
    char name[LIMIT_USER_BYTES];
    struct buf out = {.max = REPLY_ROOMS_BYTES};

    memset(name, '"', sizeof name);
    for (size_t i = 0; i < LIMIT_TARGETS; i++)
        targets[i] = (struct envelope_target){
            ROOM_USER, {name, sizeof name}
        };
    reply_add_rooms(&out, targets, LIMIT_TARGETS);
    assert_int_equal(buf_status(&out), ST_OK);
    json_t *tree = json_loadb(out.ptr, out.len, 0, NULL);
    assert_int_equal(json_array_size(tree), REPLY_MAX_ROOMS);
    json_decref(tree);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_the_one_of_the_contract),
        cmocka_unit_test(what_nobody_could_count_is_null),
        cmocka_unit_test(only_a_certain_nobody_is_warned_about),
        cmocka_unit_test(targets_are_spelled_as_callers_spell_them),
        cmocka_unit_test(no_more_than_20_targets_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
