/* Polling clients of a load: what they ask, and what they read. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/load_poller.h"

#include <string.h>

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: "

static void expect_ask(struct load_poller *poller, const char *request)
{
    struct buf out = {.max = 4096};

    load_poller_ask(poller, "h:1", "/s/?EIO=4&transport=polling", &out);
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr, request);
    buf_finish(&out);
}

static void expect_take(struct load_poller *poller, const char *answer,
                        const char *wanted)
{
    struct slice packets = {0}, rest;
    int status;

    /* Every prefix of it waits for the rest. */
    for (size_t len = 0; len < strlen(answer); len++)
        assert_int_equal(load_poller_take(poller, (struct slice){answer, len}, &packets,
                                          &rest, &status),
                         ST_AGAIN);
    assert_int_equal(load_poller_take(poller, slice_of(answer), &packets, &rest, &status),
                     ST_OK);
    assert_true(slice_is(packets, wanted));
    assert_int_equal(rest.len, 0);
}

static void it_posts_what_it_has_to_say_and_polls_otherwise(void **state)
{
    struct load_poller poller = {0};

    (void)state;
    expect_ask(&poller, "GET /s/?EIO=4&transport=polling HTTP/1.1\r\nHost: h:1\r\n\r\n");
    expect_take(&poller, OK_HEAD "26\r\n\r\n0{\"sid\":\"abc\",\"upgrades\":[",
                "0{\"sid\":\"abc\",\"upgrades\":[");
    load_poller_say(&poller, SLICE("40"));
    load_poller_say(&poller, SLICE("3"));
    expect_ask(&poller,
               "POST /s/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nHost: h:1\r\n"
               "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 4\r\n\r\n"
               "40\x1e"
               "3");
    expect_take(&poller, OK_HEAD "2\r\n\r\nok", "");
    expect_ask(&poller,
               "GET /s/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nHost: h:1\r\n\r\n");
    load_poller_finish(&poller);
}

static void other_answers_are_told_by_their_status(void **state)
{
    struct load_poller poller = {0};
    struct slice packets, rest;
    int status;

    (void)state;
    assert_int_equal(
        load_poller_take(&poller, SLICE("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
                         &packets, &rest, &status),
        ST_BAD_PACKET);
    assert_int_equal(status, 503);
    assert_int_equal(
        load_poller_take(&poller, SLICE("no answer\r\n\r\n"), &packets, &rest, &status),
        ST_BAD_PACKET);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_posts_what_it_has_to_say_and_polls_otherwise),
        cmocka_unit_test(other_answers_are_told_by_their_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
