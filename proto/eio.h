/*
 * Engine.IO v4 packets (engine.io-protocol v4, "Protocol"): the type is the first
 * character of a text frame, or of one part of a polling body. A binary frame is a
 * message without a type and does not come here.
 */
#ifndef PROTO_EIO_H
#define PROTO_EIO_H

#include "proto/buf.h"

enum eio_type {
    EIO_OPEN,
    EIO_CLOSE,
    EIO_PING,
    EIO_PONG,
    EIO_MESSAGE,
    EIO_UPGRADE,
    EIO_NOOP,
    EIO_BINARY /* "b…": a binary message as base64 */
};

/* What stands between two packets of a polling body; ordinary data in a text frame. */
#define EIO_SEPARATOR '\x1e'

struct eio_packet {
    enum eio_type type;
    struct slice data; /* what follows the type, unchecked; base64 for EIO_BINARY */
};

/* Lends from `text`. ST_BAD_PACKET: empty, or of a type that does not exist. */
enum status eio_decode(struct slice text, struct eio_packet *packet);

struct eio_handshake {
    struct slice sid;
    bool may_upgrade; /* announces "websocket"; false on a connection that already is one
                       */
    uint64_t ping_interval_ms;
    uint64_t ping_timeout_ms;
    uint64_t max_payload;
};

/* Appends `0{…}` with exactly the five keys of the protocol. Check buf_status. */
void eio_encode_open(struct buf *out, const struct eio_handshake *handshake);

/* Appends the type's character and `data`; for EIO_BINARY, `data` is base64 already. */
void eio_encode(struct buf *out, enum eio_type type, struct slice data);

/*
 * The packets of a polling body, one after the other. Start with `{body, true}`: a body
 * has one packet more than separators, and an empty one is no packet (eio_decode). Linear
 * in the length of the body, whatever it holds. Lends from the body.
 */
struct eio_payload {
    struct slice rest;
    bool has_more;
};
bool eio_payload_next(struct eio_payload *payload, struct slice *packet);

/* Appends one packet to a body that is empty or ends with another one. */
void eio_payload_add(struct buf *body, struct slice packet);
/* The same for a binary message. */
void eio_payload_add_binary(struct buf *body, struct slice bytes);

#endif
