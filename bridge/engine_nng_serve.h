/*
 * The publisher's two answering threads: replay reads the log itself, directory hands
 * each request to the loop and waits for its answer. Neither can block the other, and
 * both live until the process ends.
 */
#ifndef BRIDGE_ENGINE_NNG_SERVE_H
#define BRIDGE_ENGINE_NNG_SERVE_H

#include "bridge/directory.h"
#include "bridge/engine_nng_door.h"
#include "bridge/engine_nng_link.h"
#include "bridge/engine_nng_writer.h"
#include "bridge/event_log.h"

#include <stdatomic.h>

/*
 * Keep what they are given for the life of the process. Loop thread.
 */
enum status serve_replay(struct link link, struct event_log *log);
struct serve_config {
    struct link link;
    struct door *door;
    struct directory *directory;
    const uint64_t *now_ms; /* the directory's time */
    atomic_uint *turn;      /* odd while a request waits for its answer: nobody listens */
    struct writer *writer;  /* what gateways publish is appended to it */
    bool keeps_records;     /* sessions, and what gateways published, are handed to it */
};
/* The answer to a gateway waits until its events and its sessions are kept. */
enum status serve_directory(const struct serve_config *config);

/* Has what the directory says of the session by now written; nothing: that it is over.
 * Out of memory the log is told that its sessions are not to be believed. */
void serve_record(struct directory *directory, struct writer *writer, struct slice sid,
                  struct buf *scratch);

#endif
