/*
 * Sabotage switches (`--test-hook NAME[=V]`): a test turns one on and must then fail.
 * Builds with SIDECAST_TESTING accept them; a release binary knows none and refuses the
 * flag. Set while the command line is read, before any thread starts; read from any
 * thread.
 */
#ifndef BRIDGE_TESTING_TEST_HOOK_H
#define BRIDGE_TESTING_TEST_HOOK_H

#include "bridge/testing/bus_fate.h"

#include <stdbool.h>

/* Borrows `spec`, "no-replay" or "drop-frame=3". False when this build or this name knows
 * no such switch. */
bool test_hook_set(const char *spec);

/* What is missing, on the bus or to a client that comes back, is not sent again. */
bool test_hook_no_replay(void);
/* A reload leaves one part of a gateway with the tables before it. */
bool test_hook_half_reload(void);
/* What the log has is believed, whatever its checksums say. */
bool test_hook_no_checksum(void);
/* A repeated id is published again. */
bool test_hook_no_idempotency(void);
/* A gateway keeps nothing of what it has applied: whoever returns reads the log. */
bool test_hook_no_recent(void);
/* Who comes back is recovered whatever is gone of the log. */
bool test_hook_no_recheck(void);
/* The connection that a client had before it came back goes on. */
bool test_hook_no_evict(void);
/* What the bus repeats is delivered again, and what a client missed is read from the log
 * beyond where live events begin. */
bool test_hook_no_dedupe(void);
/* Who is stopped closes all of its clients at once. */
bool test_hook_no_window(void);
/* Who is stopped ends at once, whoever waits for it. */
bool test_hook_no_drain(void);
/* Who is stopped closes connections where an answer is due. */
bool test_hook_no_last_answer(void);
/* A log that is opened tells of none of the sessions it has. */
bool test_hook_no_sessions(void);
/* "clock=FILE": by so many ms, the eight bytes of FILE, the wall clock is ahead. */
int64_t test_hook_clock_ahead_ms(void);
/* "boot=N": it is the machine's Nth start, as far as the log can see. */
unsigned test_hook_boot(void);
/* "crash-on=POINT[:N]": the process dies, as by SIGKILL, the Nth time it comes here. */
void test_hook_crash_at(const char *point);
/* "hold-commit=FILE": a commit waits while the eight bytes of FILE are not zero. */
void test_hook_hold_commit(void);
/* Every nth bus frame is dropped by the receiver; 0: none. */
unsigned test_hook_drop_frame(void);
/* "bus-shim=…": what happens to each bus frame; lends for ever. NULL: nothing. */
const struct bus_plan *test_hook_bus_plan(void);

/* Runs the leak checker where the build has one, which reports to stderr. */
bool test_hook_found_leaks(void);
/* Memory that a library was given for good is not looked for. */
void test_hook_given_away(const void *memory);
/* What such a check may take on a loaded machine, beyond the time that a stop has. */
unsigned test_hook_leak_check_ms(void);

#endif
