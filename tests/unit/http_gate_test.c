/* The HTTP gate: what passes, what is refused and why, on both feeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/http_gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: a\r\n"
#define UPGRADE                                                                          \
    "GET /ws HTTP/1.1\r\nHost: a:80\r\nConnection: keep-alive, Upgrade\r\n"              \
    "Upgrade: websocket\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static struct http_head head; /* too large for a test's stack to be nice */

static enum status gate(const char *text)
{
    const char *reason = NULL;
    enum status st = http_gate_raw(slice_of(text), &head, &reason);

    assert_true((st == ST_OK || st == ST_AGAIN) == (reason == NULL));
    return st;
}

static void a_head_is_taken_apart(void **state)
{
    static const char text[] =
        "POST /v1/a%20b/?x=1&y=?&z HTTP/1.1\r\nHost: [::1]:8080\r\n"
        "Content-Length:  12\t\r\nX-Empty:\r\nx-a: b : c\xff\r\n"
        "Connection: Keep-Alive , TE\r\n\r\nhello, body!";

    assert_int_equal(gate(text), ST_OK);
    assert_int_equal(head.method, HTTP_POST);
    assert_true(slice_is(head.target, "/v1/a%20b/?x=1&y=?&z"));
    assert_true(slice_is(head.path, "/v1/a%20b/"));
    assert_true(slice_is(head.query, "x=1&y=?&z"));
    assert_int_equal(head.minor, 1);
    assert_int_equal(head.field_count, 5);
    assert_true(slice_is(head.fields[0].name, "Host"));
    assert_true(slice_is(http_head_field(&head, "host"), "[::1]:8080"));
    assert_true(slice_is(http_head_field(&head, "X-EMPTY"), ""));
    assert_true(slice_is(http_head_field(&head, "X-A"), "b : c\xff"));
    assert_true(slice_is(http_head_field(&head, "X-B"), ""));
    assert_true(http_head_has_token(&head, "connection", "te"));
    assert_false(http_head_has_token(&head, "connection", "keep"));
    assert_true(head.has_length);
    assert_int_equal(head.length, 12);
    assert_false(head.is_chunked);
    assert_true(head.keeps_alive);
    assert_false(head.is_websocket);
    assert_int_equal(head.head_bytes, strlen(text) - 12);
    (void)state;
}

static void every_method_passes_by_its_name(void **state)
{
    for (int m = HTTP_GET; m <= HTTP_OPTIONS; m++) {
        char text[64];
        snprintf(text, sizeof text, "%s / HTTP/1.1\r\n" HOST "\r\n",
                 http_method_name((enum http_method)m));
        assert_int_equal(gate(text), ST_OK);
        assert_int_equal(head.method, m);
    }
    (void)state;
}

struct row {
    const char *text;
    enum status expected;
};

static void run(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum status st = gate(rows[i].text);
        if (st != rows[i].expected)
            fail_msg("%d instead of %d: %s", st, rows[i].expected, rows[i].text);
    }
}

static void request_lines_have_one_form(void **state)
{
    static const struct row rows[] = {
        {"GET /\t HTTP/1.1\r\n" HOST "\r\n",          ST_BAD_REQUEST},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n",           ST_BAD_REQUEST},
        {"GET /  HTTP/1.1\r\n" HOST "\r\n",           ST_BAD_REQUEST},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n",           ST_BAD_REQUEST},
        {" GET / HTTP/1.1\r\n" HOST "\r\n",           ST_BAD_REQUEST},
        {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n",        ST_BAD_REQUEST},
        {"GET /\r\n" HOST "\r\n",                     ST_BAD_REQUEST},
        {"GET\r\n\r\n",                               ST_BAD_REQUEST},
        {"GET / HTTP/1.2\r\n" HOST "\r\n",            ST_BAD_REQUEST},
        {"GET / HTTP/2.0\r\n" HOST "\r\n",            ST_BAD_REQUEST},
        {"GET / HTTP/0.9\r\n" HOST "\r\n",            ST_BAD_REQUEST},
        {"GET / http/1.1\r\n" HOST "\r\n",            ST_BAD_REQUEST},
        {"GET / HTTP/1.10\r\n" HOST "\r\n",           ST_BAD_REQUEST},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",          ST_BAD_REQUEST},
        {"\x16\x03\x01\x02",                          ST_BAD_REQUEST},
        {"TRACE / HTTP/1.1\r\n" HOST "\r\n",          ST_METHOD     },
        {"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n",      ST_METHOD     },
        {"get / HTTP/1.1\r\n" HOST "\r\n",            ST_METHOD     },
        {"GETT / HTTP/1.1\r\n" HOST "\r\n",           ST_METHOD     },
        {"G(T / HTTP/1.1\r\n" HOST "\r\n",            ST_BAD_REQUEST},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n",        ST_BAD_REQUEST},
        {"GET http://a/ HTTP/1.1\r\n" HOST "\r\n",    ST_BAD_REQUEST},
        {"GET a HTTP/1.1\r\n" HOST "\r\n",            ST_BAD_REQUEST},
        {"GET ?x HTTP/1.1\r\n" HOST "\r\n",           ST_BAD_REQUEST},
        {"GET /a#b HTTP/1.1\r\n" HOST "\r\n",         ST_BAD_REQUEST},
        {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n",        ST_BAD_REQUEST},
        {"GET /\x7f HTTP/1.1\r\n" HOST "\r\n",        ST_BAD_REQUEST},
        {"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n",    ST_BAD_REQUEST},
        {"GET /livez%00x HTTP/1.1\r\n" HOST "\r\n",   ST_BAD_REQUEST},
        {"GET /a%2 HTTP/1.1\r\n" HOST "\r\n",         ST_BAD_REQUEST},
        {"GET /a%zz HTTP/1.1\r\n" HOST "\r\n",        ST_BAD_REQUEST},
        {"GET /a%2fb?x=%zz HTTP/1.1\r\n" HOST "\r\n", ST_OK         },
    };

    run(rows, COUNT(rows));
    (void)state;
}

/* The shapes that at least one of the parsers behind us takes for something else. */
static void smuggling_shapes_are_refused(void **state)
{
#define POST "POST / HTTP/1.1\r\n"
    static const struct row rows[] = {
        {POST HOST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
         ST_BAD_REQUEST                                                                         },
        {POST HOST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
         ST_BAD_REQUEST                                                                         },
        {POST HOST "Content-Length: 4\r\nContent-Length: 5\r\n\r\n",             ST_BAD_REQUEST },
        {POST HOST "Content-Length: 4\r\ncontent-length: 4\r\n\r\n",             ST_BAD_REQUEST },
        {POST HOST "Content-Length: 4, 4\r\n\r\n",                               ST_BAD_REQUEST },
        {POST HOST "Content-Length: 4 5\r\n\r\n",                                ST_BAD_REQUEST },
        {POST HOST "Content-Length: +4\r\n\r\n",                                 ST_BAD_REQUEST },
        {POST HOST "Content-Length: -1\r\n\r\n",                                 ST_BAD_REQUEST },
        {POST HOST "Content-Length: 0x4\r\n\r\n",                                ST_BAD_REQUEST },
        {POST HOST "Content-Length: abc\r\n\r\n",                                ST_BAD_REQUEST },
        {POST HOST "Content-Length:\r\n\r\n",                                    ST_BAD_REQUEST },
        {POST HOST "Content-Length: 12345678901\r\n\r\n",                        ST_BAD_REQUEST },
        {POST HOST "Content-Length : 4\r\n\r\n",                                 ST_BAD_REQUEST },
        {POST HOST "Transfer-Encoding : chunked\r\n\r\n",                        ST_BAD_REQUEST },
        {POST HOST "Transfer-Encoding: xchunked\r\n\r\n",                        ST_BAD_ENCODING},
        {POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",                   ST_BAD_ENCODING},
        {POST HOST "Transfer-Encoding: chunked, chunked\r\n\r\n",                ST_BAD_ENCODING},
        {POST HOST "Transfer-Encoding: identity\r\n\r\n",                        ST_BAD_ENCODING},
        {POST HOST "Transfer-Encoding: Chunked\r\n\r\n",                         ST_BAD_ENCODING},
        {POST HOST "Transfer-Encoding: \"chunked\"\r\n\r\n",                     ST_BAD_ENCODING},
        {POST HOST "Transfer-Encoding:\r\n\r\n",                                 ST_BAD_ENCODING},
        {POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
         ST_BAD_ENCODING                                                                        },
        {POST HOST "Transfer-Encoding: \x0b"
                   "chunked\r\n\r\n",                                   ST_BAD_REQUEST },
        {POST HOST "Transfer-Encoding:\r\n chunked\r\n\r\n",                     ST_BAD_REQUEST },
        {POST HOST "X: a\r\n b\r\n\r\n",                                         ST_BAD_REQUEST },
        {POST HOST "X: a\r\n\tb\r\n\r\n",                                        ST_BAD_REQUEST },
        {POST " X: a\r\n" HOST "\r\n",                                           ST_BAD_REQUEST },
        {"POST / HTTP/1.1\nHost: a\n\n",                                         ST_BAD_REQUEST },
        {POST "Host: a\nContent-Length: 4\r\n\r\n",                              ST_BAD_REQUEST },
        {POST HOST "\nX: a\r\n\r\n",                                             ST_BAD_REQUEST },
        {POST HOST "X: a\rY: b\r\n\r\n",                                         ST_BAD_REQUEST },
        {POST HOST "X: a\r\r\n\r\n",                                             ST_BAD_REQUEST },
        {POST "\r\n",                                                            ST_BAD_REQUEST },
        {POST HOST "host: b\r\n\r\n",                                            ST_BAD_REQUEST },
        {POST "Host: a, b\r\n\r\n",                                              ST_BAD_REQUEST },
        {POST "Host: a/b\r\n\r\n",                                               ST_BAD_REQUEST },
        {POST "Host: u@a\r\n\r\n",                                               ST_BAD_REQUEST },
        {POST "Host: a b\r\n\r\n",                                               ST_BAD_REQUEST },
        {POST HOST ": x\r\n\r\n",                                                ST_BAD_REQUEST },
        {POST HOST "X\r\n\r\n",                                                  ST_BAD_REQUEST },
        {POST HOST "X(Y): 1\r\n\r\n",                                            ST_BAD_REQUEST },
        {POST HOST "X\x80: 1\r\n\r\n",                                           ST_BAD_REQUEST },
        {POST HOST "X: \x01\r\n\r\n",                                            ST_BAD_REQUEST },
        {POST HOST "X: \x7f\r\n\r\n",                                            ST_BAD_REQUEST },
        {"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",        ST_BAD_REQUEST },
        {"GET / HTTP/1.0\r\n" HOST HOST "\r\n",                                  ST_BAD_REQUEST },
    };
#undef POST

    run(rows, COUNT(rows));
    (void)state;
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
    static const char text[] = "GET /a HTTP/1.1\r\nHost: a\r\nX-Y: z\r\n\r\n";
    char copy[sizeof text];
    const char *reason;

    for (size_t i = 0; i < sizeof text - 1; i++) {
        memcpy(copy, text, sizeof text);
        copy[i] = '\0';
        assert_int_equal(
            http_gate_raw((struct slice){copy, sizeof text - 1}, &head, &reason),
            ST_BAD_REQUEST);
    }
    (void)state;
}

static void honest_framing_passes(void **state)
{
    assert_int_equal(gate("POST / HTTP/1.1\r\n" HOST "\r\n"), ST_OK);
    assert_false(head.has_length || head.is_chunked);
    assert_int_equal(gate("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), ST_OK);
    assert_true(head.has_length && head.length == 0);
    assert_int_equal(gate("PUT / HTTP/1.1\r\n" HOST "content-length:0000000012\r\n\r\n"),
                     ST_OK);
    assert_true(head.has_length && head.length == 12);
    assert_int_equal(
        gate("POST / HTTP/1.1\r\n" HOST "Transfer-encoding: chunked\r\n\r\n"), ST_OK);
    assert_true(head.is_chunked && !head.has_length);
    assert_int_equal(gate("GET / HTTP/1.1\r\nHost:\r\n\r\n"), ST_OK);
    (void)state;
}

static void a_connection_is_kept_as_its_version_says(void **state)
{
    static const struct {
        const char *text;
        bool keeps_alive;
    } rows[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n",                                       true },
        {"GET / HTTP/1.1\r\n" HOST "Connection: a,CLOSE\r\n\r\n",                false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: a\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n",                                               false},
        {"GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n",             true },
        {"GET / HTTP/1.0\r\n" HOST "Connection: keep-alive, close\r\n\r\n",      false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(gate(rows[i].text), ST_OK);
        assert_int_equal(head.keeps_alive, rows[i].keeps_alive);
    }
    (void)state;
}

static void a_websocket_request_is_complete_or_refused(void **state)
{
#define ASKS "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    static const struct row rows[] = {
        {UPGRADE VERSION KEY "\r\n",                                                       ST_OK            },
        {"GET / HTTP/1.1\r\n" HOST
         "connection: UPGRADE\r\nupgrade: h2c, WebSocket\r\n" VERSION KEY "\r\n",
         ST_OK                                                                                              },
        {"POST / HTTP/1.1\r\n" HOST ASKS VERSION KEY "\r\n",                               ST_BAD_REQUEST   },
        {"GET / HTTP/1.0\r\n" HOST ASKS VERSION KEY "\r\n",                                ST_BAD_REQUEST   },
        {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n" VERSION KEY "\r\n",
         ST_BAD_REQUEST                                                                                     },
        {"GET / HTTP/1.1\r\n" HOST
         "Connection: close\r\nUpgrade: websocket\r\n" VERSION KEY "\r\n",
         ST_BAD_REQUEST                                                                                     },
        {UPGRADE KEY "\r\n",                                                               ST_BAD_REQUEST   },
        {UPGRADE VERSION "\r\n",                                                           ST_BAD_REQUEST   },
        {UPGRADE VERSION VERSION KEY "\r\n",                                               ST_BAD_REQUEST   },
        {UPGRADE VERSION KEY KEY "\r\n",                                                   ST_BAD_REQUEST   },
        {UPGRADE "Sec-WebSocket-Version: 8\r\n" KEY "\r\n",                                ST_UPGRADE_NEEDED},
        {UPGRADE "Sec-WebSocket-Version: 13, 8\r\n" KEY "\r\n",                            ST_UPGRADE_NEEDED},
        {UPGRADE VERSION "Sec-WebSocket-Key: short\r\n\r\n",                               ST_BAD_REQUEST   },
        {UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=a\r\n\r\n",
         ST_BAD_REQUEST                                                                                     },
        {UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2*jZQ==\r\n\r\n",
         ST_BAD_REQUEST                                                                                     },
        {UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQQ==\r\n\r\n",
         ST_BAD_REQUEST                                                                                     },
        {UPGRADE VERSION KEY "Content-Length: 0\r\n\r\n",                                  ST_BAD_REQUEST   },
        {UPGRADE VERSION KEY "Transfer-Encoding: chunked\r\n\r\n",                         ST_BAD_REQUEST   },
    };
#undef ASKS

    for (size_t i = 0; i < COUNT(rows); i++) {
        enum status st = gate(rows[i].text);
        if (st != rows[i].expected)
            fail_msg("%d instead of %d: %s", st, rows[i].expected, rows[i].text);
        assert_int_equal(head.is_websocket, st == ST_OK);
    }
    (void)state;
}

static void other_upgrades_are_plain_requests(void **state)
{
    assert_int_equal(gate("GET / HTTP/1.1\r\n" HOST
                          "Connection: Upgrade, HTTP2-Settings\r\n"
                          "Upgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n"),
                     ST_OK);
    assert_false(head.is_websocket);
    (void)state;
}

static void every_prefix_waits_for_more(void **state)
{
    static const char text[] = UPGRADE VERSION KEY "Cookie: a=b\r\n\r\n";
    size_t whole = sizeof text - 1;
    const char *reason;

    for (size_t n = 0; n <= whole; n++) {
        char *copy = malloc(n + 1); /* exactly n bytes for the sanitizer, and one for 0 */
        assert_non_null(copy);
        memcpy(copy + 1, text, n);
        enum status st = http_gate_raw((struct slice){copy + 1, n}, &head, &reason);
        assert_int_equal(st, n == whole ? ST_OK : ST_AGAIN);
        free(copy);
    }
    (void)state;
}

/* A head of exactly `size` bytes. */
static char *make_head(size_t size)
{
    static const char from[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    char *text = malloc(size);

    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, from, sizeof from - 1);
    memcpy(text + size - 4, "\r\n\r\n", 4);
    return text;
}

static void a_head_may_be_as_long_as_the_limit(void **state)
{
    char *text = make_head(LIMIT_HTTP_HEAD_BYTES + 1);
    const char *reason;

    assert_int_equal(
        http_gate_raw((struct slice){text, LIMIT_HTTP_HEAD_BYTES + 1}, &head, &reason),
        ST_HEAD_TOO_LARGE);
    assert_int_equal(
        http_gate_raw((struct slice){text, LIMIT_HTTP_HEAD_BYTES}, &head, &reason),
        ST_HEAD_TOO_LARGE);
    assert_int_equal(
        http_gate_raw((struct slice){text, LIMIT_HTTP_HEAD_BYTES - 1}, &head, &reason),
        ST_AGAIN);
    free(text);

    text = make_head(LIMIT_HTTP_HEAD_BYTES);
    assert_int_equal(
        http_gate_raw((struct slice){text, LIMIT_HTTP_HEAD_BYTES}, &head, &reason),
        ST_OK);
    assert_int_equal(head.head_bytes, LIMIT_HTTP_HEAD_BYTES);
    free(text);
    (void)state;
}

static void fields_are_counted(void **state)
{
    for (size_t n = LIMIT_HTTP_FIELDS; n <= LIMIT_HTTP_FIELDS + 1; n++) {
        char text[2048] = "GET / HTTP/1.1\r\nHost: a\r\n";
        for (size_t i = 1; i < n; i++)
            strcat(text, "a: b\r\n");
        strcat(text, "\r\n");
        assert_int_equal(gate(text), n == LIMIT_HTTP_FIELDS ? ST_OK : ST_HEAD_TOO_LARGE);
    }
    (void)state;
}

static enum status gate_list(const char *method, const char *target, const char *version,
                             const char *const *fields)
{
    const char *reason;

    memset(&head, 0xaa, sizeof head);
    head.target = slice_of(target);
    head.field_count = 0;
    for (size_t i = 0; fields[i]; i += 2)
        head.fields[head.field_count++] =
            (struct http_field){slice_of(fields[i]), slice_of(fields[i + 1])};
    return http_gate_fields(slice_of(method), slice_of(version), &head, &reason);
}

static void the_list_feed_has_the_same_rules(void **state)
{
    static const char *const plain[] = {"Host", "a", "Content-Length", " 4 ", NULL};
    static const char *const none[] = {NULL};
    static const char *const both[] = {"Host", "a", "Content-Length",    "4",
                                       "TE",   "x", "Transfer-Encoding", "chunked",
                                       NULL};
    static const char *const two_hosts[] = {"Host", "a", "HOST", "a", NULL};
    static const char *const two_lengths[] = {
        "Host", "a", "Content-Length", "4", "Content-Length", "4", NULL};
    static const char *const coding[] = {"Host", "a", "Transfer-Encoding", "gzip", NULL};
    static const char *const blank_name[] = {"Host", "a", "X ", "y", NULL};
    static const char *const folded[] = {"Host", "a", "X", "y\r\n z", NULL};

    assert_int_equal(gate_list("POST", "/a?b=c", "HTTP/1.1", plain), ST_OK);
    assert_int_equal(head.method, HTTP_POST);
    assert_true(slice_is(head.path, "/a") && slice_is(head.query, "b=c"));
    assert_true(head.has_length && head.length == 4 && head.keeps_alive);
    assert_false(head.is_websocket || head.is_chunked);

    assert_int_equal(gate_list("GET", "/", "HTTP/1.0", none), ST_OK);
    assert_int_equal(gate_list("GET", "/", "HTTP/1.1", none), ST_BAD_REQUEST);
    assert_int_equal(gate_list("TRACE", "/", "HTTP/1.1", plain), ST_METHOD);
    assert_int_equal(gate_list("GET", "http://a/", "HTTP/1.1", plain), ST_BAD_REQUEST);
    assert_int_equal(gate_list("GET", "/%00", "HTTP/1.1", plain), ST_BAD_REQUEST);
    assert_int_equal(gate_list("GET", "/", "HTTP/2.0", plain), ST_BAD_REQUEST);
    assert_int_equal(gate_list("POST", "/", "HTTP/1.1", both), ST_BAD_REQUEST);
    assert_int_equal(gate_list("POST", "/", "HTTP/1.1", two_hosts), ST_BAD_REQUEST);
    assert_int_equal(gate_list("POST", "/", "HTTP/1.1", two_lengths), ST_BAD_REQUEST);
    assert_int_equal(gate_list("POST", "/", "HTTP/1.1", coding), ST_BAD_ENCODING);
    assert_int_equal(gate_list("POST", "/", "HTTP/1.1", blank_name), ST_BAD_REQUEST);
    assert_int_equal(gate_list("POST", "/", "HTTP/1.1", folded), ST_BAD_REQUEST);
    (void)state;
}

static void the_last_query_value_wins(void **state)
{
    struct slice query = SLICE("EIO=4&sid=a&&flag&sid=b%20c=d&x=");
    struct slice value = SLICE("untouched");

    assert_false(http_query_find(query, "si", &value));
    assert_true(slice_is(value, "untouched"));
    assert_true(http_query_find(query, "sid", &value));
    assert_true(slice_is(value, "b%20c=d"));
    assert_true(http_query_find(query, "flag", &value) && value.len == 0);
    assert_true(http_query_find(query, "x", &value) && value.len == 0);
    assert_false(http_query_find((struct slice){0}, "x", &value));
    (void)state;
}

static void percent_escapes_are_decoded(void **state)
{
    static const char *const bad[] = {"%",   "%4",  "a%",    "%4g",
                                      "%g4", "%00", "a%00b", "%%41"};
    char out[64];
    size_t len;

    assert_true(http_percent_decode(SLICE("a%20B%c3%A9+%2b"), true, out, &len));
    assert_true(slice_is((struct slice){out, len}, "a B\xc3\xa9 +"));
    assert_true(http_percent_decode(SLICE("a+b"), false, out, &len));
    assert_true(slice_is((struct slice){out, len}, "a+b"));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(http_percent_decode(slice_of(bad[i]), true, out, &len));
    (void)state;
}

static void a_cookie_is_found_by_its_exact_name(void **state)
{
    struct slice cookies = SLICE("a=1; token=\"x.y=\";b; TOKEN=no;  token=second; e=");
    struct slice value;

    assert_true(http_cookie_find(cookies, "token", &value));
    assert_true(slice_is(value, "x.y="));
    assert_true(http_cookie_find(cookies, "e", &value) && value.len == 0);
    assert_false(http_cookie_find(cookies, "oken", &value));
    assert_false(http_cookie_find(cookies, "b", &value));
    assert_false(http_cookie_find((struct slice){0}, "a", &value));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_taken_apart),
        cmocka_unit_test(every_method_passes_by_its_name),
        cmocka_unit_test(request_lines_have_one_form),
        cmocka_unit_test(smuggling_shapes_are_refused),
        cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
        cmocka_unit_test(honest_framing_passes),
        cmocka_unit_test(a_connection_is_kept_as_its_version_says),
        cmocka_unit_test(a_websocket_request_is_complete_or_refused),
        cmocka_unit_test(other_upgrades_are_plain_requests),
        cmocka_unit_test(every_prefix_waits_for_more),
        cmocka_unit_test(a_head_may_be_as_long_as_the_limit),
        cmocka_unit_test(fields_are_counted),
        cmocka_unit_test(the_list_feed_has_the_same_rules),
        cmocka_unit_test(the_last_query_value_wins),
        cmocka_unit_test(percent_escapes_are_decoded),
        cmocka_unit_test(a_cookie_is_found_by_its_exact_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
