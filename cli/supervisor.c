/* Starts, watches and ends children: see the header. */
#include "cli/supervisor_parts.h"

#include "bridge/clock.h"
#include "cli/exit_code.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TICK_MS = 500,
    LAST_TICK_MS = 100,     /* once it stops: the time to kill is near */
    LATE_MS = 2500,         /* a tick that is: this process slept */
    BLAME_PAUSE_MS = 30000, /* the bus' server is restarted for a gateway this often */
    BEGIN_MS = 2000 /* a forerunner that is stopping holds the bus no longer than that */
};

/* --- places */

static size_t child_count(const struct supervisor *supervisor)
{
    return 2 * supervisor->config.count;
}

static struct child *child_at(struct supervisor *supervisor, size_t i)
{
    return &supervisor->slots[i / 2].pair[i % 2];
}

struct child *slot_other(const struct slot *slot)
{
    const struct child *other =
        slot->current == &slot->pair[0] ? &slot->pair[1] : &slot->pair[0];

    return other->args ? (struct child *)other : NULL;
}

void slot_pass(struct slot *slot, struct child *heir)
{
    struct child *old = slot->current;

    heir->watch.has_served |= old->watch.has_served;
    if (old->state == CHILD_WAITING) {
        uv_timer_stop(&old->restart);
        old->state = CHILD_ABSENT;
    }
    slot->current = heir;
}

uint64_t supervisor_leave_ms(const struct supervisor *supervisor)
{
    return supervisor->config.drain_ms + child_stop_ms();
}

static void check_ended(struct supervisor *supervisor)
{
    for (size_t i = 0; i < child_count(supervisor); i++) {
        enum child_state state = child_at(supervisor, i)->state;
        if (state == CHILD_RUNNING || state == CHILD_WAITING)
            return;
    }
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
        if (!child_watch_is_ready(&supervisor->slots[i].current->watch))
            return;
    supervisor->was_ready = true;
    supervisor->config.on_ready(supervisor->config.ctx);
}

/* --- the end of all */

static void stop_child(struct child *child, uint64_t limit_ms)
{
    if (child->state == CHILD_WAITING) {
        uv_timer_stop(&child->restart);
        child->state = CHILD_ENDED;
        return;
    }
    child_tell_alone(child);
    if (child->kill_at_ms == 0)
        child_stop(child, limit_ms);
}

static bool has_others(struct supervisor *supervisor)
{
    for (size_t i = 0; i < child_count(supervisor); i++) {
        const struct child *child = child_at(supervisor, i);
        if (!child->plan->serves_bus && child->state == CHILD_RUNNING)
            return true;
    }
    return false;
}

/* Who serves the bus is the last to go: what the others still say reaches it, and what
 * is published meanwhile is kept. */
static void stop_servers(struct supervisor *supervisor)
{
    if (has_others(supervisor))
        return;
    for (size_t i = 0; i < supervisor->config.count; i++)
        if (supervisor->slots[i].current->plan->serves_bus)
            stop_child(supervisor->slots[i].current, child_stop_ms());
}

static void stop_all(struct supervisor *supervisor)
{
    supervisor->is_stopping = true;
    roll_give_up(supervisor);
    for (size_t i = 0; i < child_count(supervisor); i++) {
        struct child *child = child_at(supervisor, i);
        if (!child->plan->serves_bus)
            stop_child(child, supervisor_leave_ms(supervisor));
    }
    stop_servers(supervisor);
    check_ended(supervisor);
}

/* --- what a child says */

static void start_or_wait(struct child *child);

/* The bus is there, or nobody serves it: those who need it may come. */
static void begin(struct supervisor *supervisor)
{
    supervisor->has_begun = true;
    for (size_t i = 0; i < supervisor->config.count; i++)
        if (!supervisor->slots[i].current->plan->serves_bus)
            start_or_wait(supervisor->slots[i].current);
}

/* Its clients, and those who come, are not to wait until it has gone. */
static void start_heir(struct slot *slot)
{
    struct child *heir = slot_other(slot);

    if (!heir || heir->state != CHILD_ABSENT)
        return;
    slot_pass(slot, heir);
    start_or_wait(heir);
}

static void on_leaving(struct child *child)
{
    struct supervisor *supervisor = child->supervisor;
    uint64_t grace_ms = child_stop_ms() - SUPERVISOR_PROMISE_MS;

    /* It knows best how long it takes. */
    child->kill_at_ms = clock_ms() + child->watch.leave_ms + grace_ms;
    if (!supervisor->is_stopping && child == child->slot->current)
        start_heir(child->slot);
}

void supervisor_heard(struct child *child, struct slice line)
{
    struct supervisor *supervisor = child->supervisor;
    bool was_leaving = child->watch.is_leaving;

    child_watch_heard(&child->watch, line, clock_ms());
    if (child_watch_is_owed_reload(&child->watch))
        child_signal(child, SIGHUP);
    if (!supervisor->has_begun && !supervisor->is_stopping && child->plan->serves_bus &&
        child_watch_is_ready(&child->watch))
        begin(supervisor);
    if (child->watch.is_leaving && !was_leaving)
        on_leaving(child);
    roll_look(supervisor, clock_ms());
    check_ready(supervisor);
}

/* --- its end */

static void on_restart(uv_timer_t *timer)
{
    start_or_wait(timer->data);
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
                      LOG_TEXT("id", child->name), LOG_NUM("back_in_ms", delay_ms));
        child->state = CHILD_WAITING;
        uv_timer_start(&child->restart, on_restart, delay_ms, 0);
        return;
    }
    child->state = CHILD_ENDED;
    supervisor->exit_code = exit_code;
    stop_all(supervisor);
}

static void start_or_wait(struct child *child)
{
    if (!child_start(child))
        schedule_or_give_up(child, EXIT_CODE_FAILED);
}

static void on_stopped(struct child *child, int exit_code, int signum)
{
    struct supervisor *supervisor = child->supervisor;

    /* A service manager that tells every process has told it too early. */
    if (child->plan->serves_bus && exit_code == 0 && has_others(supervisor) &&
        child_start(child))
        return;
    /* SIGTERM itself ends a child that has not come to handle it yet. */
    if (exit_code != 0 && signum != SIGTERM && supervisor->exit_code == 0) {
        log_error(supervisor->config.log, "a child did not stop well",
                  LOG_TEXT("child", child->name), LOG_NUM("code", exit_code));
        supervisor->exit_code = EXIT_CODE_FAILED;
    }
    child->state = CHILD_ENDED;
    stop_servers(supervisor);
    check_ended(supervisor);
}

/* The one that has the place may be leaving already. */
static void on_twin_left(struct child *child, int exit_code)
{
    struct child *current = child->slot->current;

    if (exit_code != 0)
        log_warn(child->supervisor->config.log, "a child did not stop well",
                 LOG_TEXT("child", child->name), LOG_NUM("code", exit_code));
    child->state = CHILD_ABSENT;
    if (current->state == CHILD_RUNNING && current->watch.is_leaving)
        start_heir(child->slot);
}

/* Somebody told it to stop: those who come wait for the next one. */
static void on_left(struct child *child)
{
    log_info(child->supervisor->config.log, "a child was stopped, and is started again",
             LOG_TEXT("child", child->name));
    start_or_wait(child);
}

void supervisor_has_ended(struct child *child, int exit_code, int signum)
{
    struct supervisor *supervisor = child->supervisor;

    if (supervisor->is_stopping) {
        on_stopped(child, exit_code, signum);
        return;
    }
    if (child != child->slot->current) {
        on_twin_left(child, exit_code);
    } else if (exit_code == 0 && child->watch.is_leaving && child->watch.was_ready) {
        on_left(child);
    } else {
        log_warn(supervisor->config.log, "a child has ended",
                 LOG_TEXT("child", child->name), LOG_NUM("code", exit_code));
        schedule_or_give_up(child, exit_code);
    }
    roll_look(supervisor, clock_ms());
}

/* --- the watch */

static void check_blame(struct supervisor *supervisor, struct child *child,
                        struct child *server, uint64_t now_ms)
{
    switch (child_watch_blames(&child->watch, &server->watch, now_ms)) {
    case BLAME_NOBODY: break;
    case BLAME_ITSELF:
        log_warn(supervisor->config.log, "restarting: it does not find its bus",
                 LOG_TEXT("child", child->name));
        child_stop(child, supervisor_leave_ms(supervisor));
        break;
    case BLAME_SERVER:
        if (now_ms - supervisor->blamed_ms < BLAME_PAUSE_MS)
            break;
        log_warn(supervisor->config.log, "restarting: its bus lets nobody in",
                 LOG_TEXT("child", server->name), LOG_TEXT("says", child->name));
        supervisor->blamed_ms = now_ms;
        child->watch.blamed_server = true;
        child_stop(server, child_stop_ms());
        break;
    }
}

/* Whether the bus connects who is on it. */
static void check_bus(struct supervisor *supervisor, struct child *child, uint64_t now_ms)
{
    for (size_t i = 0; i < supervisor->config.count; i++) {
        struct child *server = supervisor->slots[i].current;
        if (server->plan->serves_bus && server != child)
            check_blame(supervisor, child, server, now_ms);
    }
}

/* After Ctrl-Z and fg the timers run before the pipes are read. */
static void check_own_sleep(struct supervisor *supervisor, uint64_t now_ms)
{
    bool is_late = now_ms - supervisor->ticked_ms >= LATE_MS;

    supervisor->ticked_ms = now_ms;
    for (size_t i = 0; is_late && i < child_count(supervisor); i++)
        child_watch_excuse(&child_at(supervisor, i)->watch, now_ms);
}

static void check_child(struct child *child, uint64_t now_ms)
{
    struct supervisor *supervisor = child->supervisor;

    if (child->kill_at_ms != 0 && now_ms >= child->kill_at_ms) {
        child_signal(child, SIGKILL);
        log_warn(supervisor->config.log, "killing a child that does not stop in time",
                 LOG_TEXT("child", child->name));
    } else if (child_watch_is_silent(&child->watch, now_ms)) {
        child_signal(child, SIGKILL);
        log_warn(supervisor->config.log, "killing a silent child",
                 LOG_TEXT("child", child->name));
    } else if (!supervisor->is_stopping && child->kill_at_ms == 0) {
        check_bus(supervisor, child, now_ms);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct supervisor *supervisor = timer->data;
    uint64_t now_ms = clock_ms();

    check_own_sleep(supervisor, now_ms);

    for (size_t i = 0; i < child_count(supervisor); i++)
        if (child_at(supervisor, i)->state == CHILD_RUNNING)
            check_child(child_at(supervisor, i), now_ms);
    roll_look(supervisor, now_ms);
}

/* --- life */

/* Where this program lies, as it was started: there the next version will lie. */
static void find_program(struct supervisor *supervisor)
{
    char *path = supervisor->program;

    if (strchr(program_invocation_name, '/')) {
        snprintf(path, SUPERVISOR_PATH_BYTES, "%s", program_invocation_name);
        return;
    }
    ssize_t len = readlink("/proc/self/exe", path, SUPERVISOR_PATH_BYTES - 1);
    path[len > 0 ? len : 0] = '\0';
}

static void child_init(struct child *child, struct slot *slot,
                       const struct supervisor_plan *plan, struct supervisor *supervisor)
{
    child->supervisor = supervisor;
    child->slot = slot;
    child->plan = plan;
    uv_timer_init(supervisor->config.loop, &child->restart);
    child->restart.data = child;
    supervisor->open_handles++;
}

static void slot_init(struct slot *slot, const struct supervisor_plan *plan,
                      struct supervisor *supervisor)
{
    slot->current = &slot->pair[0];
    child_init(&slot->pair[0], slot, plan, supervisor);
    child_init(&slot->pair[1], slot, plan, supervisor);
    slot->pair[0].name = plan->name;
    slot->pair[0].args = plan->args;
    slot->pair[0].state = CHILD_WAITING;
    slot->pair[1].name = plan->twin_name;
    slot->pair[1].args = plan->twin_args;
}

struct supervisor *supervisor_create(const struct supervisor_config *config)
{
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    bool has_server = false;

    if (!supervisor)
        return NULL;
    supervisor->config = *config;
    supervisor->binary_fd = -1;
    find_program(supervisor);
    uv_timer_init(config->loop, &supervisor->tick);
    supervisor->tick.data = supervisor;
    supervisor->open_handles = 1;
    supervisor->ticked_ms = supervisor->created_ms = clock_ms();
    uv_timer_start(&supervisor->tick, on_tick, TICK_MS, TICK_MS);

    for (size_t i = 0; i < config->count; i++) {
        slot_init(&supervisor->slots[i], &config->plans[i], supervisor);
        has_server |= config->plans[i].serves_bus;
    }
    for (size_t i = 0; i < config->count; i++)
        if (config->plans[i].serves_bus)
            start_or_wait(supervisor->slots[i].current);
    if (!has_server)
        begin(supervisor);
    return supervisor;
}

void supervisor_signal(struct supervisor *supervisor, int signum)
{
    if (signum == SIGHUP) {
        for (size_t i = 0; i < child_count(supervisor); i++)
            if (child_watch_may_reload(&child_at(supervisor, i)->watch))
                child_signal(child_at(supervisor, i), signum);
        return;
    }
    stop_all(supervisor);
    if (!supervisor->has_ended)
        uv_timer_start(&supervisor->tick, on_tick, LAST_TICK_MS, LAST_TICK_MS);
}

void supervisor_kill(struct supervisor *supervisor)
{
    supervisor->is_stopping = true;
    roll_give_up(supervisor);
    for (size_t i = 0; i < child_count(supervisor); i++)
        child_signal(child_at(supervisor, i), SIGKILL);
}

int supervisor_pid(const struct supervisor *supervisor, size_t child)
{
    const struct child *of = supervisor->slots[child].current;

    return of->state == CHILD_RUNNING ? of->process->pid : 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct supervisor *supervisor = handle->data;

    if (--supervisor->open_handles > 0)
        return;
    if (supervisor->binary_fd >= 0)
        close(supervisor->binary_fd);
    free(supervisor);
}

void supervisor_destroy(struct supervisor *supervisor)
{
    if (!supervisor)
        return;
    for (size_t i = 0; i < child_count(supervisor); i++) {
        struct child *child = child_at(supervisor, i);
        child->restart.data = supervisor;
        uv_close((uv_handle_t *)&child->restart, on_closed);
    }
    uv_close((uv_handle_t *)&supervisor->tick, on_closed);
}
