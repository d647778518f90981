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

/*
 * Keep what they are given for the life of the process. Loop thread, where `*now_ms` is
 * the directory's time.
 */
enum status serve_replay(struct link link, struct event_log *log);
/* What gateways publish is appended to `engine`; their answer waits for it. Their
 * sessions are handed to `writer` as records. */
enum status serve_directory(struct link link, struct door *door,
                            struct directory *directory, const uint64_t *now_ms,
                            struct engine *engine, struct writer *writer);

#endif
