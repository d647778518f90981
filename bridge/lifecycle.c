/* Signals, readiness and the tie to the supervisor: see the header. */
#include "bridge/lifecycle.h"

#include "bridge/testing/test_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    SIGNALS = 3,
    ALIVE_MS = 1000,
    LINE_BYTES = 160,
    EXIT_LEAKED = 23 /* as the leak checker's own default */
};

struct lifecycle {
    struct lifecycle_config config;
    uv_signal_t signals[SIGNALS];
    uv_timer_t alive;
    uv_poll_t supervisor;
    int status_fd; /* -1: nobody supervises this process (any more) */
    bool is_supervised;
    unsigned open_handles;
    unsigned stop_signals;
    char told[LINE_BYTES]; /* the last change */
    bool is_untold;        /* it found no room in the pipe */
    bool is_ready;
    bool has_refused_file; /* the last reload changed nothing */
    bool is_stopping;
    bool is_alone; /* the supervisor starts nobody any more */
    bool has_given_way;
};

/* Not blocking. False: the supervisor does not read, and there is no room for the line.
 */
static bool tell_supervisor(struct lifecycle *lifecycle, const char *line)
{
    if (lifecycle->status_fd < 0 || write(lifecycle->status_fd, line, strlen(line)) >= 0)
        return true;
    if (errno == EAGAIN)
        return false;
    lifecycle->status_fd = -1;
    return true;
}

/* `line` is what holds from now on. */
static void tell_change(struct lifecycle *lifecycle, bool is_ready,
                        const char line[LINE_BYTES])
{
    memcpy(lifecycle->told, line, LINE_BYTES);
    lifecycle->is_ready = is_ready;
    lifecycle->is_untold = !tell_supervisor(lifecycle, line);
}

static void begin_stop(struct lifecycle *lifecycle, const char *why)
{
    char line[LINE_BYTES];

    if (lifecycle->is_stopping)
        return;
    lifecycle->is_stopping = true;
    log_info(lifecycle->config.log, "stopping", LOG_TEXT("because", why),
             LOG_NUM("at_most_ms", lifecycle->config.stop_ms));
    /* Who took the place has it: a supervisor starts nobody beside the two. */
    if (lifecycle->has_given_way)
        snprintf(line, sizeof line, "not ready replaced\n");
    else
        snprintf(line, sizeof line, "not ready draining %" PRIu64 "\n",
                 lifecycle->config.stop_ms);
    tell_change(lifecycle, false, line);
    lifecycle->config.on_stop(lifecycle->config.ctx);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct lifecycle *lifecycle = handle->data;

    if (signum == SIGHUP) {
        if (lifecycle->config.on_reload)
            lifecycle->config.on_reload(lifecycle->config.ctx);
        else
            log_info(lifecycle->config.log, "nothing to reload",
                     LOG_TEXT("signal", "HUP"));
        return;
    }
    /* A service manager tells every process, and the supervisor passes it on: twice is no
     * haste. Who takes too long is ended by the supervisor. */
    if (++lifecycle->stop_signals > 1 && !lifecycle->is_supervised)
        _exit(128 + signum);
    begin_stop(lifecycle, signum == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void on_alive(uv_timer_t *timer)
{
    struct lifecycle *lifecycle = timer->data;

    if (lifecycle->is_untold)
        lifecycle->is_untold = !tell_supervisor(lifecycle, lifecycle->told);
    else
        tell_supervisor(lifecycle, "alive\n");
}

static void be_alone(struct lifecycle *lifecycle)
{
    lifecycle->is_alone = true;
    if (lifecycle->is_stopping && lifecycle->config.on_alone)
        lifecycle->config.on_alone(lifecycle->config.ctx);
}

/* The supervisor writes one word: "alone". */
static void on_supervisor(uv_poll_t *poll, int status, int events)
{
    struct lifecycle *lifecycle = poll->data;
    char word[16];

    (void)events;
    ssize_t n = status == 0 ? read(lifecycle->status_fd, word, sizeof word) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        be_alone(lifecycle);
        return;
    }
    uv_poll_stop(poll);
    lifecycle->status_fd = -1;
    begin_stop(lifecycle, "the supervisor has gone");
    be_alone(lifecycle);
}

/* The descriptor that SIDECAST_STATUS_FD names, or -1. */
static int supervisor_fd(void)
{
    const char *text = getenv("SIDECAST_STATUS_FD");
    uint64_t fd;

    if (!slice_to_u64(slice_of(text), &fd) || fd > 1024)
        return -1;
    return fcntl((int)fd, F_SETFD, FD_CLOEXEC) ? -1 : (int)fd;
}

static void watch_supervisor(struct lifecycle *lifecycle)
{
    uv_loop_t *loop = lifecycle->config.loop;

    lifecycle->status_fd = supervisor_fd();
    if (lifecycle->status_fd < 0)
        return;
    lifecycle->is_supervised = true;
    /* Also when this process is stopped or busy: the kernel tells it. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (uv_poll_init(loop, &lifecycle->supervisor, lifecycle->status_fd) == 0) {
        lifecycle->supervisor.data = lifecycle;
        lifecycle->open_handles++;
        uv_poll_start(&lifecycle->supervisor, UV_READABLE, on_supervisor);
    }
}

struct lifecycle *lifecycle_create(const struct lifecycle_config *config)
{
    static const int handled[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    struct lifecycle *lifecycle = calloc(1, sizeof *lifecycle);

    if (!lifecycle)
        return NULL;
    lifecycle->config = *config;
    signal(SIGPIPE, SIG_IGN);

    for (size_t i = 0; i < SIGNALS; i++) {
        /* Fails only on a bad signal number. */
        uv_signal_init(config->loop, &lifecycle->signals[i]);
        lifecycle->signals[i].data = lifecycle;
        uv_signal_start(&lifecycle->signals[i], on_signal, handled[i]);
    }
    uv_timer_init(config->loop, &lifecycle->alive);
    lifecycle->alive.data = lifecycle;
    lifecycle->open_handles = SIGNALS + 1;
    watch_supervisor(lifecycle);
    uv_timer_start(&lifecycle->alive, on_alive, 0, ALIVE_MS);
    return lifecycle;
}

void lifecycle_ready(struct lifecycle *lifecycle, bool is_ready, const char *reason)
{
    char line[LINE_BYTES] = "";

    if (lifecycle->is_stopping)
        return;
    if (is_ready)
        snprintf(line, sizeof line, "ready\n");
    else
        snprintf(line, sizeof line, "not ready %.100s\n", reason);
    if (strcmp(line, lifecycle->told) == 0)
        return;

    bool was_ready = lifecycle->is_ready;
    tell_change(lifecycle, is_ready, line);
    if (is_ready)
        log_info(lifecycle->config.log, "ready", LOG_NUM("pid", getpid()),
                 LOG_NUM("stop_ms", (int64_t)lifecycle->config.stop_ms));
    else if (was_ready)
        log_info(lifecycle->config.log, "not ready", LOG_TEXT("because", reason));
}

bool lifecycle_is_ready(const struct lifecycle *lifecycle)
{
    return lifecycle->is_ready;
}

bool lifecycle_has_heir(const struct lifecycle *lifecycle)
{
    return lifecycle->status_fd >= 0 && !lifecycle->is_alone;
}

void lifecycle_reloaded(struct lifecycle *lifecycle, bool is_taken)
{
    lifecycle->has_refused_file = !is_taken;
}

bool lifecycle_has_its_file(const struct lifecycle *lifecycle)
{
    return !lifecycle->has_refused_file;
}

void lifecycle_give_way(struct lifecycle *lifecycle, const char *why)
{
    lifecycle->has_given_way |= !lifecycle->is_stopping;
    begin_stop(lifecycle, why);
}

bool lifecycle_has_given_way(const struct lifecycle *lifecycle)
{
    return lifecycle->has_given_way;
}

bool lifecycle_is_supervised(const struct lifecycle *lifecycle)
{
    return lifecycle->is_supervised;
}

static void on_closed(uv_handle_t *handle)
{
    struct lifecycle *lifecycle = handle->data;

    if (--lifecycle->open_handles == 0)
        free(lifecycle);
}

void lifecycle_destroy(struct lifecycle *lifecycle)
{
    if (!lifecycle)
        return;
    for (size_t i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&lifecycle->signals[i], on_closed);
    uv_close((uv_handle_t *)&lifecycle->alive, on_closed);
    if (lifecycle->supervisor.data)
        uv_close((uv_handle_t *)&lifecycle->supervisor, on_closed);
}

void lifecycle_exit(int code)
{
    fflush(NULL);
    if (test_hook_found_leaks() && code == 0)
        code = EXIT_LEAKED;
    /* exit() would run the bus library's end, which can hang for ever. */
    _exit(code);
}
