/* Upgrades: see the header. */
#include "client-gw/upgrade.h"

#include "client-gw/dialect.h"
#include "client-gw/services.h"
#include "proto/http_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mount {
    const char *path;
    bool has_below; /* "/socket.io/anything" belongs to it too */
    const struct dialect *dialect;
    enum status (*decide)(const struct front_visit *visit,
                          struct client_services *services, struct arrival *arrival,
                          struct upgrade_refusal *refusal);
};

static enum status refuse(struct upgrade_refusal *refusal, enum status status,
                          const char *detail, const char *hint)
{
    snprintf(refusal->detail, sizeof refusal->detail, "%s", detail);
    refusal->hint = hint;
    return status;
}

/* A copy of a query parameter, percent-decoded; NULL when absent or malformed. */
static char *query_dup(struct slice query, const char *name)
{
    struct slice raw;
    size_t len;

    if (!http_query_find(query, name, &raw) || raw.len == 0)
        return NULL;
    char *text = malloc(raw.len + 1);
    if (!text)
        return NULL;
    if (!http_percent_decode(raw, true, text, &len)) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}

static struct slice bearer_token(const struct http_head *head)
{
    struct slice value = http_head_field(head, "authorization");
    struct slice scheme;
    struct slice rest;

    if (!slice_cut(value, ' ', &scheme, &rest) || !slice_is_nocase(scheme, "bearer"))
        return (struct slice){0};
    return slice_trim(rest);
}

static bool query_is(struct slice query, const char *name, const char *expected)
{
    struct slice value;

    return http_query_find(query, name, &value) && slice_is(value, expected);
}

/* Engine.IO's checks in the order of the reference server, and its words. */
static enum status decide_socketio(const struct front_visit *visit,
                                   struct client_services *services,
                                   struct arrival *arrival,
                                   struct upgrade_refusal *refusal)
{
    const struct http_head *head = visit->head;
    struct slice bearer = bearer_token(head);
    struct slice sid;

    (void)services;
    if (!query_is(head->query, "transport", "websocket"))
        return refuse(refusal, ST_BAD_REQUEST, "Transport unknown",
                      "This request asks for an upgrade: use transport=websocket.");
    if (http_query_find(head->query, "sid", &sid) && sid.len > 0)
        return refuse(refusal, ST_BAD_REQUEST, "Session ID unknown",
                      "Connect with transports: [\"websocket\"].");
    if (!query_is(head->query, "EIO", "4"))
        return refuse(refusal, ST_BAD_REQUEST, "Unsupported protocol version",
                      "Use socket.io-client 3 or later (EIO=4).");
    if (http_head_field(head, "sec-websocket-protocol").len > 0)
        return refuse(refusal, ST_BAD_REQUEST, "Socket.IO takes no WebSocket subprotocol",
                      "Leave Sec-WebSocket-Protocol out.");
    /* Verified at CONNECT, where a refusal can be told to the client, also that a token
     * is too long: the head has a ceiling of its own. */
    if (bearer.len > 0)
        arrival->header_token = slice_dup(bearer);
    arrival->query_token = query_dup(head->query, "token");
    return ST_OK;
}

/* Finds `token.<jwt>` among the offered subprotocols. False: they are offered, but not
 * ours. */
static bool read_subprotocols(const struct http_head *head, struct slice *token)
{
    struct slice rest = http_head_field(head, "sec-websocket-protocol");
    bool offers_ours = rest.len == 0;

    while (rest.len > 0) {
        struct slice item;
        slice_cut(rest, ',', &item, &rest);
        item = slice_trim(item);
        if (slice_is(item, "sidecast.v1"))
            offers_ours = true;
        else if (slice_starts_with(item, "token."))
            *token = slice_from(item, strlen("token."));
    }
    return offers_ours;
}

static enum status decide_native(const struct front_visit *visit,
                                 struct client_services *services,
                                 struct arrival *arrival, struct upgrade_refusal *refusal)
{
    const struct http_head *head = visit->head;
    struct slice token = bearer_token(head);
    struct slice session;
    char hint[160] = "";

    arrival->has_subprotocol = http_head_field(head, "sec-websocket-protocol").len > 0;
    if (!read_subprotocols(head, &token))
        return refuse(
            refusal, ST_BAD_REQUEST, "none of the offered subprotocols is sidecast.v1",
            "Offer sidecast.v1 (beside token.<jwt>), or no subprotocol at all.");
    arrival->wants_resume =
        http_query_find(head->query, "session", &session) && session.len > 0;
    char *from_query = token.len == 0 ? query_dup(head->query, "token") : NULL;
    if (from_query)
        token = slice_of(from_query);

    enum status st = ST_OK;
    if (token.len > 0) {
        enum refusal why = services_verify(services, token, &arrival->claims, hint);
        if (why)
            st = refuse(refusal, services_refusal_status(why), refusal_text(why),
                        hint[0] ? NULL : "Mint a new token.");
        if (why && hint[0])
            snprintf(refusal->detail, sizeof refusal->detail, "%s: %s", refusal_text(why),
                     hint);
    }
    free(from_query);
    return st;
}

static const struct mount mounts[] = {
    {"/socket.io", true,  &dialect_socketio, decide_socketio},
    {"/ws",        false, &dialect_native,   decide_native  },
};

static const struct mount *mount_find(struct slice path)
{
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        size_t len = strlen(mounts[i].path);
        if (slice_is(path, mounts[i].path) ||
            (mounts[i].has_below && slice_starts_with(path, mounts[i].path) &&
             path.ptr[len] == '/'))
            return &mounts[i];
    }
    return NULL;
}

enum status upgrade_decide(const struct front_visit *visit,
                           struct client_services *services, struct arrival **arrival,
                           struct upgrade_refusal *refusal)
{
    const struct mount *mount = mount_find(visit->head->path);

    if (!mount)
        return refuse(
            refusal, ST_NOT_FOUND, "no WebSocket is served at this path",
            "Socket.IO clients connect to /socket.io/, plain WebSockets to /ws.");
    struct arrival *made = calloc(1, sizeof *made);
    if (!made)
        return refuse(refusal, ST_NO_MEMORY, "out of memory", "Try again.");
    made->dialect = mount->dialect;
    made->services = services;
    enum status st = mount->decide(visit, services, made, refusal);
    if (st)
        arrival_destroy(made);
    else
        *arrival = made;
    return st;
}
