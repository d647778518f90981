/* Requests of the polling transport: see the header. */
#include "client-gw/polling.h"

#include "bridge/clock.h"
#include "client-gw/engineio.h"
#include "client-gw/transport_polling.h"
#include "proto/http_query.h"
#include "proto/siphash.h"

#include <stdio.h>

enum {
    COOKIE_BYTES = 256,
};

/* --- checks */

static bool query_is(struct slice query, const char *name, const char *expected)
{
    struct slice value;

    return http_query_find(query, name, &value) && slice_is(value, expected);
}

/* Polling is plain HTTP, a WebSocket is an upgrade. */
static bool fits(const struct http_head *head, bool is_polling)
{
    return is_polling != head->is_websocket;
}

static bool has_transport(const struct mount *mount, struct slice query, bool *is_polling)
{
    unsigned wanted = 0;

    *is_polling = query_is(query, "transport", "polling");
    if (*is_polling)
        wanted = MOUNT_POLLING;
    else if (query_is(query, "transport", "websocket"))
        wanted = MOUNT_WEBSOCKET;
    return wanted & mount->settings.transports;
}

/* A session is one of the dialect that it began with; elsewhere nobody knows it. */
static struct connection *find(const struct client_services *services,
                               const struct mount *mount, struct slice sid)
{
    struct connection *connection = engineio_find(services, sid);

    return connection && connection->dialect == mount->dialect ? connection : NULL;
}

/*
 * A sid speaks for its client, so it is good for one page alone: the first that was
 * named. A page's requests to its own host may name none.
 */
static bool is_same_page(const struct client_services *services,
                         const struct connection *connection,
                         const struct http_head *head)
{
    struct slice origin = http_head_field(head, "Origin");
    struct transport_polling *transport = transport_polling_of(connection->transport);

    if (!transport || origin.len == 0)
        return true;
    uint32_t hash = (uint32_t)siphash(&services->eio_sids.hash_key, origin) | 1;
    if (transport->origin == 0)
        transport->origin = hash;
    return transport->origin == hash;
}

enum polling_error polling_judge(const struct client_services *services,
                                 const struct mount *mount, const struct http_head *head,
                                 bool is_believed, struct connection **connection)
{
    bool is_polling;
    struct slice sid = {0};

    http_query_find(head->query, "sid", &sid);
    *connection = sid.len > 0 ? find(services, mount, sid) : NULL;
    /* A reload leaves a session what it had. */
    if (!has_transport(*connection ? (*connection)->mount : mount, head->query,
                       &is_polling))
        return POLLING_TRANSPORT_UNKNOWN;
    if (sid.len > 0) {
        if (!*connection)
            return POLLING_SID_UNKNOWN;
        if (!fits(head, is_polling) || !query_is(head->query, "EIO", "4"))
            return POLLING_BAD_REQUEST;
        return is_believed && is_same_page(services, *connection, head)
                   ? POLLING_FINE
                   : POLLING_FORBIDDEN;
    }
    if (head->method != HTTP_GET)
        return POLLING_BAD_METHOD;
    if (!fits(head, is_polling))
        return POLLING_BAD_REQUEST;
    if (!is_believed)
        return POLLING_FORBIDDEN;
    return query_is(head->query, "EIO", "4") ? POLLING_FINE : POLLING_VERSION;
}

/* What a request is to its session, if it has one; *mount is NULL where none serves its
 * path. */
static enum polling_error judge(const struct polling *polling,
                                const struct http_request *request, struct mount **mount,
                                struct connection **connection)
{
    const struct client_services *services = polling->config.services;
    bool is_believed = !request->verdict || request->verdict == ST_TOO_LARGE;

    *connection = NULL;
    *mount = mount_table_find(services->mounts, request->head->path);
    return *mount
               ? polling_judge(services, *mount, request->head, is_believed, connection)
               : POLLING_SID_UNKNOWN;
}

static void refuse(const struct polling *polling, struct http_exchange *exchange,
                   const struct http_request *request, enum polling_error error)
{
    if (error == POLLING_VERSION)
        services_log_old_client(polling->config.services, request->peer_ip);
    polling_refuse(exchange, error);
}

/* --- handshakes */

static enum status admit(const struct polling *polling,
                         const struct http_request *request, struct peer_guest **guest,
                         const char **detail)
{
    const struct polling_config *config = &polling->config;
    uint64_t now_ms = clock_ms();

    *guest = NULL;
    *detail = "This gateway is stopping: connect again.";
    if (config->services->is_draining)
        return ST_DRAINING;
    *detail = "this gateway has as many connections as it may have";
    if (connection_set_count(config->services->connections) >=
        config->limits->connections)
        return ST_BUSY;
    enum status st = peer_limits_enter(config->peers, request->peer, now_ms, guest);
    *detail = st == ST_LIMIT ? "This address has as many connections as it may have."
                             : "Too many addresses are connected.";
    if (st || peer_limits_admit(config->peers, *guest, now_ms))
        return st;
    peer_guest_leave(*guest);
    *detail = "Too many clients are connecting: come back in a moment.";
    return ST_BUSY;
}

/* Takes `guest`. NULL: out of memory. */
static struct connection *begin(const struct polling *polling, struct mount *mount,
                                const struct http_request *request,
                                struct peer_guest *guest)
{
    struct client_services *services = polling->config.services;
    struct arrival *arrival =
        arrival_create(services, mount, request->head, request->request_id);
    struct transport *transport = transport_polling_create(services->polling);

    if (!arrival || !transport) {
        arrival_destroy(arrival);
        if (transport)
            transport->ops->destroy(transport);
        peer_guest_leave(guest);
        return NULL;
    }
    arrival->guest = guest;
    struct connection *connection =
        connection_create(services->connections, arrival, transport);
    if (connection && !connection->engineio) {
        connection_destroy(connection);
        return NULL;
    }
    return connection;
}

static const char *print_cookie(const struct connection *connection,
                                char out[COOKIE_BYTES])
{
    const char *name = connection->mount->settings.cookie;

    if (!name[0])
        return NULL;
    snprintf(out, COOKIE_BYTES, "%s=%.*s; Path=/; HttpOnly; SameSite=Lax", name,
             LIMIT_EIO_SID_BYTES, connection->engineio->sid);
    return out;
}

static void shake_hands(const struct polling *polling, struct http_exchange *exchange,
                        const struct http_request *request, struct mount *mount)
{
    struct problem problem = {.status = ST_OK};
    struct peer_guest *guest;
    char cookie[COOKIE_BYTES];

    problem.status = admit(polling, request, &guest, &problem.detail);
    if (problem.status) {
        http_problem(exchange, &problem);
        return;
    }
    struct connection *connection = begin(polling, mount, request, guest);
    if (!connection) {
        problem = (struct problem){.status = ST_NO_MEMORY};
        http_problem(exchange, &problem);
        return;
    }
    is_same_page(polling->config.services, connection, request->head);
    transport_polling_watch(transport_polling_of(connection->transport), exchange);
    polling_answer_first(polling->config.services->polling, exchange, &connection->outbox,
                         &connection->mount->settings, print_cookie(connection, cookie));
}

/* --- requests of a session */

static bool is_stream(const struct http_head *head)
{
    struct slice type, rest;

    slice_cut(http_head_field(head, "Content-Type"), ';', &type, &rest);
    return slice_is_nocase(slice_trim(type), "application/octet-stream");
}

/* A POST without a body begins and ends here. */
static void take_post(struct connection *connection, struct http_exchange *exchange,
                      const struct http_request *request)
{
    if (!engineio_is_posting(connection, exchange))
        engineio_post(connection, exchange, is_stream(request->head));
    if (!engineio_is_posting(connection, exchange))
        return;
    if (request->verdict == ST_TOO_LARGE)
        engineio_post_is_large(connection);
    else
        engineio_posted(connection, request->body);
}

static void handle(struct http_exchange *exchange, const struct http_request *request,
                   void *ctx)
{
    const struct polling *polling = ctx;
    struct connection *connection;
    struct mount *mount;
    enum polling_error error = judge(polling, request, &mount, &connection);

    if (error != POLLING_FINE)
        refuse(polling, exchange, request, error);
    else if (!connection)
        shake_hands(polling, exchange, request, mount);
    else if (request->head->method == HTTP_GET)
        engineio_poll(connection, exchange);
    else if (request->head->method == HTTP_POST)
        take_post(connection, exchange, request);
    else
        polling_answer_nothing(exchange);
}

/* What is answered here is answered before the body has come. */
static void on_body(struct http_exchange *exchange, const struct http_request *request,
                    void *ctx)
{
    const struct polling *polling = ctx;
    struct connection *connection;
    struct mount *mount;
    enum polling_error error = judge(polling, request, &mount, &connection);

    if (error != POLLING_FINE)
        refuse(polling, exchange, request, error);
    else if (connection && request->head->method == HTTP_POST)
        engineio_post(connection, exchange, is_stream(request->head));
    else if (connection)
        polling_answer_nothing(exchange);
    else
        polling_refuse(exchange, POLLING_BAD_REQUEST); /* a handshake has no body */
}

/* A POST is as large as the mount lets it be that its session came in by, whatever has
 * become of the mount, and whichever path it takes. */
static bool owns(void *ctx, const struct http_head *head, size_t *max_body)
{
    const struct polling *polling = ctx;
    const struct client_services *services = polling->config.services;
    const struct mount *mount = mount_table_find(services->mounts, head->path);
    const struct connection *connection = NULL;
    struct slice sid;

    if (!mount || !mount->dialect->messages)
        return false;
    if (head->method == HTTP_POST && http_query_find(head->query, "sid", &sid))
        connection = find(services, mount, sid);
    *max_body = (connection ? connection->mount : mount)->settings.max_message_bytes;
    return true;
}

void polling_init(struct polling *polling, const struct polling_config *config)
{
    *polling = (struct polling){
        .config = *config,
        .protocol = {.owns = owns, .on_body = on_body, .handle = handle, .ctx = polling},
    };
}
