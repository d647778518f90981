/*
 * Answers to the requests of Engine.IO's polling transport, in the protocol's words: all
 * that waits, joined from the frames that other transports send as they are, and
 * compressed where it is long and the client can read it. Loop thread.
 */
#ifndef CLIENT_GW_POLLING_ANSWER_H
#define CLIENT_GW_POLLING_ANSWER_H

#include "bridge/http_server.h"
#include "client-gw/frame_queue.h"
#include "client-gw/gzip.h"
#include "proto/eio_session.h"
#include "proto/mount_rules.h"

struct polling_answers {
    struct metrics *metrics;
    struct gzip *gzip;
    struct buf body, packed; /* of the answer that is being made */
};

/* Keeps `metrics`. False: out of memory. polling_answers_finish in any case. */
bool polling_answers_init(struct polling_answers *answers, struct metrics *metrics);
void polling_answers_finish(struct polling_answers *answers);

/* `queue`: what waits; what is answered with is taken from it. `settings`: of the
 * connection's mount. */
void polling_answer(struct polling_answers *answers, struct http_exchange *exchange,
                    enum eio_answer answer, struct frame_queue *queue,
                    const struct mount_settings *settings);

/* The first poll, with a cookie if there is to be one (NULL: none). */
void polling_answer_first(struct polling_answers *answers, struct http_exchange *exchange,
                          struct frame_queue *queue,
                          const struct mount_settings *settings, const char *cookie);

/* Engine.IO's own errors: their numbers are the protocol's. */
enum polling_error {
    POLLING_TRANSPORT_UNKNOWN,
    POLLING_SID_UNKNOWN,
    POLLING_BAD_METHOD,
    POLLING_BAD_REQUEST,
    POLLING_FORBIDDEN,
    POLLING_VERSION,
    POLLING_FINE, /* none of them */
};
const char *polling_error_text(enum polling_error error);
void polling_refuse(struct http_exchange *exchange, enum polling_error error);

/* What no method but GET and POST gets, on a session that is none the worse for it. */
void polling_answer_nothing(struct http_exchange *exchange);

#endif
