/* Which pages may talk to us: one table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/origin.h"

#include <stdio.h>
#include <string.h>

#define UPGRADE                                                                          \
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"         \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static enum origin_verdict judge(const char *list_text, const char *method,
                                 const char *fields, enum http_scheme scheme)
{
    char text[2048];
    struct http_head head;
    struct origin_list list;
    struct slice bad;
    const char *reason;

    snprintf(text, sizeof text, "%s / HTTP/1.1\r\n%s\r\n", method, fields);
    assert_int_equal(http_gate_raw(slice_of(text), &head, &reason), ST_OK);
    assert_int_equal(origin_list_parse(slice_of(list_text), &list, &bad, &reason), ST_OK);
    const struct forwarded forwarded = {.host = http_head_field(&head, "Host"),
                                        .scheme = scheme};
    return origin_judge(&list, &head, &forwarded);
}

static const char listed[] = "https://app.example.com,http://localhost:3000";

/* Host, Origin, and what is said of it with `list`. */
static const struct {
    const char *list;
    const char *host;
    const char *origin;
    enum origin_verdict verdict;
} rows[] = {
    {listed,                  "h",                   "https://app.example.com",           ORIGIN_LISTED   },
    {listed,                  "h",                   "http://localhost:3000",             ORIGIN_LISTED   },
    {listed,                  "h",                   "http://app.example.com",            ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://app.example.com:443",       ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://app.example.com:8443",      ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://APP.example.com",           ORIGIN_REFUSED  },
    {listed,                  "h",                   "HTTPS://app.example.com",           ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://app.example.com.",          ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://app.example.com/",          ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://app.example.com.evil.io",   ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://evil-app.example.com",      ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://evilapp.example.com",       ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://sub.app.example.com",       ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://example.com",               ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://app.example.com@evil.io",   ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://user@app.example.com",      ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://app.example.com https://b", ORIGIN_REFUSED  },
    {listed,                  "h",                   "https://app.example.com,https://b", ORIGIN_REFUSED  },
    {listed,                  "h",                   "app.example.com",                   ORIGIN_REFUSED  },
    {listed,                  "h",                   "null",                              ORIGIN_REFUSED  },
    {listed,                  "h",                   "",                                  ORIGIN_REFUSED  },
    {listed,                  "h",                   "*",                                 ORIGIN_REFUSED  },
    {listed,                  "h",                   "http://h",                          ORIGIN_REFUSED  },
    {"null",                  "h",                   "null",                              ORIGIN_LISTED   },
    {"capacitor://localhost", "h",                   "capacitor://localhost",             ORIGIN_LISTED   },
    {"insecure:*",            "h",                   "https://evil.io",                   ORIGIN_ANY      },
    {"insecure:*",            "h",                   "null",                              ORIGIN_ANY      },
    {"insecure:*,https://a",  "h",                   "https://a",                         ORIGIN_LISTED   },
    {"",                      "app.example.com",     "http://app.example.com",            ORIGIN_SAME_HOST},
    {"",                      "app.example.com",     "https://app.example.com",           ORIGIN_SAME_HOST},
    {"",                      "APP.example.com",     "https://app.example.com",           ORIGIN_SAME_HOST},
    {"",                      "app.example.com:443", "https://app.example.com",           ORIGIN_SAME_HOST},
    {"",                      "127.0.0.1:7410",      "http://127.0.0.1:7410",             ORIGIN_SAME_HOST},
    {"",                      "[::1]:7410",          "http://[::1]:7410",                 ORIGIN_SAME_HOST},
    {"",                      "127.0.0.1:7410",      "http://127.0.0.1:3000",             ORIGIN_REFUSED  },
    {"",                      "127.0.0.1:7410",      "http://localhost:7410",             ORIGIN_REFUSED  },
    {"",                      "127.0.0.1:7410",      "http://127.0.0.1",                  ORIGIN_REFUSED  },
    {"",                      "app.example.com",     "http://APP.example.com",            ORIGIN_REFUSED  },
    {"",                      "app.example.com",     "https://app.example.com:443",       ORIGIN_REFUSED  },
    {"",                      "app.example.com:80",  "https://app.example.com",           ORIGIN_REFUSED  },
    {"",                      "app.example.com",     "https://app.example.com.",          ORIGIN_REFUSED  },
    {"",                      "app.example.com",     "https://app.example.com.evil.io",   ORIGIN_REFUSED  },
    {"",                      "app.example.com",     "https://app.example.com@evil.io",   ORIGIN_REFUSED  },
    {"",                      "app.example.com",     "ftp://app.example.com",             ORIGIN_REFUSED  },
    {"",                      "app.example.com",     "file://",                           ORIGIN_REFUSED  },
    {"",                      "app.example.com",     "null",                              ORIGIN_REFUSED  },
};

static void each_origin_gets_its_verdict_on_upgrades_and_http_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int is_upgrade = 0; is_upgrade < 2; is_upgrade++) {
            char fields[512];
            snprintf(fields, sizeof fields, "Host: %s\r\nOrigin: %s\r\n%s", rows[i].host,
                     rows[i].origin, is_upgrade ? UPGRADE : "");
            if (judge(rows[i].list, "GET", fields, HTTP_SCHEME_UNKNOWN) !=
                rows[i].verdict)
                fail_msg("[%s] %s at %s", rows[i].list, rows[i].origin, rows[i].host);
        }
    }
}

static void a_known_scheme_must_be_the_origins(void **state)
{
    static const char http[] = "Host: a\r\nOrigin: http://a\r\n";
    static const char https[] = "Host: a\r\nOrigin: https://a\r\n";

    (void)state;
    assert_int_equal(judge("", "GET", http, HTTP_SCHEME_HTTP), ORIGIN_SAME_HOST);
    assert_int_equal(judge("", "GET", https, HTTP_SCHEME_HTTP), ORIGIN_REFUSED);
    assert_int_equal(judge("", "GET", http, HTTP_SCHEME_HTTPS), ORIGIN_REFUSED);
    assert_int_equal(judge("", "GET", https, HTTP_SCHEME_HTTPS), ORIGIN_SAME_HOST);
}

static void without_an_origin_programs_pass_and_cookies_do_not(void **state)
{
    static const char plain[] = "Host: a\r\n";
    static const char cookie[] = "Host: a\r\nCookie: s=1\r\n";

    (void)state;
    assert_int_equal(judge("", "GET", plain, 0), ORIGIN_ABSENT);
    assert_int_equal(judge("", "POST", plain, 0), ORIGIN_ABSENT);
    assert_int_equal(judge("", "GET", "Host: a\r\n" UPGRADE, 0), ORIGIN_ABSENT);
    /* A browser sends no Origin with a page it navigates to. */
    assert_int_equal(judge("", "GET", cookie, 0), ORIGIN_ABSENT);
    assert_int_equal(judge("", "POST", cookie, 0), ORIGIN_REFUSED);
    assert_int_equal(judge("", "DELETE", cookie, 0), ORIGIN_REFUSED);
    assert_int_equal(judge("", "GET", "Host: a\r\nCookie: s=1\r\n" UPGRADE, 0),
                     ORIGIN_REFUSED);
    assert_int_equal(judge("insecure:*", "POST", cookie, 0), ORIGIN_ABSENT);
}

static void two_origins_are_one_too_many(void **state)
{
    (void)state;
    assert_int_equal(
        judge("", "GET", "Host: a\r\nOrigin: http://a\r\norigin: http://a\r\n", 0),
        ORIGIN_REFUSED);
}

static void a_host_that_is_missing_is_nobodys_own(void **state)
{
    char text[] = "GET / HTTP/1.0\r\nOrigin: http://a\r\n\r\n";
    struct http_head head;
    const struct origin_list list = {0};
    const struct forwarded forwarded = {0};
    const char *reason;

    (void)state;
    assert_int_equal(http_gate_raw(slice_of(text), &head, &reason), ST_OK);
    assert_int_equal(origin_judge(&list, &head, &forwarded), ORIGIN_REFUSED);
}

static void lists_say_what_is_wrong_with_them(void **state)
{
    static const struct {
        const char *text;
        const char *bad;
        const char *word; /* of the reason */
    } bad[] = {
        {"*",                     "*",                     "insecure:*"  },
        {"https://a,*",           "*",                     "insecure:*"  },
        {"https://*.example.com", "https://*.example.com", "insecure:*"  },
        {"insecure: *",           "insecure: *",           "insecure:*"  },
        {"https://a/",            "https://a/",            "leave the /" },
        {"https://a/b",           "https://a/b",           "no origin"   },
        {"https://A",             "https://A",             "small letter"},
        {"https://a:443",         "https://a:443",         "usual port"  },
        {"http://a:80",           "http://a:80",           "usual port"  },
        {"http://a:080",          "http://a:080",          "no origin"   },
        {"http://a:65536",        "http://a:65536",        "no origin"   },
        {"http://a:",             "http://a:",             "no origin"   },
        {"example.com",           "example.com",           "no origin"   },
        {"https://",              "https://",              "no origin"   },
        {"https://u@a",           "https://u@a",           "no origin"   },
        {"https://[::1",          "https://[::1",          "no origin"   },
        {"https://a,,https://b",  "",                      "no origin"   },
        {"https://a b",           "https://a b",           "no origin"   },
        {"Null",                  "Null",                  "small letter"},
    };
    struct origin_list list;
    struct slice item;
    const char *reason;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(origin_list_parse(slice_of(bad[i].text), &list, &item, &reason),
                         ST_BAD_PAYLOAD);
        if (!slice_is(item, bad[i].bad) || !strstr(reason, bad[i].word))
            fail_msg("%s: %s", bad[i].text, reason);
    }
    assert_int_equal(origin_list_parse(SLICE(" https://a , http://[::1]:8080,null"),
                                       &list, &item, &reason),
                     ST_OK);
    assert_int_equal(list.count, 3);
}

static void a_list_has_an_end(void **state)
{
    char text[(LIMIT_ORIGINS + 1) * 10 + 1] = "";
    struct origin_list list;
    struct slice item;
    const char *reason;

    (void)state;
    for (int i = 0; i <= LIMIT_ORIGINS; i++)
        strcat(text, i ? ",http://a" : "http://a");
    assert_int_equal(origin_list_parse(slice_of(text), &list, &item, &reason),
                     ST_BAD_PAYLOAD);
}

static void a_preflight_is_an_options_request_that_says_so(void **state)
{
    static const struct {
        const char *text;
        bool is_preflight;
    } heads[] = {
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\n"
         "Access-Control-Request-Method: POST\r\n\r\n", true },
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\n\r\n",   false},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\n"
         "Access-Control-Request-Method: POST\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\n"
         "Access-Control-Request-Method: POST\r\n\r\n", false},
    };
    struct http_head head;
    const char *reason;

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        assert_int_equal(http_gate_raw(slice_of(heads[i].text), &head, &reason), ST_OK);
        assert_int_equal(origin_is_preflight(&head), heads[i].is_preflight);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_origin_gets_its_verdict_on_upgrades_and_http_alike),
        cmocka_unit_test(a_known_scheme_must_be_the_origins),
        cmocka_unit_test(without_an_origin_programs_pass_and_cookies_do_not),
        cmocka_unit_test(two_origins_are_one_too_many),
        cmocka_unit_test(a_host_that_is_missing_is_nobodys_own),
        cmocka_unit_test(lists_say_what_is_wrong_with_them),
        cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(a_preflight_is_an_options_request_that_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
