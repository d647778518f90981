/* Routes of a configuration: what they match, what is wrong with them, what they make. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/config_yaml.h"
#include "proto/route_mapping.h"

#include <stdio.h>
#include <string.h>

static struct route_rules *compile(const char *yaml, struct faults *faults)
{
    struct document_node root = {0};
    struct route_rules *rules = NULL;

    if (config_yaml_read("f", slice_of(yaml), &root, faults))
        rules = route_rules_compile(&root, faults);
    document_finish(&root);
    return rules;
}

static struct route_rules *good(const char *yaml)
{
    struct faults faults = {0};
    struct route_rules *rules = compile(yaml, &faults);

    if (!rules)
        fail_msg("%u:%u %s", faults.items[0].place.line, faults.items[0].place.column,
                 faults.items[0].message);
    faults_finish(&faults);
    return rules;
}

/* One publish to room `r`, its match at the front. */
#define PUBLISH(match) "- {match: " match ", do: publish, to: r, event: e}\n"

static void a_path_is_matched_segment_by_segment(void **state)
{
    static const struct {
        const char *match, *path;
        bool matches;
    } rows[] = {
        {"POST /a/:b",    "/a/x",     true },
        {"POST /a/:b",    "/a/x%2Fy", true },
        {"POST /a/:b",    "/a/",      false},
        {"POST /a/:b",    "/a",       false},
        {"POST /a/:b",    "/a/x/",    false},
        {"POST /a/:b",    "/a/x/y",   false},
        {"POST /a/:b",    "/A/x",     false},
        {"POST /a/:b",    "//x",      false},
        {"POST /a/:b",    "a/x",      false},
        {"POST /a/:b",    "",         false},
        {"POST /a/b",     "/a/b",     true },
        {"POST /a/b",     "/a/%62",   false},
        {"POST /a/",      "/a/",      true },
        {"POST /a/",      "/a",       false},
        {"POST /",        "/",        true },
        {"POST /",        "//",       false},
        {"POST /:a/:b/c", "/x/y/c",   true },
        {"POST /:a/:b/c", "/x//c",    false},
        {"POST /a.b~c-d", "/a.b~c-d", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document_node match = {.text = slice_of(rows[i].match)};
        struct faults faults = {0};
        struct route_path path;
        assert_true(route_path_read(&match, &path, &faults));
        if (route_path_matches(&path, slice_of(rows[i].path)) != rows[i].matches)
            fail_msg("%s %s", rows[i].match, rows[i].path);
        faults_finish(&faults);
    }
}

static void parameters_are_decoded(void **state)
{
    static const struct {
        const char *path, *first, *second; /* first NULL: refused */
    } rows[] = {
        {"/u/a%20b/r/c%2Fd", "a b",       "c/d"},
        {"/u/%C3%A4+/r/1",   "\xc3\xa4+", "1"  },
        {"/u/%/r/1",         NULL,        NULL },
        {"/u/%4/r/1",        NULL,        NULL },
        {"/u/%00/r/1",       NULL,        NULL },
        {"/u/%ff/r/1",       NULL,        NULL },
        {"/u/%C3/r/%A4",     NULL,        NULL },
    };
    struct document_node match = {.text = SLICE("PUT /u/:user/r/:room")};
    struct faults faults = {0};
    struct route_path path;

    (void)state;
    assert_true(route_path_read(&match, &path, &faults));
    assert_int_equal(path.method, HTTP_PUT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct template_pair pairs[ROUTE_PATH_SEGMENTS];
        char memory[64];
        size_t count;
        bool is_good =
            route_path_values(&path, slice_of(rows[i].path), memory, pairs, &count);
        assert_int_equal(is_good, rows[i].first != NULL);
        if (!is_good)
            continue;
        assert_int_equal(count, 2);
        assert_true(slice_is(pairs[0].name, "user"));
        assert_true(slice_is(pairs[0].value, rows[i].first));
        assert_true(slice_is(pairs[1].name, "room"));
        assert_true(slice_is(pairs[1].value, rows[i].second));
    }
}

static void the_more_fixed_path_goes_first_wherever_it_stands(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
        unsigned line; /* 0: none */
        enum status verdict;
    } rows[] = {
        {HTTP_POST, "/a/b",        3, ST_OK       },
        {HTTP_POST, "/a/c",        2, ST_OK       },
        {HTTP_POST, "/x/b",        4, ST_OK       },
        {HTTP_POST, "/x/y",        5, ST_OK       },
        {HTTP_GET,  "/a/b",        6, ST_OK       },
        {HTTP_HEAD, "/a/b",        6, ST_OK       },
        {HTTP_GET,  "/a/c",        0, ST_METHOD   },
        {HTTP_PUT,  "/a/b",        0, ST_METHOD   },
        {HTTP_POST, "/a",          0, ST_METHOD   },
        {HTTP_POST, "/a/b/c",      0, ST_NOT_FOUND},
        {HTTP_POST, "/v1/publish", 0, ST_NOT_FOUND},
        {HTTP_GET,  "/readyz",     0, ST_NOT_FOUND},
        {HTTP_GET,  "/health",     7, ST_OK       },
    };
    struct route_rules *rules =
        good("routes:\n" PUBLISH("POST /a/:x") PUBLISH("POST /a/b") PUBLISH("POST /:x/b")
                 PUBLISH("POST /:x/:y") "- {match: GET /a/b, do: stats}\n"
                                        "- {match: GET /:x, do: stats}\n");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum status verdict;
        const struct route_rule *rule =
            route_rules_find(rules, rows[i].method, slice_of(rows[i].path), &verdict);
        assert_int_equal(verdict, rows[i].verdict);
        assert_int_equal(rule ? rule->place.line : 0, rows[i].line);
        assert_int_equal(route_rules_have_path(rules, slice_of(rows[i].path)),
                         rows[i].verdict != ST_NOT_FOUND);
    }
    route_rules_destroy(rules);
}

static void no_routes_are_rules_too(void **state)
{
    struct faults faults = {0};
    struct route_rules *rules = route_rules_compile(NULL, &faults);
    enum status verdict;

    (void)state;
    assert_non_null(rules);
    assert_int_equal(route_rules_count(rules), 0);
    assert_null(route_rules_find(rules, HTTP_GET, SLICE("/"), &verdict));
    assert_int_equal(verdict, ST_NOT_FOUND);
    route_rules_destroy(rules);
}

static void every_mistake_is_found_at_its_place(void **state)
{
    static const struct {
        const char *yaml;
        unsigned line, column;
        const char *message;
    } rows[] = {
        {"routes: 5",                                                                  1, 9,  "is a list"            },
        {"routes: [x]",                                                                1, 10, "match and do"         },
        {"routes:\n- {match: /a, do: stats}",                                          2, 11, "a method and a path"  },
        {"routes:\n- {match: PSOT /a, do: stats}",                                     2, 11, "POST"                 },
        {"routes:\n- {match: HEAD /a, do: stats}",                                     2, 11, "no route has"         },
        {"routes:\n- {match: GET a, do: stats}",                                       2, 11, "begins with /"        },
        {"routes:\n- {match: GET /a/*, do: stats}",                                    2, 11, "no wildcards"         },
        {"routes:\n- {match: 'GET /a/:', do: stats}",                                  2, 11, "a parameter is"       },
        {"routes:\n- {match: GET /a/:b-c, do: stats}",                                 2, 11, "a parameter is"       },
        {"routes:\n- {match: GET /:a/:a, do: stats}",                                  2, 11, "the same name"        },
        {"routes:\n- {match: GET /a%20b, do: stats}",                                  2, 11, "a segment has"        },
        {"routes:\n- {match: GET /a, do: stat}",                                       2, 23, "stats"                },
        {"routes:\n- {match: POST /a, do: stats}",                                     2, 11, "asked by GET"         },
        {"routes:\n- {match: GET /a, do: publish, to: r, event: e}",                   2, 11, "is no GET"            },
        {"routes:\n- {match: POST /a, do: publish, to: r}",                            2, 3,  "needs event"          },
        {"routes:\n- {match: POST /a, do: publish, event: e}",                         2, 11, "neither to nor"       },
        {"routes:\n- {match: POST /a, do: publish, to: r, users: u, event: e}",        2, 47,
         "exclude each other"                                                                                        },
        {"routes:\n- {match: POST /a, do: publish, to: r, event: connect}",            2, 47,
         "keeps for itself"                                                                                          },
        {"routes:\n- {match: POST /a, do: publish, to: 'a b', event: e}",              2, 37,
         "segments like"                                                                                             },
        {"routes:\n- {match: POST /a/:room, do: publish, to: '{path.rom}', event: e}", 2,
         43,                                                                                  "did you mean \"room\""},
        {"routes:\n- {match: POST /a, do: publish, to: '{claims.x}', event: e}",       2, 37,
         "nothing here is"                                                                                           },
        {"routes:\n- {match: GET /a, do: stats, reply: {ok: '{payload.conections}'}}", 2,
         42,                                                                                  "connections"          },
        {"routes:\n- {match: GET /a, do: stats, reply: {ok: {a: [1, "
         "'{payload.ready}']}}}",                                             2, 50, "has no"               },
        {"routes:\n- {match: GET /a, do: stats, reply: {ok: '{count}'}}",              2, 42,
         "nothing here is"                                                                                           },
        {"routes:\n- {match: GET /a, do: stats, reply: {ok: '{payload.users.x}'}}",    2, 42,
         "no parts"                                                                                                  },
        {"routes:\n- {match: POST /a, do: publish, to: r, event: e, reply: {ok: "
         "'{payload.users.online}'}}",                                        2, 62, "only a route with"    },
        {"routes:\n- {match: POST /a, do: publish, users: u, event: e, reply: {ok: "
         "'{payload.users.onlin}'}}",                                         2, 65, "online"               },
        {"routes:\n- {match: GET /a, do: stats, reply: {error: '{payload.id}'}}",      2, 45,
         "nothing here is"                                                                                           },
        {"routes:\n- {match: GET /a, do: stats, to: r}",                               2, 34, "routes that publish"  },
        {"routes:\n- {match: GET /a, do: stats, status: 404}",                         2, 38, "from 200 to 299"      },
        {"routes:\n- {match: GET /a, do: stats, status: 204}",                         2, 38, "has a body"           },
        {"routes:\n- {match: GET /a, do: stats, auth: kye}",                           2, 36, "key"                  },
        {"routes:\n- {match: GET /a, do: stats, auth: [key]}",                         2, 36, "auth is key"          },
        {"routes:\n- {match: GET /a, do: stats, auth: {rle: a}}",                      2, 37, "role"                 },
        {"routes:\n- {match: GET /a, do: stats, auth: {jwt: off}}",                    2, 42,
         "on, or a map"                                                                                              },
        {"routes:\n- {match: GET /readyz, do: stats}",                                 2, 11, "/readyz itself"       },
        {"routes:\n- {match: GET /v1/x, do: stats}",                                   2, 11, "server's own"         },
        {"routes:\n" PUBLISH("POST /a/:x") PUBLISH("POST /a/:y"),                      3, 11, "line 2"               },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = {0};
        struct route_rules *rules = compile(rows[i].yaml, &faults);
        if (rules || faults.count == 0)
            fail_msg("taken: %s", rows[i].yaml);
        const struct fault *fault = &faults.items[0];
        char text[400];
        snprintf(text, sizeof text, "%s %s", fault->message,
                 fault->hint ? fault->hint : "");
        if (fault->place.line != rows[i].line || fault->place.column != rows[i].column ||
            !strstr(text, rows[i].message))
            fail_msg("%s\n%u:%u %s", rows[i].yaml, fault->place.line, fault->place.column,
                     text);
        faults_finish(&faults);
    }
}

static void the_way_to_publish_may_be_shaped_anew(void **state)
{
    struct route_rules *rules = good("routes:\n" PUBLISH("POST /broadcast") PUBLISH(
        "POST /v1/publish") PUBLISH("POST /:x/:y"));

    (void)state;
    assert_int_equal(route_rules_count(rules), 3);
    route_rules_destroy(rules);
}

/* --- mapping */

static const struct route_rule *only(const struct route_rules *rules)
{
    assert_int_equal(route_rules_count(rules), 1);
    return route_rules_at(rules, 0);
}

static enum status map(const struct route_rules *rules, const char *body, struct buf *out,
                       struct publish_fault *fault)
{
    static const struct template_pair path[] = {
        {{"room", 4}, {"team:7", 6}}
    };
    const struct template_values values = {
        .body = slice_of(body), .path = path, .path_count = 1};

    *out = (struct buf){.max = 1000};
    *fault = (struct publish_fault){0};
    return route_map(only(rules), &values, out, fault);
}

#define ROW(rest) "routes:\n- {match: 'POST /a/:room', do: publish, " rest "}"

static void a_request_becomes_a_publish(void **state)
{
    static const struct {
        const char *yaml, *body, *publish;
    } rows[] = {
        {ROW("users: '{body.ids[]}', event: n, payload: '{body.n}'"),
         "{\"ids\":[\"1\",2],\"n\":{\"t\": \"\xd7\xa9\"}}",                                                 "{\"event\":\"n\",\"data\":{\"t\": \"\xd7\xa9\"},\"users\":[\"1\",2]}"},
        {ROW("users: '{body.ids}', event: n"),                                    "{\"ids\":[\"1\",2]}",
         "{\"event\":\"n\",\"users\":[\"1\",2]}"                                                                                                                                  },
        {ROW("users: '{body.id}', event: n"),                                     "{\"id\":7}",
         "{\"event\":\"n\",\"users\":[7]}"                                                                                                                                        },
        {ROW("users: ['{body.id}', '{body.more[]}'], event: n"),                  "{\"id\":7,\"more\":[]}",
         "{\"event\":\"n\",\"users\":[7]}"                                                                                                                                        },
        {ROW("to: '{path.room}', event: '{body.event}', payload: '{body.data}'"),
         "{\"event\":\"a\\\"b\",\"data\":null}",                                                            "{\"event\":\"a\\\"b\",\"data\":null,\"rooms\":[\"team:7\"]}"         },
        {ROW("to: r, event: '{body.e}'"),                                         "{\"e\":5}",              "{\"event\":5,\"rooms\":[\"r\"]}"                                     },
        {ROW("to: r, event: 'a.{body.e}'"),                                       "{\"e\":5}",
         "{\"event\":\"a.5\",\"rooms\":[\"r\"]}"                                                                                                                                  },
        {ROW("to: r, event: 5"),                                                  "{}",                     "{\"event\":\"5\",\"rooms\":[\"r\"]}"                                 },
        {ROW("to: all, event: n, payload: {a: '{body.x}', b: 'x{body.x}'}"),      "{\"x\":1}",
         "{\"event\":\"n\",\"data\":{\"a\":1,\"b\":\"x1\"},\"all\":true}"                                                                                                         },
        {ROW("to: ['p:{body.p[]}', 'user:{body.u}'], event: n"),
         "{\"p\":[1,2],\"u\":\"a b\"}",                                                                     "{\"event\":\"n\",\"rooms\":[\"p:1\",\"p:2\",\"user:a b\"]}"          },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct route_rules *rules = good(rows[i].yaml);
        struct publish_fault fault;
        struct buf out;
        assert_int_equal(map(rules, rows[i].body, &out, &fault), ST_OK);
        buf_add_byte(&out, '\0');
        assert_string_equal(out.ptr, rows[i].publish);
        buf_finish(&out);
        route_rules_destroy(rules);
    }
}

static void what_a_request_lacks_is_told_where_it_should_stand(void **state)
{
    static const struct {
        const char *yaml, *body;
        enum status status;
        const char *pointer, *detail;
    } rows[] = {
        {ROW("users: '{body.ids[]}', event: n"),            "{}",              ST_BAD_TARGET,  "/ids",
         "{body.ids[]} is missing or no list"          },
        {ROW("to: 'p:{body.a.b}', event: n"),               "{\"a\":{}}",      ST_BAD_TARGET,  "/a/b",
         "{body.a.b} is missing"                       },
        {ROW("to: 'p:{body.a}', event: n"),                 "{\"a\":\"x:y\"}", ST_BAD_TARGET,  "/a",
         "{body.a} is not one segment of a room's name"},
        {ROW("to: '{body.a}', event: n"),                   "{\"a\":\"*\"}",   ST_BAD_TARGET,  "",
         "a request may name a room, and not everybody"},
        {ROW("to: [r, '{body.a[]}'], event: n"),            "{\"a\":[\"*\"]}", ST_BAD_TARGET,  "",
         "a request may name a room, and not everybody"},
        {ROW("to: r, event: e, payload: '{body}'"),         "",                ST_BAD_PAYLOAD, "",
         "{body} is missing"                           },
        {ROW("to: r, event: e, payload: {a: '{query.q}'}"), "{}",              ST_BAD_PAYLOAD, "",
         "{query.q} is missing"                        },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct route_rules *rules = good(rows[i].yaml);
        struct publish_fault fault;
        struct buf out;
        assert_int_equal(map(rules, rows[i].body, &out, &fault), rows[i].status);
        assert_string_equal(fault.pointer, rows[i].pointer);
        assert_string_equal(fault.detail, rows[i].detail);
        buf_finish(&out);
        route_rules_destroy(rules);
    }
}

static void a_pointer_leads_back_to_the_body(void **state)
{
    static const struct {
        const char *made, *body;
    } rows[] = {
        {"/data/whole/x/0", "/a/b/x/0"},
        {"/data/whole",     "/a/b"    },
        {"/data/wholes",    ""        },
        {"/data/all~1",     ""        },
        {"/data/a~1b/x",    "/x~0/x"  },
        {"/data/text",      ""        },
        {"/data",           ""        },
        {"/users/3",        "/ids/3"  },
        {"/event",          "/e"      },
        {"/rooms",          ""        },
        {"",                ""        },
    };
    struct route_rules *rules =
        good(ROW("users: '{body.ids[]}', event: '{body.e}', payload: {whole: "
                 "'{body.a.b}', 'a/b': '{body.x~}', text: '-{body.t}'}"));

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char pointer[96];
        route_pointer(only(rules), rows[i].made, pointer, sizeof pointer);
        assert_string_equal(pointer, rows[i].body);
    }
    route_rules_destroy(rules);
}

static void a_publish_has_a_ceiling(void **state)
{
    struct route_rules *rules = good(ROW("to: r, event: n, payload: '{body}'"));
    struct publish_fault fault = {0};
    const struct template_values values = {.body = SLICE("\"0123456789\"")};
    struct buf out = {.max = 20};

    (void)state;
    assert_int_equal(route_map(only(rules), &values, &out, &fault), ST_TOO_LARGE);
    assert_non_null(strstr(fault.detail, "too large"));
    buf_finish(&out);
    route_rules_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_matched_segment_by_segment),
        cmocka_unit_test(parameters_are_decoded),
        cmocka_unit_test(the_more_fixed_path_goes_first_wherever_it_stands),
        cmocka_unit_test(no_routes_are_rules_too),
        cmocka_unit_test(every_mistake_is_found_at_its_place),
        cmocka_unit_test(the_way_to_publish_may_be_shaped_anew),
        cmocka_unit_test(a_request_becomes_a_publish),
        cmocka_unit_test(what_a_request_lacks_is_told_where_it_should_stand),
        cmocka_unit_test(a_pointer_leads_back_to_the_body),
        cmocka_unit_test(a_publish_has_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
