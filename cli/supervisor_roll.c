/*
 * The rolling restart: gateways one after the other, each ready in its twin before the
 * old one sends its clients away; then the publisher, whose requests wait in its
 * listener. They run what lies by now where this program was started from.
 */
#include "cli/supervisor_parts.h"

#include "bridge/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    READY_MS = 30000, /* for a step that others take */
    BINARY_FD = 64,   /* above whatever a child is given */
};

const char *roll_binary(const struct supervisor *supervisor, char path[64])
{
    if (supervisor->binary_fd < 0)
        return "/proc/self/exe";
    snprintf(path, 64, "/proc/self/fd/%d", supervisor->binary_fd);
    return path;
}

/* A start after a crash runs the same program as the last roll did, whatever lies there
 * by then: so it is held open. */
static void find_binary(struct supervisor *supervisor)
{
    int fd = open(supervisor->program, O_RDONLY | O_CLOEXEC);
    int high = fd < 0 || access(supervisor->program, X_OK)
                   ? -1
                   : fcntl(fd, F_DUPFD_CLOEXEC, BINARY_FD);

    if (high < 0)
        log_warn(supervisor->config.log, "the program cannot be read anew",
                 LOG_TEXT("path", supervisor->program),
                 LOG_TEXT("because", strerror(errno)));
    if (fd >= 0)
        close(fd);
    if (high < 0)
        return;
    if (supervisor->binary_fd >= 0)
        close(supervisor->binary_fd);
    supervisor->binary_fd = high;
}

static void enter(struct supervisor *supervisor, enum roll_step step, uint64_t most_ms)
{
    supervisor->roll.step = step;
    supervisor->roll.late_ms = clock_ms() + most_ms;
}

void roll_give_up(struct supervisor *supervisor)
{
    supervisor->roll = (struct roll){.step = ROLL_NOT};
}

static void fail(struct supervisor *supervisor, const char *why)
{
    const struct roll *roll = &supervisor->roll;
    const struct slot *slot = &supervisor->slots[roll->slot];

    log_error(supervisor->config.log, "the rolling restart has ended halfway",
              LOG_TEXT("child", slot->current->name), LOG_TEXT("because", why));
    if (roll->step == ROLL_HEIR_STARTS)
        child_stop(roll->heir, child_stop_ms());
    roll_give_up(supervisor);
}

/* --- the steps */

static void begin_server(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->config.count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (!slot->current->plan->serves_bus)
            continue;
        supervisor->roll.slot = i;
        supervisor->roll.old = slot->current;
        child_stop(slot->current, child_stop_ms());
    }
    enter(supervisor, ROLL_SERVER_LEAVES, READY_MS);
}

static void begin_next(struct supervisor *supervisor)
{
    struct roll *roll = &supervisor->roll;

    while (roll->slot < supervisor->config.count &&
           supervisor->slots[roll->slot].current->plan->serves_bus)
        roll->slot++;
    if (roll->slot < supervisor->config.count)
        enter(supervisor, ROLL_WAITS, supervisor_leave_ms(supervisor) + READY_MS);
    else
        begin_server(supervisor);
}

static void try_heir(struct supervisor *supervisor)
{
    struct roll *roll = &supervisor->roll;
    struct slot *slot = &supervisor->slots[roll->slot];

    roll->old = slot->current;
    roll->heir = slot_other(slot);
    if (!roll->heir || roll->heir->state != CHILD_ABSENT ||
        !child_watch_is_ready(&roll->old->watch))
        return;
    enter(supervisor, ROLL_HEIR_STARTS, READY_MS);
    if (!child_start(roll->heir))
        fail(supervisor, "it cannot be started");
}

static void look_at_heir(struct supervisor *supervisor)
{
    struct roll *roll = &supervisor->roll;

    if (roll->heir->state != CHILD_RUNNING) {
        fail(supervisor, "the new one has ended");
    } else if (child_watch_is_ready(&roll->heir->watch)) {
        slot_pass(&supervisor->slots[roll->slot], roll->heir);
        child_stop(roll->old, supervisor_leave_ms(supervisor));
        enter(supervisor, ROLL_OLD_LEAVES,
              2 * supervisor_leave_ms(supervisor) + READY_MS);
    }
}

static bool are_all_ready(const struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->config.count; i++)
        if (!child_watch_is_ready(&supervisor->slots[i].current->watch))
            return false;
    return true;
}

void roll_look(struct supervisor *supervisor, uint64_t now_ms)
{
    struct roll *roll = &supervisor->roll;

    switch (roll->step) {
    case ROLL_NOT: return;
    case ROLL_WAITS: try_heir(supervisor); break;
    case ROLL_HEIR_STARTS: look_at_heir(supervisor); break;
    case ROLL_OLD_LEAVES:
        if (roll->old->state != CHILD_ABSENT)
            break;
        roll->slot++;
        begin_next(supervisor);
        break;
    case ROLL_SERVER_LEAVES:
        if (roll->old->kill_at_ms == 0) /* it was started again */
            enter(supervisor, ROLL_SERVER_RETURNS, READY_MS);
        break;
    case ROLL_SERVER_RETURNS:
        if (!are_all_ready(supervisor))
            break;
        log_info(supervisor->config.log, "every child was started anew",
                 LOG_NUM("children", (int64_t)supervisor->config.count));
        roll_give_up(supervisor);
        break;
    }
    if (roll->step != ROLL_NOT && now_ms > roll->late_ms)
        fail(supervisor, "it took too long");
}

void supervisor_roll(struct supervisor *supervisor)
{
    if (supervisor->roll.step != ROLL_NOT || supervisor->is_stopping ||
        !supervisor->was_ready) {
        log_info(supervisor->config.log, "no rolling restart now",
                 LOG_TEXT("because", supervisor->was_ready ? "one is under way"
                                                           : "not everybody is ready"));
        return;
    }
    find_binary(supervisor);
    log_info(supervisor->config.log, "starting every child anew, one by one",
             LOG_TEXT("program", supervisor->program));
    supervisor->roll.slot = 0;
    begin_next(supervisor);
    roll_look(supervisor, clock_ms());
}
