/*
 * A gateway's questions to the log: one at a time on the replay link, in turn, so that a
 * long replay of one session does not keep the stream waiting. Loop thread only.
 */
#ifndef BRIDGE_ENGINE_NNG_REPLAY_H
#define BRIDGE_ENGINE_NNG_REPLAY_H

#include "bridge/engine.h"
#include "bridge/engine_nng_door.h"
#include "bridge/engine_nng_link.h"
#include "bridge/engine_nng_recent.h"
#include "proto/bus_wire.h"

struct replayer;

/* Gives a replayer for the life of the process, or NULL. What `recent` (keeps; may be
 * NULL) has of rooms is answered from there, in a later turn of the loop. */
struct replayer *replayer_start(struct link link, struct door *door,
                                struct recent *recent, struct metrics *metrics);

/*
 * One page of everything after `after`. on_page runs once, with NULL when the answer made
 * no sense; there is no deadline: the answer comes when the log is back.
 */
typedef void replayer_page_fn(void *ctx, const struct replay_page *page);
enum status replayer_page(struct replayer *replayer, const struct position *after,
                          replayer_page_fn *on_page, void *ctx);

/*
 * As engine_ops.replay and .marks. on_done, on_marks: ST_OK; ST_NOT_FOUND (the log has
 * another epoch than `from`, or has removed events after it); ST_UNAVAILABLE (2 s without
 * an answer).
 */
void replayer_rooms(struct replayer *replayer, const struct engine_replay *wish,
                    uint64_t now_ms);
void replayer_marks(struct replayer *replayer, const struct room_key *rooms, size_t count,
                    engine_marks_fn *on_marks, void *ctx, uint64_t now_ms);

/* As engine_ops.past. */
void replayer_past(struct replayer *replayer, const struct engine_past *wish,
                   engine_past_fn *on_past, void *ctx, uint64_t now_ms);

/* Ends what has waited too long. */
void replayer_tick(struct replayer *replayer, uint64_t now_ms);

/* Nothing is called back after it. */
void replayer_stop(struct replayer *replayer);

#endif
