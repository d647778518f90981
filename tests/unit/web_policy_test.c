/* Who may ask, over a real front and http_server: origins, CORS, proxies, ceilings. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/http_rig.h"

#define PAGE "https://app.example.com"
#define UPGRADE                                                                          \
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"       \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct web_policy policy_of(const char *origins, const char *proxies,
                                   bool takes_browsers)
{
    const struct config_web config = {
        .allowed_origins = origins,
        .trusted_proxies = proxies,
        .cors_credentials = CONFIG_ON,
        .cors_max_age_ms = 600000,
    };
    struct web_policy policy;

    web_policy_read(&config, takes_browsers, &policy);
    return policy;
}

static void ask_as(struct rig *rig, const char *line, const char *fields,
                   struct rig_answer *answer)
{
    char text[1024];

    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: a\r\n%s\r\n", line, fields);
    rig_ask(rig, text, answer);
}

static void a_listed_page_is_told_that_it_may_read(void **state)
{
    struct web_policy policy = policy_of(PAGE ",null", "", true);
    struct rig *rig = rig_start((struct rig_options){.policy = &policy});
    struct rig_answer answer;

    (void)state;
    ask_as(rig, "GET /health", "Origin: " PAGE "\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Origin: " PAGE "\r\n"));
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Credentials: true\r\n"));
    assert_non_null(strstr(answer.head, "Vary: Origin\r\n"));

    ask_as(rig, "GET /health", "Origin: null\r\n", &answer);
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Origin: null\r\n"));
    assert_null(strstr(answer.head, "Allow-Credentials"));

    ask_as(rig, "GET /nothing", "Origin: " PAGE "\r\n", &answer);
    assert_int_equal(answer.status, 404);
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Origin: " PAGE "\r\n"));
    rig_stop(rig);
}

static void an_unlisted_page_is_refused_and_nothing_is_reflected(void **state)
{
    static const char *const requests[] = {"GET /health", "HEAD /health",
                                           "OPTIONS /health", "GET /nothing"};
    struct web_policy policy = policy_of(PAGE, "", true);
    struct rig *rig = rig_start((struct rig_options){.policy = &policy});
    struct rig_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        ask_as(rig, requests[i],
               "Origin: https://evil.io\r\nAccess-Control-Request-Method: GET\r\n",
               &answer);
        assert_int_equal(answer.status, 403);
        assert_null(strstr(answer.head, "Access-Control"));
        assert_null(strstr(answer.head, "evil.io"));
        assert_non_null(strstr(answer.head, "Vary: Origin\r\n"));
    }
    ask_as(rig, "POST /echo", "Origin: https://evil.io\r\nContent-Length: 2\r\n\r\n{}",
           &answer);
    rig_expect_problem(&answer, 403, "E_FORBIDDEN");
    rig_expect_calm(rig);
    rig_stop(rig);
}

static void a_later_request_of_a_connection_is_judged_again(void **state)
{
    struct web_policy policy = policy_of(PAGE, "", true);
    struct rig *rig = rig_start((struct rig_options){.policy = &policy});
    struct rig_answer answer;
    int fd = rig_connect(rig);

    (void)state;
    rig_send(fd, slice_of("GET /health HTTP/1.1\r\nHost: a\r\nOrigin: " PAGE "\r\n\r\n"));
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 200);
    rig_send(fd, slice_of("GET /health HTTP/1.1\r\nHost: a\r\n"
                          "Origin: https://evil.io\r\n\r\n"));
    rig_read(fd, &answer);
    assert_int_equal(answer.status, 403);
    assert_null(strstr(answer.head, "Access-Control"));
    close(fd);
    rig_stop(rig);
}

static void a_preflight_is_answered_without_the_request_itself(void **state)
{
    struct web_policy policy = policy_of(PAGE, "", true);
    struct rig *rig = rig_start((struct rig_options){.policy = &policy});
    struct rig_answer answer;

    (void)state;
    ask_as(rig, "OPTIONS /echo",
           "Origin: " PAGE "\r\nAccess-Control-Request-Method: POST\r\n"
           "Access-Control-Request-Headers: content-type\r\n",
           &answer);
    assert_int_equal(answer.status, 204);
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Origin: " PAGE "\r\n"));
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Methods: POST\r\n"));
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Headers: Authorization, "
                                        "Content-Type"));
    assert_non_null(strstr(answer.head, "Access-Control-Max-Age: 600\r\n"));
    ask_as(rig, "OPTIONS /health", "Origin: " PAGE "\r\n", &answer);
    assert_int_equal(answer.status, 405); /* no preflight */
    rig_stop(rig);
}

static void everybody_is_let_in_only_by_name_and_never_with_cookies(void **state)
{
    struct web_policy policy = policy_of("insecure:*", "", true);
    struct rig *rig = rig_start((struct rig_options){.policy = &policy});
    struct rig_answer answer;

    (void)state;
    ask_as(rig, "GET /health", "Origin: https://evil.io\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "Access-Control-Allow-Origin: *\r\n"));
    assert_null(strstr(answer.head, "Allow-Credentials"));
    rig_stop(rig);
}

static void pages_of_the_same_host_need_no_permission(void **state)
{
    struct web_policy policy = policy_of("", "", true);
    struct rig *rig = rig_start((struct rig_options){.policy = &policy});
    struct rig_answer answer;

    (void)state;
    ask_as(rig, "GET /health", "Origin: http://a\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_null(strstr(answer.head, "Access-Control"));
    ask_as(rig, "GET /health", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "Vary: Origin\r\n"));
    ask_as(rig, "POST /echo", "Cookie: s=1\r\nContent-Length: 0\r\n", &answer);
    assert_int_equal(answer.status, 403);
    rig_stop(rig);
}

static void a_listener_that_is_not_for_pages_takes_none(void **state)
{
    struct web_policy policy = policy_of(PAGE, "", false);
    struct rig *rig = rig_start((struct rig_options){.policy = &policy});
    struct rig_answer answer;

    (void)state;
    ask_as(rig, "GET /health", "Origin: " PAGE "\r\n", &answer);
    assert_int_equal(answer.status, 403);
    assert_null(strstr(answer.head, "Access-Control"));
    ask_as(rig, "OPTIONS /health",
           "Origin: http://a\r\nAccess-Control-Request-Method: GET\r\n", &answer);
    assert_int_equal(answer.status, 403);
    ask_as(rig, "GET /health", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_null(strstr(answer.head, "Vary"));
    rig_stop(rig);
}

static void the_client_behind_a_listed_proxy_is_what_handlers_see(void **state)
{
    static const struct {
        const char *fields;
        const char *ip;
    } rows[] = {
        {"",                                          "|127.0.0.1|"  },
        {"X-Forwarded-For: 203.0.113.7\r\n",          "|203.0.113.7|"},
        {"X-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n", "|203.0.113.7|"},
        {"Forwarded: for=\"[2001:db8::1]\"\r\n",      "|2001:db8::1|"},
    };
    struct web_policy listed = policy_of("", "127.0.0.1", true);
    struct web_policy unlisted = policy_of("", "10.0.0.0/8", true);
    struct rig_answer answer;

    (void)state;
    struct rig *rig = rig_start((struct rig_options){.policy = &listed});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ask_as(rig, "GET /mirror", rows[i].fields, &answer);
        if (!strstr(answer.body, rows[i].ip))
            fail_msg("%s: %s", rows[i].fields, answer.body);
    }
    ask_as(rig, "GET /mirror",
           "X-Forwarded-For: 203.0.113.7\r\nForwarded: for=203.0.113.8\r\n", &answer);
    assert_int_equal(answer.status, 400);
    rig_stop(rig);

    rig = rig_start((struct rig_options){.policy = &unlisted});
    ask_as(rig, "GET /mirror", rows[1].fields, &answer);
    assert_non_null(strstr(answer.body, rows[0].ip));
    rig_stop(rig);
}

/* --- upgrades */

struct visits {
    atomic_uint count;
};

static struct visits visits;

static enum status on_upgrade(void *ctx, int fd, const struct front_visit *visit,
                              struct problem *refusal)
{
    static const char answer[] = "HTTP/1.1 101 Switching\r\nContent-Length: 0\r\n\r\n";

    (void)ctx;
    (void)refusal;
    atomic_fetch_add(&visits.count, 1);
    (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    close(fd);
    peer_guest_leave(visit->guest);
    return ST_OK;
}

static void upgrades_are_judged_before_anybody_takes_them(void **state)
{
    struct web_policy policy = policy_of(PAGE, "", true);
    struct rig *rig =
        rig_start((struct rig_options){.policy = &policy, .on_upgrade = on_upgrade});
    struct rig_answer answer;

    (void)state;
    atomic_store(&visits.count, 0);
    rig_ask(rig, UPGRADE "Origin: " PAGE "\r\n\r\n", &answer);
    assert_int_equal(answer.status, 101);
    rig_ask(rig, UPGRADE "\r\n", &answer);
    assert_int_equal(answer.status, 101);
    rig_ask(rig, UPGRADE "Origin: https://evil.io\r\n\r\n", &answer);
    rig_expect_problem(&answer, 403, "E_FORBIDDEN");
    rig_ask(rig, UPGRADE "Origin: null\r\n\r\n", &answer);
    assert_int_equal(answer.status, 403);
    rig_ask(rig, UPGRADE "Cookie: s=1\r\n\r\n", &answer);
    assert_int_equal(answer.status, 403);
    assert_int_equal(atomic_load(&visits.count), 2);
    rig_stop(rig);
}

static void an_address_behind_a_proxy_has_its_own_ceilings(void **state)
{
    const struct peer_limits_config limits = {
        .connections = 2,
        .pending = 1,
        .handshakes = {2, 60000},
        .all_handshakes = {3, 60000},
        .max_addresses = 100,
    };
    struct web_policy policy = policy_of("", "127.0.0.1", true);
    struct rig *rig = rig_start((struct rig_options){
        .policy = &policy, .limits = &limits, .on_upgrade = on_upgrade});
    struct rig_answer answer;
    int fds[2];

    (void)state;
    /* Two held requests are two connections of it. */
    for (int i = 0; i < 2; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of("GET /hold HTTP/1.1\r\nHost: a\r\n"
                                  "X-Forwarded-For: 203.0.113.7\r\n\r\n"));
    }
    assert_true(rig_wait_for(&rig->held, 2, 1000));
    ask_as(rig, "GET /health", "X-Forwarded-For: 203.0.113.7\r\n", &answer);
    rig_expect_problem(&answer, 429, "E_LIMIT");
    assert_non_null(strstr(answer.head, "Retry-After: "));
    ask_as(rig, "GET /health", "X-Forwarded-For: 203.0.113.8\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "Connection: close"));
    ask_as(rig, "GET /health", "", &answer); /* the proxy's own */
    assert_int_equal(answer.status, 200);
    close(fds[0]);
    close(fds[1]);
    assert_true(rig_wait_for(&rig->gone, 2, 1000));
    assert_true(rig_metric_reaches(rig, METRIC_HTTP_CONNECTIONS, 0));

    for (int i = 0; i < 3; i++) {
        rig_ask(rig, UPGRADE "X-Forwarded-For: 203.0.113.7\r\n\r\n", &answer);
        assert_int_equal(answer.status, i < 2 ? 101 : 503);
    }
    rig_ask(rig, UPGRADE "X-Forwarded-For: 203.0.113.8\r\n\r\n", &answer);
    assert_int_equal(answer.status, 101);
    rig_ask(rig, UPGRADE "X-Forwarded-For: 203.0.113.9\r\n\r\n", &answer);
    rig_expect_problem(&answer, 503, "E_BUSY"); /* the fourth of all */
    rig_stop(rig);
}

static void heads_that_do_not_end_are_capped_for_one_address(void **state)
{
    const struct peer_limits_config limits = {
        .connections = 10,
        .pending = 2,
        .counts_loopback = true,
        .max_addresses = 100,
    };
    struct rig *rig = rig_start((struct rig_options){.limits = &limits});
    struct rig_answer answer;
    int fds[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        fds[i] = rig_connect(rig);
        rig_send(fds[i], slice_of("GET /health HT"));
    }
    usleep(50000);
    int third = rig_connect(rig);
    rig_read(third, &answer);
    rig_expect_problem(&answer, 429, "E_LIMIT");
    close(third);
    rig_send(fds[0], slice_of("TP/1.1\r\nHost: a\r\n\r\n"));
    rig_read(fds[0], &answer);
    assert_int_equal(answer.status, 200);
    third = rig_connect(rig);
    rig_send(third, slice_of("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"));
    rig_read(third, &answer);
    assert_int_equal(answer.status, 200);
    close(third);
    close(fds[0]);
    close(fds[1]);
    rig_stop(rig);
}

static void no_client_gets_a_descriptor_of_the_reserve(void **state)
{
    struct rig *rig = rig_start((struct rig_options){.max_fd = 3});
    struct rig_answer answer;

    (void)state;
    int fd = rig_connect(rig);
    rig_read(fd, &answer);
    rig_expect_problem(&answer, 503, "E_BUSY");
    assert_true(rig_is_closed(fd));
    close(fd);
    rig_stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listed_page_is_told_that_it_may_read),
        cmocka_unit_test(an_unlisted_page_is_refused_and_nothing_is_reflected),
        cmocka_unit_test(a_later_request_of_a_connection_is_judged_again),
        cmocka_unit_test(a_preflight_is_answered_without_the_request_itself),
        cmocka_unit_test(everybody_is_let_in_only_by_name_and_never_with_cookies),
        cmocka_unit_test(pages_of_the_same_host_need_no_permission),
        cmocka_unit_test(a_listener_that_is_not_for_pages_takes_none),
        cmocka_unit_test(the_client_behind_a_listed_proxy_is_what_handlers_see),
        cmocka_unit_test(upgrades_are_judged_before_anybody_takes_them),
        cmocka_unit_test(an_address_behind_a_proxy_has_its_own_ceilings),
        cmocka_unit_test(heads_that_do_not_end_are_capped_for_one_address),
        cmocka_unit_test(no_client_gets_a_descriptor_of_the_reserve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
