/*
 * Socket.IO v5 packets (socket.io-protocol v5, "Packet encoding"), each the text of one
 * Engine.IO message. The decoder takes what follows Engine.IO's '4'; the encoders write
 * the '4' as well. Payloads are the sender's bytes in both directions: nothing is
 * serialised again.
 */
#ifndef PROTO_SIO_H
#define PROTO_SIO_H

#include "proto/buf.h"
#include "proto/json_gate.h"

enum sio_type {
    SIO_CONNECT,
    SIO_DISCONNECT,
    SIO_EVENT,
    SIO_ACK,
    SIO_CONNECT_ERROR,
    SIO_BINARY_EVENT,
    SIO_BINARY_ACK
};

struct sio_packet {
    enum sio_type type;
    unsigned attachments; /* binary messages that follow; 0 unless the type is binary */
    struct slice nsp;     /* "/" when omitted; valid UTF-8, may be any length */
    bool has_ack;
    uint64_t ack;      /* ≤ 2^53-1; 0 is an id like any other */
    struct slice json; /* the payload without blanks around it; empty: none */
};

/*
 * Lends from `text`. Whatever the protocol forbids is ST_BAD_PACKET and ends the whole
 * connection: the payload must be one JSON value within `limits`, an object or nothing
 * for CONNECT, nothing for DISCONNECT, an array for events and acks, a name that may be
 * used as an event's first item. ST_NO_MEMORY is possible.
 *
 * Whether a packet may come now (connected, attachments pending) is not asked here.
 */
enum status sio_decode(struct slice text, const struct json_limits *limits,
                       struct sio_packet *packet);

/*
 * Splits the payload of an event that has passed sio_decode. `*name_json` is its first
 * item, raw: a string with quotes (json_string_decode), or a number, which names no event
 * of ours.
 * `*args` is what follows, raw, without the brackets: `{"a":1},[2]`; empty when there is
 * none. ST_BAD_PACKET: not an array, or an empty one.
 */
enum status sio_event_decode(struct slice json_array, struct slice *name_json,
                             struct slice *args);

/* The items of a raw JSON array that has passed the gate: `1,[2]` of `[ 1,[2] ]`. */
struct slice sio_array_items(struct slice json_array);

/*
 * connect, connect_error, disconnect, disconnecting, newListener, removeListener: the
 * protocol keeps these names for itself; neither side may emit them. Takes the decoded
 * name.
 */
bool event_name_is_reserved(struct slice name);

/*
 * The encoders append one packet; check buf_status. `nsp` is "/" or one that is valid.
 * What is called …_json is raw JSON, everything else plain text.
 */

/* `40{"sid":…,"pid":…}`; `pid` is empty where recovery is off. */
void sio_encode_connected(struct buf *out, struct slice nsp, struct slice sid,
                          struct slice pid);

/* `44{"message":…,"data":…}`; `data_json` may be empty. */
void sio_encode_refused(struct buf *out, struct slice nsp, struct slice message,
                        struct slice data_json);

/*
 * `42["name",…]`. The arguments are `data_json` (one value, or several with commas
 * between them) or the items of `args_json` (a whole array, with brackets); both may be
 * empty. `offset` is the last argument when it is not empty.
 */
void sio_encode_event(struct buf *out, struct slice nsp, struct slice event_json,
                      struct slice data_json, struct slice args_json,
                      struct slice offset);

/* The same as one that asks for an ack: `42<id>["name",…]`. `args` is raw, without
 * brackets, may be empty. */
void sio_encode_request(struct buf *out, struct slice nsp, uint64_t ack_id,
                        struct slice event_json, struct slice args);

/* `43<id>[…]`; `args` is raw, without brackets (as sio_event_decode gives it), may be
 * empty. */
void sio_encode_ack(struct buf *out, struct slice nsp, uint64_t ack_id,
                    struct slice args);

/* `41`: the client does not come back by itself after it. */
void sio_encode_disconnect(struct buf *out, struct slice nsp);

#endif
