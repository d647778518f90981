#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/dial.h"
#include "cli/http_answer.h"

#include <string.h>

static const char accepted[] = "HTTP/1.1 202 Accepted\r\n"
                               "Content-Type: application/json\r\n"
                               "content-length:  11 \r\n"
                               "\r\n"
                               "{\"id\":\"01\"}";

static void an_answer_has_status_fields_and_body(void **state)
{
    (void)state;
    struct http_answer answer;

    assert_int_equal(http_answer_read(slice_of(accepted), false, &answer), ST_OK);
    assert_int_equal(answer.status, 202);
    assert_true(slice_is(answer.body, "{\"id\":\"01\"}"));
    assert_true(slice_is(http_answer_field(&answer, "Content-Type"), "application/json"));
    assert_int_equal(http_answer_field(&answer, "Location").len, 0);
}

static void every_prefix_asks_for_more_and_is_bad_at_the_end(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof accepted - 1; len++) {
        struct http_answer answer;
        struct slice part = {accepted, len};
        assert_int_equal(http_answer_read(part, false, &answer), ST_AGAIN);
        assert_int_equal(http_answer_read(part, true, &answer), ST_BAD_REQUEST);
    }
}

static void a_body_without_length_goes_to_the_end(void **state)
{
    (void)state;
    struct slice text = SLICE("HTTP/1.0 200 OK\r\n\r\nbody");
    struct http_answer answer;

    assert_int_equal(http_answer_read(text, false, &answer), ST_AGAIN);
    assert_int_equal(http_answer_read(text, true, &answer), ST_OK);
    assert_true(slice_is(answer.body, "body"));
}

static void what_follows_an_upgrade_is_lent_as_body(void **state)
{
    (void)state;
    struct http_answer answer;

    assert_int_equal(
        http_answer_read(SLICE("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\nxy"),
                         false, &answer),
        ST_OK);
    assert_true(slice_is(answer.body, "xy"));
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_answer answer;
        assert_int_equal(http_answer_read(slice_of(bad[i]), false, &answer),
                         ST_BAD_REQUEST);
    }
}

static void a_url_names_host_and_port(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *port; /* host NULL: refused */
    } rows[] = {
        {"http://127.0.0.1:7411",       "127.0.0.1", "7411"},
        {"http://127.0.0.1:7411/",      "127.0.0.1", "7411"},
        {"localhost:7411",              "localhost", "7411"},
        {"http://sidecast",             "sidecast",  "80"  },
        {"http://[::1]:7411",           "::1",       "7411"},
        {"http://[::1]",                "::1",       "80"  },
        {"https://sidecast",            NULL,        NULL  },
        {"http://127.0.0.1:7411/v1",    NULL,        NULL  },
        {"http://127.0.0.1:0",          NULL,        NULL  },
        {"http://127.0.0.1:65536",      NULL,        NULL  },
        {"http://127.0.0.1:",           NULL,        NULL  },
        {"http://:7411",                NULL,        NULL  },
        {"http://[::1",                 NULL,        NULL  },
        {"http://a b",                  NULL,        NULL  },
        {"http://a\r\nX-Injected: yes", NULL,        NULL  },
        {"",                            NULL,        NULL  },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dial_address address;
        char error[DIAL_ERROR_BYTES] = "";
        bool is_good = dial_parse(rows[i].url, &address, error);

        assert_int_equal(is_good, rows[i].host != NULL);
        if (!is_good) {
            assert_true(strlen(error) > 0);
            continue;
        }
        assert_string_equal(address.host, rows[i].host);
        assert_string_equal(address.port, rows[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_status_fields_and_body),
        cmocka_unit_test(every_prefix_asks_for_more_and_is_bad_at_the_end),
        cmocka_unit_test(a_body_without_length_goes_to_the_end),
        cmocka_unit_test(what_follows_an_upgrade_is_lent_as_body),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(a_url_names_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
