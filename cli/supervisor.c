/* Starts, watches and ends children: see the header. */
#include "cli/supervisor.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"
#include "cli/child_watch.h"
#include "cli/exit_code.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 500,
    LATE_MS = 2500, /* a tick that is: this process slept */
    LINE_BYTES = 256,
    FIRST_FD = 4, /* 0-2 as ours, 3 the status line */
    STATUS_FD = 3,
    MAX_ARGS = 2 * 64 + 8,
    BLAME_PAUSE_MS = 30000, /* the bus' server is restarted for a gateway this often */
    BEGIN_MS = 2000 /* a forerunner that is stopping holds the bus no longer than that */
};

enum child_state {
    CHILD_WAITING, /* to be started */
    CHILD_RUNNING,
    CHILD_ENDED /* for good */
};

struct child {
    struct supervisor *supervisor;
    const struct supervisor_plan *plan;
    enum child_state state;
    struct child_watch watch;
    uv_process_t *process; /* heap: closes later than the next one starts */
    uv_pipe_t *status;     /* heap, too */
    uv_timer_t restart;
    uint64_t kill_at_ms; /* 0: not asked to end */
    char line[LINE_BYTES];
    size_t line_len;
};

struct supervisor {
    struct supervisor_config config;
    struct child children[SUPERVISOR_MAX_CHILDREN];
    uv_timer_t tick;
    unsigned open_handles;
    uint64_t blamed_ms;
    uint64_t ticked_ms;
    uint64_t created_ms;
    int exit_code;
    bool is_stopping;
    bool has_begun; /* the bus was there once, and everybody was started */
    bool was_ready;
    bool has_ended;
};

static void child_start(struct child *child);

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void close_status(struct child *child)
{
    if (child->status)
        uv_close((uv_handle_t *)child->status, free_handle);
    child->status = NULL;
}

static void child_signal(struct child *child, int signum)
{
    if (child->state == CHILD_RUNNING)
        uv_process_kill(child->process, signum);
}

static uint64_t stop_ms(void)
{
    return SUPERVISOR_STOP_MS + test_hook_leak_check_ms();
}

/* Asks a child to end, and ends it when it takes too long. */
static void child_stop(struct child *child, int signum)
{
    child_signal(child, signum);
    if (child->kill_at_ms == 0)
        child->kill_at_ms = clock_ms() + stop_ms();
}

static void check_ended(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->config.count; i++)
        if (supervisor->children[i].state != CHILD_ENDED)
            return;
    if (supervisor->has_ended)
        return;
    supervisor->has_ended = true;
    supervisor->config.on_ended(supervisor->config.ctx, supervisor->exit_code);
}

static void check_ready(struct supervisor *supervisor)
{
    if (supervisor->was_ready || supervisor->is_stopping)
        return;
    for (size_t i = 0; i < supervisor->config.count; i++)
        if (!child_watch_is_ready(&supervisor->children[i].watch))
            return;
    supervisor->was_ready = true;
    supervisor->config.on_ready(supervisor->config.ctx);
}

static void stop_all(struct supervisor *supervisor, int signum)
{
    supervisor->is_stopping = true;
    for (size_t i = 0; i < supervisor->config.count; i++) {
        struct child *child = &supervisor->children[i];
        if (child->state == CHILD_WAITING) {
            uv_timer_stop(&child->restart);
            child->state = CHILD_ENDED;
        }
        child_stop(child, signum);
    }
    check_ended(supervisor);
}

/* --- what a child says */

/* The bus is there, or nobody serves it: those who need it may come. */
static void begin(struct supervisor *supervisor)
{
    supervisor->has_begun = true;
    for (size_t i = 0; i < supervisor->config.count; i++)
        if (!supervisor->children[i].plan->serves_bus)
            child_start(&supervisor->children[i]);
}

static void hear(struct child *child, struct slice line)
{
    struct supervisor *supervisor = child->supervisor;

    child_watch_heard(&child->watch, line, clock_ms());
    if (!supervisor->has_begun && !supervisor->is_stopping && child->plan->serves_bus &&
        child_watch_is_ready(&child->watch))
        begin(supervisor);
    check_ready(supervisor);
}

static void on_status_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct child *child = handle->data;

    (void)wanted;
    *buf = uv_buf_init(child->line + child->line_len,
                       (unsigned)(LINE_BYTES - child->line_len));
}

static void on_status(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct child *child = stream->data;
    struct slice line, rest;

    (void)buf;
    if (n < 0) {
        /* Its end comes by SIGCHLD. */
        close_status(child);
        return;
    }
    child->line_len += (size_t)n;
    struct slice left = {child->line, child->line_len};
    while (slice_cut(left, '\n', &line, &rest)) {
        hear(child, line);
        left = rest;
    }
    /* A line as long as the buffer is none of ours. */
    child->line_len = left.len < LINE_BYTES ? left.len : 0;
    if (child->line_len > 0)
        memmove(child->line, left.ptr, child->line_len);
}

/* --- its end */

static void on_restart(uv_timer_t *timer)
{
    child_start(timer->data);
}

/* The bus was never there, and not because somebody is just leaving it. */
static bool has_no_beginning(const struct child *child, int exit_code)
{
    const struct supervisor *supervisor = child->supervisor;

    return child->plan->serves_bus && !supervisor->has_begun &&
           exit_code == EXIT_CODE_FAILED &&
           clock_ms() - supervisor->created_ms >= BEGIN_MS;
}

static void schedule_or_give_up(struct child *child, int exit_code)
{
    struct supervisor *supervisor = child->supervisor;
    unsigned delay_ms;

    /* All began with a good configuration: who breaks the file later stops nobody. */
    if (exit_code == EXIT_CODE_CONFIG && supervisor->was_ready)
        exit_code = EXIT_CODE_FAILED;

    if (!has_no_beginning(child, exit_code) &&
        child_watch_ended(&child->watch, exit_code, clock_ms(), &delay_ms)) {
        if (exit_code == EXIT_CODE_REPLACED)
            log_error(supervisor->config.log,
                      "somebody else runs a gateway under this id: each needs its own",
                      LOG_TEXT("id", child->plan->name), LOG_NUM("back_in_ms", delay_ms));
        child->state = CHILD_WAITING;
        uv_timer_start(&child->restart, on_restart, delay_ms, 0);
        return;
    }
    child->state = CHILD_ENDED;
    supervisor->exit_code = exit_code;
    stop_all(supervisor, SIGTERM);
}

static void on_exit_of(struct child *child, int64_t exit_status, int signum)
{
    struct supervisor *supervisor = child->supervisor;
    const struct logger *log = supervisor->config.log;
    const char *name = child->plan->name;
    int exit_code = signum ? EXIT_CODE_SIGNAL + signum : (int)exit_status;

    child->process = NULL;
    close_status(child);
    if (!supervisor->is_stopping) {
        log_warn(log, "a child has ended", LOG_TEXT("child", name),
                 LOG_NUM("code", exit_code));
        schedule_or_give_up(child, exit_code);
        return;
    }
    /* SIGTERM itself ends a child that has not come to handle it yet. */
    if (exit_code != 0 && signum != SIGTERM && supervisor->exit_code == 0) {
        log_error(log, "a child did not stop well", LOG_TEXT("child", name),
                  LOG_NUM("code", exit_code));
        supervisor->exit_code = EXIT_CODE_FAILED;
    }
    child->state = CHILD_ENDED;
    check_ended(supervisor);
}

static void on_process_exit(uv_process_t *process, int64_t exit_status, int signum)
{
    struct child *child = process->data;

    uv_close((uv_handle_t *)process, free_handle);
    on_exit_of(child, exit_status, signum);
}

/* --- its start */

/* Its two variables first: the first of a name counts. Gives an array (free). */
static char **environment_of(const struct child *child, char status[64], char fds[160])
{
    char *const *base = child->supervisor->config.environment;
    size_t count = 0;
    int len = snprintf(fds, 160, "SIDECAST_LISTEN_FDS=");

    for (size_t i = 0; i < child->plan->fd_count; i++)
        len += snprintf(fds + len, (size_t)(160 - len), "%s%s=%d", i ? "," : "",
                        child->plan->fds[i].name, FIRST_FD + (int)i);
    snprintf(status, 64, "SIDECAST_STATUS_FD=%d", STATUS_FD);

    while (base[count])
        count++;
    char **environment = malloc((count + 3) * sizeof *environment);
    if (!environment)
        return NULL;
    environment[0] = status;
    environment[1] = fds;
    memcpy(environment + 2, base, (count + 1) * sizeof *environment);
    return environment;
}

static int spawn(struct child *child, char **environment)
{
    const struct supervisor_plan *plan = child->plan;
    char *args[MAX_ARGS] = {"sidecast"};
    uv_stdio_container_t stdio[FIRST_FD + SUPERVISOR_MAX_FDS] = {
        {.flags = UV_IGNORE                         },
        { .flags = UV_INHERIT_FD,                               .data.fd = 1},
        { .flags = UV_INHERIT_FD,                               .data.fd = 2},
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)child->status},
    };

    for (size_t i = 0; plan->args[i] && i + 2 < MAX_ARGS; i++)
        args[i + 1] = (char *)plan->args[i];
    for (size_t i = 0; i < plan->fd_count; i++)
        stdio[FIRST_FD + i] =
            (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = plan->fds[i].fd};
    const uv_process_options_t options = {
        .exit_cb = on_process_exit,
        .file = "/proc/self/exe",
        .args = args,
        .env = environment,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = FIRST_FD + (int)plan->fd_count,
        .stdio = stdio,
    };
    return uv_spawn(child->supervisor->config.loop, child->process, &options);
}

/* False: nothing runs, and what was made for it is gone or closing. */
static bool child_try(struct child *child)
{
    uv_loop_t *loop = child->supervisor->config.loop;
    char status[64], fds[160];
    char **environment = environment_of(child, status, fds);

    child->process = calloc(1, sizeof *child->process);
    child->status = calloc(1, sizeof *child->status);
    if (!environment || !child->process || !child->status ||
        uv_pipe_init(loop, child->status, 0)) {
        free(environment);
        free(child->process);
        free(child->status);
        child->process = NULL;
        child->status = NULL;
        return false;
    }
    child->process->data = child->status->data = child;
    int failure = spawn(child, environment);
    free(environment);
    if (failure == 0)
        return true;

    log_error(child->supervisor->config.log, "cannot start a child",
              LOG_TEXT("child", child->plan->name),
              LOG_TEXT("because", uv_strerror(failure)));
    uv_close((uv_handle_t *)child->process, free_handle);
    child->process = NULL;
    close_status(child);
    return false;
}

static void child_start(struct child *child)
{
    child_watch_started(&child->watch, clock_ms());
    child->kill_at_ms = 0;
    child->line_len = 0;
    if (!child_try(child)) {
        schedule_or_give_up(child, EXIT_CODE_FAILED);
        return;
    }
    child->state = CHILD_RUNNING;
    uv_read_start((uv_stream_t *)child->status, on_status_alloc, on_status);
    log_debug(child->supervisor->config.log, "started a child",
              LOG_TEXT("child", child->plan->name), LOG_NUM("pid", child->process->pid));
}

/* --- the watch */

static void check_blame(struct supervisor *supervisor, struct child *child,
                        struct child *server, uint64_t now_ms)
{
    switch (child_watch_blames(&child->watch, &server->watch, now_ms)) {
    case BLAME_NOBODY: break;
    case BLAME_ITSELF:
        log_warn(supervisor->config.log, "restarting: it does not find its bus",
                 LOG_TEXT("child", child->plan->name));
        child_stop(child, SIGTERM);
        break;
    case BLAME_SERVER:
        if (now_ms - supervisor->blamed_ms < BLAME_PAUSE_MS)
            break;
        log_warn(supervisor->config.log, "restarting: its bus lets nobody in",
                 LOG_TEXT("child", server->plan->name),
                 LOG_TEXT("says", child->plan->name));
        supervisor->blamed_ms = now_ms;
        child->watch.blamed_server = true;
        child_stop(server, SIGTERM);
        break;
    }
}

/* Whether the bus connects who is on it. */
static void check_bus(struct supervisor *supervisor, struct child *child, uint64_t now_ms)
{
    for (size_t i = 0; i < supervisor->config.count; i++) {
        struct child *server = &supervisor->children[i];
        if (server->plan->serves_bus && server != child)
            check_blame(supervisor, child, server, now_ms);
    }
}

/* After Ctrl-Z and fg the timers run before the pipes are read. */
static void check_own_sleep(struct supervisor *supervisor, uint64_t now_ms)
{
    bool is_late = now_ms - supervisor->ticked_ms >= LATE_MS;

    supervisor->ticked_ms = now_ms;
    for (size_t i = 0; is_late && i < supervisor->config.count; i++)
        child_watch_excuse(&supervisor->children[i].watch, now_ms);
}

static void on_tick(uv_timer_t *timer)
{
    struct supervisor *supervisor = timer->data;
    uint64_t now_ms = clock_ms();

    check_own_sleep(supervisor, now_ms);

    for (size_t i = 0; i < supervisor->config.count; i++) {
        struct child *child = &supervisor->children[i];
        if (child->state != CHILD_RUNNING)
            continue;
        if (child->kill_at_ms != 0 && now_ms >= child->kill_at_ms) {
            child_signal(child, SIGKILL);
        } else if (child_watch_is_silent(&child->watch, now_ms)) {
            log_warn(supervisor->config.log, "killing a silent child",
                     LOG_TEXT("child", child->plan->name));
            child_signal(child, SIGKILL);
        } else if (!supervisor->is_stopping) {
            check_bus(supervisor, child, now_ms);
        }
    }
}

struct supervisor *supervisor_create(const struct supervisor_config *config)
{
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    bool has_server = false;

    if (!supervisor)
        return NULL;
    supervisor->config = *config;
    uv_timer_init(config->loop, &supervisor->tick);
    supervisor->tick.data = supervisor;
    supervisor->open_handles = 1;
    supervisor->ticked_ms = supervisor->created_ms = clock_ms();
    uv_timer_start(&supervisor->tick, on_tick, TICK_MS, TICK_MS);

    for (size_t i = 0; i < config->count; i++) {
        struct child *child = &supervisor->children[i];
        child->supervisor = supervisor;
        child->plan = &config->plans[i];
        uv_timer_init(config->loop, &child->restart);
        child->restart.data = child;
        supervisor->open_handles++;
        has_server |= child->plan->serves_bus;
    }
    for (size_t i = 0; i < config->count; i++)
        if (supervisor->children[i].plan->serves_bus)
            child_start(&supervisor->children[i]);
    if (!has_server)
        begin(supervisor);
    return supervisor;
}

void supervisor_signal(struct supervisor *supervisor, int signum)
{
    if (signum == SIGHUP) {
        /* One that is still starting would die of it, and reads what is new anyway. */
        for (size_t i = 0; i < supervisor->config.count; i++)
            if (child_watch_is_ready(&supervisor->children[i].watch))
                child_signal(&supervisor->children[i], signum);
        return;
    }
    stop_all(supervisor, SIGTERM);
    /* Just past the deadline, wherever the ticks stand. */
    if (!supervisor->has_ended)
        uv_timer_start(&supervisor->tick, on_tick, stop_ms() + 5, TICK_MS);
}

void supervisor_kill(struct supervisor *supervisor)
{
    supervisor->is_stopping = true;
    for (size_t i = 0; i < supervisor->config.count; i++)
        child_signal(&supervisor->children[i], SIGKILL);
}

int supervisor_pid(const struct supervisor *supervisor, size_t child)
{
    const struct child *of = &supervisor->children[child];

    return of->state == CHILD_RUNNING ? of->process->pid : 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct supervisor *supervisor = handle->data;

    if (--supervisor->open_handles == 0)
        free(supervisor);
}

void supervisor_destroy(struct supervisor *supervisor)
{
    if (!supervisor)
        return;
    for (size_t i = 0; i < supervisor->config.count; i++) {
        supervisor->children[i].restart.data = supervisor;
        uv_close((uv_handle_t *)&supervisor->children[i].restart, on_closed);
    }
    uv_close((uv_handle_t *)&supervisor->tick, on_closed);
}
