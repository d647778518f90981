/*
 * Engine.IO sessions in words: what a step has to do as one line of text, events by their
 * names. For tests that compare and for traces that people read.
 */
#ifndef TESTS_SUPPORT_EIO_WORDS_H
#define TESTS_SUPPORT_EIO_WORDS_H

#include "proto/eio_session.h"

#include <stdio.h>
#include <string.h>

static const char *const eio_event_words[EIO_EVENT_COUNT] = {
    [EIO_POLL] = "poll",
    [EIO_POLL_ABORTED] = "poll aborted",
    [EIO_POLL_LOST] = "poll lost",
    [EIO_POST] = "post",
    [EIO_POST_BINARY] = "post octets",
    [EIO_POST_BODY] = "body",
    [EIO_POST_DONE] = "done",
    [EIO_POST_TOO_LARGE] = "too large",
    [EIO_POST_ABORTED] = "post aborted",
    [EIO_POSTED_MESSAGE] = "posted 4",
    [EIO_POSTED_PONG] = "posted 3",
    [EIO_POSTED_PING] = "posted 2",
    [EIO_POSTED_CLOSE] = "posted 1",
    [EIO_POSTED_OTHER] = "posted 6",
    [EIO_POSTED_BAD] = "posted X",
    [EIO_WS_OPENED] = "ws",
    [EIO_WS_GONE] = "ws gone",
    [EIO_WS_MESSAGE] = "ws 4",
    [EIO_WS_PONG] = "ws 3",
    [EIO_WS_PROBE] = "ws 2probe",
    [EIO_WS_PING] = "ws 2",
    [EIO_WS_UPGRADE] = "ws 5",
    [EIO_WS_CLOSE] = "ws 1",
    [EIO_WS_OTHER] = "ws 6",
    [EIO_WS_BAD] = "ws X",
    [EIO_QUEUED] = "queued",
    [EIO_DUE] = "due",
    [EIO_SHUT] = "shut",
    [EIO_ABANDON] = "abandon",
};

static const char *const eio_verb_words[] = {
    [EIO_ANSWER_HELD] = "held:", [EIO_ANSWER_THIS] = "this:",
    [EIO_ANSWER_POST] = "post:", [EIO_CUT_POST] = "cut",
    [EIO_HOLD] = "hold",         [EIO_READ] = "read",
    [EIO_DELIVER] = "deliver",   [EIO_PING_CLIENT] = "ping",
    [EIO_SEND_PROBE] = "3probe", [EIO_SWAP] = "swap",
    [EIO_CLOSE_WS] = "close-ws", [EIO_REFUSE_WS] = "refuse-ws",
    [EIO_OVER] = "over",
};

static const char *const eio_answer_words[] = {
    [EIO_NO_ANSWER] = "",     [EIO_QUEUE] = "queue",    [EIO_QUEUE_CLOSE] = "queue+1",
    [EIO_NOOP_ONLY] = "6",    [EIO_CLOSE_ONLY] = "1",   [EIO_NOOP_CLOSE] = "6+1",
    [EIO_POST_OK] = "ok",     [EIO_OVERLAP] = "400",    [EIO_TOO_LARGE] = "413",
    [EIO_BAD_REQUEST] = "c3", [EIO_UNKNOWN_SID] = "c1",
};

/* "held:1 this:400 over"; an empty text when nothing is to be done. */
static inline void eio_todo_print(const struct eio_todo *todo, char *text, size_t size)
{
    text[0] = '\0';
    for (unsigned i = 0; i < todo->count; i++) {
        size_t len = strlen(text);
        snprintf(text + len, size - len, "%s%s%s", i > 0 ? " " : "",
                 eio_verb_words[todo->list[i].verb],
                 eio_answer_words[todo->list[i].answer]);
    }
}

#endif
