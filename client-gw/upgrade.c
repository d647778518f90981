/* Upgrades: see the header. */
#include "client-gw/upgrade.h"

#include "client-gw/dialect.h"
#include "client-gw/polling.h"
#include "proto/auth_rules.h"
#include "proto/http_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status refuse(struct upgrade_refusal *refusal, enum status status,
                          const char *detail, const char *hint)
{
    snprintf(refusal->detail, sizeof refusal->detail, "%s", detail);
    refusal->hint = hint;
    return status;
}

/* Engine.IO's checks in the order of the reference server, and its words. */
static enum status decide_engineio(const struct front_visit *visit,
                                   struct client_services *services, struct mount *mount,
                                   struct arrival **arrival,
                                   struct upgrade_refusal *refusal)
{
    const struct http_head *head = visit->head;
    struct connection *connection;
    enum polling_error error = polling_judge(services, mount, head, true, &connection);

    if (error != POLLING_FINE) {
        if (error == POLLING_VERSION)
            services_log_old_client(services, visit->peer_ip);
        refusal->bare = polling_error_text(error);
        return refuse(refusal, ST_BAD_REQUEST, refusal->bare, NULL);
    }
    if (http_head_field(head, "sec-websocket-protocol").len > 0)
        return refuse(refusal, ST_BAD_REQUEST, "Socket.IO takes no WebSocket subprotocol",
                      "Leave Sec-WebSocket-Protocol out.");
    *arrival = arrival_create(services, mount, head, visit->request_id);
    if (!*arrival)
        return refuse(refusal, ST_NO_MEMORY, "out of memory", "Try again.");
    (*arrival)->joins = connection;
    return ST_OK;
}

/* Whether ours is among the offered subprotocols, or none is offered. */
static bool offers_ours(struct slice rest)
{
    bool has_ours = rest.len == 0;

    while (rest.len > 0) {
        struct slice item;
        slice_cut(rest, ',', &item, &rest);
        if (slice_is(slice_trim(item), "sidecast.v1"))
            has_ours = true;
    }
    return has_ours;
}

/* A token in the handshake connects at once: good ones here, bad ones are refused. */
static enum status take_token(struct client_services *services, struct arrival *arrival,
                              struct slice token, struct upgrade_refusal *refusal)
{
    const struct auth_rules *auth = services->system->auth;
    char hint[160] = "";
    enum refusal why = services_admit(services, token, &arrival->claims, hint);

    if (!why)
        return ST_OK;
    struct slice text = auth_refusal_text(auth_rules_refusals(auth), why);
    refuse(refusal, services_refusal_status(why), "",
           hint[0] ? NULL : "Mint a new token.");
    snprintf(refusal->detail, sizeof refusal->detail, "%.*s%s%s", (int)text.len, text.ptr,
             hint[0] ? ": " : "", hint);
    return services_refusal_status(why);
}

/* What is longer than any of ours is none of ours. NULL: it is not there. */
static char *query_word(const struct http_head *head, const char *name)
{
    struct slice word;

    if (!http_query_find(head->query, name, &word) || word.len == 0)
        return NULL;
    return slice_dup(slice_first(word, LIMIT_PID_BYTES + 1));
}

static enum status decide_native(const struct front_visit *visit,
                                 struct client_services *services, struct mount *mount,
                                 struct arrival **arrival,
                                 struct upgrade_refusal *refusal)
{
    const struct http_head *head = visit->head;
    struct slice offered = http_head_field(head, "sec-websocket-protocol");

    if (!offers_ours(offered))
        return refuse(
            refusal, ST_BAD_REQUEST, "none of the offered subprotocols is sidecast.v1",
            "Offer sidecast.v1 (beside token.<jwt>), or no subprotocol at all.");
    struct arrival *made = calloc(1, sizeof *made);
    if (!made)
        return refuse(refusal, ST_NO_MEMORY, "out of memory", "Try again.");
    made->mount = mount_share(mount);
    made->services = services;
    made->has_subprotocol = offered.len > 0;
    made->session = query_word(head, "session");
    made->position = query_word(head, "position");
    struct auth_found found = arrival_find_token(services, head);
    enum status st =
        found.token.len > 0 ? take_token(services, made, found.token, refusal) : ST_OK;
    if (st)
        arrival_destroy(made);
    else
        *arrival = made;
    return st;
}

static enum status decide(const struct front_visit *visit,
                          struct client_services *services, struct arrival **arrival,
                          struct upgrade_refusal *refusal)
{
    struct mount *mount = mount_table_find(services->mounts, visit->head->path);

    if (!mount)
        return refuse(refusal, ST_NOT_FOUND, "no WebSocket is served at this path",
                      "Unless the configuration names other mounts, Socket.IO clients "
                      "connect to /socket.io/, plain WebSockets to /ws.");
    return mount->dialect->messages
               ? decide_engineio(visit, services, mount, arrival, refusal)
               : decide_native(visit, services, mount, arrival, refusal);
}

static enum status refuse_full(struct upgrade_refusal *refusal)
{
    return refuse(refusal, ST_BUSY, "this gateway has as many connections as it may have",
                  NULL);
}

static bool names_session(const struct http_head *head)
{
    struct slice sid;

    return http_query_find(head->query, "sid", &sid) && sid.len > 0;
}

enum status upgrade_decide(const struct front_visit *visit,
                           struct client_services *services, size_t max_connections,
                           struct arrival **arrival, struct upgrade_refusal *refusal)
{
    bool is_full = connection_set_count(services->connections) >= max_connections;

    refusal->bare = NULL;
    if (services->is_draining && !names_session(visit->head))
        return refuse(refusal, ST_DRAINING, "This gateway is stopping: connect again.",
                      NULL);
    if (is_full && !names_session(visit->head))
        return refuse_full(refusal);
    enum status st = decide(visit, services, arrival, refusal);
    if (st || !is_full || (*arrival)->joins)
        return st;
    arrival_destroy(*arrival);
    *arrival = NULL;
    return refuse_full(refusal);
}
