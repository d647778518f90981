/* What is told of users: rules by table, where it goes, and what is found at load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/presence_rules.h"
#include "support/yaml_node.h"

#include <stdlib.h>
#include <string.h>

static const struct template_values ada = {.user = SLICE("{\"id\":\"ada\"}"),
                                           .now_ms = 1700000000123};

static struct presence_rules *compile(const char *yaml, struct faults *faults)
{
    struct document_node node = yaml_node(yaml);
    struct presence_rules *rules = presence_rules_compile(&node, faults);

    document_finish(&node);
    return rules;
}

static enum status add_room(void *ctx, struct slice name)
{
    buf_add(ctx, name);
    buf_add_byte(ctx, ' ');
    return ST_OK;
}

static void rules_say_what_is_told_to_whom(void **state)
{
    static const struct {
        const char *yaml;
        const char *online, *offline; /* name and payload, or NULL */
        const char *rooms;
        uint64_t grace_ms;
        bool is_on, keeps;
    } rows[] = {
        {"{}",                                                                NULL,                              NULL,                      NULL,                    10000, false, false},
        {"{online: up}",                                                      "up {\"user\":\"ada\"}",           NULL,                      "* ",                    10000, true,  false},
        {"{offline: {event: down}, to: all}",                                 NULL,                              "down {\"user\":\"ada\"}", "* ",
         10000,                                                                                                                                                             true,  false},
        {"{online: {event: 'a \"b\"', payload: ['{user.id}', '{now.ms}']}, offline: "
         "down, "
         "to: lobby, grace: 5s}",                                    "a \"b\" [\"ada\",1700000000123]", "down {\"user\":\"ada\"}", "lobby ",                5000,
         true,                                                                                                                                                                     false},
        {"{online: {event: up, payload: null}, to: ['friends:{user.id}', "
         "'user:{user.id}']}",                                       "up null",                         NULL,                      "friends:ada user:ada ", 10000, true,  false},
        {"{online: {event: up, payload: '{user.last_seen}'}, last_seen: on}", "up null",
         NULL,                                                                                                                              "* ",                    10000, true,  true },
        {"{last_seen: on}",                                                   NULL,                              NULL,                      NULL,                    10000, true,  true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = {0};
        struct presence_rules *rules = compile(rows[i].yaml, &faults);
        struct buf scratch = {.max = 4096}, out = {.max = 4096};
        struct template_failure failure;
        assert_non_null(rules);
        for (int online = 0; online < 2; online++) {
            const char *wanted = online ? rows[i].online : rows[i].offline;
            struct presence_event event = presence_rules_event(rules, online);
            assert_int_equal(event.name != NULL, wanted != NULL);
            if (!wanted)
                continue;
            buf_clear(&out);
            buf_add_text(&out, event.name);
            buf_add_byte(&out, ' ');
            assert_int_equal(template_json(event.payload, &ada, &out, &failure), ST_OK);
            assert_true(slice_is(buf_slice(&out), wanted));
            assert_int_equal(event.name_json[0], '"');
        }
        buf_clear(&out);
        assert_int_equal(
            presence_rules_rooms(rules, &ada, &scratch, add_room, &out, &failure), ST_OK);
        assert_true(!rows[i].rooms || slice_is(buf_slice(&out), rows[i].rooms));
        assert_int_equal(presence_rules_grace_ms(rules), rows[i].grace_ms);
        assert_int_equal(presence_rules_are_on(rules), rows[i].is_on);
        assert_int_equal(presence_rules_keep_last_seen(rules), rows[i].keeps);
        buf_finish(&scratch);
        buf_finish(&out);
        presence_rules_destroy(rules);
    }
}

static void mistakes_are_found_at_load(void **state)
{
    static const struct {
        const char *yaml, *fault;
    } rows[] = {
        {"[]",                                                                    "presence is a map"           },
        {"{online: [a, b]}",                                                      "presence.online is an event" },
        {"{offline: {payload: 1}}",                                               "presence.offline is an event"},
        {"{online: disconnect}",                                                  "keeps for itself"            },
        {"{online: {event: up, payload: '{user.name}'}}",                         "user.id and user.last_seen"  },
        {"{online: {event: up, payload: '{user}'}}",                              "user.id and user.last_seen"  },
        {"{online: {event: up, payload: '{claims.sub}'}}",                        "nothing here is called"      },
        {"{online: {event: up, payload: '{user.last_seen}'}}",                    "last_seen on"                },
        {"{online: {event: up, payload: '{user.id[]}'}}",                         "a payload is one value"      },
        {"{last_seen: on, offline: {event: d, payload: '{user.last_seen.day}'}}",
         "there is no"                                                                                          },
        {"{online: up, to: 'r:{user.last_seen}'}",                                "only greetings"              },
        {"{online: up, to: {rooms: a}}",                                          "presence.to is all"          },
        {"{online: up, to: []}",                                                  "presence.to is all"          },
        {"{online: up, to: ['a b']}",                                             ""                            },
        {"{to: lobby}",                                                           "presence.to needs an event"  },
        {"{grace: soon}",                                                         "presence.grace"              },
        {"{grace: 0s}",                                                           "presence.grace"              },
        {"{last_seen: 7}",                                                        "presence.last_seen"          },
        {"{away: x}",                                                             "not built yet"               },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = {0};
        struct presence_rules *rules = compile(rows[i].yaml, &faults);
        if (rules || faults.count != 1 || !strstr(faults.items[0].message, rows[i].fault))
            fail_msg("%s: %zu faults, %s", rows[i].yaml, faults.count,
                     faults.count ? faults.items[0].message : "");
        faults_finish(&faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_say_what_is_told_to_whom),
        cmocka_unit_test(mistakes_are_found_at_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
