/* What a supervisor makes of a child: see the header. */
#include "cli/child_watch.h"

enum {
    TALKS_MS = 2000 /* a line each second, and some patience */
};

void child_watch_started(struct child_watch *watch, uint64_t now_ms)
{
    *watch = (struct child_watch){.started_ms = now_ms,
                                  .heard_ms = now_ms,
                                  .delay_ms = watch->delay_ms,
                                  .has_served = watch->has_served};
}

static void hear_drain(struct child_watch *watch, struct slice line)
{
    const struct slice words = SLICE("not ready draining ");

    if (slice_starts_with(line, words.ptr))
        watch->is_leaving = slice_to_u64(slice_from(line, words.len), &watch->leave_ms);
}

void child_watch_heard(struct child_watch *watch, struct slice line, uint64_t now_ms)
{
    bool has_no_bus = slice_starts_with(line, "not ready bus");

    watch->heard_ms = now_ms;
    watch->has_spoken = true;
    if (slice_is(line, "ready")) {
        watch->ready_ms = now_ms;
        watch->was_ready = watch->has_served = true;
        watch->no_bus_ms = 0;
    } else if (slice_starts_with(line, "not ready")) {
        watch->ready_ms = 0;
        watch->no_bus_ms = has_no_bus ? now_ms : 0;
        hear_drain(watch, line);
    }
}

bool child_watch_may_reload(struct child_watch *watch)
{
    watch->owes_reload |= !watch->has_spoken;
    return watch->has_spoken;
}

bool child_watch_is_owed_reload(struct child_watch *watch)
{
    bool is_owed = watch->has_spoken && watch->owes_reload;

    watch->owes_reload &= !is_owed;
    return is_owed;
}

void child_watch_excuse(struct child_watch *watch, uint64_t now_ms)
{
    watch->heard_ms = now_ms;
    if (watch->no_bus_ms != 0)
        watch->no_bus_ms = now_ms;
}

bool child_watch_is_ready(const struct child_watch *watch)
{
    return watch->ready_ms != 0;
}

bool child_watch_is_silent(const struct child_watch *watch, uint64_t now_ms)
{
    return now_ms - watch->heard_ms >= CHILD_SILENT_MS;
}

enum child_blame child_watch_blames(const struct child_watch *watch,
                                    const struct child_watch *server, uint64_t now_ms)
{
    bool is_server_well = server->ready_ms != 0 &&
                          now_ms - server->ready_ms >= CHILD_SETTLED_MS &&
                          now_ms - server->heard_ms < TALKS_MS;

    if (!is_server_well || watch->no_bus_ms == 0 ||
        now_ms - watch->no_bus_ms < CHILD_NO_BUS_MS)
        return BLAME_NOBODY;
    return watch->was_ready || watch->blamed_server ? BLAME_ITSELF : BLAME_SERVER;
}

static unsigned doubled(unsigned delay_ms, unsigned last_ms)
{
    return delay_ms < last_ms / 2 ? delay_ms * 2 : last_ms;
}

/*
 * Somebody else starts a gateway under this id. If it was by mistake, this child takes
 * its place back at once; if that one is restarted, too, the two end each other again and
 * again, and their clients' connections with them.
 */
static unsigned replaced_delay_ms(const struct child_watch *watch, uint64_t now_ms)
{
    if (watch->delay_ms == 0 || now_ms - watch->started_ms >= CHILD_UNDISPUTED_MS)
        return CHILD_FIRST_DELAY_MS;
    return doubled(watch->delay_ms, CHILD_LAST_REPLACED_MS);
}

/* Who does not become ready is given more time each time. */
static unsigned next_delay_ms(const struct child_watch *watch, uint64_t now_ms)
{
    if (watch->ready_ms != 0 && now_ms - watch->ready_ms >= CHILD_USEFUL_MS)
        return 0;
    if (watch->delay_ms == 0 || now_ms - watch->started_ms >= CHILD_SETTLED_MS)
        return CHILD_FIRST_DELAY_MS;
    if (!watch->was_ready || watch->delay_ms > CHILD_LAST_DELAY_MS)
        return doubled(watch->delay_ms, CHILD_LAST_DELAY_MS);
    return watch->delay_ms;
}

bool child_watch_ended(struct child_watch *watch, int exit_code, uint64_t now_ms,
                       unsigned *delay_ms)
{
    /* The settings were good: it is a file that they name, and that may be mended. */
    if (exit_code == CHILD_EXIT_CONFIG && !watch->has_served)
        return false;
    watch->delay_ms = exit_code == CHILD_EXIT_REPLACED ? replaced_delay_ms(watch, now_ms)
                                                       : next_delay_ms(watch, now_ms);
    watch->ready_ms = watch->no_bus_ms = 0;
    *delay_ms = watch->delay_ms;
    return true;
}
