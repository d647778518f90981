/* Serving on one machine: see the header. */
#include "cli/serve.h"

#include "cli/bus_folder.h"
#include "cli/config_checks.h"
#include "cli/created_secrets.h"
#include "cli/exit_code.h"
#include "cli/serve_listeners.h"
#include "cli/supervisor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SIGNALS = 4,
    MAX_CHILD_ARGS = 2 * FLAG_LIST_MAX + 8,
    NAME_BYTES = 8
};

/* The words of one child's command line. */
struct child_args {
    const char *items[MAX_CHILD_ARGS];
    size_t count;
};

struct serve {
    const struct serve_plan *plan;
    struct logger log;
    _Atomic uint64_t lost_lines; /* of the log */
    uv_loop_t loop;
    uv_signal_t signals[SIGNALS];
    struct serve_listeners listeners;
    char bus_folder[BUS_FOLDER_BYTES];  /* empty: not ours */
    char data_folder[BUS_FOLDER_BYTES]; /* empty: not ours */
    char **environment;

    struct supervisor_plan children[1 + SERVE_MAX_GATEWAYS];
    struct child_args args[1 + 2 * SERVE_MAX_GATEWAYS];
    char names[2 * SERVE_MAX_GATEWAYS][NAME_BYTES];
    struct supervisor *supervisor;
    unsigned stop_signals;
    int exit_code;
};

/* --- before the children */

static bool put(struct serve *serve, const char *key, const char *value)
{
    char error[OPTIONS_ERROR_BYTES];

    if (!options_put(serve->plan->call->options, OPTION_FLAG, slice_of(key),
                     slice_of(value), error))
        return true;
    fprintf(stderr, "sidecast: %s\n", error);
    return false;
}

static bool put_gateways(struct serve *serve)
{
    char count[24];

    snprintf(count, sizeof count, "%" PRIu64, serve->plan->gateways.value);
    return !serve->plan->gateways.is_set || put(serve, "gateway.count", count);
}

static bool is_bus_configured(const struct options *options)
{
    return options_source(options, "bus.url") != OPTION_DEFAULT ||
           options_source(options, "run_dir") != OPTION_DEFAULT;
}

/* A bus of our own, unless the configuration says where it is; a folder in any case. */
static bool put_bus(struct serve *serve)
{
    struct invocation *call = serve->plan->call;
    bool has_bus = !serve->plan->has_own_bus && is_bus_configured(call->options);
    char url[BUS_URL_BYTES];

    if (has_bus && run_folder(&call->config, url))
        return true;
    if (!bus_folder_create(serve->bus_folder)) {
        fputs("sidecast: cannot make a folder for the bus in /tmp\n", stderr);
        return false;
    }
    if (has_bus)
        return put(serve, "run_dir", serve->bus_folder);
    snprintf(url, sizeof url, "ipc://%s", serve->bus_folder);
    return put(serve, "bus.url", url);
}

/* Made once for all: a child that starts again makes no other ones. */
static bool put_created(struct serve *serve)
{
    return serve->plan->call->config.create_secrets == CONFIG_OFF ||
           put(serve, "create_secrets", "off");
}

/* What passes leaves nothing behind: neither its bus nor its log. */
static bool put_data(struct serve *serve)
{
    if (!serve->plan->has_own_bus)
        return true;
    if (bus_folder_create(serve->data_folder))
        return put(serve, "data_dir", serve->data_folder);
    fputs("sidecast: cannot make a folder for the log in /tmp\n", stderr);
    return false;
}

/* What every child would refuse is said once, here. */
static bool check_keys(const struct invocation *call)
{
    struct faults faults = {0};

    config_checks_keys(call, &faults);
    bool is_good = faults_are_none(&faults);
    if (!is_good)
        invocation_refuse(call, &faults);
    faults_finish(&faults);
    return is_good;
}

static int prepare(struct serve *serve)
{
    struct invocation *call = serve->plan->call;

    if (!put_gateways(serve) || !created_secrets_make(call, &serve->log) ||
        !check_keys(call))
        return EXIT_CODE_CONFIG;
    invocation_resolve(call);
    if (!serve_listeners_open(&serve->listeners, &call->config, &serve->plan->port))
        return EXIT_CODE_FAILED;
    if (!put(serve, "gateway.listen", serve->listeners.gateway_address) ||
        !put(serve, "publisher.listen", serve->listeners.publisher_address) ||
        !put(serve, "ops.listen", serve->listeners.ops_address) || !put_created(serve) ||
        !put_bus(serve) || !put_data(serve))
        return EXIT_CODE_FAILED;
    invocation_resolve(call);
    serve->environment =
        options_child_environment(call->options, config_file_path(call->file), environ);
    return serve->environment ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* --- the children */

static void add_arg(struct child_args *args, const char *arg)
{
    if (args->count + 1 < MAX_CHILD_ARGS)
        args->items[args->count++] = arg;
}

/* The command line of a child, whatever else it is given. */
static struct child_args *begin_args(struct serve *serve, size_t i, const char *role)
{
    const struct flag_list *hooks = &serve->plan->call->hooks;
    struct child_args *args = &serve->args[i];

    add_arg(args, role);
    for (size_t k = 0; k < hooks->count; k++) {
        add_arg(args, "--test-hook");
        add_arg(args, hooks->items[k]);
    }
    return args;
}

/* "g1", or "g1b" for its twin. */
static const char *plan_gateway(struct serve *serve, size_t i, bool is_twin)
{
    const struct flag_list *more = serve->plan->gateway_args;
    size_t at = 2 * i + is_twin;
    struct child_args *args = begin_args(serve, 1 + at, "gateway");

    snprintf(serve->names[at], NAME_BYTES, "g%u%s", (unsigned)(i + 1),
             is_twin ? "b" : "");
    add_arg(args, "--id");
    add_arg(args, serve->names[at]);
    for (size_t k = 0; more && k < more->count; k++)
        add_arg(args, more->items[k]);
    return serve->names[at];
}

static void plan_publisher(struct serve *serve)
{
    const struct serve_listeners *listeners = &serve->listeners;
    struct supervisor_plan *publisher = &serve->children[0];

    *publisher = (struct supervisor_plan){
        .name = "publisher",
        .args = begin_args(serve, 0, "publisher")->items,
        .serves_bus = true,
    };
    publisher->fds[publisher->fd_count++] = (struct supervisor_fd){"ops", listeners->ops};
    if (listeners->publisher >= 0)
        publisher->fds[publisher->fd_count++] =
            (struct supervisor_fd){"publisher", listeners->publisher};
}

static void plan_children(struct serve *serve)
{
    plan_publisher(serve);
    for (size_t i = 0; i < serve->listeners.gateway_count; i++)
        serve->children[1 + i] = (struct supervisor_plan){
            .name = plan_gateway(serve, i, false),
            .args = serve->args[1 + 2 * i].items,
            .twin_name = plan_gateway(serve, i, true),
            .twin_args = serve->args[2 + 2 * i].items,
            .fds = {{"gateway", serve->listeners.gateways[i]}},
            .fd_count = 1,
        };
}

/* --- while they run */

/* An address that listens on all interfaces is reached on the loopback. */
static void url_of(const char *address, char url[SERVE_URL_BYTES])
{
    const char *port = strrchr(address, ':');

    if (strncmp(address, "0.0.0.0:", 8) == 0)
        snprintf(url, SERVE_URL_BYTES, "http://127.0.0.1%s", port);
    else if (strncmp(address, "[::]:", 5) == 0)
        snprintf(url, SERVE_URL_BYTES, "http://[::1]%s", port);
    else
        snprintf(url, SERVE_URL_BYTES, "http://%s", address);
}

static void on_ready(void *ctx)
{
    struct serve *serve = ctx;
    struct serve_ready ready = {0};

    url_of(serve->listeners.gateway_address, ready.gateway);
    url_of(serve->listeners.publisher >= 0 ? serve->listeners.publisher_address
                                           : serve->listeners.gateway_address,
           ready.publisher);
    url_of(serve->listeners.ops_address, ready.ops);
    ready.pid_publisher = supervisor_pid(serve->supervisor, 0);
    ready.gateway_count = serve->listeners.gateway_count;
    for (size_t i = 0; i < ready.gateway_count; i++)
        ready.pid_gateways[i] = supervisor_pid(serve->supervisor, 1 + i);
    serve->plan->on_ready(serve->plan->ctx, &ready);
    fflush(stdout);
}

static void on_ended(void *ctx, int exit_code)
{
    struct serve *serve = ctx;

    if (serve->stop_signals < 2)
        serve->exit_code = exit_code;
    supervisor_destroy(serve->supervisor);
    for (size_t i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&serve->signals[i], NULL);
}

/* The gateways, then the publisher, each with a kill at its end. */
static uint64_t stop_ms(const struct serve *serve)
{
    return serve->plan->call->config.drain.window_ms + 2 * SUPERVISOR_STOP_MS;
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct serve *serve = handle->data;

    if (signum == SIGHUP) {
        supervisor_signal(serve->supervisor, signum);
        return;
    }
    if (signum == SIGUSR2) {
        supervisor_roll(serve->supervisor);
        return;
    }
    if (++serve->stop_signals == 1) {
        log_info(&serve->log, "stopping",
                 LOG_TEXT("because", signum == SIGTERM ? "SIGTERM" : "SIGINT"),
                 LOG_NUM("at_most_ms", (int64_t)stop_ms(serve)));
        serve_listeners_close_gateways(&serve->listeners);
        supervisor_signal(serve->supervisor, signum);
        return;
    }
    serve->exit_code = EXIT_CODE_SIGNAL + signum;
    supervisor_kill(serve->supervisor);
}

static void begin_signals(struct serve *serve)
{
    static const int handled[SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(&serve->loop, &serve->signals[i]);
        serve->signals[i].data = serve;
        uv_signal_start(&serve->signals[i], on_signal, handled[i]);
    }
}

static int supervise(struct serve *serve)
{
    const struct supervisor_config config = {
        .loop = &serve->loop,
        .log = &serve->log,
        .environment = serve->environment,
        .plans = serve->children,
        .count = 1 + serve->listeners.gateway_count,
        .drain_ms = serve->plan->call->config.drain.window_ms,
        .on_ready = on_ready,
        .on_ended = on_ended,
        .ctx = serve,
    };

    if (uv_loop_init(&serve->loop))
        return EXIT_CODE_FAILED;
    begin_signals(serve);
    serve->supervisor = supervisor_create(&config);
    if (!serve->supervisor)
        return EXIT_CODE_FAILED;
    uv_run(&serve->loop, UV_RUN_DEFAULT);
    uv_loop_close(&serve->loop);
    return serve->exit_code;
}

int serve_run(const struct serve_plan *plan)
{
    struct serve *serve = calloc(1, sizeof *serve);

    if (!serve)
        return EXIT_CODE_FAILED;
    serve->plan = plan;
    serve->log = (struct logger){plan->call->config.logs.level,
                                 plan->call->config.logs.format,
                                 "serve",
                                 plan->call->system->log_names,
                                 "serve",
                                 &serve->lost_lines};
    log_never_block();
    int code = prepare(serve);
    if (!code) {
        plan_children(serve);
        code = supervise(serve);
    }
    serve_listeners_close(&serve->listeners);
    bus_folder_remove(serve->bus_folder);
    bus_folder_remove(serve->data_folder);
    free(serve->environment);
    free(serve);
    return code;
}

void serve_ready_json(struct buf *out, const struct serve_ready *ready, const char *more)
{
    buf_print(out, "{\"gateway\":\"%s\",\"publisher\":\"%s\",\"ops\":\"%s\"%s",
              ready->gateway, ready->publisher, ready->ops, more);
    buf_print(out, ",\"pids\":{\"self\":%d,\"publisher\":%d,\"gateways\":[", getpid(),
              ready->pid_publisher);
    for (size_t i = 0; i < ready->gateway_count; i++)
        buf_print(out, "%s%d", i ? "," : "", ready->pid_gateways[i]);
    buf_print(out, "]},\"version\":\"%s\"}\n", SIDECAST_VERSION);
}
