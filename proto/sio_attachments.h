/*
 * Binary packets (socket.io-protocol v5, "Packet encoding"): a text with placeholders,
 * followed by the attachments they stand for. On the way out, `$binary` objects
 * (proto/binary.h) become attachments; on the way in, attachments become such objects, so
 * that everything between knows them as JSON. Pure; state lives only while a packet is
 * being received.
 */
#ifndef PROTO_SIO_ATTACHMENTS_H
#define PROTO_SIO_ATTACHMENTS_H

#include "proto/limits.h"
#include "proto/sio.h"

/* --- out */

/* A packet as the messages that it is sent as; lent by the buffer it was made in. */
struct sio_parts {
    struct slice text;
    size_t count; /* of attachments; 0: nothing has become one */
    struct slice attachments[LIMIT_ATTACHMENTS];
};

/*
 * Makes a binary packet of an event or ack that was encoded as a plain one, the only
 * content of `packet`: what it is made of is appended there. ST_LIMIT: more attachments
 * than LIMIT_ATTACHMENTS. ST_TOO_LARGE, ST_NO_MEMORY: the buffer's.
 */
enum status sio_attach(struct buf *packet, struct sio_parts *parts);

/*
 * Whether values can go out that may hold `$binary` objects: at most LIMIT_ATTACHMENTS of
 * them (ST_LIMIT), and nothing beside them that a client would take for an attachment,
 * {"_placeholder":true,…} (ST_BAD_PAYLOAD). `json` is a value, or several with commas
 * between them. `*bad` is where it is wrong.
 */
enum status sio_may_attach(struct slice json, const char **bad);

/* --- in */

struct sio_incoming;

/*
 * Keeps a copy of `packet`, a binary one, until its attachments are there, which may have
 * `max_bytes` bytes in all. ST_BAD_PACKET: a placeholder stands for none of them, or in
 * another one. Gives `*incoming` (sio_incoming_destroy).
 */
enum status sio_incoming_create(const struct sio_packet *packet, size_t max_bytes,
                                struct sio_incoming **incoming);
/* Accepts NULL. */
void sio_incoming_destroy(struct sio_incoming *incoming);

/* Copies the next attachment; not once it is whole. ST_TOO_LARGE, ST_NO_MEMORY. */
enum status sio_incoming_add(struct sio_incoming *incoming, struct slice bytes);
bool sio_incoming_is_whole(const struct sio_incoming *incoming);

/*
 * The packet, whole, with a payload in which a `$binary` object stands in each
 * placeholder's stead: appended to `json`, and lent by it and by `incoming`. Check
 * buf_status: one attachment may stand in many places.
 */
void sio_incoming_finish(const struct sio_incoming *incoming, struct buf *json,
                         struct sio_packet *packet);

#endif
