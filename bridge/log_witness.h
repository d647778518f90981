/*
 * The witness: a small mapped file beside the log that says how far the log was seen to
 * reach. It costs a store in memory per commit, survives the death of the process, and
 * shows whether the log has lost its end since. Writer thread, once it is open.
 */
#ifndef BRIDGE_LOG_WITNESS_H
#define BRIDGE_LOG_WITNESS_H

#include "proto/log_epoch.h"
#include "proto/status.h"

struct log_witness;

/*
 * Gives the witness of this path (log_witness_close), made where it is absent, and what
 * it says in `*testimony`: all zero when it is new, of another size or damaged. Of a log
 * that was synced the head may be lost; it is 0 then.
 */
enum status log_witness_open(const char *path, struct log_witness **witness,
                             struct log_testimony *testimony);

/*
 * From now on the log is open as `opening` says. That is on the disk before anything is
 * appended: else a loss of power would bring back the clean stop before it. While it is
 * written, what was said before stays. ST_LOG_DOWN: it is not on the disk.
 */
enum status log_witness_begin(struct log_witness *witness,
                              const struct log_testimony *opening);
void log_witness_see(struct log_witness *witness, uint64_t head);
/* Whether the log's sessions are older than what clients were told. On the disk, as what
 * is denied, when this returns. */
void log_witness_doubt_sessions(struct log_witness *witness, bool are_behind);
bool log_witness_doubts_sessions(const struct log_witness *witness);
/* The log is damaged: nothing more is said for it, whatever follows. Any thread. */
void log_witness_deny(struct log_witness *witness);
/* The log is closed and on the disk, and so is this. */
void log_witness_end(struct log_witness *witness);

/* Without log_witness_end: as if the process had died. NULL does nothing. */
void log_witness_close(struct log_witness *witness);

#endif
