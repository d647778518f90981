/*
 * What the files of the supervisor share: supervisor.c decides who runs,
 * supervisor_child.c starts one and hears it, supervisor_roll.c exchanges all of them one
 * by one. Loop thread.
 */
#ifndef CLI_SUPERVISOR_PARTS_H
#define CLI_SUPERVISOR_PARTS_H

#include "cli/child_watch.h"
#include "cli/supervisor.h"

enum {
    SUPERVISOR_LINE_BYTES = 256,
    SUPERVISOR_PATH_BYTES = 4096,
};

enum child_state {
    CHILD_ABSENT,  /* its twin has the place */
    CHILD_WAITING, /* to be started */
    CHILD_RUNNING,
    CHILD_ENDED /* for good */
};

struct child {
    struct supervisor *supervisor;
    struct slot *slot;
    const struct supervisor_plan *plan;
    const char *name;
    const char *const *args;
    enum child_state state;
    struct child_watch watch;
    uv_process_t *process; /* heap: closes later than the next one starts */
    uv_pipe_t *status;     /* heap, too */
    uv_timer_t restart;
    uint64_t kill_at_ms; /* 0: not asked to end */
    char line[SUPERVISOR_LINE_BYTES];
    size_t line_len;
};

/* A listener's place: one process has it, and while that leaves its twin comes. */
struct slot {
    struct child pair[2]; /* the second one only where the plan names a twin */
    struct child *current;
};

enum roll_step {
    ROLL_NOT,
    ROLL_WAITS,       /* for the place to be free for a twin */
    ROLL_HEIR_STARTS, /* until it is ready */
    ROLL_OLD_LEAVES,
    ROLL_SERVER_LEAVES,
    ROLL_SERVER_RETURNS, /* until everybody is ready with it */
};

struct roll {
    enum roll_step step;
    size_t slot;
    struct child *old, *heir;
    uint64_t late_ms; /* when the step has taken too long */
};

struct supervisor {
    struct supervisor_config config;
    struct slot slots[SUPERVISOR_MAX_CHILDREN];
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
    struct roll roll;
    char program[SUPERVISOR_PATH_BYTES]; /* where this one was started from */
    int binary_fd;                       /* of the program that children run; -1: ours */
};

/* --- supervisor_child.c */

/* False: it cannot be started. */
bool child_start(struct child *child);
void child_signal(struct child *child, int signum);
/* Asks it to end, and has it ended when it takes longer than `limit_ms`. */
void child_stop(struct child *child, uint64_t limit_ms);
/* Tells it that nobody takes its place. */
void child_tell_alone(struct child *child);
/* What an end takes beside sending clients away. */
uint64_t child_stop_ms(void);

/* --- supervisor.c, called by the others */

void supervisor_heard(struct child *child, struct slice line);
void supervisor_has_ended(struct child *child, int exit_code, int signum);
/* The twin has the place from now on, and what is known of it. */
void slot_pass(struct slot *slot, struct child *heir);
struct child *slot_other(const struct slot *slot);
/* What a gateway may take to end. */
uint64_t supervisor_leave_ms(const struct supervisor *supervisor);

/* --- supervisor_roll.c */

/* After anything has happened. */
void roll_look(struct supervisor *supervisor, uint64_t now_ms);
void roll_give_up(struct supervisor *supervisor);
/* "/proc/self/exe", or what a roll has found in its place. */
const char *roll_binary(const struct supervisor *supervisor, char path[64]);

#endif
