/*
 * What a supervisor makes of a child: when it is silent, when it has no bus, and whether
 * and when it is started again. Pure: time is an argument.
 */
#ifndef CLI_CHILD_WATCH_H
#define CLI_CHILD_WATCH_H

#include "proto/slice.h"

enum {
    CHILD_SILENT_MS = 10000,    /* then it is killed */
    CHILD_NO_BUS_MS = 3000,     /* then somebody is to blame */
    CHILD_FIRST_DELAY_MS = 100, /* before it is started again, if it was of no use */
    CHILD_LAST_DELAY_MS = 2000,
    CHILD_SETTLED_MS = 5000, /* who lived that long begins with the first delay again */
    CHILD_USEFUL_MS = 1000,  /* who was ready that long is started again at once */
    CHILD_UNDISPUTED_MS = 300000, /* who had its id that long may have it back at once */
    CHILD_LAST_REPLACED_MS = 30000, /* the last delay of who had not */
    CHILD_EXIT_REPLACED = 75,       /* it gave way to a later start under its id */
    CHILD_EXIT_CONFIG = 78 /* at the first start: it would end the same way again */
};

/* Zeroed before the first child_watch_started. */
struct child_watch {
    uint64_t started_ms;
    uint64_t heard_ms;  /* the last line */
    uint64_t no_bus_ms; /* since when it has said so; 0: it has a bus */
    uint64_t ready_ms;  /* since when it is ready; 0: it is not */
    bool was_ready;     /* in this life */
    bool blamed_server; /* in this life */
    bool has_served;    /* was ready, in this life or another */
    bool has_spoken;    /* in this life: its signals are handled */
    bool owes_reload;   /* it was to reload before it spoke */
    bool is_leaving;    /* it has said so: it ends within leave_ms */
    uint64_t leave_ms;
    unsigned delay_ms; /* before the last start */
};

void child_watch_started(struct child_watch *watch, uint64_t now_ms);

/* One line of the child's, without its end: "ready", "not ready REASON", "not ready
 * draining MS", "alive". */
void child_watch_heard(struct child_watch *watch, struct slice line, uint64_t now_ms);

/*
 * Whether a signal makes it reload. False: it would still die of one, and may have read
 * its file already, so that it is owed one from its first line on: asked after each line,
 * child_watch_is_owed_reload says so once.
 */
bool child_watch_may_reload(struct child_watch *watch);
bool child_watch_is_owed_reload(struct child_watch *watch);

/*
 * The watcher itself did not run until now (it was stopped, or the machine was): what the
 * child said meanwhile is still unread, so silence and a missing bus count from here.
 */
void child_watch_excuse(struct child_watch *watch, uint64_t now_ms);

bool child_watch_is_ready(const struct child_watch *watch);
bool child_watch_is_silent(const struct child_watch *watch, uint64_t now_ms);

/*
 * Who must be replaced when `watch` has had no bus for too long although `server`, the
 * child that serves it, is ready and talks. The bus library can lose either end for good:
 * a dialer that does not dial, a listener that accepts nobody. Who was connected in this
 * life tries anew itself, which costs least; who is new and finds no way in blames the
 * server, and when that did not help, itself.
 */
enum child_blame {
    BLAME_NOBODY,
    BLAME_ITSELF,
    BLAME_SERVER
};
enum child_blame child_watch_blames(const struct child_watch *watch,
                                    const struct child_watch *server, uint64_t now_ms);

/* The child ended by itself. False: give up, its settings are wrong; else `*delay_ms`
 * before the next start. */
bool child_watch_ended(struct child_watch *watch, int exit_code, uint64_t now_ms,
                       unsigned *delay_ms);

#endif
