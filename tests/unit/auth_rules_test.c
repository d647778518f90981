/* Rules of authentication: whose token, where from, and what the refused are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/auth_rules.h"
#include "support/yaml_node.h"

#include <string.h>

static struct auth_rules *rules_of(const char *yaml)
{
    struct document_node node = yaml_node(yaml);
    struct faults faults = {0};
    struct auth_rules *rules = auth_rules_compile(&node, &faults);

    for (size_t i = 0; i < faults.count; i++)
        print_error("%s\n", faults.items[i].message);
    assert_non_null(rules);
    document_finish(&node);
    return rules;
}

static void the_first_source_that_has_a_token_decides(void **state)
{
    static const struct auth_handshake all = {
        .authorization = SLICE("bearer  of.the.header"),
        .cookie = SLICE("a=b; sid=of.the.cookie"),
        .query = SLICE("EIO=4&token=of%2Ethe.query&t=1"),
        .subprotocols = SLICE("sidecast.v1, token.of.the.subprotocol"),
    };
    static const struct auth_handshake basic = {.authorization = SLICE("Basic eDp5")};
    static const struct auth_handshake none = {.query = SLICE("token=&x=%zz")};
    static const struct {
        const char *yaml;
        const struct auth_handshake *handshake;
        const char *auth;
        const char *given;
        const char *token;
    } rows[] = {
        {"{}",                                &all,   "{\"token\":\"t\"}",              "",  "t"                 },
        {"{}",                                &all,   "{}",                             "",  "of.the.subprotocol"},
        {"{}",                                &all,   "{\"token\":7}",                  "",  "of.the.subprotocol"},
        {"{}",                                &all,   "",                               "g", "g"                 },
        {"{from: [header]}",                  &all,   "{\"token\":\"t\"}",              "g", "of.the.header"     },
        {"{from: [query.token, auth.token]}", &all,   "{\"token\":\"t\"}",              "g",
         "of.the.query"                                                                                          },
        {"{from: [query.x, auth.jwt]}",       &none,  "{\"jwt\":\"\\u0061\"}",          "g", "a"                 },
        {"{from: [cookie.sid]}",              &all,   "",                               "",  "of.the.cookie"     },
        {"{from: [cookie.si]}",               &all,   "",                               "",  ""                  },
        {"{from: [header]}",                  &basic, "",                               "",  ""                  },
        {"{}",                                &none,  "[1]",                            "",  ""                  },
        {"{strip: 'Bearer '}",                &none,  "{\"token\":\"BEARER  x.y.z \"}", "",  "x.y.z"             },
        {"{strip: 'Bearer '}",                &none,  "{\"token\":\"Bearer\"}",         "",  "Bearer"            },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct auth_rules *rules = rules_of(rows[i].yaml);
        const struct auth_sources *sources = auth_rules_sources(rules);
        struct buf memory = {.max = 4096}, more = {.max = 4096};
        struct auth_found carried =
            auth_sources_in_handshake(sources, rows[i].handshake, &memory);
        struct slice token = auth_sources_in_connect(
            sources, slice_of(rows[i].given), slice_of(rows[i].auth), &carried, &more);
        if (!slice_is(token, rows[i].token))
            fail_msg("row %zu: %.*s", i, (int)token.len, token.ptr);
        buf_finish(&memory);
        buf_finish(&more);
        auth_rules_destroy(rules);
    }
}

static void claims_decide_who_somebody_is(void **state)
{
    static const struct {
        const char *yaml;
        const char *claims;
        enum refusal refusal;
        const char *user;
    } rows[] = {
        {"{}",                              "{\"sub\":\"7\"}",              REFUSAL_NONE,      ""   },
        {"{user: '{claims.sub}'}",          "{\"sub\":\"7\"}",              REFUSAL_NONE,      ""   },
        {"{user: '{claims.id}'}",           "{\"id\":7}",                   REFUSAL_NONE,      "7"  },
        {"{user: 'u-{claims.id}'}",         "{\"id\":\"x\"}",               REFUSAL_NONE,      "u-x"},
        {"{user: '{claims.id}'}",           "{\"sub\":\"7\"}",              REFUSAL_INVALID,   ""   },
        {"{user: '{claims.id}'}",           "{\"id\":{}}",                  REFUSAL_INVALID,   ""   },
        {"{user: '{claims.id}'}",           "{\"id\":\"a\\nb\"}",           REFUSAL_INVALID,   NULL },
        {"{user: '{claims.id}'}",           "{\"id\":\"\"}",                REFUSAL_INVALID,   NULL },
        {"{require: {token_type: access}}", "{\"token_type\":\"access\"}",  REFUSAL_NONE,
         ""                                                                                         },
        {"{require: {token_type: access}}", "{\"token_type\":\"refresh\"}",
         REFUSAL_FORBIDDEN,                                                                    ""   },
        {"{require: {token_type: access}}", "{}",                           REFUSAL_FORBIDDEN, ""   },
        {"{require: {active: true}}",       "{\"active\":false}",           REFUSAL_INACTIVE,  ""   },
        {"{require: {active: true}}",       "{\"active\":true}",            REFUSAL_NONE,      ""   },
        {"{data: {role: '{claims.role}'}}", "{}",                           REFUSAL_INVALID,   ""   },
        {"{data: {role: '{claims.role}'}}", "{\"role\":1}",                 REFUSAL_NONE,      ""   },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct auth_rules *rules = rules_of(rows[i].yaml);
        struct buf user = {.max = 4096};
        char hint[160] = "";
        enum refusal refusal =
            auth_rules_accept(rules, slice_of(rows[i].claims), &user, hint);
        if (refusal != rows[i].refusal ||
            (rows[i].user && !slice_is(buf_slice(&user), rows[i].user)))
            fail_msg("row %zu: %s, %s", i, refusal_reason(refusal), hint);
        assert_int_equal(hint[0] != '\0', refusal != REFUSAL_NONE);
        buf_finish(&user);
        auth_rules_destroy(rules);
    }
}

static void a_user_has_an_id_and_the_data_of_the_file(void **state)
{
    struct auth_rules *rules = rules_of(
        "{data: {role: '{claims.role}', 'a\"b': {all: '{claims.teams[]}', n: 1}}}");
    struct buf out = {.max = 4096};

    (void)state;
    assert_int_equal(auth_rules_user(rules, SLICE("{\"role\":[\"x\"],\"teams\":[1,2]}"),
                                     SLICE("4\"2"), &out),
                     ST_OK);
    assert_true(slice_is(buf_slice(&out), "{\"id\":\"4\\\"2\",\"role\":[\"x\"],"
                                          "\"a\\\"b\":{\"all\":[1,2],\"n\":1}}"));
    assert_int_equal(auth_rules_uses(rules), TEMPLATE_BIT(TEMPLATE_CLAIMS));
    buf_finish(&out);
    auth_rules_destroy(rules);
}

static void each_cause_has_its_text(void **state)
{
    static const struct {
        const char *yaml;
        enum refusal refusal;
        const char *text;
    } rows[] = {
        {"{}",                                          REFUSAL_MISSING,  "Authentication required"},
        {"{}",                                          REFUSAL_LIMIT,    "Not authorized"         },
        {"{refusal: {'*': unauth}}",                    REFUSAL_EXPIRED,  "unauth"                 },
        {"{refusal: {'*': unauth, expired: too late}}", REFUSAL_EXPIRED,  "too late"               },
        {"{refusal: {missing: who?}}",                  REFUSAL_INVALID,  "Invalid token"          },
        {"{refusal: {inactive: User not found}}",       REFUSAL_INACTIVE, "User not found"         },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct auth_rules *rules = rules_of(rows[i].yaml);
        struct slice text =
            auth_refusal_text(auth_rules_refusals(rules), rows[i].refusal);
        if (!slice_is(text, rows[i].text))
            fail_msg("row %zu: %.*s", i, (int)text.len, text.ptr);
        auth_rules_destroy(rules);
    }
}

static void refusal_data_is_ours_or_the_files(void **state)
{
    static const struct {
        const char *yaml;
        const char *json;
    } rows[] = {
        {"{}",
         "{\"code\":\"E_UNAUTH\",\"reason\":\"expired\",\"hint\":\"a \\\"hint\\\"\"}"},
        {"{refusal_data: {type: '{code}', text: '{message}'}}",
         "{\"type\":\"E_UNAUTH\",\"text\":\"Token expired\"}"                        },
        {"{refusal_data: {id: '{conn.id}'}}",
         "{\"code\":\"E_UNAUTH\",\"reason\":\"expired\",\"hint\":\"a \\\"hint\\\"\"}"},
    };
    const struct template_values values = {.code = SLICE("E_UNAUTH"),
                                           .message = SLICE("Token expired")};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct auth_rules *rules = rules_of(rows[i].yaml);
        struct buf out = {.max = 4096};
        auth_refusal_data(auth_rules_refusals(rules), REFUSAL_EXPIRED,
                          SLICE("a \"hint\""), &values, &out);
        if (!slice_is(buf_slice(&out), rows[i].json))
            fail_msg("row %zu: %.*s", i, (int)out.len, out.ptr);
        buf_finish(&out);
        auth_rules_destroy(rules);
    }
}

static void an_event_brings_the_token_and_what_must_match(void **state)
{
    static const struct {
        const char *args;
        const char *claims;
        bool matches;
    } rows[] = {
        {"{\"userId\":\"42\",\"jwt\":\"bearer x\"}", "{\"id\":42}",     true },
        {"{\"userId\":42,\"jwt\":\"bearer x\"}",     "{\"id\":\"42\"}", true },
        {"{\"userId\":\"43\",\"jwt\":\"bearer x\"}", "{\"id\":42}",     false},
        {"{\"userId\":null,\"jwt\":\"bearer x\"}",   "{\"id\":null}",   false},
        {"{\"userId\":\"\",\"jwt\":\"bearer x\"}",   "{}",              false},
        {"{\"jwt\":\"bearer x\"}",                   "{\"id\":42}",     false},
        {"{\"userId\":{},\"jwt\":\"bearer x\"}",     "{\"id\":{}}",     false},
    };
    struct auth_rules *rules = rules_of(
        "{mode: event, strip: Bearer, event: {name: auth, token: '{args.0.jwt}',\n"
        " match: {claims.id: '{args.0.userId}'}, ok: auth_success,\n"
        " error: {event: auth_error, payload: {message: '{message}'}}}}");
    const struct auth_event *event = auth_rules_event(rules);

    (void)state;
    assert_int_equal(auth_rules_mode(rules), AUTH_EVENT);
    assert_int_equal(auth_event_timeout_ms(event), 10000);
    assert_true(auth_event_is(event, SLICE("auth")));
    assert_false(auth_event_is(event, SLICE("Auth")));
    assert_true(slice_is(emission_event(auth_event_ok(event), 0), "\"auth_success\""));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf token = {.max = 4096};
        const char *failed = NULL;
        struct slice args = slice_of(rows[i].args);
        assert_int_equal(auth_event_token(event, args, &token), ST_OK);
        assert_true(slice_is(
            auth_sources_strip(auth_rules_sources(rules), buf_slice(&token)), "x"));
        if (auth_event_matches(event, slice_of(rows[i].claims), args, &failed) !=
            rows[i].matches)
            fail_msg("row %zu", i);
        if (!rows[i].matches)
            assert_string_equal(failed, "id");
        buf_finish(&token);
    }
    struct buf none = {.max = 4096};
    assert_int_equal(auth_event_token(event, SLICE("{\"userId\":1}"), &none),
                     ST_BAD_PAYLOAD);
    buf_finish(&none);
    auth_rules_destroy(rules);
}

static void expiry_disconnects_unless_told_otherwise(void **state)
{
    struct auth_rules *rules = rules_of("{}");

    (void)state;
    assert_int_equal(auth_rules_end(rules), AUTH_END_DISCONNECT);
    assert_int_equal(emission_count(auth_rules_end_emits(rules)), 0);
    auth_rules_destroy(rules);
    rules = rules_of("{expiry: {every: 30s, warn: 1m, then: close,\n"
                     " emit: {event: auth-expired, payload: {message: '{message}'}}}}");
    assert_int_equal(auth_rules_end(rules), AUTH_END_CLOSE);
    assert_int_equal(auth_rules_every_ms(rules), 30000);
    assert_int_equal(auth_rules_warn_ms(rules), 60000);
    assert_int_equal(emission_count(auth_rules_end_emits(rules)), 1);
    auth_rules_destroy(rules);
}

static void all_mistakes_are_found_at_once(void **state)
{
    struct document_node node = yaml_node("mode: evnt\n"
                                          "from: [auth.token, hedder, 'cookie.']\n"
                                          "strip: [a]\n"
                                          "require: {role: {a: 1}}\n"
                                          "user: '{args.0.id}'\n"
                                          "data: {id: x, role: '{claims.}'}\n"
                                          "refusal: {expird: x, '*': [y], missing: ''}\n"
                                          "refusal_data: '{claims.sub}'\n"
                                          "expiry:\n"
                                          "  every: 30\n"
                                          "  then: disconect\n"
                                          "  emit: {payload: 1}\n"
                                          "event:\n"
                                          "  name: connect\n"
                                          "  match: {id: '{args.0.x}'}\n"
                                          "  timeout: soon\n"
                                          "  ok: {event: x, payload: '{nonsense}'}\n");
    static const unsigned lines[] = {1, 2, 2, 3, 4, 5, 6, 6, 7, 7, 7, 8, 10, 11, 12};
    struct faults faults = {0};

    (void)state;
    assert_null(auth_rules_compile(&node, &faults));
    faults_sort(&faults);
    for (size_t i = 0; i < faults.count && i < sizeof lines / sizeof *lines; i++) {
        if (faults.items[i].place.line != lines[i])
            fail_msg("fault %zu in line %u: %s", i, faults.items[i].place.line,
                     faults.items[i].message);
        assert_true(faults.items[i].place.column > 0);
    }
    assert_int_equal(faults.count, sizeof lines / sizeof *lines);
    faults_finish(&faults);
    document_finish(&node);
}

static void an_event_is_checked_too(void **state)
{
    static const struct {
        const char *yaml;
        unsigned faults;
    } rows[] = {
        {"{mode: event}",                                                      1},
        {"{mode: handshake, event: {name: auth}}",                             1},
        {"{mode: event, event: {}}",                                           1},
        {"{mode: event, event: text}",                                         1},
        {"{mode: event, event: {name: connect, timeout: soon}}",               2},
        {"{mode: event, event: {name: a, match: {id: '{args.0.x}'}}}",         1},
        {"{mode: event, event: {name: a, match: {claims.id: '{claims.x}'}}}",  1},
        {"{mode: event, event: {name: a, ok: {event: x, payload: '{none}'}}}", 1},
        {"{mode: event, event: {name: a, error: [{payload: x}, 'y', '']}}",    2},
        {"[a]",                                                                1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document_node node = yaml_node(rows[i].yaml);
        struct faults faults = {0};
        assert_null(auth_rules_compile(&node, &faults));
        if (faults.count != rows[i].faults)
            fail_msg("row %zu: %zu faults, the first: %s", i, faults.count,
                     faults.items[0].message);
        faults_finish(&faults);
        document_finish(&node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_source_that_has_a_token_decides),
        cmocka_unit_test(claims_decide_who_somebody_is),
        cmocka_unit_test(a_user_has_an_id_and_the_data_of_the_file),
        cmocka_unit_test(each_cause_has_its_text),
        cmocka_unit_test(refusal_data_is_ours_or_the_files),
        cmocka_unit_test(an_event_brings_the_token_and_what_must_match),
        cmocka_unit_test(expiry_disconnects_unless_told_otherwise),
        cmocka_unit_test(all_mistakes_are_found_at_once),
        cmocka_unit_test(an_event_is_checked_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
