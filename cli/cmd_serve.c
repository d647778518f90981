/* sidecast serve: a publisher and its gateways on this machine, kept running. */
#include "cli/cmd.h"
#include "cli/serve.h"

#include <stdio.h>

struct serve_args {
    struct flag_number port;
    struct flag_number gateways;
};

static void print_text(const struct invocation *call, const struct serve_ready *ready)
{
    printf("Sidecast %s is ready.\n\n"
           "  clients   %s   Socket.IO at /socket.io/, WebSocket at /ws\n"
           "  backends  %s   POST /broadcast\n"
           "  ops       %s   /readyz /v1/stats /metrics\n",
           SIDECAST_VERSION, ready->gateway, ready->publisher, ready->ops);
    if (!call->config.publisher.api_keys[0])
        puts("\nNobody can publish yet: set SIDECAST_PUBLISHER_API_KEYS.");
    if (!call->config.auth.hmac_secret[0])
        puts("\nNo client can connect yet: set SIDECAST_AUTH_JWT_HMAC_SECRET.");
}

static void on_ready(void *ctx, const struct serve_ready *ready)
{
    const struct invocation *call = ctx;
    struct buf line = {.max = 4096};

    if (!call->is_json) {
        if (!call->is_quiet)
            print_text(call, ready);
        return;
    }
    serve_ready_json(&line, ready, "");
    printf("%.*s", (int)line.len, line.ptr);
    buf_finish(&line);
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
