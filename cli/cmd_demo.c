/* sidecast demo: everything at once, with keys made up for the occasion, and a page. */
#include "bridge/clock.h"
#include "bridge/random.h"
#include "cli/cmd.h"
#include "cli/demo_token.h"
#include "cli/exit_code.h"
#include "cli/serve.h"
#include "cli/token_keys_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SECRET_CHARS = 43, /* 258 bits */
    KEY_BYTES = 3 + SECRET_CHARS + 1,
    LINE_BYTES = 2 * LIMIT_TOKEN_BYTES
};

struct demo_args {
    struct flag_number port;
    struct flag_number gateways;
};

struct demo {
    struct invocation call;
    char key[KEY_BYTES];
    struct buf token;
};

/* Bold and underlined, where there is somebody to see it. */
static bool may_colour(const struct invocation *call)
{
    const char *no_color = getenv("NO_COLOR");

    return !call->has_no_color && !(no_color && no_color[0]) && isatty(STDOUT_FILENO);
}

static void print_text(const struct demo *demo, const struct serve_ready *ready)
{
    bool is_coloured = may_colour(&demo->call);
    const char *bold = is_coloured ? "\033[1m" : "";
    const char *link = is_coloured ? "\033[1;4m" : "";
    const char *plain = is_coloured ? "\033[0m" : "";

    printf("%sSidecast is running.%s Open the page:\n\n"
           "  %s%s/demo%s\n\n"
           "and paste this line into another terminal:\n\n"
           "curl %s/broadcast -H 'Authorization: Bearer %s' "
           "-d '{\"room\":\"" DEMO_ROOM "\",\"event\":\"hello\","
           "\"data\":{\"text\":\"Hello from curl\"}}'\n\n"
           "The keys were made up for this run. Ctrl-C ends it; nothing is kept.\n",
           bold, plain, link, ready->gateway, plain, ready->publisher, demo->key);
}

static void print_json(const struct demo *demo, const struct serve_ready *ready)
{
    struct buf line = {.max = LINE_BYTES}, more = {.max = LINE_BYTES};

    buf_print(&more, ",\"page\":\"%s/demo\",\"key\":\"%s\",\"token\":\"%.*s\"%c",
              ready->gateway, demo->key, (int)demo->token.len, demo->token.ptr, '\0');
    serve_ready_json(&line, ready, more.ptr);
    printf("%.*s", (int)line.len, line.ptr);
    buf_finish(&more);
    buf_finish(&line);
}

static void on_ready(void *ctx, const struct serve_ready *ready)
{
    const struct demo *demo = ctx;

    if (demo->call.is_json)
        print_json(demo, ready);
    else
        print_text(demo, ready);
}

static bool put(struct demo *demo, enum option_source source, const char *key,
                const char *value)
{
    char error[OPTIONS_ERROR_BYTES];

    if (!options_put(demo->call.options, source, slice_of(key), slice_of(value), error))
        return true;
    fprintf(stderr, "sidecast: %s\n", error);
    return false;
}

static bool put_unless_said(struct demo *demo, const char *key, const char *value)
{
    return options_source(demo->call.options, key) != OPTION_DEFAULT ||
           put(demo, OPTION_ENV, key, value);
}

/* The page shows what happens, so only what goes wrong is worth a line more; and who
 * tries it out waits for no window at its end. */
static bool put_manners(struct demo *demo)
{
    return put_unless_said(demo, "logs.level", "warn") &&
           put_unless_said(demo, "drain.window", "0s");
}

/* Nobody's real keys and no address that others reach, whatever the environment says. */
static bool configure(struct demo *demo)
{
    char secret[SECRET_CHARS + 1];

    snprintf(demo->key, sizeof demo->key, "sk_");
    random_text(demo->key + 3, SECRET_CHARS);
    random_text(secret, SECRET_CHARS);
    if (!put(demo, OPTION_FLAG, "publisher.api_keys", demo->key) ||
        !options_forget(demo->call.options, "auth.jwt.hmac_secret_file") ||
        !put(demo, OPTION_FLAG, "auth.jwt.hmac_secret", secret) ||
        !put(demo, OPTION_FLAG, "gateway.listen", "127.0.0.1:7410") ||
        !put(demo, OPTION_FLAG, "publisher.listen", "127.0.0.1:7411") ||
        !put(demo, OPTION_FLAG, "ops.listen", "127.0.0.1:7412") || !put_manners(demo))
        return false;
    invocation_resolve(&demo->call);
    return true;
}

static enum status mint(struct demo *demo)
{
    char reason[TOKEN_KEYS_REASON_BYTES];
    struct token_keys *keys =
        token_keys_load(&demo->call.config.auth, NULL, NULL, reason);

    if (!keys)
        return ST_INTERNAL;
    enum status st = demo_token_mint(keys, clock_wall_ms() / 1000, &demo->token);
    token_keys_destroy(keys);
    return st;
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct flag_list gateway_args = {.items = {"--demo"}, .count = 1};
    struct demo_args args = {0};
    struct demo demo = {.token = {.max = LIMIT_TOKEN_BYTES}};
    int code;

    if (!invocation_begin(&demo.call, self, argc, argv, &args, &code) ||
        !invocation_load(&demo.call, &code))
        return code;
    code = EXIT_CODE_FAILED;
    if (configure(&demo) && !mint(&demo))
        code = serve_run(&(struct serve_plan){
            .call = &demo.call,
            .port = args.port,
            .gateways = args.gateways,
            .gateway_args = &gateway_args,
            .has_own_bus = true,
            .on_ready = on_ready,
            .ctx = &demo,
        });
    buf_finish(&demo.token);
    invocation_end(&demo.call);
    return code;
}

#define AT(field) offsetof(struct demo_args, field)
static const struct flag flags[] = {
    {"port",     FLAG_NUMBER, "N", "page on N, publisher on N+1, ops on N+2; 0: any",
     AT(port),                                                                                      65533},
    {"gateways", FLAG_NUMBER, "N", "gateway processes (1)",                           AT(gateways), 64   },
};

const struct command command_demo = {
    .name = "demo",
    .group = GROUP_START,
    .operands = "",
    .summary = "See it work: all parts, throw-away keys, and a page",
    .example = "  sidecast demo\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
