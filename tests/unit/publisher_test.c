/* A whole publisher over real sockets, with an engine that does what the test says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/publisher_words.h"

#include "bridge/clock.h"

static void a_publish_is_answered_when_it_is_kept(void **state)
{
    static const int modes[] = {RIG_KEEPS, RIG_KEEPS_NOW, RIG_COUNTS_LATE};
    struct rig *rig = *state;
    struct rig_answer answer;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        char text[512], id[256];
        rig->engine.mode = modes[i];
        rig_post(rig, i ? "/broadcast" : "/v1/publish", AUTH, GOOD, &answer);
        assert_int_equal(answer.status, 202);
        assert_int_equal(strlen(member(answer.body, "id", id)), 26);
        snprintf(text, sizeof text,
                 "{\"id\":\"%s\",\"position\":\"AAAAAAAB-%zu\",\"durability\":\"memory\","
                 "\"recipients\":17,\"complete\":true,\"duplicate\":false,"
                 "\"rooms\":[\"project:7\"]}",
                 id, i + 1);
        assert_string_equal(answer.body, text);
    }
    assert_int_equal(metric(rig, METRIC_PUBLISHED), 3);
}

static void the_envelope_carries_the_bytes_that_came(void **state)
{
    static struct envelope_room room;
    struct rig *rig = *state;
    struct rig_answer answer;
    struct envelope envelope;

    rig_post(rig, "/broadcast", AUTH "X-Request-Id: r-1\r\n", GOOD, &answer);
    assert_int_equal(answer.status, 202);
    assert_int_equal(
        envelope_decode((struct slice){rig->engine.last, rig->engine.last_len}, &room,
                        &envelope),
        ST_OK);
    assert_true(slice_is(envelope.data, "{\"x\": 1.50}"));
    assert_true(slice_is(envelope.event, "moved"));
    assert_true(slice_is(envelope.request_id, "r-1"));
    assert_true(slice_is(envelope.targets[0].name, "project:7"));
    assert_int_equal(envelope.id.len, 26);
    assert_true(envelope.at_ms > 1600000000000);
    assert_true(envelope.accepted_us > 0 && envelope.accepted_us <= clock_us());
}

static void a_repeated_id_gets_the_first_answer(void **state)
{
    struct rig *rig = *state;
    struct rig_answer first, second;

    rig_post(rig, "/broadcast", AUTH, GOOD_WITH_ID, &first);
    assert_int_equal(first.status, 202);
    assert_null(strstr(first.text, "Idempotency-Replayed"));
    rig->engine.recipients = 99;
    rig_post(rig, "/broadcast", AUTH, GOOD_WITH_ID, &second);
    assert_int_equal(second.status, 202);
    assert_non_null(strstr(second.text, "Idempotency-Replayed: true"));

    char *flag = strstr(second.text, "\"duplicate\":true");
    assert_non_null(flag);
    const char *rest = strstr(first.body, "\"duplicate\":false");
    assert_memory_equal(first.body, second.body, (size_t)(rest - first.body));
    assert_string_equal(rest + strlen("\"duplicate\":false"),
                        flag + strlen("\"duplicate\":true"));
    assert_int_equal(rig->engine.appended, 1);
    assert_int_equal(metric(rig, METRIC_PUBLISH_DUPLICATES), 1);
}

static void an_id_with_another_body_is_refused(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;
    char code[256];

    rig_post(rig, "/broadcast", AUTH "Idempotency-Key: \"order-1\"\r\n", GOOD, &answer);
    assert_int_equal(answer.status, 202);
    assert_string_equal(member(answer.body, "id", code), "order-1");
    rig_post(rig, "/broadcast", AUTH, GOOD_WITH_ID, &answer);
    assert_int_equal(answer.status, 422);
    assert_string_equal(member(answer.body, "code", code), "E_ID_REUSED");
    rig_post(rig, "/broadcast", AUTH "X-Idempotency-Key: order-1\r\n", GOOD, &answer);
    assert_int_equal(answer.status, 202);
    assert_int_equal(rig->engine.appended, 1);
}

static void an_id_in_flight_is_a_conflict(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;
    char code[256];

    rig->engine.mode = RIG_HOLDS;
    int fd = rig_post_begin(rig, "/broadcast", AUTH, GOOD_WITH_ID);
    wait_appended(rig, 1);
    rig_post(rig, "/broadcast", AUTH, GOOD_WITH_ID, &answer);
    assert_int_equal(answer.status, 409);
    assert_string_equal(member(answer.body, "code", code), "E_CONFLICT");
    rig->engine.mode = RIG_KEEPS;
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 202);
}

static void what_was_not_kept_may_be_sent_again(void **state)
{
    static const struct {
        enum rig_mode mode;
        const char *code;
    } rows[] = {
        {RIG_IS_BUSY,   "E_BUSY"    },
        {RIG_LOSES_LOG, "E_LOG_DOWN"}
    };
    struct rig *rig = *state;
    struct rig_answer answer;
    char code[256];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig->engine.mode = (int)rows[i].mode;
        rig_post(rig, "/broadcast", AUTH, GOOD_WITH_ID, &answer);
        assert_int_equal(answer.status, 503);
        assert_string_equal(member(answer.body, "code", code), rows[i].code);
        assert_non_null(strstr(answer.text, "Retry-After:"));
    }
    rig->engine.mode = RIG_KEEPS;
    rig_post(rig, "/broadcast", AUTH, GOOD_WITH_ID, &answer);
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.body, "\"duplicate\":false"));
}

static void an_answer_is_remembered_though_its_peer_has_left(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;

    rig->engine.mode = RIG_HOLDS;
    int fd = rig_post_begin(rig, "/broadcast", AUTH, GOOD_WITH_ID);
    wait_appended(rig, 1);
    close(fd);
    wait_metric(rig, METRIC_HTTP_CONNECTIONS, 0);
    rig->engine.mode = RIG_KEEPS;
    wait_metric(rig, METRIC_PUBLISHED, 1);
    rig_post(rig, "/broadcast", AUTH, GOOD_WITH_ID, &answer);
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.body, "\"duplicate\":true"));
    assert_int_equal(rig->engine.appended, 1);
}

static void nobody_there_is_a_warning_and_not_an_error(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;

    rig->engine.recipients = 0;
    rig_post(rig, "/broadcast", AUTH, GOOD, &answer);
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.body, "\"recipients\":0,\"complete\":true"));
    assert_non_null(strstr(answer.body, "W_NO_RECIPIENTS"));
    rig->engine.complete = false;
    rig_post(rig, "/broadcast", AUTH, GOOD, &answer);
    assert_non_null(strstr(answer.body, "\"recipients\":null,\"complete\":false"));
    assert_null(strstr(answer.body, "warning"));
}

static void what_is_being_rebuilt_is_no_number(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;

    rig->engine.complete = false; /* a silent gateway: the number is still one */
    rig_post(rig, "/broadcast", AUTH, GOOD, &answer);
    assert_non_null(strstr(answer.body, "\"recipients\":17,\"complete\":false"));
    rig->engine.is_rebuilding = true;
    rig_post(rig, "/broadcast", AUTH, GOOD, &answer);
    assert_non_null(strstr(answer.body, "\"recipients\":null,\"complete\":false"));
    assert_null(strstr(answer.body, "warning"));
    rig_get(rig->ops_port, "/v1/stats", "", &answer);
    assert_non_null(strstr(answer.body, "\"connections\":null,\"users\":null,"
                                        "\"rooms\":null,\"memberships\":null,"));
    assert_non_null(strstr(answer.body, "\"complete\":false}"));
}

static void refusals_say_what_to_do(void **state)
{
    static const struct {
        const char *target, *fields, *body, *code, *pointer;
        int status;
    } rows[] = {
        {"/broadcast",           "",                                                              GOOD,                                           "E_UNAUTH",      NULL,     401},
        {"/broadcast",           "Authorization: Basic eDp5\r\n",                                 GOOD,                                           "E_UNAUTH",      NULL,     401},
        {"/broadcast",           "Authorization: Bearer\r\n",                                     GOOD,                                           "E_UNAUTH",      NULL,     401},
        {"/broadcast",           "Authorization: Bearer a.b.c\r\n",                               GOOD,                                           "E_UNAUTH",      NULL,     401},
        {"/broadcast",           "X-API-Key: sk_no\r\n",                                          GOOD,                                           "E_UNAUTH",      NULL,     401},
        {"/broadcast",           "X-API-Key: sk_BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
         GOOD,                                                                                                                                    "E_UNAUTH",      NULL,     401},
        {"/broadcast",           AUTH,                                                            "{",                                            "E_BAD_REQUEST", "",       400},
        {"/broadcast",           AUTH,                                                            "",                                             "E_BAD_REQUEST", "",       400},
        {"/broadcast",           AUTH,                                                            "{\"event\":\"x\"}",                            "E_BAD_TARGET",  NULL,     422},
        {"/broadcast",           AUTH,                                                            "{\"event\":\"x\",\"room\":\"a:1\",\"rom\":1}",
         "E_BAD_PAYLOAD",                                                                                                                                          "/rom",   422},
        {"/broadcast",           AUTH,                                                            "{\"event\":7,\"room\":\"a:1\"}",               "E_BAD_PAYLOAD", "/event",
         422                                                                                                                                                                    },
        {"/broadcast",           AUTH,                                                            "{\"event\":\"x\",\"room\":\"a b\"}",           "E_BAD_TARGET",
         "/room",                                                                                                                                                            422},
        {"/broadcast",           AUTH "Idempotency-Key: other\r\n",                               GOOD_WITH_ID,                                   "E_BAD_REQUEST",
         NULL,                                                                                                                                                               400},
        {"/broadcast",           AUTH "Idempotency-Key: a\r\nX-Idempotency-Key: b\r\n",           GOOD,
         "E_BAD_REQUEST",                                                                                                                                          NULL,     400},
        {"/broadcast",           AUTH "Idempotency-Key: a b\r\n",                                 GOOD,                                           "E_BAD_REQUEST", NULL,     400},
        {"/broadcast?dry_run=1", AUTH,                                                            GOOD,                                           "E_BAD_REQUEST", NULL,     400},
        {"/broadcast",           AUTH "Content-Type: multipart/form-data\r\n",                    GOOD,                                           "E_MEDIA_TYPE",
         NULL,                                                                                                                                                               415},
        {"/broadcast",           AUTH "Content-Encoding: gzip\r\n",                               GOOD,                                           "E_MEDIA_TYPE",  NULL,
         415                                                                                                                                                                    },
        {"/nowhere",             AUTH,                                                            GOOD,                                           "E_NOT_FOUND",   NULL,     404},
        {"/v1/stats",            AUTH,                                                            GOOD,                                           "E_METHOD",      NULL,     405},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig_answer answer;
        char text[256];

        rig_post(rig, rows[i].target, rows[i].fields, rows[i].body, &answer);
        if (answer.status != rows[i].status)
            print_error("row %zu: %s\n", i, answer.text);
        assert_int_equal(answer.status, rows[i].status);
        assert_non_null(strstr(answer.text, "application/problem+json"));
        assert_string_equal(member(answer.body, "code", text), rows[i].code);
        if (strlen(member(answer.body, "detail", text)) < 12)
            print_error("%s\n", answer.body);
        assert_true(strlen(member(answer.body, "detail", text)) > 10);
        assert_true(strlen(member(answer.body, "hint", text)) > 10);
        assert_true(strlen(member(answer.body, "instance", text)) > 0);
        assert_non_null(strstr(answer.text, text));
        if (rows[i].pointer && rows[i].pointer[0]) {
            char pointer[128];
            snprintf(pointer, sizeof pointer, "\"pointer\":\"%s\"", rows[i].pointer);
            assert_non_null(strstr(answer.body, pointer));
        }
        assert_null(strstr(answer.body, "sk_B"));
        /* RFC 6750 §3: an error is named only to who sent something. */
        bool is_given = strstr(rows[i].fields, "a.b.c") || strstr(rows[i].fields, "sk_");
        if (answer.status == 401)
            assert_non_null(
                strstr(answer.text,
                       is_given ? "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"
                                : "WWW-Authenticate: Bearer\r\n"));
    }
    assert_int_equal(rig->engine.appended, 0);
}

static void a_body_over_the_limit_is_told_the_limit(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;
    char body[2101], detail[256];

    memset(body, ' ', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    rig_post(rig, "/broadcast", AUTH, body, &answer);
    assert_int_equal(answer.status, 413);
    assert_non_null(strstr(member(answer.body, "detail", detail), "2000"));
}

/* The body never comes: who has no key is not waited for. */
static void a_large_body_is_read_only_for_who_may_publish(void **state)
{
    static const char head[] = "POST /broadcast HTTP/1.1\r\nHost: a\r\n"
                               "Content-Length: 1500\r\n\r\n";
    struct rig *rig = *state;
    struct rig_answer answer;
    char code[256];

    int fd = rig_send(rig->api_port, head);
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 401);
    assert_string_equal(member(answer.body, "code", code), "E_UNAUTH");
}

/* Gives a header line with a token of these claims; `room` "" is a list of none. */
static void token_field(struct rig *rig, const char *aud, const char *scope,
                        const char *room, char out[1024])
{
    struct buf text = {.max = LIMIT_TOKEN_BYTES};
    json_t *claims =
        json_pack("{s:s, s:I, s:s, s:s}", "sub", "backend", "exp",
                  (json_int_t)(clock_wall_ms() / 1000 + 60), "aud", aud, "scope", scope);

    if (room)
        json_object_set_new(claims, "rooms",
                            room[0] ? json_pack("[s]", room) : json_array());
    assert_int_equal(token_mint(rig->keys, SLICE(""), claims, &text), ST_OK);
    snprintf(out, 1024, "Authorization: Bearer %.*s\r\n", (int)text.len, text.ptr);
    json_decref(claims);
    buf_finish(&text);
}

static void a_token_publishes_what_it_was_minted_for(void **state)
{
    static const struct {
        const char *aud, *scope, *room;
        int status;
    } rows[] = {
        {"sidecast:publish", "publish",       NULL,        202},
        {"sidecast:publish", "admin publish", "project:*", 202},
        {"sidecast:publish", "publish",       "village:*", 403},
        {"sidecast:publish", "publish",       "",          403},
        {"sidecast:publish", "admin",         NULL,        403},
        {"sidecast:publish", "",              NULL,        403},
        {"sidecast:admin",   "publish",       NULL,        401},
        {"app",              "publish",       NULL,        401},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig_answer answer;
        char field[1024];

        token_field(rig, rows[i].aud, rows[i].scope, rows[i].room, field);
        rig_post(rig, "/broadcast", field, GOOD, &answer);
        if (answer.status != rows[i].status)
            print_error("row %zu: %s\n", i, answer.text);
        assert_int_equal(answer.status, rows[i].status);
    }
}

static void health_needs_no_key_on_either_listener(void **state)
{
    static const char *const paths[][2] = {
        {"/livez",   "ok"   },
        {"/healthz", "ok"   },
        {"/readyz",  "ready"}
    };
    struct rig *rig = *state;
    struct rig_answer answer;

    for (size_t i = 0; i < 3; i++) {
        rig_get(rig->api_port, paths[i][0], "", &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, paths[i][1]);
        rig_get(rig->ops_port, paths[i][0], "", &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, paths[i][1]);
    }
    rig_get(rig->ops_port, "/readyz?verbose", "", &answer);
    assert_non_null(strstr(answer.body, "{\"ready\":true,\"checks\":[{\"name\":"));
    rig_get(rig->api_port, "/readyz?verbose", "", &answer);
    assert_string_equal(answer.body, "ready");
}

static void stats_are_for_admins_and_for_ops(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;
    char field[1024];

    rig_get(rig->api_port, "/v1/stats", "", &answer);
    assert_int_equal(answer.status, 401);
    rig_get(rig->api_port, "/v1/stats", AUTH, &answer);
    assert_int_equal(answer.status, 200);
    token_field(rig, "sidecast:publish", "admin", NULL, field);
    rig_get(rig->api_port, "/v1/stats", field, &answer);
    assert_int_equal(answer.status, 200);
    token_field(rig, "app", "admin", NULL, field);
    rig_get(rig->api_port, "/v1/stats", field, &answer);
    assert_int_equal(answer.status, 401);
    assert_non_null(strstr(answer.body, "\\\"scope\\\":\\\"admin\\\""));
    rig_get(rig->ops_port, "/v1/stats", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(
        answer.body,
        "\"epoch\":\"AAAAAAAB\",\"position\":\"AAAAAAAB-0\",\"connections\":3,\"users\":"
        "2,"
        "\"rooms\":4,\"memberships\":9,\"published\":0,\"deliveries\":40,\"dropped\":0,"
        "\"gateways\":[{\"id\":\"g1\",\"pid\":12,\"ready\":true,\"connections\":3,"
        "\"lag_ms\":5}],\"complete\":true}"));
}

static void metrics_show_the_gateways_too(void **state)
{
    struct rig *rig = *state;
    struct rig_answer answer;

    rig_get(rig->ops_port, "/metrics", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "sidecast_deliveries_total{gateway=\"g1\"} 40"));
    rig_get(rig->api_port, "/metrics", "", &answer);
    assert_int_equal(answer.status, 404);
}

/* With a head and half a body, which nobody has to have a key for. */
static int crowd(struct rig *rig, const char *ip)
{
    char half[256];

    snprintf(half, sizeof half,
             "POST /broadcast HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\n"
             "Content-Length: 1000\r\n\r\n{",
             ip);
    return rig_send(rig->api_port, half);
}

static void no_address_has_more_than_half_of_the_connections(void **state)
{
    enum {
        HALF_OF_ALL = 2048,
    };
    static int fds[HALF_OF_ALL];
    struct rig *rig = *state;
    struct rig_answer answer;
    char code[256];

    for (size_t i = 0; i < HALF_OF_ALL; i++)
        fds[i] = crowd(rig, "203.0.113.7");
    wait_metric(rig, METRIC_HTTP_CONNECTIONS, HALF_OF_ALL);
    rig_read(crowd(rig, "203.0.113.7"), &answer);
    assert_int_equal(answer.status, 429);
    assert_string_equal(member(answer.body, "code", code), "E_LIMIT");
    rig_post(rig, "/broadcast", AUTH "X-Forwarded-For: 203.0.113.8\r\n", GOOD, &answer);
    assert_int_equal(answer.status, 202);
    rig_post(rig, "/broadcast", AUTH, GOOD, &answer);
    assert_int_equal(answer.status, 202);

    for (size_t i = 0; i < HALF_OF_ALL; i++)
        close(fds[i]);
    wait_metric(rig, METRIC_HTTP_CONNECTIONS, 0);
    rig_post(rig, "/broadcast", AUTH "X-Forwarded-For: 203.0.113.7\r\n", GOOD, &answer);
    assert_int_equal(answer.status, 202);
}

/* What the engine lets go after the publisher's end must find nothing to break. */
static void an_end_with_a_held_publish_is_clean(void **state)
{
    struct rig *rig = *state;

    rig->engine.mode = RIG_HOLDS;
    int fd = rig_post_begin(rig, "/broadcast", AUTH, GOOD_WITH_ID);
    int other = rig_post_begin(rig, "/broadcast", AUTH, GOOD);
    wait_appended(rig, 2);
    close(other);
    wait_metric(rig, METRIC_HTTP_CONNECTIONS, 1);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_publish_is_answered_when_it_is_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_envelope_carries_the_bytes_that_came, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_id_gets_the_first_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_id_with_another_body_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_id_in_flight_is_a_conflict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_kept_may_be_sent_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_answer_is_remembered_though_its_peer_has_left,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_there_is_a_warning_and_not_an_error,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals_say_what_to_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_over_the_limit_is_told_the_limit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_large_body_is_read_only_for_who_may_publish,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_publishes_what_it_was_minted_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(health_needs_no_key_on_either_listener, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_being_rebuilt_is_no_number, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(stats_are_for_admins_and_for_ops, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(metrics_show_the_gateways_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_address_has_more_than_half_of_the_connections,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_with_a_held_publish_is_clean, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
