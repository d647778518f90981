/*
 * The transport of a client that polls: what waits in the outbox leaves as the answer of
 * a held GET. It keeps the requests that are unanswered, and the WebSocket that may take
 * over. When what is answered is not its to say (client-gw/engineio). Loop thread.
 */
#ifndef CLIENT_GW_TRANSPORT_POLLING_H
#define CLIENT_GW_TRANSPORT_POLLING_H

#include "client-gw/polling_answer.h"
#include "client-gw/transport.h"

struct peer_guest;

enum {
    PROBE_BYTES = 8, /* "2probe" is the longest that a probing WebSocket has to say */
};

struct transport_polling {
    struct transport base; /* first: the owner's pointer is to it */
    struct polling_answers *answers;
    struct http_exchange *held;    /* a GET */
    struct http_exchange *post;    /* that is being read or taken apart */
    struct http_exchange *written; /* a GET whose answer is on its way */
    bool is_taking;                /* its packets: answers to them leave together */
    uint32_t origin;               /* of the page, hashed; 0: none was named yet */

    struct transport *probe; /* a WebSocket; NULL: none */
    struct peer_guest *probe_guest;
    uint8_t probe_len;
    char probe_text[PROBE_BYTES]; /* what has come of its message */
};

/* Keeps `answers`. Gives a transport (ops->destroy), or NULL. */
struct transport *transport_polling_create(struct polling_answers *answers);

/* NULL: it is another transport. */
struct transport_polling *transport_polling_of(struct transport *transport);

/* The exchange is the held one, or the POST that is read. Its client may go. */
void transport_polling_hold(struct transport_polling *polling,
                            struct http_exchange *exchange);
void transport_polling_read(struct transport_polling *polling,
                            struct http_exchange *exchange);
void transport_polling_answer_held(struct transport_polling *polling,
                                   enum eio_answer answer, struct frame_queue *queue,
                                   const struct mount_settings *settings);
void transport_polling_answer_post(struct transport_polling *polling,
                                   enum eio_answer answer,
                                   const struct mount_settings *settings);
/* The answer that is about to be given to this GET carries packets: they are lost if it
 * is. */
void transport_polling_watch(struct transport_polling *polling,
                             struct http_exchange *exchange);
/* Its connection closes, without an answer. */
void transport_polling_cut_post(struct transport_polling *polling);

/* To the WebSocket alone. */
void transport_polling_say(struct transport_polling *polling, struct slice text);
/* It belongs to nobody any more, and closes. */
void transport_polling_drop_probe(struct transport_polling *polling);

#endif
