/*
 * One request link of a gateway with its thread: one question at a time, and it waits for
 * the answer as long as it takes. Who asks keeps the deadlines. Loop thread only.
 */
#ifndef BRIDGE_ENGINE_NNG_ASK_H
#define BRIDGE_ENGINE_NNG_ASK_H

#include "bridge/engine_nng_door.h"
#include "bridge/engine_nng_link.h"
#include "proto/buf.h"

struct asker;

/* `answer` is lent for the call; empty when the link failed: ask again later. */
typedef void asker_answer_fn(void *ctx, struct slice answer);

/* Gives an asker for the life of the process, or NULL. Keeps all it is given. */
struct asker *asker_start(struct link link, struct door *door, asker_answer_fn *on_answer,
                          void *ctx);

bool asker_is_busy(const struct asker *asker);

/*
 * The last question: leaves once the one under way is answered. Waits for its answer, so
 * long at most. Takes the bytes of `request`. Nothing may be asked after it.
 */
void asker_part(struct asker *asker, struct buf *request, uint64_t patience_ms);

/* Not while it is busy. Takes the bytes of `request` and leaves it empty. */
void asker_ask(struct asker *asker, struct buf *request);

#endif
