/* A whole publisher with a catalog of events: what is refused, where an event goes that
 * names no target, and what clients would get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/log_quota.h"
#include "support/contract_folder.h"
#include "support/publisher_rig.h"
#include "support/yaml_node.h"

#define AUTH "Authorization: Bearer " RIG_KEY "\r\n"
#define NOTHING_IN_ROOM(event) "{\"event\":\"" event "\",\"room\":\"x\"}"

enum {
    MANY = 10 * LOG_QUOTA_LINES
};

static const char catalog_yaml[] =
    "contracts: c\n"
    "events:\n"
    "  plain:\n"
    "  agent_update: {to: 'agent:{payload.agentId}'}\n"
    "  several: {to: ['a:{payload.a}', 'b:{payload.list[]}', lobby]}\n"
    "  news: {to: all, volatile: on}\n"
    "  chosen: {to: '{payload.room}'}\n"
    "  kept: {to: lobby, history: off}\n"
    "  mail: {to: {users: '{payload.ids[]}'}, envelope: '{payload.mail}'}\n"
    "  note: {to: {first: ['project:{payload.p}', 'user:{payload.u}']}, aliases: "
    "[nota]}\n"
    "  wrapped: {envelope: {type: '{event}', data: '{payload}', at: '{now.ms}',\n"
    "                       id: '{uuid}', by: '{request.id}'}}\n"
    "  pair: {args: ['{payload.a}', '{event}', {b: '{payload.b}'}]}\n"
    "  spread: {args: '{args[1..]}'}\n"
    "  tuple: {contract: {type: array, items: [{type: string}], minItems: 2}}\n"
    "  twins: {emit_as: ['twin.one', 'twin\"two']}\n"
    "  guarded: {publish: [billing]}\n"
    "  open: {publish: [key-1]}\n"
    "  scoped: {publish: [admin]}\n";

static const struct contract_text texts[] = {
    {"agent_update", "agent_update.schema.json",
     "{\"type\":\"object\",\"required\":[\"agentId\"],\"properties\":{"
     "\"agentId\":{\"type\":[\"string\",\"integer\"]},\"n\":{\"minimum\":3}},"
     "\"additionalProperties\":false}"},
};

static struct system *system_of(const char *yaml)
{
    struct document_node root = yaml_node(yaml);
    struct contract_folder folder;
    struct faults faults = {0};

    contract_folder_open(&folder, texts, 1);
    struct system_files files = contract_folder_files(&folder);
    struct system *system = system_compile(&root, &files, &faults);
    if (!system)
        fail_msg("%s", faults.items[0].message);
    contract_folder_close(&folder);
    document_finish(&root);
    return system;
}

static int set_up(void **state)
{
    struct system *system = system_of(catalog_yaml);

    *state = rig_start_with(system);
    system_release(system);
    return 0;
}

static int tear_down(void **state)
{
    rig_stop(*state);
    return 0;
}

/* What the engine was given last, or before that. */
static void decode(const char *bytes, size_t len, struct envelope *envelope)
{
    static struct envelope_room room;

    assert_int_equal(envelope_decode((struct slice){bytes, len}, &room, envelope), ST_OK);
}

static void each_refusal_has_its_code_and_its_pointer(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *code, *pointer, *said;
    } rows[] = {
        {"{\"event\":\"agent_updat\",\"room\":\"x\"}",                             422, "E_UNKNOWN_EVENT", "/event",
         "did you mean \\\"agent_update\\\"?"                                                                                                                },
        {"{\"event\":\"zzzzzzzz\",\"room\":\"x\"}",                                422, "E_UNKNOWN_EVENT", "/event",
         "is not in the catalog"                                                                                                                             },
        {"{\"event\":\"agent_update\",\"data\":{\"agentId\":true}}",               422, "E_BAD_PAYLOAD",
         "/data/agentId",                                                                                                "must be a string or a whole number"},
        {"{\"event\":\"agent_update\",\"data\":{\"agentId\":1,\"n\":2,\"o/\":1}}", 422,
         "E_BAD_PAYLOAD",                                                                                  "/data/n\",\"detail\":\"must be at least 3\",\"expected\":"
         "\"minimum\"},{\"pointer\":\"/data/o~1",                                               "is not known here"                 },
        {"{\"event\":\"agent_update\"}",                                           422, "E_BAD_PAYLOAD",   "/data",      "is missing"                        },
        {"{\"event\":\"tuple\",\"room\":\"x\",\"args\":[1,2]}",                    422, "E_BAD_PAYLOAD",
         "/args/0",                                                                                                      "must be a string"                  },
        {"{\"event\":\"plain\",\"data\":1}",                                       422, "E_BAD_TARGET",    "",
         "the catalog names none"                                                                                                                            },
        {"{\"event\":\"several\",\"data\":{\"a\":1}}",                             422, "E_BAD_TARGET",    "/data/list",
         "payload.list"                                                                                                                                      },
        {"{\"event\":\"several\",\"data\":{\"a\":\"b:c\",\"list\":[]}}",           422,
         "E_BAD_TARGET",                                                                                   "/data/a",    "not one segment"                   },
        {"{\"event\":\"mail\",\"data\":{\"ids\":[],\"mail\":1}}",                  422, "E_BAD_TARGET",    "",
         "names nobody"                                                                                                                                      },
        {"{\"event\":\"note\",\"data\":{}}",                                       422, "E_BAD_TARGET",    "/data/u",    "payload.u"                         },
        {"{\"event\":\"chosen\",\"data\":{\"room\":\"*\"}}",                       422, "E_BAD_TARGET",    "",
         "not everybody"                                                                                                                                     },
        {NOTHING_IN_ROOM("wrapped"),                                               422, "E_BAD_PAYLOAD",   "/data",
         "{payload} is missing"                                                                                                                              },
        {"{\"event\":\"pair\",\"room\":\"x\",\"data\":{\"a\":1}}",                 422, "E_BAD_PAYLOAD",
         "/data/b",                                                                                                      "payload.b"                         },
        {NOTHING_IN_ROOM("guarded"),                                               403, "E_FORBIDDEN",     NULL,         "may not publish"                   },
    };
    struct rig *rig = *state;
    struct rig_answer answer;
    char text[300];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_post(rig, "/broadcast", AUTH, rows[i].body, &answer);
        if (answer.status != rows[i].status || !strstr(answer.body, rows[i].said))
            fail_msg("%s: %s", rows[i].body, answer.body);
        snprintf(text, sizeof text, "\"code\":\"%s\"", rows[i].code);
        assert_non_null(strstr(answer.body, text));
        snprintf(text, sizeof text, "\"pointer\":\"%s\"",
                 rows[i].pointer ? rows[i].pointer : "");
        if (rows[i].pointer && !strstr(answer.body, text))
            fail_msg("%s: %s", rows[i].body, answer.body);
    }
    assert_int_equal(rig->engine.appended, 0);
}

static void refusals_by_contract_are_counted(void **state)
{
    struct metrics_snapshot snapshot;
    struct rig *rig = *state;
    struct rig_answer answer;

    rig_post(rig, "/broadcast", AUTH, "{\"event\":\"agent_update\",\"data\":{}}",
             &answer);
    rig_post(rig, "/broadcast", AUTH, "{\"event\":\"nobody\",\"all\":true}", &answer);
    metrics_snapshot(&rig->metrics, &snapshot);
    assert_int_equal(snapshot.values[METRIC_CONTRACT_REFUSED], 1);
    assert_int_equal(snapshot.values[METRIC_PUBLISH_REFUSED], 2);
}

/* They are written by the thread that publishes. */
static void refusals_by_contract_have_so_many_lines_a_second(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    char line[1024];
    unsigned told = 0;

    rig->log.level = LOG_LEVEL_INFO;
    dup2(fileno(file), STDERR_FILENO);
    for (int i = 0; i < MANY; i++)
        rig_post(rig, "/broadcast", AUTH, "{\"event\":\"agent_update\",\"data\":{}}",
                 &answer);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rig->log.level = LOG_LEVEL_ERROR;
    rewind(file);
    while (fgets(line, sizeof line, file))
        told += strstr(line, "publish refused by contract") != NULL;
    fclose(file);
    assert_in_range(told, 1, MANY - 1);
}

static void the_target_follows_from_the_payload(void **state)
{
    static const struct {
        const char *body;
        const char *rooms; /* as the answer tells them */
    } rows[] = {
        {"{\"event\":\"agent_update\",\"data\":{\"agentId\":\"a1\"}}",              "[\"agent:a1\"]" },
        {"{\"event\":\"agent_update\",\"data\":{\"agentId\":17}}",                  "[\"agent:17\"]" },
        {"{\"event\":\"agent_update\",\"data\":{\"agentId\":1},\"room\":\"mine\"}",
         "[\"mine\"]"                                                                                },
        {"{\"event\":\"several\",\"data\":{\"a\":1,\"list\":[2,\"x\",2]}}",
         "[\"a:1\",\"b:2\",\"b:x\",\"lobby\"]"                                                       },
        {"{\"event\":\"news\"}",                                                    "[\"*\"]"        },
        {"{\"event\":\"mail\",\"data\":{\"ids\":[1,\"\\u00e9 2\"],\"mail\":1}}",
         "[\"user:1\",\"user:\xc3\xa9 2\"]"                                                          },
        {"{\"event\":\"note\",\"data\":{\"p\":7,\"u\":8}}",                         "[\"project:7\"]"},
        {"{\"event\":\"nota\",\"data\":{\"u\":8}}",                                 "[\"user:8\"]"   },
    };
    struct rig *rig = *state;
    struct rig_answer answer;
    char text[200];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_post(rig, "/broadcast", AUTH, rows[i].body, &answer);
        snprintf(text, sizeof text, "\"rooms\":%s", rows[i].rooms);
        if (answer.status != 202 || !strstr(answer.body, text))
            fail_msg("%s: %s", rows[i].body, answer.body);
    }
}

static void what_clients_get_is_made_once(void **state)
{
    static const struct {
        const char *body;
        const char *event_json, *data, *args;
    } rows[] = {
  /* Untouched where no shape is wanted, inner bytes untouched where one is. */
        {"{\"event\":\"plain\",\"room\":\"x\",\"data\":{\"x\": 1.50}}",           "\"plain\"",
         "{\"x\": 1.50}",                                                                                                        ""                             },
        {"{\"event\":\"mail\",\"data\":{\"ids\":[1],\"mail\":{\"x\": 1.50, "
         "\"x\\u0041\":0}}}",                                            "\"mail\"",   "{\"x\": 1.50, \"x\\u0041\":0}", ""                             },
        {"{\"event\":\"pair\",\"room\":\"x\",\"data\":{\"a\":[ 1],\"b\":\"c\"}}",
         "\"pair\"",                                                                            "",                              "[[ 1],\"pair\",{\"b\":\"c\"}]"},
        {"{\"event\":\"spread\",\"room\":\"x\",\"args\":[1,{\"a\": 2},\"b\"]}",
         "\"spread\"",                                                                          "",                              "[{\"a\": 2},\"b\"]"           },
        {"{\"event\":\"spread\",\"room\":\"x\",\"data\":1}",                      "\"spread\"", "",                              "[]"                           },
        {"{\"event\":\"nota\",\"data\":{\"u\":8}}",                               "\"note\"",   "{\"u\":8}",                     ""                             },
        {NOTHING_IN_ROOM("plain"),                                                "\"plain\"",  "",                              ""                             },
    };
    struct rig *rig = *state;
    struct rig_answer answer;
    struct envelope envelope;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_post(rig, "/broadcast", AUTH, rows[i].body, &answer);
        if (answer.status != 202)
            fail_msg("%s: %s", rows[i].body, answer.body);
        decode(rig->engine.last, rig->engine.last_len, &envelope);
        if (!slice_is(envelope.event_json, rows[i].event_json) ||
            !slice_is(envelope.data, rows[i].data) ||
            !slice_is(envelope.args, rows[i].args))
            fail_msg("%s: %.*s %.*s %.*s", rows[i].body, (int)envelope.event_json.len,
                     envelope.event_json.ptr, (int)envelope.data.len, envelope.data.ptr,
                     (int)envelope.args.len, envelope.args.ptr);
    }
}

static void an_envelope_knows_event_time_and_names(void **state)
{
    static const char body[] = "{\"event\":\"wrapped\",\"room\":\"x\",\"data\":[1.0, 2]}";
    struct rig *rig = *state;
    struct rig_answer answer;
    struct envelope envelope;
    char uuid[40], by[40];
    long long at;

    rig_post(rig, "/broadcast", AUTH "X-Request-Id: r-1\r\n", body, &answer);
    assert_int_equal(answer.status, 202);
    decode(rig->engine.last, rig->engine.last_len, &envelope);
    char *text = slice_dup(envelope.data);
    assert_int_equal(sscanf(text,
                            "{\"type\":\"wrapped\",\"data\":[1.0, 2],\"at\":%lld,\"id\":"
                            "\"%36[0-9a-f-]\",\"by\":\"%30[a-z0-9-]\"}",
                            &at, uuid, by),
                     3);
    assert_true(at > 1600000000000 && at <= envelope.at_ms);
    assert_int_equal(strlen(uuid), 36);
    assert_true(uuid[14] == '4' && strchr("89ab", uuid[19]));
    assert_string_equal(by, "r-1");
    free(text);
}

static void an_event_goes_out_under_each_of_its_names(void **state)
{
    static const int modes[] = {RIG_KEEPS, RIG_KEEPS_NOW, RIG_COUNTS_LATE};
    struct rig *rig = *state;
    struct rig_answer answer;
    struct envelope envelope;

    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
        rig->engine.mode = modes[i];
        rig_post(rig, "/broadcast", AUTH,
                 "{\"event\":\"twins\",\"room\":\"x\",\"data\":{\"n\": 1}}", &answer);
        assert_int_equal(answer.status, 202);
        assert_int_equal(rig->engine.appended, 2 * (i + 1));
        decode(rig->engine.before, rig->engine.before_len, &envelope);
        assert_true(slice_is(envelope.event_json, "\"twin.one\""));
        assert_true(slice_is(envelope.data, "{\"n\": 1}"));
        decode(rig->engine.last, rig->engine.last_len, &envelope);
        assert_true(slice_is(envelope.event_json, "\"twin\\\"two\""));
        assert_true(slice_is(envelope.event, "twin\"two"));
        assert_true(slice_is(envelope.data, "{\"n\": 1}"));
    }
    rig->engine.mode = RIG_LOSES_LOG;
    rig_post(rig, "/broadcast", AUTH, NOTHING_IN_ROOM("twins"), &answer);
    assert_int_equal(answer.status, 503);
}

/* Else a repeated id would bring the first name once more, or leave one out. */
static void all_names_are_kept_or_none_is(void **state)
{
    static const char twins[] = "{\"event\":\"twins\",\"room\":\"x\",\"id\":\"t-1\"}";
    struct rig *rig = *state;
    struct rig_answer answer;

    rig->engine.places = 1;
    rig_post(rig, "/broadcast", AUTH, twins, &answer);
    assert_int_equal(answer.status, 503);
    assert_int_equal(rig->engine.appended, 0);
    rig->engine.places = 2;
    rig_post(rig, "/broadcast", AUTH, twins, &answer);
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.body, "\"position\":\"AAAAAAAB-2\""));
    assert_int_equal(rig->engine.appended, 2);
    rig_post(rig, "/broadcast", AUTH, twins, &answer);
    assert_non_null(strstr(answer.body, "\"duplicate\":true"));
    assert_int_equal(rig->engine.appended, 2);
}

static void flags_are_the_rows_unless_the_request_says_more(void **state)
{
    static const struct {
        const char *body;
        unsigned flags;
    } rows[] = {
        {"{\"event\":\"plain\",\"room\":\"x\"}",    ENVELOPE_HISTORY },
        {"{\"event\":\"news\"}",                    ENVELOPE_VOLATILE},
        {"{\"event\":\"news\",\"volatile\":false}", ENVELOPE_HISTORY },
        {"{\"event\":\"news\",\"history\":true}",   ENVELOPE_VOLATILE},
        {"{\"event\":\"kept\"}",                    0                },
        {"{\"event\":\"kept\",\"history\":true}",   ENVELOPE_HISTORY },
    };
    struct rig *rig = *state;
    struct rig_answer answer;
    struct envelope envelope;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_post(rig, "/broadcast", AUTH, rows[i].body, &answer);
        assert_int_equal(answer.status, 202);
        decode(rig->engine.last, rig->engine.last_len, &envelope);
        if (envelope.flags != rows[i].flags)
            fail_msg("%s: %u", rows[i].body, envelope.flags);
    }
}

static void a_row_names_keys_and_scopes_that_may_publish(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;

    rig_post(rig, "/broadcast", AUTH, NOTHING_IN_ROOM("open"), &answer);
    assert_int_equal(answer.status, 202);
    rig_post(rig, "/broadcast", AUTH, NOTHING_IN_ROOM("scoped"), &answer);
    assert_int_equal(answer.status, 202);
}

static void a_repeated_id_gets_the_first_answer_also_in_an_envelope(void **state)
{
    static const char body[] = "{\"event\":\"wrapped\",\"room\":\"x\",\"data\":1,"
                               "\"id\":\"order-1\"}";
    struct rig *rig = *state;
    struct rig_answer answer;

    rig_post(rig, "/broadcast", AUTH, body, &answer);
    assert_int_equal(answer.status, 202);
    rig_post(rig, "/broadcast", AUTH, body, &answer);
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.body, "\"duplicate\":true"));
    assert_int_equal(rig->engine.appended, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_refusal_has_its_code_and_its_pointer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refusals_by_contract_are_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refusals_by_contract_have_so_many_lines_a_second,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_target_follows_from_the_payload, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_clients_get_is_made_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_envelope_knows_event_time_and_names, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_event_goes_out_under_each_of_its_names, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(all_names_are_kept_or_none_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flags_are_the_rows_unless_the_request_says_more,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_names_keys_and_scopes_that_may_publish,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_repeated_id_gets_the_first_answer_also_in_an_envelope, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
