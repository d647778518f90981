/* sidecast gateway: one gateway alone. */
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"
#include "cli/listener.h"
#include "cli/role.h"
#include "client-gw/gateway.h"

#include <stdio.h>
#include <string.h>

enum {
    ID_BYTES = 16
};

struct gateway_args {
    const char *id;
};

static void *create(struct role_parts *parts, const char **reason)
{
    const struct config *config = parts->config;
    struct gateway_config gateway_config = {
        .loop = &parts->loop,
        .log = &parts->log,
        .metrics = &parts->metrics,
        .engine = parts->engine,
        .settings = &config->gateway,
        .limits = &config->limits,
        .keys = parts->keys,
        .lifecycle = parts->lifecycle,
        .id = parts->id,
        .version = SIDECAST_VERSION,
    };

    gateway_config.listen_fd =
        listener_open("gateway", config->gateway.listen, config->gateway.count > 1);
    return gateway_config.listen_fd < 0 ? NULL : gateway_create(&gateway_config, reason);
}

static void drain(void *server, void (*on_done)(void *ctx), void *ctx)
{
    gateway_drain(server, on_done, ctx);
}

static void destroy(void *server)
{
    gateway_destroy(server);
}

static const struct role_server server = {
    .engine_role = ENGINE_GATEWAY,
    .create = create,
    .drain = drain,
    .destroy = destroy,
};

/* It names sockets, leases and metrics. */
static bool is_id(const char *id)
{
    size_t len = strlen(id);

    return len > 0 && len <= ID_BYTES &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct gateway_args args = {.id = "g1"};
    struct invocation call;
    int code;

    if (!invocation_begin(&call, self, argc, argv, &args, &code))
        return code;
    if (!is_id(args.id)) {
        fprintf(stderr, "sidecast: --id needs 1 to %d of a-z, 0-9 and '-'\n", ID_BYTES);
        return EXIT_CODE_USAGE;
    }
    if (!invocation_load(&call, &code))
        return code;
    code = role_run(&server, &call, args.id);
    invocation_end(&call);
    return code;
}

static const struct flag flags[] = {
    {"id", FLAG_TEXT, "NAME", "its name, different for each gateway (g1)",
     offsetof(struct gateway_args, id), 0},
};

const struct command command_gateway = {
    .name = "gateway",
    .group = GROUP_OPERATE,
    .operands = "",
    .summary = "Run one gateway alone",
    .example = "  sidecast gateway --id g2 --set gateway.listen=127.0.0.1:7420\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
