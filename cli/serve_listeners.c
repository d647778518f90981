/* The listeners of serve: see the header. */
#include "cli/serve_listeners.h"

#include "bridge/front.h"
#include "cli/bus_folder.h"
#include "cli/listener.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The configured address, with the port that --port gives to the listener `offset`. */
static void with_port(const char *address, const struct flag_number *port,
                      unsigned offset, char out[SERVE_ADDRESS_BYTES])
{
    const char *colon = strrchr(address, ':');

    if (!port->is_set || !colon)
        snprintf(out, SERVE_ADDRESS_BYTES, "%s", address);
    else
        snprintf(out, SERVE_ADDRESS_BYTES, "%.*s:%" PRIu64, (int)(colon - address),
                 address, port->value == 0 ? 0 : port->value + offset);
}

/* Leaves in `address` what was bound. */
static int bind_one(const char *name, char address[SERVE_ADDRESS_BYTES])
{
    int fd = listener_bind(name, address, false);

    if (fd >= 0)
        front_address(fd, address);
    return fd;
}

/*
 * Several gateways share one address, a listener each. A shared one can also be had where
 * another program shares it, so the address is first taken alone.
 */
static bool bind_gateways(struct serve_listeners *listeners, size_t count)
{
    char *address = listeners->gateway_address;
    int alone = bind_one("gateway", address);

    if (alone < 0)
        return false;
    if (count == 1) {
        listeners->gateways[listeners->gateway_count++] = alone;
        return true;
    }
    close(alone);
    while (listeners->gateway_count < count) {
        int fd = listener_bind("gateway", address, true);
        if (fd < 0)
            return false;
        listeners->gateways[listeners->gateway_count++] = fd;
    }
    return true;
}

bool serve_listeners_open(struct serve_listeners *listeners, const struct config *config,
                          const struct flag_number *port)
{
    *listeners = (struct serve_listeners){.publisher = -1, .ops = -1};
    with_port(config->gateway.listen, port, 0, listeners->gateway_address);
    with_port(config->publisher.listen, port, 1, listeners->publisher_address);
    with_port(config->ops.listen, port, 2, listeners->ops_address);

    if (!bind_gateways(listeners, config->gateway.count))
        return false;
    if (!has_single_port(config)) {
        listeners->publisher = bind_one("publisher", listeners->publisher_address);
        if (listeners->publisher < 0)
            return false;
    }
    listeners->ops = bind_one("ops", listeners->ops_address);
    return listeners->ops >= 0;
}

void serve_listeners_close_gateways(struct serve_listeners *listeners)
{
    for (size_t i = 0; i < listeners->gateway_count; i++)
        close(listeners->gateways[i]);
    listeners->gateway_count = 0;
}

void serve_listeners_close(struct serve_listeners *listeners)
{
    serve_listeners_close_gateways(listeners);
    if (listeners->publisher >= 0)
        close(listeners->publisher);
    if (listeners->ops >= 0)
        close(listeners->ops);
    *listeners = (struct serve_listeners){.publisher = -1, .ops = -1};
}
