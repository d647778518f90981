/* One Engine.IO connection as a table of states and events: see the header. */
#include "proto/eio_session.h"

#include "proto/base64.h"
#include "proto/utf8.h"

#include <assert.h>

_Static_assert(sizeof(struct eio_session) <= 64, "one for each client, also an idle one");

enum post_state {
    POST_NONE,
    POST_READING,
    POST_TAKING /* its packets are being given, one by one */
};

struct step {
    struct eio_session *session;
    struct eio_todo *todo;
    uint64_t now_ms;
    bool has_queue;
};

static void todo_add(struct step *step, enum eio_verb verb, enum eio_answer answer)
{
    assert(step->todo->count < EIO_OUTPUTS_MAX);
    step->todo->list[step->todo->count++] = (struct eio_output){verb, answer};
}

static void todo_do(struct step *step, enum eio_verb verb)
{
    todo_add(step, verb, EIO_NO_ANSWER);
}

static void answer_held(struct step *step, enum eio_answer answer)
{
    step->session->is_holding = false;
    todo_add(step, EIO_ANSWER_HELD, answer);
}

static void answer_this(struct step *step, enum eio_answer answer)
{
    todo_add(step, EIO_ANSWER_THIS, answer);
}

static void answer_post(struct step *step, enum eio_answer answer)
{
    step->session->post = POST_NONE;
    todo_add(step, EIO_ANSWER_POST, answer);
}

static void cut_post(struct step *step)
{
    if (step->session->post != POST_READING)
        return;
    step->session->post = POST_NONE;
    todo_do(step, EIO_CUT_POST);
}

/* The WebSocket is no more, or not yet: polls carry everything. */
static void drop_websocket(struct step *step, enum eio_state state)
{
    step->session->state = (uint8_t)state;
    step->session->tick_due_ms = 0;
    step->session->owes_noop = false;
    step->session->upgrade_due_ms = 0;
}

static bool has_websocket(const struct eio_session *session)
{
    return session->state == EIO_UPGRADED || session->upgrade_due_ms != 0;
}

/* Everything that waits is answered, now. A POST whose packets were taken has succeeded.
 */
static void finish(struct step *step, enum eio_end end)
{
    struct eio_session *session = step->session;

    if (session->is_holding)
        answer_held(step, step->has_queue ? EIO_QUEUE_CLOSE : EIO_CLOSE_ONLY);
    cut_post(step);
    if (session->post == POST_TAKING)
        answer_post(step, EIO_POST_OK);
    if (has_websocket(session))
        todo_do(step, EIO_CLOSE_WS);
    drop_websocket(step, EIO_CLOSED);
    session->beat_due_ms = 0;
    if (session->end == EIO_END_NONE)
        session->end = (uint8_t)end;
    todo_do(step, EIO_OVER);
}

/* --- GETs --- */

/* The other request is wrong, and so is what the two do to each other. */
static void overlap(struct step *step)
{
    answer_this(step, EIO_OVERLAP);
    finish(step, EIO_END_TRANSPORT_ERROR);
}

/* During a probe a poll ends soon, but polls do not spin. */
static void noop_again(struct step *step)
{
    step->session->owes_noop = false;
    step->session->tick_due_ms = step->now_ms + EIO_TICK_MS;
}

static void poll_came(struct step *step)
{
    if (step->session->is_holding) {
        overlap(step);
    } else if (step->has_queue) {
        answer_this(step, EIO_QUEUE);
    } else if (step->session->owes_noop) {
        answer_this(step, EIO_NOOP_ONLY);
        noop_again(step);
    } else {
        step->session->is_holding = true;
        todo_do(step, EIO_HOLD);
    }
}

/* Last words go before the end, in an answer of their own: socket.io-client drops the
 * packets that come together with a "1". */
static void poll_ends(struct step *step)
{
    if (step->has_queue) {
        answer_this(step, EIO_QUEUE);
        return;
    }
    answer_this(step, EIO_NOOP_CLOSE);
    finish(step, EIO_END_FORCED);
}

static void wrong_way(struct step *step)
{
    answer_this(step, EIO_BAD_REQUEST);
}

static void poll_abort(struct step *step)
{
    if (!step->session->is_holding)
        return;
    step->session->is_holding = false;
    finish(step, EIO_END_TRANSPORT_ERROR);
}

static void fault(struct step *step)
{
    finish(step, EIO_END_TRANSPORT_ERROR);
}

static void queued(struct step *step)
{
    if (step->session->is_holding && step->has_queue)
        answer_held(step, EIO_QUEUE);
}

/* --- POSTs --- */

static void post_came(struct step *step)
{
    if (step->session->post != POST_NONE) {
        overlap(step);
        return;
    }
    step->session->post = POST_READING;
    todo_do(step, EIO_READ);
}

static void post_whole(struct step *step)
{
    if (step->session->post == POST_READING)
        step->session->post = POST_TAKING;
}

static void post_done(struct step *step)
{
    if (step->session->post == POST_TAKING)
        answer_post(step, EIO_POST_OK);
}

static void post_large(struct step *step)
{
    if (step->session->post == POST_READING)
        answer_post(step, EIO_TOO_LARGE);
}

static void post_abort(struct step *step)
{
    if (step->session->post == POST_NONE)
        return;
    step->session->post = POST_NONE;
    finish(step, EIO_END_TRANSPORT_ERROR);
}

static void post_forget(struct step *step)
{
    step->session->post = POST_NONE;
}

/* --- packets --- */

static bool is_taking(const struct step *step)
{
    return step->session->post == POST_TAKING;
}

static void alive(struct step *step)
{
    step->session->is_pinged = false;
    step->session->beat_due_ms = step->now_ms + step->session->config->ping_interval_ms;
}

static void deliver(struct step *step)
{
    todo_do(step, EIO_DELIVER);
}

static void leave(struct step *step)
{
    finish(step, EIO_END_TRANSPORT_CLOSE);
}

static void nonsense(struct step *step)
{
    finish(step, EIO_END_PARSE_ERROR);
}

static void post_says(struct step *step)
{
    if (is_taking(step))
        deliver(step);
}

static void post_pong(struct step *step)
{
    if (is_taking(step))
        alive(step);
}

/* In version 4 the server pings: the other direction ends the connection. */
static void post_ping(struct step *step)
{
    if (is_taking(step))
        fault(step);
}

/* The client waits for its poll: a noop ends it, as it knows already that all is over. */
static void post_close(struct step *step)
{
    if (!is_taking(step))
        return;
    if (step->session->is_holding)
        answer_held(step, EIO_NOOP_ONLY);
    leave(step);
}

static void post_bad(struct step *step)
{
    if (is_taking(step))
        nonsense(step);
}

/* --- the WebSocket --- */

static void refuse_ws(struct step *step)
{
    todo_do(step, EIO_REFUSE_WS);
}

static void attach(struct step *step)
{
    struct eio_session *session = step->session;

    if (!session->config->may_upgrade) {
        refuse_ws(step);
        return;
    }
    session->state = EIO_ATTACHED;
    session->upgrade_due_ms = step->now_ms + session->config->upgrade_timeout_ms;
}

static void probe(struct step *step)
{
    struct eio_session *session = step->session;

    todo_do(step, EIO_SEND_PROBE);
    if (session->state == EIO_PROBING)
        return;
    session->state = EIO_PROBING;
    session->tick_due_ms = step->now_ms + EIO_FIRST_TICK_MS;
}

/* Polling goes on as if it had never been there. */
static void detach(struct step *step)
{
    bool is_closing = step->session->state == EIO_CLOSING;

    drop_websocket(step, is_closing ? EIO_CLOSING : EIO_POLLING);
}

static void send_away(struct step *step)
{
    if (!has_websocket(step->session))
        return;
    todo_do(step, EIO_CLOSE_WS);
    detach(step);
}

/*
 * The client says so once its polls and POSTs are over; one that is still open is none of
 * an honest client, and would overtake what now comes on the WebSocket.
 */
static void upgrade(struct step *step)
{
    if (step->session->is_holding)
        answer_held(step, EIO_CLOSE_ONLY);
    cut_post(step);
    drop_websocket(step, EIO_UPGRADED);
    todo_do(step, EIO_SWAP);
}

/* It was closed while the client was on its way here: it hears the last words, too. */
static void end_upgraded(struct step *step)
{
    if (!has_websocket(step->session))
        return;
    upgrade(step);
    finish(step, EIO_END_FORCED);
}

static void ws_lost(struct step *step)
{
    drop_websocket(step, EIO_POLLING); /* there is nothing left to close */
    leave(step);
}

/* --- ours --- */

/* What comes to the client last is the ping: who carries it out steps again. */
static void due(struct step *step)
{
    struct eio_session *session = step->session;
    bool is_beat = session->beat_due_ms <= step->now_ms;

    if (is_beat && session->is_pinged) {
        finish(step, EIO_END_PING_TIMEOUT);
        return;
    }
    if (session->upgrade_due_ms && session->upgrade_due_ms <= step->now_ms)
        send_away(step);
    if (session->tick_due_ms && session->tick_due_ms <= step->now_ms) {
        session->tick_due_ms = 0;
        session->owes_noop = !session->is_holding;
        /* The client says "upgrade" only once its GET has returned; a ping ends it, too.
         */
        if (session->is_holding && !is_beat)
            answer_held(step, step->has_queue ? EIO_QUEUE : EIO_NOOP_ONLY);
        if (!session->owes_noop)
            noop_again(step);
    }
    if (is_beat) {
        session->is_pinged = true;
        session->beat_due_ms = step->now_ms + session->config->ping_timeout_ms;
        todo_do(step, EIO_PING_CLIENT);
    }
}

static void give_up(struct step *step)
{
    struct eio_session *session = step->session;

    if (session->beat_due_ms <= step->now_ms)
        finish(step, EIO_END_FORCED);
    else if (session->upgrade_due_ms <= step->now_ms)
        send_away(step);
}

static void abandon(struct step *step)
{
    finish(step, EIO_END_FORCED);
}

static void shut(struct step *step)
{
    struct eio_session *session = step->session;

    if (session->is_holding && !step->has_queue) {
        abandon(step);
        return;
    }
    if (session->is_holding)
        answer_held(step, EIO_QUEUE);
    session->end = EIO_END_FORCED;
    session->state = EIO_CLOSING;
    session->tick_due_ms = 0;
    session->owes_noop = false;
    cut_post(step);
    session->beat_due_ms = step->now_ms + EIO_UNSEEN_CLOSE_MS;
}

/* --- the table --- */

typedef void action_fn(struct step *step);

/* When polling; attached or probing; upgraded; closing. NULL: nothing happens. */
static action_fn *const actions[EIO_EVENT_COUNT][4] = {
    [EIO_POLL] = {poll_came,  poll_came,  wrong_way,   poll_ends   },
    [EIO_POLL_ABORTED] = {poll_abort, poll_abort, NULL,        NULL        },
    [EIO_POLL_LOST] = {fault,      fault,      fault,       fault       },

    [EIO_POST] = {post_came,  post_came,  wrong_way,   post_came   },
    [EIO_POST_BINARY] = {overlap,    overlap,    wrong_way,   overlap     },
    [EIO_POST_BODY] = {post_whole, post_whole, NULL,        post_whole  },
    [EIO_POST_DONE] = {post_done,  post_done,  post_done,   post_done   },
    [EIO_POST_TOO_LARGE] = {post_large, post_large, NULL,        post_large  },
    [EIO_POST_ABORTED] = {post_abort, post_abort, post_forget, post_forget },

    [EIO_POSTED_MESSAGE] = {post_says,  post_says,  post_says,   NULL        },
    [EIO_POSTED_PONG] = {post_pong,  post_pong,  post_pong,   NULL        },
    [EIO_POSTED_PING] = {post_ping,  post_ping,  post_ping,   NULL        },
    [EIO_POSTED_CLOSE] = {post_close, post_close, post_close,  post_close  },
    [EIO_POSTED_OTHER] = {NULL,       NULL,       NULL,        NULL        },
    [EIO_POSTED_BAD] = {post_bad,   post_bad,   post_bad,    NULL        },

    [EIO_WS_OPENED] = {attach,     refuse_ws,  refuse_ws,   refuse_ws   },
    [EIO_WS_GONE] = {NULL,       detach,     ws_lost,     detach      },
    [EIO_WS_MESSAGE] = {NULL,       send_away,  deliver,     send_away   },
    [EIO_WS_PONG] = {NULL,       send_away,  alive,       send_away   },
    [EIO_WS_PROBE] = {NULL,       probe,      fault,       NULL        },
    [EIO_WS_PING] = {NULL,       send_away,  fault,       send_away   },
    [EIO_WS_UPGRADE] = {NULL,       upgrade,    NULL,        end_upgraded},
    [EIO_WS_CLOSE] = {NULL,       send_away,  leave,       send_away   },
    [EIO_WS_OTHER] = {NULL,       send_away,  NULL,        send_away   },
    [EIO_WS_BAD] = {NULL,       send_away,  nonsense,    send_away   },

    [EIO_QUEUED] = {queued,     queued,     NULL,        NULL        },
    [EIO_DUE] = {due,        due,        due,         give_up     },
    [EIO_SHUT] = {shut,       shut,       abandon,     NULL        },
    [EIO_ABANDON] = {abandon,    abandon,    abandon,     abandon     },
};

static const uint8_t columns[] = {[EIO_POLLING] = 0,
                                  [EIO_ATTACHED] = 1,
                                  [EIO_PROBING] = 1,
                                  [EIO_UPGRADED] = 2,
                                  [EIO_CLOSING] = 3};

/* Only who has kept a pointer for too long comes here. */
static void refuse_late(struct step *step, enum eio_event event)
{
    if (event == EIO_POLL || event == EIO_POST || event == EIO_POST_BINARY)
        answer_this(step, EIO_UNKNOWN_SID);
    else if (event == EIO_WS_OPENED)
        refuse_ws(step);
}

void eio_session_init(struct eio_session *session, const struct eio_config *config,
                      bool is_websocket, uint64_t now_ms)
{
    *session = (struct eio_session){
        .config = config,
        .beat_due_ms = now_ms + config->ping_interval_ms,
        .state = is_websocket ? EIO_UPGRADED : EIO_POLLING,
    };
}

void eio_session_step(struct eio_session *session, enum eio_event event, bool has_queue,
                      uint64_t now_ms, struct eio_todo *todo)
{
    struct step step = {
        .session = session, .todo = todo, .now_ms = now_ms, .has_queue = has_queue};

    todo->count = 0;
    if (session->state == EIO_CLOSED) {
        refuse_late(&step, event);
    } else {
        action_fn *action = actions[event][columns[session->state]];
        if (action)
            action(&step);
    }
    todo->due_ms = eio_session_due_ms(session);
}

/* --- questions --- */

enum eio_state eio_session_state(const struct eio_session *session)
{
    return (enum eio_state)session->state;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

uint64_t eio_session_due_ms(const struct eio_session *session)
{
    return sooner(session->beat_due_ms,
                  sooner(session->tick_due_ms, session->upgrade_due_ms));
}

bool eio_session_waits_for_pong(const struct eio_session *session, uint64_t now_ms)
{
    return eio_session_is_open(session) && session->is_pinged &&
           session->beat_due_ms <= now_ms;
}

void eio_session_extend(struct eio_session *session, uint64_t due_ms)
{
    session->beat_due_ms = due_ms;
}

enum eio_end eio_session_end(const struct eio_session *session)
{
    return (enum eio_end)session->end;
}

const char *eio_end_text(enum eio_end end)
{
    static const char *const texts[] = {
        [EIO_END_NONE] = "",
        [EIO_END_TRANSPORT_CLOSE] = "transport close",
        [EIO_END_TRANSPORT_ERROR] = "transport error",
        [EIO_END_PING_TIMEOUT] = "ping timeout",
        [EIO_END_PARSE_ERROR] = "parse error",
        [EIO_END_FORCED] = "forced close",
    };

    return texts[end];
}

bool eio_session_is_open(const struct eio_session *session)
{
    return session->state < EIO_CLOSING;
}

bool eio_session_is_polling(const struct eio_session *session)
{
    return session->state != EIO_UPGRADED && session->state != EIO_CLOSED;
}

bool eio_session_is_writable(const struct eio_session *session)
{
    return session->state == EIO_UPGRADED || session->is_holding;
}

/* A WebSocket has checked its texts; bodies of POSTs come as they were sent. */
static enum status decode_checked(struct slice text, bool is_utf8,
                                  struct eio_packet *packet)
{
    size_t bytes;

    if (eio_decode(text, packet))
        return ST_BAD_PACKET;
    if (packet->type == EIO_BINARY && !base64_measure(packet->data, &bytes))
        return ST_BAD_PACKET;
    if (packet->type == EIO_MESSAGE && !is_utf8 && !utf8_is_valid(packet->data))
        return ST_BAD_PACKET;
    return ST_OK;
}

enum eio_event eio_event_posted(struct slice text, struct eio_packet *packet)
{
    static const uint8_t events[] = {
        [EIO_OPEN] = EIO_POSTED_OTHER,      [EIO_CLOSE] = EIO_POSTED_CLOSE,
        [EIO_PING] = EIO_POSTED_PING,       [EIO_PONG] = EIO_POSTED_PONG,
        [EIO_MESSAGE] = EIO_POSTED_MESSAGE, [EIO_UPGRADE] = EIO_POSTED_OTHER,
        [EIO_NOOP] = EIO_POSTED_OTHER,      [EIO_BINARY] = EIO_POSTED_MESSAGE,
    };

    if (decode_checked(text, false, packet))
        return EIO_POSTED_BAD;
    return (enum eio_event)events[packet->type];
}

enum eio_event eio_event_heard(struct slice text, struct eio_packet *packet)
{
    static const uint8_t events[] = {
        [EIO_OPEN] = EIO_WS_OTHER,      [EIO_CLOSE] = EIO_WS_CLOSE,
        [EIO_PING] = EIO_WS_PING,       [EIO_PONG] = EIO_WS_PONG,
        [EIO_MESSAGE] = EIO_WS_MESSAGE, [EIO_UPGRADE] = EIO_WS_UPGRADE,
        [EIO_NOOP] = EIO_WS_OTHER,      [EIO_BINARY] = EIO_WS_MESSAGE,
    };

    if (decode_checked(text, true, packet))
        return EIO_WS_BAD;
    if (packet->type == EIO_PING && slice_is(packet->data, "probe"))
        return EIO_WS_PROBE;
    return (enum eio_event)events[packet->type];
}
