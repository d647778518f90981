/* One child of the supervisor: its start, what it says, its end. */
#include "cli/supervisor_parts.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"
#include "cli/exit_code.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST_FD = 4, /* 0-2 as ours, 3 the status line */
    STATUS_FD = 3,
    MAX_ARGS = 2 * 64 + 8,
};

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

void child_signal(struct child *child, int signum)
{
    if (child->state == CHILD_RUNNING)
        uv_process_kill(child->process, signum);
}

uint64_t child_stop_ms(void)
{
    return SUPERVISOR_STOP_MS + test_hook_leak_check_ms();
}

void child_stop(struct child *child, uint64_t limit_ms)
{
    child_signal(child, SIGTERM);
    if (child->kill_at_ms == 0)
        child->kill_at_ms = clock_ms() + limit_ms;
}

void child_tell_alone(struct child *child)
{
    uv_buf_t word = uv_buf_init("alone\n", 6);

    if (child->state == CHILD_RUNNING && child->status)
        uv_try_write((uv_stream_t *)child->status, &word, 1);
}

/* --- what it says */

static void on_status_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct child *child = handle->data;

    (void)wanted;
    *buf = uv_buf_init(child->line + child->line_len,
                       (unsigned)(SUPERVISOR_LINE_BYTES - child->line_len));
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
        supervisor_heard(child, line);
        left = rest;
    }
    /* A line as long as the buffer is none of ours. */
    child->line_len = left.len < SUPERVISOR_LINE_BYTES ? left.len : 0;
    if (child->line_len > 0)
        memmove(child->line, left.ptr, child->line_len);
}

static void on_process_exit(uv_process_t *process, int64_t exit_status, int signum)
{
    struct child *child = process->data;

    uv_close((uv_handle_t *)process, free_handle);
    child->process = NULL;
    close_status(child);
    supervisor_has_ended(child, signum ? EXIT_CODE_SIGNAL + signum : (int)exit_status,
                         signum);
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
    char binary[64];
    uv_stdio_container_t stdio[FIRST_FD + SUPERVISOR_MAX_FDS] = {
        {.flags = UV_IGNORE                         },
        { .flags = UV_INHERIT_FD,                               .data.fd = 1},
        { .flags = UV_INHERIT_FD,                               .data.fd = 2},
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)child->status},
    };

    for (size_t i = 0; child->args[i] && i + 2 < MAX_ARGS; i++)
        args[i + 1] = (char *)child->args[i];
    for (size_t i = 0; i < plan->fd_count; i++)
        stdio[FIRST_FD + i] =
            (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = plan->fds[i].fd};
    const uv_process_options_t options = {
        .exit_cb = on_process_exit,
        .file = roll_binary(child->supervisor, binary),
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
              LOG_TEXT("child", child->name), LOG_TEXT("because", uv_strerror(failure)));
    uv_close((uv_handle_t *)child->process, free_handle);
    child->process = NULL;
    close_status(child);
    return false;
}

bool child_start(struct child *child)
{
    child_watch_started(&child->watch, clock_ms());
    child->kill_at_ms = 0;
    child->line_len = 0;
    if (!child_try(child))
        return false;
    child->state = CHILD_RUNNING;
    uv_read_start((uv_stream_t *)child->status, on_status_alloc, on_status);
    log_debug(child->supervisor->config.log, "started a child",
              LOG_TEXT("child", child->name), LOG_NUM("pid", child->process->pid));
    return true;
}
