/*
 * Frames of events that are read from the log for one session at a time: those who come
 * back together have mostly missed the same, and share what was encoded for the one
 * before. Loop thread.
 */
#ifndef CLIENT_GW_EVENT_FRAMES_H
#define CLIENT_GW_EVENT_FRAMES_H

#include "client-gw/frame.h"
#include "proto/envelope.h"
#include "proto/position.h"

struct event_frames;
struct session_set;
struct voice;

/* Gives an empty set (event_frames_destroy), or NULL. */
struct event_frames *event_frames_create(void);
void event_frames_destroy(struct event_frames *frames);
/* Nobody comes back at the moment: gives the memory back. */
void event_frames_clear(struct event_frames *frames);

struct event_place {
    struct position position;
    uint64_t client_at;                 /* the seq that its client is at with it */
    const struct session_set *sessions; /* know which rooms are hidden */
};

/* Gives a reference to what carries the event to a session of this voice (frame_drop);
 * NULL: out of memory, or too large. */
struct frame *event_frames_make(struct event_frames *frames,
                                const struct event_place *place,
                                const struct envelope *envelope, struct voice *voice);

#endif
