/* What the WebSocket library tells, and whose it is: see the header. */
#include "client-gw/ws_peer.h"

#include "client-gw/connection.h"
#include "client-gw/engineio.h"
#include "client-gw/services.h"
#include "client-gw/transport_ws.h"

static struct transport *begin(const struct client_services *services,
                               struct arrival *arrival, struct transport *transport)
{
    struct connection *connection =
        connection_create(services->connections, arrival, transport);

    /* Its upgrade was accepted before the drain began. */
    if (connection && services->is_draining)
        connection_close(connection, CLOSE_DRAIN);
    return connection ? transport : NULL;
}

/* One that polls has found the way to a WebSocket. */
static struct transport *join(struct arrival *arrival, struct transport *transport)
{
    engineio_join(arrival->joins, transport, arrival->guest);
    arrival->guest = NULL;
    arrival_destroy(arrival);
    return transport;
}

static void *on_open(void *ctx, struct arrival *arrival, struct lws *wsi)
{
    struct transport *transport = transport_ws_create(wsi);

    if (!transport) {
        arrival_destroy(arrival);
        return NULL;
    }
    return arrival->joins ? join(arrival, transport) : begin(ctx, arrival, transport);
}

/* The connection whose transport it is; `*probed`: the one whose it may become. */
static struct connection *owner_of(const struct transport *transport,
                                   struct connection **probed)
{
    struct connection *owner = transport->owner;
    bool is_transport = owner && owner->transport == transport;

    *probed = is_transport ? NULL : owner;
    return is_transport ? owner : NULL;
}

static void on_data(void *peer, struct slice piece, bool is_binary, bool is_first,
                    bool is_final)
{
    struct connection *probed;
    struct connection *connection = owner_of(peer, &probed);

    if (connection)
        connection_receive(connection, piece, is_binary, is_first, is_final);
    else if (probed)
        engineio_probed(probed, piece, is_binary, is_final);
}

static void on_pong(void *peer)
{
    struct connection *probed;
    struct connection *connection = owner_of(peer, &probed);

    if (connection)
        connection_heard_pong(connection);
}

static void on_drained(void *peer)
{
    struct transport *transport = peer;
    struct frame_queue nothing = {0};
    struct connection *probed;
    struct connection *connection = owner_of(transport, &probed);

    if (connection)
        connection_drained(connection);
    else
        transport->ops->drained(transport, &nothing);
}

static void on_gone(void *ctx, void *peer)
{
    struct transport *transport = peer;
    struct connection *probed;
    struct connection *connection = owner_of(transport, &probed);

    (void)ctx;
    if (probed)
        engineio_probe_is_gone(probed);
    if (connection)
        connection_destroy(connection);
    else
        transport->ops->destroy(transport);
}

const struct ws_events ws_peer_events = {
    .on_open = on_open,
    .on_data = on_data,
    .on_pong = on_pong,
    .on_drained = on_drained,
    .on_gone = on_gone,
};
