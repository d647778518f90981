/*
 * One Engine.IO connection over its transports (engine.io-protocol v4, "Transports",
 * "Heartbeat", "Upgrade"): what happens goes in, what is to be done comes out. It knows
 * no request, no socket and no packet's content: the caller says whether packets wait in
 * its queue, and keeps the requests and the WebSocket that the outputs speak of.
 *
 *     struct eio_todo todo;
 *     eio_session_step(&session, EIO_POLL, has_queue, now_ms, &todo);
 *     … arm the one timer for todo.due_ms …
 *     for (unsigned i = 0; i < todo.count; i++) { … todo.list[i] … }
 *
 * Outputs are carried out in their order. What may step again while it is carried out (a
 * delivered message makes the application send or close) stands at the end of its list,
 * or before the end of the session, whose steps do nothing any more. After EIO_OVER
 * nothing of this connection waits for an answer, and no timer runs.
 *
 * A connection that begins as a WebSocket is one that is upgraded from the start.
 */
#ifndef PROTO_EIO_SESSION_H
#define PROTO_EIO_SESSION_H

#include "proto/eio.h"

/* Of all connections of a mount. */
struct eio_config {
    uint64_t ping_interval_ms;
    uint64_t ping_timeout_ms;
    uint64_t upgrade_timeout_ms;
    bool may_upgrade;
};

enum {
    EIO_FIRST_TICK_MS = 20,      /* to the noop that ends the poll of the probe */
    EIO_TICK_MS = 100,           /* from one to the next: polls do not spin */
    EIO_UNSEEN_CLOSE_MS = 30000, /* until a close that nobody came for is dropped */
    EIO_OUTPUTS_MAX = 6
};

enum eio_state {
    EIO_POLLING,
    EIO_ATTACHED, /* polling; a WebSocket is there, and has said nothing */
    EIO_PROBING,  /* polling; it was answered "3probe" */
    EIO_UPGRADED,
    EIO_CLOSING, /* closed by us, unseen: told by the next GET, or once upgraded */
    EIO_CLOSED
};

enum eio_event {
    /* GETs. At most one is held. */
    EIO_POLL,         /* one came */
    EIO_POLL_ABORTED, /* the held one's client has gone */
    EIO_POLL_LOST,    /* an answer that carried packets was not written whole */

    /* POSTs. At most one is read. */
    EIO_POST,           /* the head of one came */
    EIO_POST_BINARY,    /* the same, of type application/octet-stream */
    EIO_POST_BODY,      /* its body is there: its packets follow, then EIO_POST_DONE */
    EIO_POST_DONE,      /* all were given, or the state ceased to take them */
    EIO_POST_TOO_LARGE, /* its body has passed the ceiling */
    EIO_POST_ABORTED,   /* its client has gone, or was too slow */

    /* One packet of a POST (eio_event_posted). */
    EIO_POSTED_MESSAGE, /* also a binary one */
    EIO_POSTED_PONG,
    EIO_POSTED_PING,
    EIO_POSTED_CLOSE,
    EIO_POSTED_OTHER, /* open, upgrade, noop */
    EIO_POSTED_BAD,

    /* The WebSocket: the one that EIO_WS_OPENED did not refuse, until EIO_CLOSE_WS. */
    EIO_WS_OPENED, /* one came for this connection */
    EIO_WS_GONE,   /* by its client or by a fault */

    /* One message on it (eio_event_heard). */
    EIO_WS_MESSAGE, /* also a binary one */
    EIO_WS_PONG,
    EIO_WS_PROBE, /* "2probe" */
    EIO_WS_PING,
    EIO_WS_UPGRADE,
    EIO_WS_CLOSE,
    EIO_WS_OTHER, /* open, noop */
    EIO_WS_BAD,

    /* Ours. */
    EIO_QUEUED,  /* packets were put into the queue, by whomever */
    EIO_DUE,     /* due_ms has come; early or twice does no harm */
    EIO_SHUT,    /* we close: a polling client is told by its next GET */
    EIO_ABANDON, /* we close, and remember nothing */
    EIO_EVENT_COUNT
};

/* What is done. `answer` belongs to the first four. */
enum eio_verb {
    EIO_ANSWER_HELD, /* the GET that was held before this event; it is held no longer */
    EIO_ANSWER_THIS, /* the request that this event is about */
    EIO_ANSWER_POST, /* the POST that was being read */
    EIO_CUT_POST,    /* the same: its connection is ended without an answer */
    EIO_HOLD,        /* this GET is the held one now: no answer yet */
    EIO_READ,        /* this POST may be read */
    EIO_DELIVER,     /* this packet is a message for the application */
    EIO_PING_CLIENT, /* put "2" into the queue (and say EIO_QUEUED, as always) */
    EIO_SEND_PROBE,  /* write "3probe" to the WebSocket */
    EIO_SWAP,        /* the WebSocket is the transport now: write the queue to it */
    EIO_CLOSE_WS,    /* close it, without a code, once what was written to it has left */
    EIO_REFUSE_WS,   /* close the one that came; the other one is not disturbed */
    EIO_OVER         /* forget the sid; why: eio_session_end */
};

enum eio_answer {
    EIO_NO_ANSWER,
    EIO_QUEUE,       /* 200, all that waits in the queue */
    EIO_QUEUE_CLOSE, /* 200, all that waits, and "1" */
    EIO_NOOP_ONLY,   /* 200 "6" */
    EIO_CLOSE_ONLY,  /* 200 "1" */
    EIO_NOOP_CLOSE,  /* 200 "6\x1e1" */
    EIO_POST_OK,     /* 200 "ok" */
    EIO_OVERLAP,     /* 400, empty: two requests at a time, or octet-stream */
    EIO_TOO_LARGE,   /* 413, empty */
    EIO_BAD_REQUEST, /* 400, code 3: the transport is another one */
    EIO_UNKNOWN_SID  /* 400, code 1 */
};

/* Why a connection ended, eio_end_text has the word for logs. */
enum eio_end {
    EIO_END_NONE,
    EIO_END_TRANSPORT_CLOSE,
    EIO_END_TRANSPORT_ERROR,
    EIO_END_PING_TIMEOUT,
    EIO_END_PARSE_ERROR,
    EIO_END_FORCED /* EIO_SHUT, EIO_ABANDON: the caller knows better */
};

struct eio_output {
    enum eio_verb verb;
    enum eio_answer answer;
};

struct eio_todo {
    uint8_t count;
    struct eio_output list[EIO_OUTPUTS_MAX];
    uint64_t due_ms; /* when EIO_DUE is to be said next; 0: nothing is due */
};

/* No memory of its own: nothing to finish. Fields belong to the module. */
struct eio_session {
    const struct eio_config *config; /* kept: it outlives the session */
    uint64_t beat_due_ms;            /* a ping, a missing pong, or the end of closing */
    uint64_t tick_due_ms;            /* while probing */
    uint64_t upgrade_due_ms;         /* while a WebSocket waits to take over */
    uint8_t state;                   /* enum eio_state */
    uint8_t end;                     /* enum eio_end */
    uint8_t post;                    /* none, being read, being taken apart */
    bool is_holding;                 /* a GET is held */
    bool is_pinged;                  /* a pong is due */
    bool owes_noop;                  /* to the next GET of a client that probes */
};

/* A session whose handshake is being answered, by a GET or on a WebSocket. */
void eio_session_init(struct eio_session *session, const struct eio_config *config,
                      bool is_websocket, uint64_t now_ms);

/* `has_queue`: packets wait in the caller's queue at this moment. Gives all that is to be
 * done in `todo`. Any event may come in any state. */
void eio_session_step(struct eio_session *session, enum eio_event event, bool has_queue,
                      uint64_t now_ms, struct eio_todo *todo);

/* Whether a pong is overdue: EIO_DUE would end the session. */
bool eio_session_waits_for_pong(const struct eio_session *session, uint64_t now_ms);
/* It has until then, because it is not the client who is late. */
void eio_session_extend(struct eio_session *session, uint64_t due_ms);

enum eio_state eio_session_state(const struct eio_session *session);
/* As todo.due_ms. */
uint64_t eio_session_due_ms(const struct eio_session *session);
enum eio_end eio_session_end(const struct eio_session *session);
const char *eio_end_text(enum eio_end end);

/* Whether packets are still taken from the client: else the rest of a POST is skipped. */
bool eio_session_is_open(const struct eio_session *session);
/* Whether polls carry what is sent: not upgraded, and not over. */
bool eio_session_is_polling(const struct eio_session *session);
/* Whether what is queued now leaves at once, as far as the machine knows: volatile
 * packets are for such moments only. */
bool eio_session_is_writable(const struct eio_session *session);

/*
 * What one packet of a POST, or one text message of a WebSocket, is to the machine. Fills
 * `packet` (lent by `text`), whose content means nothing when the event is …_BAD. A
 * binary one is base64 that base64_decode may be given. A binary frame is EIO_WS_MESSAGE.
 */
enum eio_event eio_event_posted(struct slice text, struct eio_packet *packet);
enum eio_event eio_event_heard(struct slice text, struct eio_packet *packet);

#endif
