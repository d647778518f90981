/*
 * A voice: how sessions are spoken to: the dialect, their namespace, the name that their
 * client has for it, and whether its events say where in the log they stand. Sessions
 * with one voice get the same bytes of an event, so that it is encoded once for each. A
 * voice is there while a session has it. Loop thread.
 */
#ifndef CLIENT_GW_VOICE_H
#define CLIENT_GW_VOICE_H

#include "client-gw/frame.h"

struct dialect;

enum {
    VOICE_COUNT = 256 /* at one time */
};

struct voice_set;

struct voice {
    struct voice_set
        *set; /* NULL: gone; a session that waits for the directory outlives it */
    const struct dialect *dialect;
    struct slice nsp;    /* the namespace; rooms and the directory know this one */
    struct slice name;   /* what its client calls it: the same, or an alias */
    bool is_recoverable; /* its clients may come back to their sessions */
    unsigned references;
    uint8_t number; /* no other voice of the set has it */
    char text[];
};

/* Gives an empty set (voice_set_destroy), or NULL. */
struct voice_set *voice_set_create(void);
/* Accepts NULL. Voices that are left stay with their sessions. */
void voice_set_destroy(struct voice_set *set);

/* Shares the voice (voice_drop), which is made if need be. NULL: out of memory, or there
 * are too many. */
struct voice *voice_take(struct voice_set *set, const struct dialect *dialect,
                         struct slice nsp, struct slice name, bool is_recoverable);
/* One more reference. */
struct voice *voice_share(struct voice *voice);
void voice_drop(struct voice *voice);

/* The frames of one message, made when the first session of a voice needs it. Zero `made`
 * to begin with; ends with voice_frames_drop. */
struct voice_frames {
    uint64_t made[VOICE_COUNT / 64]; /* a bit for each number */
    struct frame *frames[VOICE_COUNT];
};

/* Lends; NULL: not made yet. Runs once per delivery. */
static inline struct frame *voice_frames_find(const struct voice_frames *frames,
                                              uint8_t number)
{
    bool is_made = frames->made[number / 64] >> number % 64 & 1;

    return is_made ? frames->frames[number] : NULL;
}

/* Takes `frame`; NULL is kept out. */
void voice_frames_put(struct voice_frames *frames, uint8_t number, struct frame *frame);
void voice_frames_drop(struct voice_frames *frames);

#endif
