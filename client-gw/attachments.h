/*
 * A binary packet of a client while its attachments are on their way: kept with the
 * connection, and only so long. How many may come, with how many bytes and until when is
 * bounded. Loop thread.
 */
#ifndef CLIENT_GW_ATTACHMENTS_H
#define CLIENT_GW_ATTACHMENTS_H

#include "client-gw/connection.h"
#include "proto/sio_attachments.h"

/* Whether nothing but attachments may come now. */
static inline bool attachments_are_due(const struct connection *connection)
{
    return connection->attachments != NULL;
}

/* A binary packet has come: its attachments follow. Borrows `packet`; closes the
 * connection when it promises what may not be. */
void attachments_expect(struct connection *connection, const struct sio_packet *packet);

/* The next one. Gives the packet that is whole with it (sio_incoming_destroy); NULL: more
 * are due, or the connection was closed. */
struct sio_incoming *attachments_take(struct connection *connection, struct slice bytes);

/* They did not come in time. */
void attachments_are_late(struct connection *connection);

/* Forgets what has come. */
void attachments_drop(struct connection *connection);

#endif
