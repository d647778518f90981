/*
 * Frames of a WebSocket server, as a client reads them (RFC 6455 §5): checked, unmasked
 * already, fragments put together. Bytes in, messages out.
 */
#ifndef CLI_WS_READER_H
#define CLI_WS_READER_H

#include "proto/buf.h"
#include "proto/ws_frame.h"

enum {
    WS_READER_MESSAGE_BYTES = 4 * 1024 * 1024
};

/* Start with ws_reader_init. */
struct ws_reader {
    struct buf input;      /* what has not been read yet */
    struct buf message;    /* the fragments so far */
    enum ws_opcode opcode; /* of the message that `message` begins */
    bool is_in_message;
    size_t consumed; /* of input; dropped at the next call */
};

struct ws_message {
    enum ws_opcode opcode; /* of control frames too */
    struct slice data;
    unsigned close_code; /* of a close: 1005 when the frame has none */
};

/* What the two first bytes of a frame and the length behind them say. */
struct ws_head {
    bool is_final;
    unsigned opcode; /* 0: a fragment that goes on */
    size_t header_len;
    uint64_t len; /* of the payload behind the header */
};

/* For who reads frames where they lie. ST_AGAIN: more is needed; the failures are those
 * of ws_reader_next. */
enum status ws_head_read(struct slice bytes, struct ws_head *head);

void ws_reader_init(struct ws_reader *reader);
void ws_reader_finish(struct ws_reader *reader);

/* Adds bytes that came; check with ws_reader_next. */
void ws_reader_feed(struct ws_reader *reader, struct slice bytes);

/*
 * Lends the next message until the next call. ST_AGAIN: feed more. ST_BAD_PACKET: the
 * server breaks the protocol. ST_TOO_LARGE, ST_NO_MEMORY.
 */
enum status ws_reader_next(struct ws_reader *reader, struct ws_message *message);

#endif
