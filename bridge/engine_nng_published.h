/*
 * What a gateway publishes with one request, on its way to the log: in its order, in
 * groups that are kept whole or not at all, and nothing behind what could not be kept. So
 * what is kept is a beginning of the request, and a record beside it says how far it
 * goes: whoever starts after this process has died knows what it has when the request
 * comes again. Loop thread only.
 */
#ifndef BRIDGE_ENGINE_NNG_PUBLISHED_H
#define BRIDGE_ENGINE_NNG_PUBLISHED_H

#include "bridge/directory.h"
#include "bridge/engine_nng_writer.h"
#include "proto/directory_wire.h"

struct published_event {
    struct engine_entry entry; /* the request's bytes */
    uint64_t serial;
    size_t at; /* of its result, in the answer */
};

/* Zeroed, but for what the config is. */
struct published {
    struct directory *directory; /* is told what could not be kept */
    struct writer *writer;
    bool keeps_records;
    void (*on_done)(void *ctx);
    void *ctx;

    struct slice gateway; /* the request's */
    uint64_t incarnation;
    struct published_event *events;
    size_t count, capacity;
    size_t answered, under_way; /* the second follow the first */
    struct buf *answer;
    struct buf record; /* scratch */
    struct envelope_room room;
};

/* An event of the request; borrows it, until on_done. Its result in the answer says that
 * it is not kept. What is none, or is never kept, is refused. */
void published_add(struct published *published, const struct directory_request *request,
                   const struct directory_op *op, size_t at);

/* Keeps those that were added, writes each result into the answer (borrows), and says
 * on_done; at once when there are none. */
void published_run(struct published *published, struct buf *answer);

void published_finish(struct published *published);

#endif
