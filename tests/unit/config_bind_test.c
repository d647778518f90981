/* A document against the table of keys: what is refused, where, and what gets through. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/config_bind.h"
#include "support/yaml_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status read_secret(const char *path, char **text, const char **reason)
{
    *reason = "No such file or directory";
    *text = strcmp(path, "/conf/jwt.key") == 0 ? strdup("from a file") : NULL;
    return *text ? ST_OK : ST_NOT_FOUND;
}

/* The faults of a text; the first as "line:column message|hint". */
static size_t bind(const char *text, struct options *options, char first[400])
{
    const struct config_bind_source source = {"/conf", read_secret};
    struct document_node root = yaml_node(text);
    struct faults faults = {0};

    config_bind(&root, &source, options, &faults);
    faults_sort(&faults);
    size_t count = faults.count;
    first[0] = '\0';
    if (count > 0)
        snprintf(first, 400, "%u:%u %s|%s", faults.items[0].place.line,
                 faults.items[0].place.column, faults.items[0].message,
                 faults.items[0].hint ? faults.items[0].hint : "");
    faults_finish(&faults);
    document_finish(&root);
    return count;
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"gatway: {}",                                               "1:1 unknown key \"gatway\"|did you mean \"gateway\"?"      },
        {"gateway: {cuont: 1}",
         "1:11 unknown key \"cuont\" in gateway|did you mean \"count\"?"                                                         },
        {"xyzzy: 1",                                                 "1:1 unknown key \"xyzzy\"|"                                },
        {"ping_interval: 5s",                                        "1:1 unknown key \"ping_interval\"|it belongs elsewhere: "
                              "\"gateway.ping_interval\""                                           },
        {"pingInterval: 25000",
         "1:1 unknown key \"pingInterval\"|it is called \"gateway.ping_interval\" here"                                          },
        {"cors_origins: [a]",
         "1:1 unknown key \"cors_origins\"|it is called \"allowed_origins\" here"                                                },
        {"hooks: {crm: {}}",                                         "1:1 hooks is not built yet|"                               },
        {"gateway: {compress: {websocket: on}}",
         "1:22 gateway.compress.websocket is not built yet|"                                                                     },
        {"bus: {engine: redis}",                                     "1:15 bus.engine: redis is not built yet|"                  },
        {"commands: {x: {do: forward}}",                             "1:20 commands.x.do: forward is not built yet|"             },
        {"gateway: 5",                                               "1:10 gateway must be a map of keys|"                       },
        {"gateway:\n",                                               "1:9 gateway has no value: write one, or leave the key out|"},
        {"rooms: {}",                                                "1:8 rooms must be a list|"                                 },
        {"rooms: [x]",                                               "1:9 rooms[0] must be a map of keys|"                       },
        {"rooms: [{match: a, max_members: 9x}]",
         "1:33 rooms[0].max_members must be a whole number|"                                                                     },
        {"gateway: {ping_interval: 25}",
         "1:26 gateway.ping_interval: 25 what? write 25s or 25ms|"                                                               },
        {"gateway: {ping_interval: [1s]}",
         "1:26 gateway.ping_interval must be one value|"                                                                         },
        {"heartbeats: [{emit: a, every: 5}]",
         "1:31 heartbeats[0].every: 5 what? write 5s or 5ms|"                                                                    },
        {"gateway: {max_message_size: 2GB}",
         "1:29 gateway.max_message_size must lie between 1B and 1MB|"                                                            },
        {"cors: {credentials: perhaps}",                             "1:21 cors.credentials must be on or off|"                  },
        {"client_events: loud",
         "1:16 client_events must be ignore, refuse or disconnect|"                                                              },
        {"limits: {rates: {j: {rate: 10}}}",
         "1:28 limits.rates.j.rate must be a number and a time, for instance 5000/s or "
         "10/5s, or off|"                                                                                                        },
        {"allowed_origins: [https://a.example, 'http://B']",
         "1:38 allowed_origins: \"http://B\" must be in small letters, as browsers send "
         "it|"                                                                                                                   },
        {"allowed_origins: [{a: b}]",                                "1:19 allowed_origins must be a list of texts|"             },
        {"allowed_origins: {a: b}",                                  "1:18 allowed_origins must be a list of texts|"             },
        {"allowed_origins: ['https://a.example,https://b.example']",
         "1:19 allowed_origins: an item has no comma: make it two|"                                                              },
        {"auth: {jwt: {keys: [{kid: a, alf: RS256, file: x}]}}",
         "1:30 unknown key \"alf\" in auth.jwt.keys[]|did you mean \"alg\"?"                                                     },
        {"auth: {jwt: {hmac_secret: [a]}}",
         "1:27 auth.jwt.hmac_secret must be one value|"                                                                          },
        {"bus: {secret_file: no.key}",
         "1:20 bus.secret_file: cannot read /conf/no.key: No such file or "
         "directory|"                                                                                                            },
        {"bus: {secret: x, secret_file: jwt.key}",
         "1:18 bus.secret_file is here without _file, too: keep one|"                                                            },
        {"ops: {listen_file: x}",                                    "1:7 unknown key \"listen_file\" in ops|"                   },
        {"[a]",
         "1:1 a configuration is a map of keys, for instance gateway: {count: 2}|"                                               },
        {"hello",
         "1:1 a configuration is a map of keys, for instance gateway: {count: 2}|"                                               },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options *options = options_create();
        char first[400];
        assert_int_equal(bind(cases[i].text, options, first), 1);
        assert_string_equal(first, cases[i].fault);
        options_destroy(options);
    }
}

static void values_go_to_the_options_with_their_places(void **state)
{
    struct options *options = options_create();
    struct config config;
    char first[400];

    (void)state;
    (void)!bind("gateway:\n  count: 3\ncors: {credentials: true}\n"
                "allowed_origins: [https://a.example, https://b.example]\n"
                "trusted_proxies: 10.0.0.0/8\n"
                "publisher: {api_keys: []}\n"
                "bus: {secret_file: jwt.key}\n"
                "auth:\n  jwt:\n    hmac_secret_file: jwt.key\n"
                "    keys: ['a:RS256:/a.pem', {kid: b, alg: ES256, file: b.pem}]\n"
                "    jwks_file: /abs.json\n"
                "run_dir: run\n",
                options, first);
    assert_string_equal(first, "");
    options_resolve(options, &config);
    assert_int_equal(config.gateway.count, 3);
    assert_int_equal(config.web.cors_credentials, CONFIG_ON);
    assert_string_equal(config.web.allowed_origins,
                        "https://a.example,https://b.example");
    assert_string_equal(config.web.trusted_proxies, "10.0.0.0/8");
    assert_string_equal(config.publisher.api_keys, "");
    assert_string_equal(config.bus.secret, "from a file");
    assert_string_equal(config.auth.hmac_secret_file, "/conf/jwt.key");
    assert_string_equal(config.auth.keys, "a:RS256:/a.pem,b:ES256:/conf/b.pem");
    assert_string_equal(config.auth.jwks_file, "/abs.json");
    assert_string_equal(config.run_dir, "/conf/run");
    assert_int_equal(options_source(options, "gateway.count"), OPTION_FILE);
    assert_int_equal(options_place(options, "gateway.count").line, 2);
    assert_int_equal(options_place(options, "gateway.count").column, 10);
    assert_int_equal(options_source(options, "ops.listen"), OPTION_DEFAULT);
    options_destroy(options);
}

static void many_faults_are_told_in_one_go(void **state)
{
    struct options *options = options_create();
    char first[400];

    (void)state;
    assert_int_equal(bind("gateway: {count: 0, ping_interval: 1, max_message_size: x}\n"
                          "rooms: [{mach: a}, {match: b, allow: all}]\n"
                          "logs: {level: loud}\nnonsense: 1\n",
                          options, first),
                     7);
    options_destroy(options);
}

static void a_secret_is_in_no_sentence(void **state)
{
    struct options *options = options_create();
    char first[400];

    (void)state;
    (void)!bind("publisher: {api_keys: ['hush,hush']}", options, first);
    assert_string_equal(first,
                        "1:24 publisher.api_keys: an item has no comma: make it two|");
    (void)!bind("auth: {jwt: {hmac_secret: \"hush\\0\"}}", options, first);
    assert_string_equal(first, "1:27 auth.jwt.hmac_secret must not have a zero byte|");
    options_destroy(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(values_go_to_the_options_with_their_places),
        cmocka_unit_test(many_faults_are_told_in_one_go),
        cmocka_unit_test(a_secret_is_in_no_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
