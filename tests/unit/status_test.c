/* The table of statuses: no value is forgotten, and the wire codes stay what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/status.h"

static void every_status_has_a_code_a_title_and_an_http_status(void **state)
{
    for (int i = 0; i < ST_COUNT; i++) {
        enum status st = (enum status)i;
        if (!status_code(st) || !status_title(st) || status_title(st)[0] == '\0')
            fail_msg("status %d has no row", i);
        assert_true(status_http(st) >= 200 && status_http(st) <= 599);
        if (i > ST_AGAIN) {
            assert_memory_equal(status_code(st), "E_", 2);
            assert_true(status_http(st) >= 400);
        }
    }
    (void)state;
}

static void codes_and_http_statuses_are_a_promise(void **state)
{
    static const struct {
        enum status status;
        const char *code;
        int http;
    } rows[] = {
        {ST_OK,             "OK",              200},
        {ST_BAD_REQUEST,    "E_BAD_REQUEST",   400},
        {ST_BAD_PACKET,     "E_BAD_REQUEST",   400},
        {ST_HEAD_TOO_LARGE, "E_BAD_REQUEST",   431},
        {ST_NO_LENGTH,      "E_BAD_REQUEST",   411},
        {ST_UPGRADE_NEEDED, "E_BAD_REQUEST",   426},
        {ST_BAD_ENCODING,   "E_BAD_REQUEST",   501},
        {ST_UNAUTH,         "E_UNAUTH",        401},
        {ST_BAD_CREDENTIAL, "E_UNAUTH",        401},
        {ST_FORBIDDEN,      "E_FORBIDDEN",     403},
        {ST_NOT_FOUND,      "E_NOT_FOUND",     404},
        {ST_METHOD,         "E_METHOD",        405},
        {ST_MEDIA_TYPE,     "E_MEDIA_TYPE",    415},
        {ST_TIMEOUT,        "E_TIMEOUT",       408},
        {ST_CONFLICT,       "E_CONFLICT",      409},
        {ST_ID_REUSED,      "E_ID_REUSED",     422},
        {ST_TOO_LARGE,      "E_TOO_LARGE",     413},
        {ST_BAD_PAYLOAD,    "E_BAD_PAYLOAD",   422},
        {ST_BAD_TARGET,     "E_BAD_TARGET",    422},
        {ST_UNKNOWN_EVENT,  "E_UNKNOWN_EVENT", 422},
        {ST_RATE_LIMIT,     "E_RATE_LIMIT",    429},
        {ST_LIMIT,          "E_LIMIT",         429},
        {ST_INTERNAL,       "E_INTERNAL",      500},
        {ST_BUSY,           "E_BUSY",          503},
        {ST_NO_MEMORY,      "E_BUSY",          503},
        {ST_BUS_DOWN,       "E_BUS_DOWN",      503},
        {ST_LOG_DOWN,       "E_LOG_DOWN",      503},
        {ST_DRAINING,       "E_DRAINING",      503},
        {ST_UNAVAILABLE,    "E_UNAVAILABLE",   503},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(status_code(rows[i].status), rows[i].code);
        assert_int_equal(status_http(rows[i].status), rows[i].http);
    }
    (void)state;
}

static void only_what_passes_by_itself_is_worth_a_retry(void **state)
{
    assert_true(status_is_passing(ST_BUSY));
    assert_true(status_is_passing(ST_NO_MEMORY));
    assert_true(status_is_passing(ST_RATE_LIMIT));
    assert_true(status_is_passing(ST_DRAINING));
    assert_false(status_is_passing(ST_OK));
    assert_false(status_is_passing(ST_BAD_REQUEST));
    assert_false(status_is_passing(ST_UNAUTH));
    assert_false(status_is_passing(ST_INTERNAL));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_code_a_title_and_an_http_status),
        cmocka_unit_test(codes_and_http_statuses_are_a_promise),
        cmocka_unit_test(only_what_passes_by_itself_is_worth_a_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
