/* Shared frames: see the header. */
#include "client-gw/frame.h"

#include <stdlib.h>
#include <string.h>

struct frame *frame_create(enum ws_opcode op, struct slice payload)
{
    char header[WS_HEADER_BYTES];
    size_t header_len = ws_frame_header(header, op, payload.len);
    struct frame *frame = malloc(sizeof *frame + header_len + payload.len);

    if (!frame)
        return NULL;
    frame->refs = 1;
    frame->header_len = (unsigned)header_len;
    frame->wire_len = header_len + payload.len;
    memcpy(frame->wire, header, header_len);
    if (payload.len)
        memcpy(frame->wire + header_len, payload.ptr, payload.len);
    return frame;
}

void frame_drop(struct frame *frame)
{
    if (frame && --frame->refs == 0)
        free(frame);
}

struct slice frame_payload(const struct frame *frame)
{
    return slice_from(frame_wire(frame), frame->header_len);
}
