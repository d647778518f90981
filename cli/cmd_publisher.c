/* sidecast publisher: the publisher alone. */
#include "cli/bus_folder.h"
#include "cli/cmd.h"
#include "cli/invocation.h"
#include "cli/listener.h"
#include "cli/role.h"
#include "publisher-api/publisher.h"

static void *create(struct role_parts *parts, const char **reason)
{
    const struct config *config = parts->config;
    struct publisher_config publisher_config = {
        .loop = &parts->loop,
        .log = &parts->log,
        .metrics = &parts->metrics,
        .engine = parts->engine,
        .settings = &config->publisher,
        .web = &config->web,
        .keys = parts->keys,
        .system = parts->system,
        .lifecycle = parts->lifecycle,
        .version = SIDECAST_VERSION,
    };

    publisher_config.listen_fd = publisher_config.ops_fd = -1;
    if (has_single_port(config)) {
        if (!role_open_pass(parts, &publisher_config.pass, reason))
            return NULL;
    } else {
        publisher_config.listen_fd =
            listener_open("publisher", config->publisher.listen, false);
        if (publisher_config.listen_fd < 0)
            return NULL;
    }
    publisher_config.ops_fd = listener_open("ops", config->ops.listen, false);
    if (publisher_config.ops_fd < 0)
        return NULL;
    return publisher_create(&publisher_config, reason);
}

static bool reload(void *server, struct system *system, const char **why)
{
    return publisher_reload(server, system, why);
}

static void drain(void *server, const struct role_stop *stop, void (*on_done)(void *ctx),
                  void *ctx)
{
    (void)stop; /* it has no clients that stay */
    publisher_drain(server, on_done, ctx);
}

static void destroy(void *server)
{
    publisher_destroy(server);
}

static const struct role_server server = {
    .engine_role = ENGINE_LOG,
    .create = create,
    .reload = reload,
    .drain = drain,
    .destroy = destroy,
    .is_ready_with_engine = true,
};

static int run(const struct command *self, int argc, char **argv)
{
    struct invocation call;
    int code;

    if (!invocation_begin(&call, self, argc, argv, NULL, &code) ||
        !invocation_load(&call, &code))
        return code;
    code = role_run(&server, &call, "publisher");
    invocation_end(&call);
    return code;
}

const struct command command_publisher = {
    .name = "publisher",
    .group = GROUP_OPERATE,
    .operands = "",
    .summary = "Run the publisher alone",
    .example = "  sidecast publisher --set publisher.listen=127.0.0.1:7411\n",
    .run = run,
};
