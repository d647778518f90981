/*
 * The last few events with the times of their hops, for the demo's page. Only the demo
 * keeps them. Loop thread.
 */
#ifndef CLIENT_GW_TRACE_H
#define CLIENT_GW_TRACE_H

#include "bridge/engine.h"

struct trace_log;

struct trace_log *trace_log_create(void);
void trace_log_destroy(struct trace_log *traces);

/* Borrows everything. `taken_us`: when delivery began, `written_us`: when its last write
 * was done. */
void trace_log_add(struct trace_log *traces, const struct engine_event *event,
                   const struct envelope *envelope, int64_t taken_us, int64_t written_us);

/* Appends {"id","hops":[{"name","us"}]}; false when the id is not (any more) known. */
bool trace_log_print(const struct trace_log *traces, struct slice id, struct buf *out);

#endif
