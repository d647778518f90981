/*
 * A frame: the bytes of one WebSocket message, header included, encoded once and shared
 * by reference between all connections it goes to. Never changed after it was made. Loop
 * thread.
 */
#ifndef CLIENT_GW_FRAME_H
#define CLIENT_GW_FRAME_H

#include "proto/slice.h"
#include "proto/ws_frame.h"

/* Only frame.c and the functions below look inside: they run once per delivery. */
struct frame {
    unsigned refs;
    unsigned header_len;
    size_t wire_len;
    char wire[];
};

/* Borrows `payload`. Gives one reference (frame_drop), or NULL when out of memory. */
struct frame *frame_create(enum ws_opcode op, struct slice payload);
/* Accepts NULL. */
void frame_drop(struct frame *frame);

static inline struct frame *frame_share(struct frame *frame)
{
    frame->refs++;
    return frame;
}

/* Both lent as long as the reference: with the WebSocket header, and without it. */
static inline struct slice frame_wire(const struct frame *frame)
{
    return (struct slice){frame->wire, frame->wire_len};
}

struct slice frame_payload(const struct frame *frame);

#endif
