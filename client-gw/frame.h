/*
 * A frame: the bytes of one WebSocket message, header included, encoded once and shared
 * by reference between all connections it goes to. Several messages that nothing may come
 * between, a Socket.IO packet and its attachments, are one frame, too. Never changed
 * after it was made. Loop thread.
 */
#ifndef CLIENT_GW_FRAME_H
#define CLIENT_GW_FRAME_H

#include "proto/buf.h"
#include "proto/ws_frame.h"

/* Only frame.c and the functions below look inside: they run once per delivery. */
struct frame {
    unsigned refs;
    size_t wire_len;
    char wire[];
};

/* One message: WS_OP_TEXT or WS_OP_BINARY, and what it says. */
struct frame_message {
    enum ws_opcode op;
    struct slice payload;
};

/* Borrows `payload`. Gives one reference (frame_drop), or NULL when out of memory. */
struct frame *frame_create(enum ws_opcode op, struct slice payload);
/* The same of several messages, in their order; at least one. */
struct frame *frame_create_of(const struct frame_message *messages, size_t count);
/* The same of one text that was encoded; NULL also when that has failed. */
struct frame *frame_create_text(const struct buf *text);
/* Accepts NULL. */
void frame_drop(struct frame *frame);

static inline struct frame *frame_share(struct frame *frame)
{
    frame->refs++;
    return frame;
}

/* Lent as long as the reference: with the WebSocket headers. */
static inline struct slice frame_wire(const struct frame *frame)
{
    return (struct slice){frame->wire, frame->wire_len};
}

/*
 * Walks the messages, for transports that have another form for them. Start with `{0}`
 * for the cursor; false at the end. Payloads are lent as long as the reference.
 */
struct frame_cursor {
    size_t at;
};
bool frame_next_message(const struct frame *frame, struct frame_cursor *cursor,
                        struct frame_message *message);

#endif
