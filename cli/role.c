/* One role's process: see the header. */
#include "cli/role.h"

#include "bridge/loop_watch.h"
#include "bridge/testing/test_hook.h"
#include "cli/bus_folder.h"
#include "cli/config_checks.h"
#include "cli/created_secrets.h"
#include "cli/data_folder.h"
#include "cli/exit_code.h"
#include "cli/reload.h"
#include "proto/mount_rules.h"
#include "proto/system.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DRAIN_MS = 700, /* beyond the window, for what is on its way */
    END_MS = 300,   /* and for what comes after it */
    READY_MS = 100,
    STUCK_LOOK_MS = 1000,
    STUCK_LOOKS = 10,   /* as the supervisor's patience with a silent child */
    UNHEARD_MS = 20000, /* a gateway's lease, and until proofs are written */
};

struct role {
    struct role_parts parts;
    struct config config;
    struct reload *reload;
    const struct role_server *server;
    void *running; /* what server->create gave */
    uv_timer_t ready_timer;
    struct loop_lag lag;
    struct loop_watch *watch; /* NULL: a supervisor does it */
    uv_timer_t drain_timer;
    _Atomic uint64_t lost_lines; /* of the log */
    bool is_ending;
};

/* Only clients are sent away slowly, and only by who still hears what they are to get. */
static uint64_t window_ms(const struct role *role)
{
    bool has_clients = role->server->engine_role == ENGINE_GATEWAY;
    bool is_deaf =
        role->parts.lifecycle && lifecycle_has_given_way(role->parts.lifecycle);

    return has_clients && !is_deaf ? role->config.drain.window_ms : 0;
}

/* From a timer of its own: the server may still be in the middle of its last call. */
static void on_end(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void on_drained(void *ctx)
{
    struct role *role = ctx;

    if (!role->is_ending)
        uv_timer_start(&role->drain_timer, on_end, 0, 0);
    role->is_ending = true;
}

static void on_drain_late(uv_timer_t *timer)
{
    struct role *role = timer->data;

    log_warn(&role->parts.log, "not drained in time",
             LOG_NUM("ms", window_ms(role) + DRAIN_MS));
    role->is_ending = true;
    on_end(timer);
}

static void on_stop(void *ctx)
{
    struct role *role = ctx;

    const struct role_stop stop = {window_ms(role),
                                   lifecycle_has_heir(role->parts.lifecycle)};

    uv_timer_stop(&role->ready_timer);
    if (test_hook_no_drain()) {
        on_drained(role);
        return;
    }
    uv_timer_start(&role->drain_timer, on_drain_late, stop.window_ms + DRAIN_MS, 0);
    role->server->drain(role->running, &stop, on_drained, role);
}

static void on_alone(void *ctx)
{
    struct role *role = ctx;

    if (role->server->answer_alone && !role->is_ending)
        role->server->answer_alone(role->running);
}

static void on_reload(void *ctx)
{
    struct role *role = ctx;

    if (role->is_ending) /* its parts are going, or have gone */
        return;
    struct system *system = reload_read(role->reload);
    const char *why = "out of memory";
    bool is_taken = system && role->server->reload(role->running, system, &why);

    if (system && !is_taken)
        reload_undo(role->reload, why);
    token_watch_reload(role->parts.token_watch);
    if (is_taken)
        reload_settle(role->reload);
    lifecycle_reloaded(role->parts.lifecycle, is_taken);
}

static void on_ready_timer(uv_timer_t *timer)
{
    struct role *role = timer->data;
    struct engine *engine = role->parts.engine;

    lifecycle_ready(role->parts.lifecycle, engine->ops->is_ready(engine), "log_down");
}

static int fail(enum exit_code code, const char *reason)
{
    fprintf(stderr, "sidecast: %s\n", reason);
    return (int)code;
}

uint64_t role_mark_age_ms(const struct config *config, const struct mount_rules *mounts)
{
    const struct mount_settings gateway = {
        .ping_interval_ms = config->gateway.ping_interval_ms,
        .ping_timeout_ms = config->gateway.ping_timeout_ms,
    };
    uint64_t silence_ms = 0;

    for (size_t i = 0; i < mount_rules_count(mounts); i++) {
        const struct mount_settings settings =
            mount_rule_settle(mount_rules_at(mounts, i), &gateway);
        uint64_t until_noticed_ms = settings.ping_interval_ms + settings.ping_timeout_ms;
        if (until_noticed_ms > silence_ms)
            silence_ms = until_noticed_ms;
    }
    return 2 * (config->recovery.window_ms + silence_ms + UNHEARD_MS);
}

static int open_engine(struct role *role, const struct config *config)
{
    char url[BUS_URL_BYTES], folder[DATA_FOLDER_BYTES];
    const char *reason = "";

    if (!bus_url(config, url))
        return fail(EXIT_CODE_CONFIG, "bus.url or run_dir is too long");
    if (!data_folder(config, folder))
        return fail(EXIT_CODE_CONFIG, "data_dir: name a folder for the log");
    const struct engine_config engine_config = {
        .name = config->bus.engine,
        .role = role->server->engine_role,
        .loop = &role->parts.loop,
        .log = &role->parts.log,
        .metrics = &role->parts.metrics,
        .url = url,
        .secret = config->bus.secret,
        .gateway_id = role->server->engine_role == ENGINE_GATEWAY ? role->parts.id : NULL,
        .gateway_count = config->gateway.count,
        .durability = config->log.durability,
        .data_dir = folder,
        .key_age_ms = config->publisher.idempotency_ms,
        .mark_age_ms = role_mark_age_ms(config, role->parts.system->mounts),
        .keep = {config->log.keep_age_ms, config->log.keep_events,
                 config->log.keep_bytes},
        .recovery_ms = config->recovery.window_ms,
    };
    enum status st = engine_open(&engine_config, &role->parts.engine, &reason);
    if (st == ST_OK)
        return EXIT_CODE_OK;
    bool is_config = st == ST_NOT_FOUND || st == ST_BAD_REQUEST;
    return fail(is_config ? EXIT_CODE_CONFIG : EXIT_CODE_FAILED, reason);
}

/* Of the process that keeps the events, so that it is said once. */
static void warn_of_window(struct role *role, const struct invocation *call)
{
    struct faults warnings = {0};

    if (role->server->engine_role == ENGINE_LOG)
        config_checks_window(call, &warnings);
    config_checks_log(&role->parts.log, "doubtful configuration", &warnings);
    faults_finish(&warnings);
}

static int open_parts(struct role *role, const struct invocation *call)
{
    struct role_parts *parts = &role->parts;
    char reason[TOKEN_KEYS_REASON_BYTES];

    if (uv_loop_init(&parts->loop))
        return fail(EXIT_CODE_FAILED, "no event loop");
    parts->token_watch =
        token_watch_create(&parts->loop, &parts->log, &role->config.auth, reason);
    if (!parts->token_watch)
        return fail(EXIT_CODE_CONFIG, reason);
    parts->keys = token_watch_keys(parts->token_watch);
    token_keys_count_in(parts->keys, &parts->metrics);

    const struct lifecycle_config lifecycle_config = {
        .loop = &parts->loop,
        .log = &parts->log,
        .on_stop = on_stop,
        .on_reload = on_reload,
        .on_alone = on_alone,
        .stop_ms = window_ms(role) + DRAIN_MS + END_MS,
        .ctx = role,
    };
    int code = open_engine(role, &call->config);
    if (code)
        return code;
    warn_of_window(role, call);
    parts->lifecycle = lifecycle_create(&lifecycle_config);
    return parts->lifecycle ? EXIT_CODE_OK : fail(EXIT_CODE_FAILED, "out of memory");
}

bool role_open_pass(struct role_parts *parts, struct fd_pass **pass, const char **reason)
{
    const struct config *config = parts->config;
    bool is_single_port = has_single_port(config);
    bool is_needed = is_single_port || config->gateway.count > 1;
    char folder[BUS_FOLDER_BYTES];
    const struct fd_pass_config pass_config = {
        .loop = &parts->loop,
        .log = &parts->log,
        .metrics = &parts->metrics,
        .folder = folder,
        .name = parts->id,
    };

    *reason = "publisher.listen: gateway needs a folder where the processes of this "
              "machine meet; beside a bus.url of tcp:// that is run_dir";
    *pass = run_folder(config, folder) ? fd_pass_create(&pass_config, reason) : NULL;
    if (!*pass && is_single_port)
        return false;
    if (!*pass && is_needed)
        log_warn(&parts->log,
                 "gateways that share a port cannot hand on sockets: polling "
                 "sessions will be unknown to some; set run_dir");
    *reason = "";
    return true;
}

/* The keys themselves are read by the parts that need them. */
static bool has_closed_doors(const struct invocation *call)
{
    struct faults faults = {0};

    config_checks_doors(call, &call->config, &faults);
    bool is_good = faults_are_none(&faults);
    if (!is_good)
        invocation_refuse(call, &faults);
    faults_finish(&faults);
    return is_good;
}

/* Whoever started the process starts it again; a loop in that state serves nobody. */
static void on_stuck(void *ctx)
{
    const struct role *role = ctx;

    signal(SIGALRM, SIG_DFL);
    alarm(1); /* the end, should the line need a lock that the loop has */
    log_error(&role->parts.log, "the event loop stands still: the process ends",
              LOG_NUM("seconds", STUCK_LOOKS * STUCK_LOOK_MS / 1000));
    _exit(EXIT_CODE_FAILED);
}

static void watch_loop(struct role *role)
{
    const struct loop_watch_config config = {
        .lag = &role->lag,
        .look_ms = STUCK_LOOK_MS,
        .looks = STUCK_LOOKS,
        .on_stuck = on_stuck,
        .ctx = role,
    };

    loop_lag_start(&role->lag, &role->parts.loop, &role->parts.metrics,
                   &role->config.limits.lag_ms);
    if (!lifecycle_is_supervised(role->parts.lifecycle))
        role->watch = loop_watch_create(&config);
}

int role_run(const struct role_server *server, const struct invocation *call,
             const char *id)
{
    struct role *role;
    const char *reason = "";

    if (!has_closed_doors(call))
        return EXIT_CODE_CONFIG;
    role = calloc(1, sizeof *role);
    if (!role)
        return fail(EXIT_CODE_FAILED, "out of memory");
    role->server = server;
    role->config = call->config;
    role->parts.config = &role->config;
    role->parts.system = call->system;
    role->parts.id = id;
    role->parts.log =
        (struct logger){call->config.logs.level,
                        call->config.logs.format,
                        id,
                        call->system->log_names,
                        server->engine_role == ENGINE_GATEWAY ? "gateway" : "publisher",
                        &role->lost_lines};
    log_never_block();

    if (!created_secrets_make(call, &role->parts.log)) {
        free(role);
        return EXIT_CODE_CONFIG;
    }
    role->reload = reload_create(call, &role->config, &role->parts.log);
    int code = role->reload ? open_parts(role, call) : EXIT_CODE_FAILED;
    if (code)
        lifecycle_exit(code);
    if (!server->is_ready_with_engine)
        lifecycle_ready(role->parts.lifecycle, false, "bus_down"); /* until it is said */
    role->running = server->create(&role->parts, &reason);
    if (!role->running) {
        if (reason[0])
            fail(EXIT_CODE_CONFIG, reason);
        lifecycle_exit(reason[0] ? EXIT_CODE_CONFIG : EXIT_CODE_FAILED);
    }

    uv_timer_init(&role->parts.loop, &role->drain_timer);
    uv_timer_init(&role->parts.loop, &role->ready_timer);
    role->drain_timer.data = role->ready_timer.data = role;
    watch_loop(role);
    if (server->is_ready_with_engine)
        uv_timer_start(&role->ready_timer, on_ready_timer, 0, READY_MS);
    uv_run(&role->parts.loop, UV_RUN_DEFAULT);

    loop_watch_destroy(role->watch);
    loop_lag_stop(&role->lag);
    server->destroy(role->running);
    role->parts.engine->ops->close(role->parts.engine);
    token_watch_destroy(role->parts.token_watch);
    reload_destroy(role->reload);
    /* The handles that were closed give their memory back in the next turn. */
    uv_run(&role->parts.loop, UV_RUN_NOWAIT);
    log_info(&role->parts.log, "stopped", LOG_TEXT("id", id));
    lifecycle_exit(lifecycle_has_given_way(role->parts.lifecycle) ? EXIT_CODE_REPLACED
                                                                  : EXIT_CODE_OK);
}
