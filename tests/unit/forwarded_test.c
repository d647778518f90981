/* Whose address a request counts for, and which host it was sent to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/forwarded.h"

#include <stdio.h>
#include <string.h>

/* 10.0.0.0/8 and fd00::/8 are listed. */
static enum status read_fields(const char *peer, const char *fields,
                               struct forwarded *forwarded)
{
    static char text[2048];
    static struct http_head head;
    struct ip_prefix_list proxies;
    struct ip_address address;
    struct slice bad;
    const char *reason;

    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a:1\r\n%s\r\n", fields);
    assert_int_equal(http_gate_raw(slice_of(text), &head, &reason), ST_OK);
    assert_int_equal(ip_prefix_list_parse(SLICE("10.0.0.0/8,fd00::/8"), &proxies, &bad),
                     ST_OK);
    assert_true(ip_address_parse(slice_of(peer), &address));
    return forwarded_read(&head, &proxies, &address, forwarded, &reason);
}

static void the_client_is_the_rightmost_that_is_not_listed(void **state)
{
    static const struct {
        const char *peer;
        const char *fields;
        const char *client;
    } rows[] = {
        {"8.8.8.8",  "",                                                                "8.8.8.8"    },
        {"8.8.8.8",  "X-Forwarded-For: 1.1.1.1\r\n",                                    "8.8.8.8"    },
        {"8.8.8.8",  "Forwarded: for=1.1.1.1\r\n",                                      "8.8.8.8"    },
        {"10.0.0.1", "",                                                                "10.0.0.1"   },
        {"10.0.0.1", "X-Forwarded-For: 1.1.1.1\r\n",                                    "1.1.1.1"    },
        {"10.0.0.1", "X-Forwarded-For: 6.6.6.6, 1.1.1.1\r\n",                           "1.1.1.1"    },
        {"10.0.0.1", "X-Forwarded-For: 6.6.6.6,1.1.1.1 , 10.2.2.2\r\n",                 "1.1.1.1"    },
        {"10.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1\r\n",
         "1.1.1.1"                                                                                   },
        {"10.0.0.1", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 10.3.3.3\r\n",
         "1.1.1.1"                                                                                   },
        {"10.0.0.1", "X-Forwarded-For: 10.9.9.9, 10.2.2.2\r\n",                         "10.9.9.9"   },
        {"10.0.0.1", "X-Forwarded-For: 6.6.6.6, evil, 10.2.2.2\r\n",                    "10.2.2.2"   },
        {"10.0.0.1", "X-Forwarded-For: evil, 1.1.1.1\r\n",                              "1.1.1.1"    },
        {"10.0.0.1", "X-Forwarded-For: unknown\r\n",                                    "10.0.0.1"   },
        {"10.0.0.1", "X-Forwarded-For: \r\n",                                           "10.0.0.1"   },
        {"10.0.0.1", "X-Forwarded-For: 1.1.1.1,\r\n",                                   "10.0.0.1"   },
        {"10.0.0.1", "X-Forwarded-For: 1.1.1.1:4711\r\n",                               "1.1.1.1"    },
        {"10.0.0.1", "X-Forwarded-For: 2001:db8::7\r\n",                                "2001:db8::7"},
        {"10.0.0.1", "X-Forwarded-For: [2001:db8::7]:99\r\n",                           "2001:db8::7"},
        {"fd00::1",  "x-forwarded-for: 1.1.1.1, fd00::2\r\n",                           "1.1.1.1"    },
        {"10.0.0.1", "Forwarded: for=1.1.1.1\r\n",                                      "1.1.1.1"    },
        {"10.0.0.1", "Forwarded: For=6.6.6.6, for=1.1.1.1;proto=https;by=10.0.0.1\r\n",
         "1.1.1.1"                                                                                   },
        {"10.0.0.1", "Forwarded: for=\"[2001:db8::7]:4711\"\r\n",                       "2001:db8::7"},
        {"10.0.0.1", "Forwarded: for=1.1.1.1, for=10.4.4.4\r\n",                        "1.1.1.1"    },
        {"10.0.0.1", "Forwarded: for=_hidden\r\n",                                      "10.0.0.1"   },
        {"10.0.0.1", "Forwarded: proto=https\r\n",                                      "10.0.0.1"   },
        {"10.0.0.1", "Forwarded: for=\"6.6.6.6, for=1.1.1.1\"\r\n",                     "10.0.0.1"   },
        {"10.0.0.1", "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\n",          "1.1.1.1"    },
    };
    struct forwarded forwarded;
    char text[IP_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(read_fields(rows[i].peer, rows[i].fields, &forwarded), ST_OK);
        ip_address_print(&forwarded.client, text);
        if (strcmp(text, rows[i].client) != 0)
            fail_msg("%s: %s, not %s", rows[i].fields, text, rows[i].client);
    }
}

static void headers_that_contradict_each_other_are_refused(void **state)
{
    static const char fields[] = "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=2.2.2.2\r\n";
    struct forwarded forwarded;

    (void)state;
    assert_int_equal(read_fields("10.0.0.1", fields, &forwarded), ST_BAD_REQUEST);
    assert_int_equal(read_fields("8.8.8.8", fields, &forwarded), ST_OK);
}

static void scheme_and_host_are_taken_from_listed_proxies_only(void **state)
{
    static const struct {
        const char *peer;
        const char *fields;
        const char *host;
        enum http_scheme scheme;
    } rows[] = {
        {"10.0.0.1", "",                                                    "a:1",             HTTP_SCHEME_UNKNOWN},
        {"10.0.0.1", "X-Forwarded-Proto: https\r\n",                        "a:1",             HTTP_SCHEME_HTTPS  },
        {"10.0.0.1", "X-Forwarded-Proto: http\r\n",                         "a:1",             HTTP_SCHEME_HTTP   },
        {"10.0.0.1", "X-Forwarded-Proto: http, wss\r\n",                    "a:1",             HTTP_SCHEME_HTTPS  },
        {"10.0.0.1", "X-Forwarded-Proto: gopher\r\n",                       "a:1",             HTTP_SCHEME_UNKNOWN},
        {"10.0.0.1", "X-Forwarded-Host: app.example.com\r\n",               "app.example.com",
         HTTP_SCHEME_UNKNOWN                                                                                      },
        {"10.0.0.1", "Forwarded: for=1.1.1.1;host=\"b:2\";proto=https\r\n", "b:2",
         HTTP_SCHEME_HTTPS                                                                                        },
        {"8.8.8.8",  "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n", "a:1",
         HTTP_SCHEME_UNKNOWN                                                                                      },
    };
    struct forwarded forwarded;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(read_fields(rows[i].peer, rows[i].fields, &forwarded), ST_OK);
        assert_true(slice_is(forwarded.host, rows[i].host));
        assert_int_equal(forwarded.scheme, rows[i].scheme);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_the_rightmost_that_is_not_listed),
        cmocka_unit_test(headers_that_contradict_each_other_are_refused),
        cmocka_unit_test(scheme_and_host_are_taken_from_listed_proxies_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
