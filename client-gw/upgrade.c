/* Upgrades: see the header. */
#include "client-gw/upgrade.h"

#include "client-gw/dialect.h"
#include "client-gw/services.h"
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

/* The first token that the request brings along, unverified; lent by it or by the
 * services' strings. */
static struct auth_found find_token(const struct http_head *head,
                                    struct client_services *services)
{
    const struct auth_handshake handshake = {
        .authorization = http_head_field(head, "authorization"),
        .cookie = http_head_field(head, "cookie"),
        .query = head->query,
        .subprotocols = http_head_field(head, "sec-websocket-protocol"),
    };

    return auth_sources_in_handshake(auth_rules_sources(services->system->auth),
                                     &handshake, &services->strings);
}

static bool query_is(struct slice query, const char *name, const char *expected)
{
    struct slice value;

    return http_query_find(query, name, &value) && slice_is(value, expected);
}

/* Engine.IO's checks in the order of the reference server, and its words. */
static enum status decide_engineio(const struct front_visit *visit,
                                   struct client_services *services,
                                   struct arrival *arrival,
                                   struct upgrade_refusal *refusal)
{
    const struct http_head *head = visit->head;
    struct slice sid;

    if (!query_is(head->query, "transport", "websocket") ||
        !(arrival->mount->settings.transports & MOUNT_WEBSOCKET))
        return refuse(refusal, ST_BAD_REQUEST, "Transport unknown",
                      "This request asks for an upgrade: use transport=websocket, where "
                      "the mount has it.");
    if (http_query_find(head->query, "sid", &sid) && sid.len > 0)
        return refuse(refusal, ST_BAD_REQUEST, "Session ID unknown",
                      "Connect with transports: [\"websocket\"].");
    if (!query_is(head->query, "EIO", "4"))
        return refuse(refusal, ST_BAD_REQUEST, "Unsupported protocol version",
                      "Use socket.io-client 3 or later (EIO=4).");
    if (http_head_field(head, "sec-websocket-protocol").len > 0)
        return refuse(refusal, ST_BAD_REQUEST, "Socket.IO takes no WebSocket subprotocol",
                      "Leave Sec-WebSocket-Protocol out.");
    /* Verified at CONNECT, where a refusal can be told to the client. */
    struct auth_found found = find_token(head, services);
    if (found.token.len > 0)
        arrival->token = slice_dup(found.token);
    arrival->token_rank = found.rank;
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

static enum status decide_native(const struct front_visit *visit,
                                 struct client_services *services,
                                 struct arrival *arrival, struct upgrade_refusal *refusal)
{
    const struct http_head *head = visit->head;
    struct slice offered = http_head_field(head, "sec-websocket-protocol");
    struct slice session;

    arrival->has_subprotocol = offered.len > 0;
    if (!offers_ours(offered))
        return refuse(
            refusal, ST_BAD_REQUEST, "none of the offered subprotocols is sidecast.v1",
            "Offer sidecast.v1 (beside token.<jwt>), or no subprotocol at all.");
    arrival->wants_resume =
        http_query_find(head->query, "session", &session) && session.len > 0;
    struct auth_found found = find_token(head, services);
    return found.token.len > 0 ? take_token(services, arrival, found.token, refusal)
                               : ST_OK;
}

enum status upgrade_decide(const struct front_visit *visit,
                           struct client_services *services, struct arrival **arrival,
                           struct upgrade_refusal *refusal)
{
    struct mount *mount = mount_table_find(services->mounts, visit->head->path);

    if (!mount)
        return refuse(refusal, ST_NOT_FOUND, "no WebSocket is served at this path",
                      "Unless the configuration names other mounts, Socket.IO clients "
                      "connect to /socket.io/, plain WebSockets to /ws.");
    struct arrival *made = calloc(1, sizeof *made);
    if (!made)
        return refuse(refusal, ST_NO_MEMORY, "out of memory", "Try again.");
    made->mount = mount_share(mount);
    made->services = services;
    enum status st = mount->dialect->messages
                         ? decide_engineio(visit, services, made, refusal)
                         : decide_native(visit, services, made, refusal);
    if (st)
        arrival_destroy(made);
    else
        *arrival = made;
    return st;
}
