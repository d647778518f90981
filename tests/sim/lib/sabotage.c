/* Faults built in on purpose: see the header. */
#include "sim/lib/sabotage.h"

static void drop_at(struct eio_todo *todo, unsigned at)
{
    for (unsigned i = at; i + 1 < todo->count; i++)
        todo->list[i] = todo->list[i + 1];
    todo->count--;
}

static bool has_verb(const struct eio_todo *todo, enum eio_verb verb)
{
    for (unsigned i = 0; i < todo->count; i++)
        if (todo->list[i].verb == verb)
            return true;
    return false;
}

static void drop_verb(struct eio_todo *todo, enum eio_verb verb)
{
    for (unsigned i = 0; i < todo->count; i++)
        if (todo->list[i].verb == verb)
            drop_at(todo, i);
}

static void add(struct eio_todo *todo, enum eio_verb verb, enum eio_answer answer)
{
    if (todo->count < EIO_OUTPUTS_MAX)
        todo->list[todo->count++] = (struct eio_output){verb, answer};
}

/* --- polls --- */

/* The classic: python-engineio, go-engine.io and engine.io itself had it. */
static void one_noop(struct eio_session *session, enum eio_event event, bool has_queue,
                     struct eio_todo *todo)
{
    (void)has_queue;
    if (event != EIO_DUE || session->state != EIO_PROBING)
        return;
    for (unsigned i = 0; i < todo->count; i++) {
        if (todo->list[i].answer == EIO_NOOP_ONLY) {
            session->tick_due_ms = 0;
            return;
        }
    }
}

/* And its opposite: every poll is ended at once. */
static void noop_at_once(struct eio_session *session, enum eio_event event,
                         bool has_queue, struct eio_todo *todo)
{
    (void)has_queue;
    if (event != EIO_POLL || session->state != EIO_PROBING || !has_verb(todo, EIO_HOLD))
        return;
    session->is_holding = false;
    todo->list[0] = (struct eio_output){EIO_ANSWER_THIS, EIO_NOOP_ONLY};
}

static void hold_anyway(struct eio_session *session, enum eio_event event, bool has_queue,
                        struct eio_todo *todo)
{
    (void)has_queue;
    if (event != EIO_POLL || todo->count != 1 || todo->list[0].answer != EIO_QUEUE)
        return;
    session->is_holding = true;
    todo->list[0] = (struct eio_output){EIO_HOLD, EIO_NO_ANSWER};
}

static enum eio_event ignore_aborts(const struct eio_session *session,
                                    enum eio_event event)
{
    (void)session;
    return event == EIO_POLL_ABORTED ? EIO_EVENT_COUNT : event;
}

static void forget_the_first_poll(struct eio_session *session, enum eio_event event,
                                  bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)has_queue;
    if (event == EIO_POLL && todo->count > 1)
        drop_verb(todo, EIO_ANSWER_HELD);
}

static void take_the_second_poll(struct eio_session *session, enum eio_event event,
                                 bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)has_queue;
    if (event != EIO_POLL || todo->count < 2)
        return;
    todo->count = 0;
    add(todo, EIO_HOLD, EIO_NO_ANSWER);
}

static enum eio_event ignore_losses(const struct eio_session *session,
                                    enum eio_event event)
{
    (void)session;
    return event == EIO_POLL_LOST ? EIO_EVENT_COUNT : event;
}

/* --- posts --- */

static void forget_the_poll_at_close(struct eio_session *session, enum eio_event event,
                                     bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)has_queue;
    if (event == EIO_POSTED_CLOSE)
        drop_verb(todo, EIO_ANSWER_HELD);
}

static void refuse_posts_while_probing(struct eio_session *session, enum eio_event event,
                                       bool has_queue, struct eio_todo *todo)
{
    (void)has_queue;
    if (event != EIO_POST || session->state != EIO_PROBING || !has_verb(todo, EIO_READ))
        return;
    session->post = 0;
    todo->list[0] = (struct eio_output){EIO_ANSWER_THIS, EIO_BAD_REQUEST};
}

static void leave_posts_open(struct eio_session *session, enum eio_event event,
                             bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)event;
    (void)has_queue;
    drop_verb(todo, EIO_CUT_POST);
}

static void forget_bad_posts(struct eio_session *session, enum eio_event event,
                             bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)has_queue;
    if (event == EIO_POSTED_BAD)
        drop_verb(todo, EIO_ANSWER_POST);
}

static void deliver_to_the_closed(struct eio_session *session, enum eio_event event,
                                  bool has_queue, struct eio_todo *todo)
{
    (void)has_queue;
    if (event == EIO_POSTED_MESSAGE && session->state == EIO_CLOSING && todo->count == 0)
        add(todo, EIO_DELIVER, EIO_NO_ANSWER);
    if (event == EIO_POSTED_BAD)
        add(todo, EIO_DELIVER, EIO_NO_ANSWER);
}

/* --- the upgrade --- */

/* It is the transport as soon as it is probed: what is sent overtakes the last poll. */
static enum eio_event upgrade_at_the_probe(const struct eio_session *session,
                                           enum eio_event event)
{
    return event == EIO_WS_PROBE && session->state == EIO_ATTACHED ? EIO_WS_UPGRADE
                                                                   : event;
}

static void lose_the_queue(struct eio_session *session, enum eio_event event,
                           bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)event;
    if (has_queue)
        drop_verb(todo, EIO_SWAP);
}

static void keep_the_poll_at_upgrade(struct eio_session *session, enum eio_event event,
                                     bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)has_queue;
    if (event == EIO_WS_UPGRADE)
        drop_verb(todo, EIO_ANSWER_HELD);
}

/* engine.io-server-java and others: the session goes with its probe. */
static enum eio_event end_with_the_probe(const struct eio_session *session,
                                         enum eio_event event)
{
    bool is_probe = session->state == EIO_ATTACHED || session->state == EIO_PROBING;

    return is_probe && (event == EIO_WS_GONE || event == EIO_WS_MESSAGE ||
                        event == EIO_WS_PING || event == EIO_WS_BAD)
               ? EIO_ABANDON
               : event;
}

static void take_any_websocket(struct eio_session *session, enum eio_event event,
                               bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)event;
    (void)has_queue;
    drop_verb(todo, EIO_REFUSE_WS);
}

static void wait_for_ever(struct eio_session *session, enum eio_event event,
                          bool has_queue, struct eio_todo *todo)
{
    (void)event;
    (void)has_queue;
    (void)todo;
    session->upgrade_due_ms = 0;
}

/* --- heartbeat and the end --- */

static enum eio_event hear_no_pong(const struct eio_session *session,
                                   enum eio_event event)
{
    (void)session;
    return event == EIO_POSTED_PONG || event == EIO_WS_PONG ? EIO_EVENT_COUNT : event;
}

static void forgive_silence(struct eio_session *session, enum eio_event event,
                            bool has_queue, struct eio_todo *todo)
{
    (void)event;
    (void)has_queue;
    (void)todo;
    session->is_pinged = false;
}

/* No ping while a WebSocket is there: the wait for its pong has no end. */
static void restart_the_clock_at_upgrade(struct eio_session *session,
                                         enum eio_event event, bool has_queue,
                                         struct eio_todo *todo)
{
    (void)has_queue;
    (void)todo;
    if (event != EIO_WS_UPGRADE || session->state != EIO_UPGRADED || !session->is_pinged)
        return;
    session->is_pinged = false;
    session->beat_due_ms += session->config->ping_interval_ms;
}

static enum eio_event forget_unseen_closes(const struct eio_session *session,
                                           enum eio_event event)
{
    (void)session;
    return event == EIO_SHUT ? EIO_ABANDON : event;
}

static void swallow_last_words(struct eio_session *session, enum eio_event event,
                               bool has_queue, struct eio_todo *todo)
{
    (void)event;
    (void)has_queue;
    for (unsigned i = 0; i < todo->count; i++)
        if (session->state == EIO_CLOSING && todo->list[i].answer == EIO_QUEUE)
            todo->list[i].answer = EIO_CLOSE_ONLY;
}

static enum eio_event keep_unseen_closes(const struct eio_session *session,
                                         enum eio_event event)
{
    return session->state == EIO_CLOSING && event == EIO_DUE ? EIO_EVENT_COUNT : event;
}

static void end_twice(struct eio_session *session, enum eio_event event, bool has_queue,
                      struct eio_todo *todo)
{
    (void)session;
    (void)event;
    (void)has_queue;
    if (has_verb(todo, EIO_OVER))
        add(todo, EIO_OVER, EIO_NO_ANSWER);
}

static void end_in_silence(struct eio_session *session, enum eio_event event,
                           bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)event;
    (void)has_queue;
    drop_verb(todo, EIO_OVER);
}

static void leave_the_websocket(struct eio_session *session, enum eio_event event,
                                bool has_queue, struct eio_todo *todo)
{
    (void)session;
    (void)event;
    (void)has_queue;
    drop_verb(todo, EIO_CLOSE_WS);
}

const struct sabotage sabotages[] = {
    {"one noop for a probe",                       NULL,                 one_noop                    },
    {"a noop at once",                             NULL,                 noop_at_once                },
    {"a poll is held while packets wait",          NULL,                 hold_anyway                 },
    {"aborted polls are not noticed",              ignore_aborts,        NULL                        },
    {"the first of two polls is forgotten",        NULL,                 forget_the_first_poll       },
    {"a second poll takes the place of the first", NULL,                 take_the_second_poll        },
    {"answers that got lost are not noticed",      ignore_losses,        NULL                        },
    {"a close leaves the poll",                    NULL,                 forget_the_poll_at_close    },
    {"no POST while probing",                      NULL,                 refuse_posts_while_probing  },
    {"POSTs are not cut",                          NULL,                 leave_posts_open            },
    {"a bad POST gets no answer",                  NULL,                 forget_bad_posts            },
    {"the closed are heard",                       NULL,                 deliver_to_the_closed       },
    {"upgraded by the probe",                      upgrade_at_the_probe, NULL                        },
    {"what waits is lost at the upgrade",          NULL,                 lose_the_queue              },
    {"a poll outlives the upgrade",                NULL,                 keep_the_poll_at_upgrade    },
    {"a failed probe ends the session",            end_with_the_probe,   NULL                        },
    {"any WebSocket will do",                      NULL,                 take_any_websocket          },
    {"an upgrade has all the time",                NULL,                 wait_for_ever               },
    {"pongs are not heard",                        hear_no_pong,         NULL                        },
    {"silence is forgiven",                        NULL,                 forgive_silence             },
    {"the upgrade restarts the clock",             NULL,                 restart_the_clock_at_upgrade},
    {"an unseen close is forgotten",               forget_unseen_closes, NULL                        },
    {"last words are lost",                        NULL,                 swallow_last_words          },
    {"an unseen close is kept",                    keep_unseen_closes,   NULL                        },
    {"a session ends twice",                       NULL,                 end_twice                   },
    {"nobody is told of the end",                  NULL,                 end_in_silence              },
    {"the WebSocket stays behind",                 NULL,                 leave_the_websocket         },
};
const unsigned sabotage_count = sizeof sabotages / sizeof *sabotages;
