/*
 * Scripts for the Engine.IO machine: what happens, and what must be done, line by line.
 */
#ifndef TESTS_SUPPORT_EIO_SCRIPT_H
#define TESTS_SUPPORT_EIO_SCRIPT_H

#include "support/eio_words.h"

static const struct eio_config script_config = {.ping_interval_ms = 300,
                                                .ping_timeout_ms = 200,
                                                .upgrade_timeout_ms = 10000,
                                                .may_upgrade = true};

enum {
    START_MS = 1000,
    LINES = 12
};

/* What happens, and what must be done: one line of a script. A line `{0}` ends it. */
struct line {
    enum eio_event event;
    bool has_queue;
    const char *todo;
    unsigned at_ms; /* since the start; 0: no time passes */
};

struct script {
    const char *name;
    struct line lines[LINES];
    enum eio_state state;
    const char *end;
};

static inline void play(struct eio_session *session, const struct script *script)
{
    uint64_t now_ms = START_MS;

    for (const struct line *line = script->lines; line->todo; line++) {
        struct eio_todo todo;
        char text[128];
        if (line->at_ms > 0)
            now_ms = START_MS + line->at_ms;
        eio_session_step(session, line->event, line->has_queue, now_ms, &todo);
        eio_todo_print(&todo, text, sizeof text);
        if (strcmp(text, line->todo) != 0)
            fail_msg("%s: at \"%s\" (line %d) it does \"%s\", not \"%s\"", script->name,
                     eio_event_words[line->event], (int)(line - script->lines) + 1, text,
                     line->todo);
    }
    if (eio_session_state(session) != script->state)
        fail_msg("%s: ends in state %d", script->name, eio_session_state(session));
    assert_string_equal(eio_end_text(eio_session_end(session)), script->end);
}

static inline void play_all(const struct script *scripts, size_t count, bool is_websocket)
{
    for (size_t i = 0; i < count; i++) {
        struct eio_session session;
        eio_session_init(&session, &script_config, is_websocket, START_MS);
        play(&session, &scripts[i]);
    }
}

#define PLAY(scripts, is_websocket)                                                      \
    play_all((scripts), sizeof(scripts) / sizeof *(scripts), (is_websocket))

/* A POST of one packet, answered. */
#define POSTED(event, todo)                                                              \
    {EIO_POST, false, "read", 0}, {EIO_POST_BODY, false, "", 0},                         \
    {                                                                                    \
        (event), false, todo, 0                                                          \
    }

#endif
