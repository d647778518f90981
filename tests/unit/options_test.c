/* Options: sources, precedence, what is refused and what is said then. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What options_put_environment says first; "" when it is content. */
static void put_environment(struct options *options, char *const *environment,
                            char error[OPTIONS_ERROR_BYTES])
{
    struct faults faults = {0};

    options_put_environment(options, environment, &faults);
    snprintf(error, OPTIONS_ERROR_BYTES, "%s",
             faults.count ? faults.items[0].message : "");
    faults_finish(&faults);
}

static struct options *fresh(void)
{
    struct options *options = options_create();

    assert_non_null(options);
    return options;
}

static void defaults_are_resolved(void **state)
{
    struct options *options = fresh();
    struct config config;

    (void)state;
    options_resolve(options, &config);
    assert_string_equal(config.gateway.listen, "127.0.0.1:7410");
    assert_string_equal(config.publisher.listen, "127.0.0.1:7411");
    assert_string_equal(config.ops.listen, "127.0.0.1:7412");
    assert_int_equal(config.gateway.ping_interval_ms, 25000);
    assert_int_equal(config.gateway.ping_timeout_ms, 20000);
    assert_int_equal(config.gateway.connect_timeout_ms, 45000);
    assert_int_equal(config.gateway.max_message_bytes, 1000000);
    assert_int_equal(config.publisher.max_body_bytes, 262144);
    assert_int_equal(config.publisher.idempotency_ms, 300000);
    assert_int_equal(config.log.keep_bytes, 64 << 20);
    assert_int_equal(config.limits.outbox_bytes, 1 << 20);
    assert_int_equal(config.logs.level, LOG_LEVEL_INFO);
    assert_int_equal(config.logs.format, LOG_FORMAT_TEXT);
    assert_string_equal(config.auth.algorithms, "");
    assert_int_equal(config.auth.leeway_ms, 30000);
    assert_string_equal(config.auth.hmac_secret, "");
    options_destroy(options);
}

static void every_default_is_a_value_that_one_may_set(void **state)
{
    struct options *options = fresh();
    char error[OPTIONS_ERROR_BYTES];

    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        assert_true(strlen(key->doc) > 0);
        if (config_key_is_option(key))
            assert_int_equal(options_put(options, OPTION_FLAG, slice_of(key->path),
                                         slice_of(key->fallback), error),
                             ST_OK);
    }
    options_destroy(options);
}

static void the_stronger_source_wins_in_any_order(void **state)
{
    static const enum option_source orders[][3] = {
        {OPTION_FILE, OPTION_ENV,  OPTION_FLAG},
        {OPTION_FLAG, OPTION_ENV,  OPTION_FILE},
        {OPTION_ENV,  OPTION_FLAG, OPTION_FILE},
        {OPTION_FLAG, OPTION_FILE, OPTION_ENV },
    };
    static const char *const values[] = {
        [OPTION_FILE] = "1s", [OPTION_ENV] = "2s", [OPTION_FLAG] = "3s"};
    char error[OPTIONS_ERROR_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct options *options = fresh();
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(options_put(options, orders[i][k],
                                         SLICE("gateway.ping_interval"),
                                         slice_of(values[orders[i][k]]), error),
                             ST_OK);
        assert_string_equal(options_text(options, "gateway.ping_interval"), "3s");
        assert_int_equal(options_source(options, "gateway.ping_interval"), OPTION_FLAG);
        options_destroy(options);
    }
}

static void a_flag_that_is_refused_says_what_to_write(void **state)
{
    static const struct {
        const char *flag;
        enum status status;
        const char *error;
    } cases[] = {
        {"gateway.ping_intervl=5s",    ST_NOT_FOUND,
         "unknown key \"gateway.ping_intervl\": did you mean \"gateway.ping_interval\"?"          },
        {"zzz=5s",                     ST_NOT_FOUND,   "unknown key \"zzz\""                      },
        {"gateway.ping_interval=25",   ST_BAD_PAYLOAD,
         "gateway.ping_interval: 25 what? write 25s or 25ms"                                      },
        {"limits.outbox=64",           ST_BAD_PAYLOAD,
         "limits.outbox: 64 what? write 64KiB or 64KB"                                            },
        {"gateway.ping_interval=fast", ST_BAD_PAYLOAD,
         "gateway.ping_interval must be a whole number with a unit, for instance 250ms, "
         "25s, 5m or 1h"                                                                          },
        {"gateway.ping_interval=1ms",  ST_BAD_PAYLOAD,
         "gateway.ping_interval must lie between 50ms and 1h"                                     },
        {"gateway.count=0",            ST_BAD_PAYLOAD, "gateway.count must lie between 1 and 64"  },
        {"gateway.count=-1",           ST_BAD_PAYLOAD, "gateway.count must be a whole number"     },
        {"gateway.listen=localhost:1", ST_BAD_PAYLOAD,
         "gateway.listen must be IP:PORT or [IPv6]:PORT"                                          },
        {"ops.listen=",                ST_BAD_PAYLOAD, "ops.listen must be IP:PORT or [IPv6]:PORT"},
        {"logs.level=loud",            ST_BAD_PAYLOAD,
         "logs.level must be error, warn, info or debug"                                          },
        {"bus.engine=none",            ST_BAD_PAYLOAD, "bus.engine must be nng"                   },
        {"auth.jwt.leeway=121s",       ST_BAD_PAYLOAD,
         "auth.jwt.leeway must lie between 0s and 2m"                                             },
        {"publisher.api_keys=sk_x",    ST_FORBIDDEN,
         "publisher.api_keys is a secret and everybody can read flags: put it in the "
         "environment or in a file"                                                               },
        {"hooks=on",                   ST_NOT_FOUND,   "hooks is not built yet"                   },
        {"rooms[].match=a",            ST_NOT_FOUND,
         "rooms[].match can be said in the configuration file only"                               },
        {"gateway.count",              ST_BAD_REQUEST,
         "--set needs KEY=VALUE, for instance --set gateway.ping_interval=5s"                     },
        {"",                           ST_BAD_REQUEST,
         "--set needs KEY=VALUE, for instance --set gateway.ping_interval=5s"                     },
        {"=",                          ST_NOT_FOUND,   "unknown key \"\""                         },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options *options = fresh();
        char error[OPTIONS_ERROR_BYTES] = "";
        assert_int_equal(options_put_flag(options, cases[i].flag, error),
                         cases[i].status);
        assert_string_equal(error, cases[i].error);
        options_destroy(options);
    }
}

static void values_come_from_the_environment(void **state)
{
    char *const environment[] = {"HOME=/root", "SIDECAST_GATEWAY_PING_INTERVAL=300ms",
                                 "SIDECAST_LOG_KEEP_EVENTS=7",
                                 "SIDECAST_AUTH_JWT_HMAC_SECRET=a=b", NULL};
    struct options *options = fresh();
    struct config config;
    char error[OPTIONS_ERROR_BYTES] = "";

    (void)state;
    put_environment(options, environment, error);
    assert_string_equal(error, "");
    options_resolve(options, &config);
    assert_int_equal(config.gateway.ping_interval_ms, 300);
    assert_int_equal(config.log.keep_events, 7);
    assert_string_equal(config.auth.hmac_secret, "a=b");
    options_destroy(options);
}

static void a_variable_of_ours_that_is_unknown_is_an_error(void **state)
{
    static const struct {
        char *entry;
        const char *error;
    } cases[] = {
        {"SIDECAST_GATEWAY_PING_INTERVL=1s",
         "unknown variable SIDECAST_GATEWAY_PING_INTERVL: did you mean "
         "SIDECAST_GATEWAY_PING_INTERVAL?"                                         },
        {"SIDECAST_GATEWAY_LISTEN_FILE=/x",
         "unknown variable SIDECAST_GATEWAY_LISTEN_FILE: did you mean "
         "SIDECAST_GATEWAY_LISTEN?"                                                },
        {"SIDECAST_URL=http://x",            ""                                    },
        {"SIDECAST_API_KEY=sk_x",            ""                                    },
        {"SIDECAST_PORT=tcp://10.0.0.1:80",  ""                                    },
        {"SIDECAST_PORT_80_TCP=x",           ""                                    },
        {"SIDECAST_SERVICE_HOST=x",          ""                                    },
        {"SIDECAST_API_PORT=tcp://x:80",     ""                                    },
        {"SIDECAST_API_PORT_80_TCP_ADDR=x",  ""                                    },
        {"SIDECAST_API_SERVICE_HOST=x",      ""                                    },
        {"SIDECAST_API_SERVICE_PORT_WEB=80", ""                                    },
        {"SIDECAST_API_PORT=80",             "unknown variable SIDECAST_API_PORT"  },
        {"SIDECAST_CONFIG=/x",               ""                                    },
        {"SIDECAST_STATUS_FD=3",             ""                                    },
        {"SIDECAST_LISTEN_FDS=gateway=4",    ""                                    },
        {"SIDECAST_STATUS_FDS=3",            "unknown variable SIDECAST_STATUS_FDS"},
        {"SIDECASTING=1",                    ""                                    },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *const environment[] = {cases[i].entry, NULL};
        struct options *options = fresh();
        char error[OPTIONS_ERROR_BYTES] = "";
        put_environment(options, environment, error);
        assert_string_equal(error, cases[i].error);
        options_destroy(options);
    }
}

static void write_file(char path[32], const char *text)
{
    snprintf(path, 32, "/tmp/options_test.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void a_secret_may_lie_in_a_file(void **state)
{
    struct options *options = fresh();
    char path[32], entry[80];
    char error[OPTIONS_ERROR_BYTES] = "";

    (void)state;
    write_file(path, "  the secret itself\n\n");
    snprintf(entry, sizeof entry, "SIDECAST_BUS_SECRET_FILE=%s", path);
    char *const environment[] = {entry, NULL};
    put_environment(options, environment, error);
    assert_string_equal(error, "");
    assert_string_equal(options_text(options, "bus.secret"), "the secret itself");
    unlink(path);

    put_environment(options, environment, error);
    assert_non_null(strstr(error, "bus.secret: cannot read"));
    assert_non_null(strstr(error, "No such file"));

    char *const both[] = {entry, "SIDECAST_BUS_SECRET=x", NULL};
    put_environment(options, both, error);
    assert_non_null(strstr(error, "are both set: keep one"));
    options_destroy(options);
}

/* So that it can be read again when it changes; children get the name, not the secret. */
static void a_secret_that_may_change_goes_by_the_name_of_its_file(void **state)
{
    struct options *options = fresh();
    char path[32], entry[80];
    char error[OPTIONS_ERROR_BYTES] = "";

    (void)state;
    write_file(path, "the secret itself");
    snprintf(entry, sizeof entry, "SIDECAST_AUTH_JWT_HMAC_SECRET_FILE=%s", path);
    char *const environment[] = {entry, NULL};
    put_environment(options, environment, error);
    assert_string_equal(error, "");
    assert_string_equal(options_text(options, "auth.jwt.hmac_secret_file"), path);
    assert_string_equal(options_text(options, "auth.jwt.hmac_secret"), "");
    char **of_child = options_child_environment(options, NULL, environment);
    assert_string_equal(of_child[0], entry);
    assert_string_equal(of_child[1], "SIDECAST_CONFIG=");
    assert_null(of_child[2]);
    free(of_child);

    assert_true(options_forget(options, "auth.jwt.hmac_secret_file"));
    assert_string_equal(options_text(options, "auth.jwt.hmac_secret_file"), "");
    of_child = options_child_environment(options, NULL, environment);
    assert_string_equal(of_child[0], "SIDECAST_CONFIG=");
    assert_null(of_child[1]);
    free(of_child);
    unlink(path);

    /* What is gone, and what can be read only once, is read now. */
    put_environment(options, environment, error);
    assert_non_null(strstr(error, "cannot read"));
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "from a pipe", 11), 11);
    close(ends[1]);
    snprintf(entry, sizeof entry, "SIDECAST_AUTH_JWT_HMAC_SECRET_FILE=/dev/fd/%d",
             ends[0]);
    put_environment(options, environment, error);
    assert_string_equal(error, "");
    assert_string_equal(options_text(options, "auth.jwt.hmac_secret"), "from a pipe");
    assert_string_equal(options_text(options, "auth.jwt.hmac_secret_file"), "");
    close(ends[0]);
    options_destroy(options);
}

static void a_child_comes_to_the_same_values(void **state)
{
    char *const environment[] = {"HOME=/root", "SIDECAST_GATEWAY_COUNT=2",
                                 "SIDECAST_API_KEY=sk_x", NULL};
    struct options *options = fresh();
    struct options *child = fresh();
    char error[OPTIONS_ERROR_BYTES] = "";

    (void)state;
    put_environment(options, environment, error);
    assert_string_equal(error, "");
    assert_int_equal(options_put_flag(options, "gateway.count=3", error), ST_OK);
    assert_int_equal(options_put(options, OPTION_FLAG, SLICE("auth.jwt.hmac_secret"),
                                 SLICE("s e c"), error),
                     ST_OK);

    char **of_child = options_child_environment(options, "/x.yaml", environment);
    static const char *const expected[] = {
        "HOME=/root", "SIDECAST_API_KEY=sk_x", "SIDECAST_GATEWAY_COUNT=3",
        "SIDECAST_AUTH_JWT_HMAC_SECRET=s e c", "SIDECAST_CONFIG=/x.yaml"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(of_child[i], expected[i]);
    assert_null(of_child[5]);

    put_environment(child, of_child, error);
    assert_string_equal(error, "");
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_is_option(&config_keys[i]))
            assert_string_equal(options_text(child, config_keys[i].path),
                                options_text(options, config_keys[i].path));
    free(of_child);
    options_destroy(child);
    options_destroy(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_resolved),
        cmocka_unit_test(every_default_is_a_value_that_one_may_set),
        cmocka_unit_test(the_stronger_source_wins_in_any_order),
        cmocka_unit_test(a_flag_that_is_refused_says_what_to_write),
        cmocka_unit_test(values_come_from_the_environment),
        cmocka_unit_test(a_variable_of_ours_that_is_unknown_is_an_error),
        cmocka_unit_test(a_secret_may_lie_in_a_file),
        cmocka_unit_test(a_secret_that_may_change_goes_by_the_name_of_its_file),
        cmocka_unit_test(a_child_comes_to_the_same_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
