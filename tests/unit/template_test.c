/* Templates: what they give, what they refuse, and what is found at load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "proto/template.h"
#include "support/yaml_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned all_sources = TEMPLATE_BIT(TEMPLATE_SOURCE_COUNT) - 1;

static const struct template_pair path_pairs[] = {
    {SLICE("room"), SLICE("blue")}
};
static const struct template_pair query_pairs[] = {
    {SLICE("q"), SLICE("a\"b")}
};

static struct template_values values(void)
{
    return (struct template_values){
        .claims = SLICE("{\"sub\":42,\"team\":\"red\",\"name\":\"Zo\\u00eb \\\"Z\\\"\","
                        "\"programs\":[1,\"two\"],\"none\":null,\"evil\":\"a:b\","
                        "\"items\":[{\"id\":7},{\"id\":8}],\"empty\":[],\"on\":true}"),
        .args = SLICE("{\"room\":\"project:7\",\"n\":1.50}, [1,[2]], \"x\""),
        .payload = SLICE("{\"agentId\":5}"),
        .path = path_pairs,
        .path_count = 1,
        .query = query_pairs,
        .query_count = 1,
        .conn_id = SLICE("sid1"),
        .conn_recovered = true,
        .event = SLICE("say"),
        .count = 3,
        .now_ms = 1700000000123,
        .last_seen_ms = 7000,
    };
}

static void check_json(const char *yaml, const char *expected)
{
    struct document_node node = yaml_node(yaml);
    struct faults faults = {0};
    struct template_values given = values();
    struct template_failure failure = {0};
    struct buf out = {.max = 4096};
    struct template *template =
        template_of_json(document_find(&node, "t"), all_sources, &faults);

    assert_non_null(template);
    enum status st = template_json(template, &given, &out, &failure);
    if (expected) {
        assert_int_equal(st, ST_OK);
        if (!slice_is(buf_slice(&out), expected))
            fail_msg("%s: gave %.*s", yaml, (int)out.len, out.ptr);
    } else {
        assert_int_equal(st, ST_BAD_PAYLOAD);
        assert_true(failure.placeholder.len > 0);
        assert_non_null(failure.reason);
    }
    buf_finish(&out);
    template_destroy(template);
    document_finish(&node);
}

static void json_templates_give_json(void **state)
{
    static const struct {
        const char *yaml;
        const char *json; /* NULL: the rendering fails */
    } rows[] = {
        {"t: plain",                                       "\"plain\""                                        },
        {"t: 7",                                           "7"                                                },
        {"t: \"7\"",                                       "\"7\""                                            },
        {"t: true",                                        "true"                                             },
        {"t: no",                                          "\"no\""                                           },
        {"t: \"{claims.sub}\"",                            "42"                                               },
        {"t: \"user {claims.sub}\"",                       "\"user 42\""                                      },
        {"t: \"{claims.name}!\"",                          "\"Zo\\u00eb \\\"Z\\\"!\""                         },
        {"t: \"{query.q}\"",                               "\"a\\\"b\""                                       },
        {"t: \"<{query.q}>\"",                             "\"<a\\\"b>\""                                     },
        {"t: \"{args.0}\"",                                "{\"room\":\"project:7\",\"n\":1.50}"              },
        {"t: \"{args.0.n}\"",                              "1.50"                                             },
        {"t: \"{args.1.1.0}\"",                            "2"                                                },
        {"t: {a: \"{claims.none}\", b: [1, \"{event}\"]}",
         "{\"a\":null,\"b\":[1,\"say\"]}"                                                                     },
        {"t: \"{args[]}\"",                                "{\"room\":\"project:7\",\"n\":1.50},[1,[2]],\"x\""},
        {"t: \"{args[1..]}\"",                             "[1,[2]],\"x\""                                    },
        {"t: \"{args[9..]}\"",                             ""                                                 },
        {"t: [0, \"{args[1..]}\", 9]",                     "[0,[1,[2]],\"x\",9]"                              },
        {"t: [\"{claims.empty[]}\", 9]",                   "[9]"                                              },
        {"t: [9, \"{claims.empty[]}\"]",                   "[9]"                                              },
        {"t: [\"{claims.empty[]}\"]",                      "[]"                                               },
        {"t: {x: \"{claims.programs[]}\"}",                "{\"x\":[1,\"two\"]}"                              },
        {"t: [\"{claims.items[].id}\"]",                   "[7,8]"                                            },
        {"t: \"{conn.recovered}\"",                        "true"                                             },
        {"t: \"{conn.id} {count}\"",                       "\"sid1 3\""                                       },
        {"t: \"{now.iso}\"",                               "\"2023-11-14T22:13:20.123Z\""                     },
        {"t: \"{now.ms}\"",                                "1700000000123"                                    },
        {"t: \"{user.last_seen}\"",                        "\"1970-01-01T00:00:07.000Z\""                     },
        {"t: \"{user.last_seen.iso}\"",                    "\"1970-01-01T00:00:07.000Z\""                     },
        {"t: \"{user.last_seen.ms}\"",                     "7000"                                             },
        {"t: \"{{not} {{}\"",                              "\"{not} {}\""                                     },
        {"t: \"{claims.nothing}\"",                        NULL                                               },
        {"t: \"a {claims.none}\"",                         NULL                                               },
        {"t: \"a {claims.items}\"",                        NULL                                               },
        {"t: \"{args.7}\"",                                NULL                                               },
        {"t: \"{claims.team[]}\"",                         NULL                                               },
        {"t: \"{claims.programs[].id}\"",                  NULL                                               },
        {"t: \"{message}\"",                               NULL                                               },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_json(rows[i].yaml, rows[i].json);
}

static void texts_are_plain(void **state)
{
    struct document_node node = yaml_node("t: \"{claims.name} {claims.sub} {query.q}\"");
    struct template_values given = values();
    struct template_failure failure;
    struct faults faults = {0};
    struct buf out = {.max = 4096};
    struct template *template =
        template_of_text(document_find(&node, "t"), all_sources, &faults);

    (void)state;
    assert_int_equal(template_text(template, &given, &out, &failure), ST_OK);
    assert_true(slice_is(buf_slice(&out), "Zo\xc3\xab \"Z\" 42 a\"b"));
    assert_int_equal(template_uses(template),
                     TEMPLATE_BIT(TEMPLATE_CLAIMS) | TEMPLATE_BIT(TEMPLATE_QUERY));
    buf_finish(&out);
    template_destroy(template);
    document_finish(&node);
}

static enum status add_room(void *ctx, struct slice name)
{
    struct buf *all = ctx;

    buf_add(all, name);
    buf_add_byte(all, ' ');
    return buf_status(all);
}

static void check_rooms(const char *yaml, const char *expected)
{
    struct document_node node = yaml_node(yaml);
    struct template_values given = values();
    struct template_failure failure = {0};
    struct faults faults = {0};
    struct buf scratch = {.max = 4096}, all = {.max = 4096};
    struct template *template =
        template_of_room(document_find(&node, "t"), all_sources, &faults);

    assert_non_null(template);
    enum status st = template_rooms(template, &given, &scratch, add_room, &all, &failure);
    assert_int_equal(st, expected ? ST_OK : ST_BAD_PAYLOAD);
    if (expected && !slice_is(buf_slice(&all), expected))
        fail_msg("%s: gave %.*s", yaml, (int)all.len, all.ptr);
    buf_finish(&scratch);
    buf_finish(&all);
    template_destroy(template);
    document_finish(&node);
}

static void rooms_take_one_segment_and_nothing_else(void **state)
{
    static const struct {
        const char *yaml;
        const char *rooms; /* NULL: the rendering fails */
    } rows[] = {
        {"t: lobby",                                "lobby "                },
        {"t: \"team:{claims.team}\"",               "team:red "             },
        {"t: \"team:{claims.team}:n{claims.sub}\"", "team:red:n42 "         },
        {"t: \"program:{claims.programs[]}\"",      "program:1 program:two "},
        {"t: \"item:{claims.items[].id}:x\"",       "item:7:x item:8:x "    },
        {"t: \"program:{claims.empty[]}\"",         ""                      },
        {"t: \"{args.0.room}\"",                    "project:7 "            },
        {"t: \"user:{claims.evil}\"",               "user:a:b "             },
        {"t: \"user:{claims.name}\"",               "user:Zo\xc3\xab \"Z\" "},
        {"t: \"*\"",                                "* "                    },
        {"t: \"team:{claims.evil}\"",               NULL                    },
        {"t: \"{claims.name}\"",                    NULL                    },
        {"t: \"team:{claims.name}\"",               NULL                    },
        {"t: \"team:{claims.on}\"",                 NULL                    },
        {"t: \"team:{claims.none}\"",               NULL                    },
        {"t: \"team:{claims.nothing}\"",            NULL                    },
        {"t: \"team:{claims.items}\"",              NULL                    },
        {"t: \"team:{claims.team[]}\"",             NULL                    },
        {"t: \"{query.q}\"",                        NULL                    },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_rooms(rows[i].yaml, rows[i].rooms);
}

static void mistakes_are_found_at_load(void **state)
{
    static const struct {
        const char *yaml;
        const char *said; /* a part of the message or the hint */
    } rows[] = {
        {"t: \"{cliams.sub}\"",            "did you mean \"claims\"?"},
        {"t: \"{claims.sub\"",             "a brace is open"         },
        {"t: \"{}\"",                      "write a source"          },
        {"t: \"{claims..sub}\"",           "write a source"          },
        {"t: \"{claims.a[][]}\"",          "write a source"          },
        {"t: \"{claims.a[].b[]}\"",        "write a source"          },
        {"t: \"{claims.a[x]}\"",           "write a source"          },
        {"t: \"{now}\"",                   "there is no"             },
        {"t: \"{now.iso.x}\"",             "has no parts"            },
        {"t: \"{now.sio}\"",               "did you mean \"iso\"?"   },
        {"t: \"{event.x}\"",               "has no parts"            },
        {"t: \"{user.last_seen.sio}\"",    "did you mean \"iso\"?"   },
        {"t: \"{user.last_seen.ms.x}\"",   "has no parts"            },
        {"t: \"{user.last_seen[]}\"",      "has no items"            },
        {"t: \"{event[]}\"",               "has no items"            },
        {"t: \"{args}\"",                  "write args.0"            },
        {"t: \"{args.x}\"",                "write args.0"            },
        {"t: \"{path}\"",                  "write one name"          },
        {"t: \"{hook.status}\"",           "there is no"             },
        {"t: \"{a.b.c.d.e.f.g.h.i.j.k}\"", "write a source"          },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document_node node = yaml_node(rows[i].yaml);
        struct faults faults = {0};
        assert_null(template_of_json(document_find(&node, "t"), all_sources, &faults));
        assert_int_equal(faults.count, 1);
        assert_int_equal(faults.items[0].place.line, 1);
        const struct fault *fault = &faults.items[0];
        if (!strstr(fault->message, rows[i].said) &&
            !(fault->hint && strstr(fault->hint, rows[i].said)))
            fail_msg("%s: said %s", rows[i].yaml, fault->message);
        faults_finish(&faults);
        document_finish(&node);
    }
}

static void what_a_place_does_not_allow_is_found_at_load(void **state)
{
    struct document_node node = yaml_node("t: \"{body.x}\"");
    struct faults faults = {0};

    (void)state;
    assert_null(template_of_json(document_find(&node, "t"), TEMPLATE_BIT(TEMPLATE_CLAIMS),
                                 &faults));
    assert_int_equal(faults.count, 1);
    faults_finish(&faults);
    document_finish(&node);
}

static void rooms_are_judged_at_load(void **state)
{
    static const char *const bad[] = {
        "t: \"a b\"",
        "t: \"a::b\"",
        "t: \"{claims.a}:\"",
        "t: \"\"",
        "t: \"p:{claims.a[]}:{claims.b[]}\"",
        "t: [a]",
        "t: {a: 1}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct document_node node = yaml_node(bad[i]);
        struct faults faults = {0};
        assert_null(template_of_room(document_find(&node, "t"), all_sources, &faults));
        assert_int_equal(faults.count, 1);
        faults_finish(&faults);
        document_finish(&node);
    }
}

static void a_text_does_not_fan_out(void **state)
{
    struct document_node node = yaml_node("t: \"x {claims.a[]}\"");
    struct faults faults = {0};

    (void)state;
    assert_null(template_of_text(document_find(&node, "t"), all_sources, &faults));
    assert_int_equal(faults.count, 1);
    faults_finish(&faults);
    document_finish(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_templates_give_json),
        cmocka_unit_test(texts_are_plain),
        cmocka_unit_test(rooms_take_one_segment_and_nothing_else),
        cmocka_unit_test(mistakes_are_found_at_load),
        cmocka_unit_test(what_a_place_does_not_allow_is_found_at_load),
        cmocka_unit_test(rooms_are_judged_at_load),
        cmocka_unit_test(a_text_does_not_fan_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
