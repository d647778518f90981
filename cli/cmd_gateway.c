/* sidecast gateway: one gateway alone. */
#include "cli/bus_folder.h"
#include "cli/cmd.h"
#include "cli/demo_pages.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"
#include "cli/listener.h"
#include "cli/role.h"
#include "client-gw/gateway.h"
#include "client-gw/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ID_BYTES = 16
};

struct gateway_args {
    const char *id;
    bool is_demo;
};

/* The server, and what the demo adds to it. */
struct gateway_role {
    struct gateway *gateway;
    struct trace_log *traces;
    struct demo_pages *pages;
    bool has_siblings; /* that listen on the same address, and stay when this one goes */
};

static void destroy(void *server)
{
    struct gateway_role *role = server;

    gateway_destroy(role->gateway);
    demo_pages_destroy(role->pages);
    trace_log_destroy(role->traces);
    free(role);
}

static bool open_gateway(struct gateway_role *role, struct role_parts *parts,
                         const char **reason)
{
    const struct config *config = parts->config;
    struct gateway_config gateway_config = {
        .loop = &parts->loop,
        .log = &parts->log,
        .metrics = &parts->metrics,
        .engine = parts->engine,
        .settings = &config->gateway,
        .limits = &config->limits,
        .web = &config->web,
        .keys = parts->keys,
        .system = parts->system,
        .lifecycle = parts->lifecycle,
        .id = parts->id,
        .version = SIDECAST_VERSION,
        .traces = role->traces,
    };

    if (!role_open_pass(parts, &gateway_config.pass, reason))
        return false;
    role->has_siblings =
        config->gateway.count > 1 && !lifecycle_is_supervised(parts->lifecycle);
    gateway_config.shares_listener = has_single_port(config);
    if (role->pages)
        gateway_config.pages = demo_pages_routes(role->pages, &gateway_config.page_count);
    gateway_config.listen_fd =
        listener_open("gateway", config->gateway.listen, config->gateway.count > 1);
    if (gateway_config.listen_fd >= 0)
        role->gateway = gateway_create(&gateway_config, reason);
    else
        fd_pass_destroy(gateway_config.pass);
    return role->gateway != NULL;
}

static bool open_demo(struct gateway_role *role, struct role_parts *parts)
{
    const struct config *config = parts->config;

    role->traces = trace_log_create();
    role->pages = demo_pages_create(&(struct demo_pages_config){
        .loop = &parts->loop,
        .publisher =
            has_single_port(config) ? config->gateway.listen : config->publisher.listen,
        .key = config->publisher.api_keys,
        .keys = parts->keys,
        .traces = role->traces,
    });
    return role->traces && role->pages;
}

static void *create_role(struct role_parts *parts, bool is_demo, const char **reason)
{
    struct gateway_role *role = calloc(1, sizeof *role);

    *reason = "the demo's pages cannot be made";
    if (!role)
        return NULL;
    if ((is_demo && !open_demo(role, parts)) || !open_gateway(role, parts, reason)) {
        destroy(role);
        return NULL;
    }
    return role;
}

static void *create(struct role_parts *parts, const char **reason)
{
    return create_role(parts, false, reason);
}

static void *create_demo(struct role_parts *parts, const char **reason)
{
    return create_role(parts, true, reason);
}

static bool reload(void *server, struct system *system, const char **why)
{
    (void)why; /* out of memory is the only reason */
    return gateway_reload(((struct gateway_role *)server)->gateway, system);
}

static void drain(void *server, const struct role_stop *stop, void (*on_done)(void *ctx),
                  void *ctx)
{
    const struct gateway_role *role = server;
    struct gateway_end end = {stop->window_ms, DOOR_IS_OURS};

    if (stop->has_heir)
        end.door = DOOR_IS_ANOTHERS;
    else if (role->has_siblings)
        end.door = DOOR_CLOSES;
    gateway_drain(role->gateway, &end, on_done, ctx);
}

static void answer_alone(void *server)
{
    gateway_answer_alone(((struct gateway_role *)server)->gateway);
}

static const struct role_server server = {
    .engine_role = ENGINE_GATEWAY,
    .create = create,
    .reload = reload,
    .drain = drain,
    .answer_alone = answer_alone,
    .destroy = destroy,
};

static const struct role_server demo_server = {
    .engine_role = ENGINE_GATEWAY,
    .create = create_demo,
    .reload = reload,
    .drain = drain,
    .answer_alone = answer_alone,
    .destroy = destroy,
};

/* It names sockets, leases and metrics. One name is taken. */
static bool is_id(const char *id)
{
    size_t len = strlen(id);

    if (strcmp(id, "publisher") == 0)
        return false;

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
        fprintf(stderr,
                "sidecast: --id needs 1 to %d of a-z, 0-9 and '-', and is not "
                "'publisher'\n",
                ID_BYTES);
        return EXIT_CODE_USAGE;
    }
    if (!invocation_load(&call, &code))
        return code;
    code = role_run(args.is_demo ? &demo_server : &server, &call, args.id);
    invocation_end(&call);
    return code;
}

static const struct flag flags[] = {
    {"id",   FLAG_TEXT,   "NAME", "its name, different for each gateway (g1)",
     offsetof(struct gateway_args, id),      0},
    {"demo", FLAG_SWITCH, NULL,   "show the demo's page too, with the configured API key",
     offsetof(struct gateway_args, is_demo), 0},
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
