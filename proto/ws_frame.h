/*
 * WebSocket frames as a server sends them (RFC 6455 §5.2): whole messages, FIN set, not
 * masked. What the client sends is parsed by the WebSocket library.
 */
#ifndef PROTO_WS_FRAME_H
#define PROTO_WS_FRAME_H

#include "proto/slice.h"

enum ws_opcode {
    WS_OP_TEXT = 1,
    WS_OP_BINARY = 2,
    WS_OP_CLOSE = 8,
    WS_OP_PING = 9,
    WS_OP_PONG = 10
};

enum {
    WS_HEADER_BYTES = 10,   /* the longest header */
    WS_CONTROL_BYTES = 125, /* the longest payload of a control frame */
    WS_REASON_BYTES = WS_CONTROL_BYTES - 2,
    WS_CLOSE_BYTES = 2 + WS_CONTROL_BYTES
};

/* Writes the header of a frame whose payload has `payload_len` bytes; gives its length.
 */
size_t ws_frame_header(char out[WS_HEADER_BYTES], enum ws_opcode op, size_t payload_len);

/*
 * Reads back one frame of ours, at the beginning of `wire`; gives its length, header
 * included. Lends `payload`. 0: `wire` does not begin with a whole one.
 */
size_t ws_frame_split(struct slice wire, enum ws_opcode *op, struct slice *payload);

/*
 * Writes a whole close frame; gives its length. Code 0 is a close without a code (the
 * client sees 1005), and then without a reason. A reason that is too long is cut between
 * characters.
 */
size_t ws_close_frame(char out[WS_CLOSE_BYTES], unsigned code, struct slice reason);

#endif
