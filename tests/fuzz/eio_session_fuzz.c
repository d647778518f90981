/*
 * Any events in any order: what the machine answers is there to be answered, what it
 * ends was begun, and it ends once, with nothing left. A byte is an event; its upper bits
 * say whether packets wait and how much time passes.
 */
#include "proto/eio_session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a gateway keeps for a session. */
struct ledger {
    bool has_held, has_post, has_websocket, is_over;
    bool has_this; /* a request or a WebSocket came, and is not settled */
};

static void insist(bool holds)
{
    if (!holds)
        abort();
}

static void settle(bool *is_there)
{
    insist(*is_there);
    *is_there = false;
}

static void begin(bool *is_there)
{
    insist(!*is_there);
    *is_there = true;
}

static void keep_books(struct ledger *ledger, enum eio_verb verb)
{
    switch (verb) {
    case EIO_ANSWER_HELD: settle(&ledger->has_held); break;
    case EIO_ANSWER_THIS: settle(&ledger->has_this); break;
    case EIO_ANSWER_POST:
    case EIO_CUT_POST: settle(&ledger->has_post); break;
    case EIO_HOLD:
        settle(&ledger->has_this);
        begin(&ledger->has_held);
        break;
    case EIO_READ:
        settle(&ledger->has_this);
        begin(&ledger->has_post);
        break;
    case EIO_DELIVER:
    case EIO_PING_CLIENT: insist(!ledger->is_over); break;
    case EIO_SEND_PROBE:
    case EIO_SWAP: insist(ledger->has_websocket); break;
    case EIO_CLOSE_WS: settle(&ledger->has_websocket); break;
    case EIO_REFUSE_WS: settle(&ledger->has_this); break;
    case EIO_OVER:
        begin(&ledger->is_over);
        insist(!ledger->has_held && !ledger->has_post && !ledger->has_websocket);
        break;
    }
}

static bool is_arrival(enum eio_event event)
{
    return event == EIO_POLL || event == EIO_POST || event == EIO_POST_BINARY ||
           event == EIO_WS_OPENED;
}

/* A gateway says only what can be: who has gone was there. */
static bool can_be(struct ledger *ledger, enum eio_event event)
{
    bool *gone = event == EIO_POLL_ABORTED   ? &ledger->has_held
                 : event == EIO_POST_ABORTED ? &ledger->has_post
                 : event == EIO_WS_GONE      ? &ledger->has_websocket
                                             : NULL;

    if (event >= EIO_WS_MESSAGE && event <= EIO_WS_BAD)
        return ledger->has_websocket;
    if (!gone)
        return true;
    if (!*gone)
        return false;
    *gone = false;
    return true;
}

static void step(struct eio_session *session, struct ledger *ledger, uint8_t byte,
                 uint64_t now_ms)
{
    enum eio_event event = (enum eio_event)(byte % EIO_EVENT_COUNT);
    struct eio_todo todo = {0};

    if (!can_be(ledger, event))
        return;
    ledger->has_this = is_arrival(event);
    eio_session_step(session, event, byte & 0x80, now_ms, &todo);
    for (unsigned i = 0; i < todo.count; i++) {
        keep_books(ledger, todo.list[i].verb);
        insist(todo.list[i].verb != EIO_OVER || i + 1u == todo.count);
    }
    if (event == EIO_WS_OPENED && ledger->has_this) {
        settle(&ledger->has_this);
        begin(&ledger->has_websocket);
    }
    insist(!ledger->has_this);
    insist(ledger->is_over == (eio_session_state(session) == EIO_CLOSED));
    insist(ledger->is_over == (todo.due_ms == 0));
    insist(ledger->has_held == session->is_holding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct eio_config config = {300, 200, 1000, true};
    bool is_websocket = size > 0 && data[0] % 8 == 0;
    struct ledger ledger = {.has_websocket = is_websocket};
    struct eio_session session;
    uint64_t now_ms = 1000;

    eio_session_init(&session, &config, is_websocket, now_ms);
    for (size_t i = 1; i < size; i++) {
        now_ms += data[i] >> 2;
        step(&session, &ledger, data[i], now_ms);
    }
    ledger.has_this = false;
    step(&session, &ledger, EIO_ABANDON, now_ms);
    insist(ledger.is_over);
    return 0;
}
