/* sidecast serve: a publisher and its gateways on this machine, kept running. */
#include "cli/cmd.h"
#include "cli/config_checks.h"
#include "cli/serve.h"
#include "proto/auth_rules.h"
#include "proto/system.h"

#include <stdio.h>

struct serve_args {
    struct flag_number port;
    struct flag_number gateways;
};

static void print_text(const struct serve_ready *ready, const char *public_url)
{
    const char *clients = public_url[0] ? public_url : ready->gateway;

    printf("Sidecast %s is ready.\n\n"
           "  clients   %s   Socket.IO at /socket.io/, WebSocket at /ws\n"
           "  backends  %s   POST /broadcast\n"
           "  ops       %s   /readyz /v1/stats /metrics\n",
           SIDECAST_VERSION, clients, ready->publisher, ready->ops);
}

/* For people, so on stderr; and they would find out by refusals alone. */
static void print_missing(const struct config *config, const struct system *system)
{
    if (!config->publisher.api_keys[0] && !config->publisher.api_keys_file[0] &&
        config->publisher.allow_none == CONFIG_OFF)
        fputs("\nThere is no API key to publish with yet. Make one, and start again:\n\n"
              "  echo \"sk_$(head -c 32 /dev/urandom | basenc --base64url -w0 | "
              "tr -d =)\" > api.key\n"
              "  export SIDECAST_PUBLISHER_API_KEYS_FILE=$PWD/api.key\n",
              stderr);
    if (!config_checks_has_token_keys(&config->auth) &&
        auth_rules_mode(system->auth) != AUTH_NONE)
        fputs("\nThere is no secret for the clients' tokens, so none can connect yet. "
              "Make one, and start again:\n\n"
              "  head -c 32 /dev/urandom | basenc --base64url -w0 > jwt.key\n"
              "  export SIDECAST_AUTH_JWT_HMAC_SECRET_FILE=$PWD/jwt.key\n",
              stderr);
}

static void print_json(const struct serve_ready *ready)
{
    struct buf line = {.max = 4096};

    serve_ready_json(&line, ready, "");
    printf("%.*s", (int)line.len, line.ptr);
    buf_finish(&line);
}

static void on_ready(void *ctx, const struct serve_ready *ready)
{
    const struct invocation *call = ctx;

    if (call->is_json)
        print_json(ready);
    else if (!call->is_quiet)
        print_text(ready, call->config.public_url);
    fflush(stdout);
    if (!call->is_quiet)
        print_missing(&call->config, call->system);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct serve_args args = {0};
    struct invocation call;
    int code;

    if (!invocation_begin(&call, self, argc, argv, &args, &code) ||
        !invocation_load(&call, &code))
        return code;

    const struct serve_plan plan = {
        .call = &call,
        .port = args.port,
        .gateways = args.gateways,
        .on_ready = on_ready,
        .ctx = &call,
    };
    code = serve_run(&plan);
    invocation_end(&call);
    return code;
}

#define AT(field) offsetof(struct serve_args, field)
static const struct flag flags[] = {
    {"port",     FLAG_NUMBER, "N", "gateways on N, publisher on N+1, ops on N+2; 0: any",
     AT(port),                                                                                          65533},
    {"gateways", FLAG_NUMBER, "N", "gateway processes (1)",                               AT(gateways), 64   },
};

const struct command command_serve = {
    .name = "serve",
    .group = GROUP_START,
    .operands = "",
    .summary = "Run a publisher and its gateways on this machine",
    .example =
        "  sidecast serve --port 7410\n"
        "  SIDECAST_PUBLISHER_API_KEYS_FILE=/etc/sidecast/api.keys sidecast serve\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
