/* Commands of a configuration: what they compile to, which mistakes are found, and what
 * the templates and patterns then say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/command_rules.h"
#include "support/yaml_node.h"

#include <stdio.h>
#include <string.h>

static struct command_rules *compile(const char *yaml, struct faults *faults)
{
    struct document_node node = yaml_node(yaml);
    struct command_rules *rules = command_rules_compile(&node, faults);

    document_finish(&node);
    return rules;
}

static struct command_rules *rules_of(const char *yaml)
{
    struct faults faults = {0};
    struct command_rules *rules = compile(yaml, &faults);

    if (!rules)
        fail_msg("%s", faults.items[0].message);
    faults_finish(&faults);
    return rules;
}

static const struct command_rule *find(const struct command_rules *rules,
                                       const char *name)
{
    const struct command_rule *rule = command_rules_find(rules, slice_of(name));

    assert_non_null(rule);
    return rule;
}

/* The rendering of an output, as a terminated text that the next call replaces. */
static const char *rendered(const struct command_output *output,
                            const struct template_values *values)
{
    static char text[512];
    struct buf out = {.max = sizeof text - 1};
    struct slice found;
    struct template_failure failure;
    enum status st = command_output_render(output, values, &out, &found, &failure);

    snprintf(text, sizeof text, "%.*s", st ? 1 : (int)found.len, st ? "!" : found.ptr);
    buf_finish(&out);
    return text;
}

static void without_a_file_there_are_three_commands(void **state)
{
    struct faults faults = {0};
    struct command_rules *rules = command_rules_compile(NULL, &faults);
    struct template_values values = {.room = SLICE("a")};

    (void)state;
    assert_int_equal(command_rules_count(rules), 3);
    assert_int_equal(find(rules, "subscribe")->action, COMMAND_JOIN);
    assert_null(find(rules, "subscribe")->allow);
    assert_int_equal(find(rules, "unsubscribe")->action, COMMAND_LEAVE);
    assert_int_equal(find(rules, "auth:refresh")->action, COMMAND_REFRESH);
    assert_null(command_rules_find(rules, SLICE("subscribe ")));
    assert_string_equal(rendered(&find(rules, "subscribe")->ok, &values),
                        "{\"ok\":true,\"room\":\"a\"}");
    assert_string_equal(rendered(&find(rules, "auth:refresh")->ok, &values),
                        "{\"ok\":true}");
    command_rules_destroy(rules);
}

static const char village[] =
    "commands:\n"
    "  join_village: {do: join, args: {village_id: id}, room: "
    "'village:{args.0.village_id}'"
    ", limit: joins}\n"
    "  debug: {do: rooms}\n"
    "  ping: {do: reply, event: pong}\n"
    "  message: {do: reply, event: message-back, args: '{args[]}'}\n"
    "  swap: {do: reply, event: swapped, args: ['{args.1}', '{args.0}']}\n"
    "  echo: {do: ack, args: '{args[]}'}\n"
    "  one: {do: ack, payload: [1, '{args.0}']}\n"
    "  own: {do: leave, room: lobby, ack: {ok: {left: '{room}'}, error: '{code}'}}\n"
    "  say: {do: relay, room: '{args.0}', as: said, args: '{args[1..]}', "
    "except_self: false, member: false}\n"
    "  typing: {do: relay, room: 'c:{args.0.c}', as: 'status:typing'}\n"
    "ack: {ok: {ok: yes, room: '{room}'}, error: {ok: no, error: '{code}'}}\n"
    "error_event: oops\n"
    "codes: {ack: {E_BAD_PAYLOAD: bad_request}, event: {E_FORBIDDEN: nope}}\n"
    "limits: {rates: {joins: {rate: 10/5s}, all: {rate: 100/1m, per: ip, then: drop}}}\n"
    "client_events: refuse\n"
    "heartbeats: [{emit: server_ping, every: 25s, ack: on}, "
    "{emit: ping2, every: 1s, expect: pong2}]\n";

static void a_file_compiles_to_what_it_says(void **state)
{
    struct command_rules *rules = rules_of(village);
    const struct command_rule *say = find(rules, "say");
    const struct command_rule *typing = find(rules, "typing");
    const struct command_rule *join = find(rules, "join_village");
    const struct beat_rules *beats = command_rules_beats(rules);

    (void)state;
    assert_null(command_rules_find(rules, SLICE("subscribe")));
    assert_int_equal(say->action, COMMAND_RELAY);
    assert_false(say->except_self || say->must_be_member);
    assert_true(typing->except_self && typing->must_be_member);
    assert_true(slice_is(typing->event_json, "\"status:typing\""));
    assert_int_equal(join->limit->rate.count, 10);
    assert_int_equal(join->limit->per, RATE_PER_SOCKET);
    assert_int_equal(rate_rules_per_socket(command_rules_rates(rules)), 1);
    assert_int_equal(command_rules_unknown(rules), COMMAND_UNKNOWN_REFUSE);
    assert_int_equal(beat_rules_count(beats), 2);
    assert_true(beat_rules_at(beats, 0)->wants_ack);
    assert_int_equal(beat_rules_at(beats, 0)->every_ms, 25000);
    assert_int_equal(beat_rules_expecting(beats, SLICE("pong2")), 1);
    assert_int_equal(beat_rules_expecting(beats, SLICE("")), -1);
    command_rules_destroy(rules);
}

static void codes_have_the_systems_words(void **state)
{
    struct command_rules *rules = rules_of(village);
    const struct ack_rules *acks = command_rules_acks(rules);

    (void)state;
    assert_string_equal(ack_rules_ack_code(acks, ST_BAD_PAYLOAD), "bad_request");
    assert_string_equal(ack_rules_event_code(acks, ST_BAD_PAYLOAD), "E_BAD_PAYLOAD");
    assert_string_equal(ack_rules_event_code(acks, ST_FORBIDDEN), "nope");
    assert_true(slice_is(ack_rules_error_event(acks), "\"oops\""));
    command_rules_destroy(rules);
}

static void outputs_are_rendered_as_arguments(void **state)
{
    static const struct {
        const char *command;
        bool is_ack;
        const char *args;
        const char *text;
    } rows[] = {
        {"ping",    false, "1,2",         ""                                   },
        {"message", false, "1,{\"a\":2}", "1,{\"a\":2}"                        },
        {"message", false, "",            ""                                   },
        {"swap",    false, "1,\"x\"",     "\"x\",1"                            },
        {"swap",    false, "1",           "!"                                  },
        {"say",     false, "\"r\",1,2",   "1,2"                                },
        {"typing",  false, "{\"c\":1},2", "{\"c\":1},2"                        },
        {"echo",    true,  "1,2",         "1,2"                                },
        {"one",     true,  "7",           "[1,7]"                              },
        {"own",     true,  "",            "{\"left\":\"lobby\"}"               },
        {"typing",  true,  "",            "{\"ok\":\"yes\",\"room\":\"lobby\"}"},
        {"ping",    true,  "",            "{\"ok\":true}"                      },
        {"debug",   true,  "",            "[\"lobby\"]"                        },
    };
    struct command_rules *rules = rules_of(village);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct command_rule *rule = find(rules, rows[i].command);
        struct template_values values = {.args = slice_of(rows[i].args),
                                         .room = SLICE("lobby"),
                                         .payload = SLICE("[\"lobby\"]")};
        const char *text = rendered(rows[i].is_ack ? &rule->ok : &rule->output, &values);
        if (strcmp(text, rows[i].text) != 0)
            fail_msg("%s(%s): %s", rows[i].command, rows[i].args, text);
    }
    command_rules_destroy(rules);
}

static void arguments_are_checked(void **state)
{
    static const struct {
        const char *args;
        const char *why; /* NULL: they hold */
    } rows[] = {
        {"{\"id\":\"a\",\"s\":\"\",\"n\":1,\"o\":{},\"c\":5}", NULL                                    },
        {"{\"id\":7,\"s\":\"\",\"n\":-1,\"o\":{},\"c\":5},9",  NULL                                    },
        {"",                                                   "the first argument must be an object"  },
        {"[1]",                                                "the first argument must be an object"  },
        {"{}",                                                 "\"id\" is missing"                     },
        {"{\"id\":\"a:b\"}",                                   "\"id\" must be a string or an integer "
                             "that is one segment of a room's name"        },
        {"{\"id\":\"\"}",                                      "\"id\" must be a string or an integer "
                          "that is one segment of a room's name"              },
        {"{\"id\":1.5}",                                       "\"id\" must be a string or an integer "
                         "that is one segment of a room's name"                },
        {"{\"id\":\"\\u002a\"}",                               "\"id\" must be a string or an integer "
                                 "that is one segment of a room's name"},
        {"{\"id\":1,\"s\":2}",                                 "\"s\" must be a string"                },
        {"{\"id\":1,\"s\":\"\",\"n\":1e3}",                    "\"n\" must be an integer"              },
        {"{\"id\":1,\"s\":\"\",\"n\":1,\"o\":[]}",             "\"o\" must be an object"               },
    };
    struct document_node node =
        yaml_node("{id: id, s: string, n: int, o: object, c: {minimum: 3}}");
    struct faults faults = {0};
    struct command_args *args = command_args_compile(&node, &faults);
    char why[COMMAND_ARGS_WHY_BYTES];

    (void)state;
    assert_non_null(args);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        why[0] = '\0';
        assert_int_equal(command_args_hold(args, slice_of(rows[i].args), why),
                         rows[i].why == NULL);
        assert_string_equal(why, rows[i].why ? rows[i].why : "");
    }
    assert_false(command_args_hold(
        args, SLICE("{\"id\":1,\"s\":\"\",\"n\":1,\"o\":{},\"c\":2}"), why));
    assert_memory_equal(why, "\"c\" ", 4);
    command_args_destroy(args);
    document_finish(&node);
}

static void allow_is_asked_with_the_claims(void **state)
{
    static const struct {
        const char *claims;
        const char *room;
        bool is_allowed;
    } rows[] = {
        {"{\"sub\":\"7\"}", "project:1",   true },
        {"{\"sub\":\"7\"}", "project:1:2", false},
        {"{\"sub\":\"7\"}", "user:7",      true },
        {"{\"sub\":\"7\"}", "user:8",      false},
        {"{\"sub\":\"*\"}", "user:8",      false},
        {"",                "user:",       false},
        {"{\"sub\":\"7\"}", "lobby",       false},
    };
    struct command_rules *rules =
        rules_of("commands:\n"
                 "  s: {do: join, room: '{args.0.room}', allow: ['project:*', "
                 "'user:{claims.sub}']}\n"
                 "  none: {do: join, room: '{args.0.room}', allow: []}\n"
                 "  u: {do: leave, room: '{args.0.room}'}\n");
    struct buf scratch = {.max = 4096};

    (void)state;
    assert_true(command_rules_uses(rules) & TEMPLATE_BIT(TEMPLATE_CLAIMS));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct template_values values = {.claims = slice_of(rows[i].claims)};
        struct slice room = slice_of(rows[i].room);
        if (command_rule_allows(find(rules, "s"), &values, room, &scratch) !=
            rows[i].is_allowed)
            fail_msg("%s %s", rows[i].claims, rows[i].room);
        assert_int_equal(
            command_rule_leads_into(find(rules, "s"), &values, room, &scratch),
            rows[i].is_allowed);
        assert_false(command_rule_leads_into(find(rules, "u"), &values, room, &scratch));
        assert_false(command_rule_allows(find(rules, "none"), &values, room, &scratch));
    }
    buf_finish(&scratch);
    command_rules_destroy(rules);
}

/* --- mistakes */

static void every_mistake_has_its_place_and_sentence(void **state)
{
    static const struct {
        const char *yaml;
        unsigned line, column;
        const char *message;
    } rows[] = {
        {"commands: [a]",                                                1, 11, "commands is a map: an event to what is done"  },
        {"commands:\n  a: join",                                         2, 6,  "a command is a map: {do: join, room: \"…\"}"},
        {"commands:\n  a: {room: x}",                                    2, 6,  "a command needs do: what is done"             },
        {"commands:\n  a: {do: jion, room: x}",                          2, 11, "do cannot be \"jion\""                        },
        {"commands:\n  a: {do: forward}",                                2, 11,
         "do: forward needs hooks, which are not part of this version"                                                         },
        {"commands:\n  a: {do: join}",                                   2, 6,  "do: join needs room"                          },
        {"commands:\n  a: {do: leave}",                                  2, 6,  "do: leave needs room"                         },
        {"commands:\n  a: {do: reply}",                                  2, 6,  "do: reply needs event"                        },
        {"commands:\n  a: {do: relay, room: x}",                         2, 6,  "do: relay needs as"                           },
        {"commands:\n  a: {do: relay, as: x}",                           2, 6,  "do: relay needs room"                         },
        {"commands:\n  a: {do: rooms, room: x}",                         2, 18, "do: rooms has no use for room"                },
        {"commands:\n  a: {do: rooms, args: '{args[]}'}",                2, 18,
         "do: rooms has no use for args"                                                                                       },
        {"commands:\n  a: {do: join, room: x, member: true}",            2, 26,
         "do: join has no use for member"                                                                                      },
        {"commands:\n  a: {do: close, hook: x}",                         2, 18,
         "hooks are not part of this version"                                                                                  },
        {"commands:\n  a: {do: join, rooom: x, room: y}",                2, 17,
         "a command has no key \"rooom\""                                                                                      },
        {"commands:\n  a: {do: join, room: 'x:{args.0[].y}'}",           2, 23,
         "a command has one room, so nothing in it may fan out"                                                                },
        {"commands:\n  a: {do: join, room: x, allow: x}",                2, 33,
         "allow is a list of patterns, like [\"project:*\"]"                                                                   },
        {"commands:\n  a: {do: reply, event: disconnect}",               2, 25,
         "event is a name that the protocol keeps for itself"                                                                  },
        {"commands:\n  a: {do: reply, event: ''}",                       2, 25,
         "event must be the name of an event"                                                                                  },
        {"commands:\n  a: {do: reply, event: x, payload: '{args[]}'}",   2, 37,
         "a payload is one value, and this may give several"                                                                   },
        {"commands:\n  a: {do: reply, event: x, payload: 1, args: [1]}", 2, 46,
         "a command sends a payload or args, not both"                                                                         },
        {"commands:\n  a: {do: ack, payload: 1, ack: {ok: 2}}",          2, 38,
         "do: ack answers with payload, args or ack.ok, one of them"                                                           },
        {"commands:\n  a: {do: rooms, ack: 5}",                          2, 23, "ack is a map: ok, error"                      },
        {"commands:\n  a: {do: rooms, args: {x: strin}}",                2, 28,
         "the type of an argument cannot be \"strin\""                                                                         },
        {"commands:\n  a: {do: rooms, limit: joins}",                    2, 25,
         "limit is one of limits.rates; it cannot be \"joins\""                                                                },
        {"commands:\n  disconnect: {do: rooms}",                         2, 3,
         "the name of a command is a name that the protocol keeps for itself"                                                  },
        {"error_event: connect",                                         1, 14,
         "error_event is a name that the protocol keeps for itself"                                                            },
        {"codes: {ack: {E_BAD_PAYLAOD: x}}",                             1, 15,
         "no code is called \"E_BAD_PAYLAOD\""                                                                                 },
        {"codes: {ack: {E_LIMIT: [x]}}",                                 1, 24, "a code is told by one word"                   },
        {"ack: {ok: '{args.0.x'}",                                       1, 11, NULL                                           },
        {"ack: {error: '{room}'}",                                       1, 14, NULL                                           },
        {"client_events: forward",                                       1, 16,
         "client_events: forward needs hooks, which are not part of this version"                                              },
        {"client_events: drop",                                          1, 16, "client_events cannot be \"drop\""             },
        {"limits: {rates: {a: {per: ip}}}",                              1, 18,
         "a rate needs rate: so many in a while, 10/5s"                                                                        },
        {"limits: {rates: {a: {rate: x}}}",                              1, 28, NULL                                           },
        {"limits: {rates: {a: {rate: 1/s, per: sokcet}}}",               1, 38,
         "per cannot be \"sokcet\""                                                                                            },
        {"limits: {rates: {a: 5}}",                                      1, 21,
         "a rate is a map: {rate: 10/5s, per: socket, then: ack}"                                                              },
        {"heartbeats: [{emit: x}]",                                      1, 14, "a heartbeat needs every: a duration"          },
        {"heartbeats: [{every: 1s}]",                                    1, 14, "a heartbeat needs emit: the event"            },
        {"heartbeats: [{emit: x, every: 0s}]",                           1, 31, NULL                                           },
        {"heartbeats: [{emit: x, every: 1s, ack: on, expect: y}]",       1, 52,
         "a heartbeat is answered by an ack or by an event, not by both"                                                       },
        {"heartbeats: {emit: x}",                                        1, 13, "heartbeats is a list"                         },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = {0};
        struct command_rules *rules = compile(rows[i].yaml, &faults);
        if (rules || faults.count != 1)
            fail_msg("%s: %zu faults", rows[i].yaml, faults.count);
        const struct fault *fault = &faults.items[0];
        if (fault->place.line != rows[i].line || fault->place.column != rows[i].column ||
            (rows[i].message && strcmp(fault->message, rows[i].message) != 0))
            fail_msg("%s: %u:%u %s", rows[i].yaml, fault->place.line, fault->place.column,
                     fault->message);
        faults_finish(&faults);
    }
}

static void all_mistakes_are_found_at_once_with_the_nearest_words(void **state)
{
    struct faults faults = {0};
    struct command_rules *rules =
        compile("commands:\n"
                "  a: {do: jion, room: x}\n"
                "  b: {do: relay, room: '{arg.0}'}\n"
                "  c: {do: rooms, limit: join}\n"
                "  d: {do: 7, payload: '{payld}', limit: jons}\n"
                "ack: {ok: '{claim.x}'}\n"
                "client_events: refues\n"
                "limits: {rates: {joins: {rate: 1/s}}}\n",
                &faults);

    (void)state;
    assert_null(rules);
    assert_int_equal(faults.count, 9);
    faults_sort(&faults);
    assert_non_null(strstr(faults.items[0].hint, "join"));
    assert_non_null(strstr(faults.items[3].hint, "joins"));
    assert_non_null(strstr(faults.items[5].message, "payld"));
    assert_non_null(strstr(faults.items[6].hint, "joins"));
    assert_non_null(strstr(faults.items[8].hint, "refuse"));
    faults_finish(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_there_are_three_commands),
        cmocka_unit_test(a_file_compiles_to_what_it_says),
        cmocka_unit_test(codes_have_the_systems_words),
        cmocka_unit_test(outputs_are_rendered_as_arguments),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(allow_is_asked_with_the_claims),
        cmocka_unit_test(every_mistake_has_its_place_and_sentence),
        cmocka_unit_test(all_mistakes_are_found_at_once_with_the_nearest_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
