/* Attachments on their way: see the header. */
#include "client-gw/attachments.h"

#include "bridge/clock.h"
#include "client-gw/connection_set.h"

#include <stdlib.h>

struct attachments {
    struct connection_timer late; /* when they must be there */
    struct sio_incoming *packet;
};

static void refuse(struct connection *connection, enum status status)
{
    connection_close(connection, status == ST_NO_MEMORY   ? CLOSE_UNAVAILABLE
                                 : status == ST_TOO_LARGE ? CLOSE_TOO_LARGE
                                                          : CLOSE_PARSE_ERROR);
}

static enum status begin(struct connection *connection, const struct sio_packet *packet)
{
    struct connection_set *set = connection->set;

    if (packet->attachments > set->config.attachments)
        return ST_LIMIT;
    struct attachments *attachments = calloc(1, sizeof *attachments);
    if (!attachments)
        return ST_NO_MEMORY;
    enum status st = sio_incoming_create(
        packet, connection->mount->settings.max_message_bytes, &attachments->packet);
    if (st) {
        free(attachments);
        return st;
    }
    attachments->late.connection = connection;
    timer_wheel_set(&set->wheel, &attachments->late.node,
                    clock_ms() + set->config.attachments_timeout_ms);
    connection->attachments = attachments;
    return ST_OK;
}

void attachments_expect(struct connection *connection, const struct sio_packet *packet)
{
    enum status st = begin(connection, packet);

    if (st)
        refuse(connection, st);
}

struct sio_incoming *attachments_take(struct connection *connection, struct slice bytes)
{
    struct attachments *attachments = connection->attachments;

    if (!attachments) {
        refuse(connection, ST_BAD_PACKET);
        return NULL;
    }
    enum status st = sio_incoming_add(attachments->packet, bytes);
    if (st) {
        refuse(connection, st);
        return NULL;
    }
    if (!sio_incoming_is_whole(attachments->packet))
        return NULL;
    struct sio_incoming *whole = attachments->packet;
    attachments->packet = NULL;
    attachments_drop(connection);
    return whole;
}

void attachments_are_late(struct connection *connection)
{
    refuse(connection, ST_TIMEOUT);
}

void attachments_drop(struct connection *connection)
{
    struct attachments *attachments = connection->attachments;

    if (!attachments)
        return;
    connection->attachments = NULL;
    timer_wheel_cancel(&connection->set->wheel, &attachments->late.node);
    sio_incoming_destroy(attachments->packet);
    free(attachments);
}
