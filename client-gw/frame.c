/* Shared frames: see the header. */
#include "client-gw/frame.h"

#include <stdlib.h>
#include <string.h>

static char *put_message(char *at, const struct frame_message *message)
{
    struct slice payload = message->payload;

    at += ws_frame_header(at, message->op, payload.len);
    if (payload.len)
        memcpy(at, payload.ptr, payload.len);
    return at + payload.len;
}

struct frame *frame_create_of(const struct frame_message *messages, size_t count)
{
    char header[WS_HEADER_BYTES];
    size_t wire_len = 0;

    for (size_t i = 0; i < count; i++)
        wire_len += ws_frame_header(header, messages[i].op, messages[i].payload.len) +
                    messages[i].payload.len;
    struct frame *frame = malloc(sizeof *frame + wire_len);
    if (!frame)
        return NULL;
    frame->refs = 1;
    frame->wire_len = wire_len;
    char *at = frame->wire;
    for (size_t i = 0; i < count; i++)
        at = put_message(at, &messages[i]);
    return frame;
}

struct frame *frame_create(enum ws_opcode op, struct slice payload)
{
    const struct frame_message message = {op, payload};

    return frame_create_of(&message, 1);
}

struct frame *frame_create_text(const struct buf *text)
{
    return buf_status(text) ? NULL : frame_create(WS_OP_TEXT, buf_slice(text));
}

void frame_drop(struct frame *frame)
{
    if (frame && --frame->refs == 0)
        free(frame);
}

bool frame_next_message(const struct frame *frame, struct frame_cursor *cursor,
                        struct frame_message *message)
{
    size_t len = ws_frame_split(slice_from(frame_wire(frame), cursor->at), &message->op,
                                &message->payload);

    cursor->at += len;
    return len > 0;
}
