/* What dialects share: see the header. */
#include "client-gw/services.h"

#include "bridge/clock.h"
#include "bridge/random.h"
#include "bridge/testing/test_hook.h"
#include "client-gw/beats.h"
#include "proto/access.h"
#include "proto/auth_rules.h"
#include "proto/command_rules.h"
#include "proto/json_text.h"

enum {
    /* What a native client is told first: its rooms, and some names. */
    WELCOME_BYTES = LIMIT_ANSWERED_ROOMS * (LIMIT_ROOM_BYTES + 3) + 4096,
};

/* Takes `*claims` and gives it back, perhaps with another user. */
static enum refusal accept_claims(const struct client_services *services,
                                  struct claims **claims, char hint[160])
{
    const struct auth_rules *auth = services->system->auth;
    struct buf user = {.max = LIMIT_TOKEN_BYTES};
    enum refusal refusal = auth_rules_accept(auth, claims_json(*claims), &user, hint);

    if (!refusal && auth_rules_has_user(auth))
        *claims = claims_as(*claims, buf_slice(&user));
    buf_finish(&user);
    if (refusal)
        claims_drop(*claims);
    return !refusal && !*claims ? REFUSAL_UNAVAILABLE : refusal;
}

/* What was withheld is told with the next refusal; the metric has them all. */
static bool may_log_refusal(struct client_services *services)
{
    return log_quota_lets(&services->refusals, services->log,
                          "lines about refused clients withheld", clock_ms());
}

void services_log_old_client(struct client_services *services, const char *ip)
{
    if (may_log_refusal(services))
        log_warn(services->log,
                 "a client of an old version was refused: socket.io-client 3 or later "
                 "(EIO=4) is needed",
                 LOG_TEXT("ip", ip));
}

static void log_refusal(struct client_services *services, enum refusal refusal,
                        const char *hint)
{
    if (may_log_refusal(services))
        log_info(services->log, "client refused",
                 LOG_TEXT("reason", refusal_reason(refusal)), LOG_TEXT("hint", hint));
}

enum refusal services_verify(struct client_services *services, struct slice token,
                             struct claims **claims, char hint[160])
{
    enum refusal refusal = token_verify(services->keys, token, CLAIMS_CLIENT,
                                        clock_wall_ms() / 1000, claims, hint);

    if (!refusal)
        refusal = accept_claims(services, claims, hint);
    if (refusal) {
        *claims = NULL;
        metrics_add(services->metrics, METRIC_CONNECT_REFUSED, 1);
        log_refusal(services, refusal, hint);
    }
    return refusal;
}

enum refusal services_admit(struct client_services *services, struct slice token,
                            struct claims **claims, char hint[160])
{
    if (auth_rules_mode(services->system->auth) == AUTH_HANDSHAKE)
        return services_verify(services, token, claims, hint);
    *claims = claims_nobody();
    return *claims ? REFUSAL_NONE : REFUSAL_UNAVAILABLE;
}

bool services_may_join(struct client_services *services, const struct claims *claims,
                       const struct room_key *key)
{
    return access_may_join(services->system, claims, key, services_scratch(services));
}

bool services_may_publish(struct client_services *services, const struct claims *claims,
                          const struct room_key *key, bool is_member)
{
    return access_may_publish(services->system, claims, key, is_member,
                              services_scratch(services));
}

enum status services_refusal_status(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_INACTIVE:
    case REFUSAL_FORBIDDEN: return ST_FORBIDDEN;
    case REFUSAL_UNAVAILABLE: return ST_UNAVAILABLE;
    case REFUSAL_LIMIT: return ST_LIMIT;
    case REFUSAL_MISSING: return ST_UNAUTH;
    default: return ST_BAD_CREDENTIAL;
    }
}

/* How large a message of a client may be, and with it what is made of one. Who came in
 * before a reload may send what it might then. */
static void set_ceiling(struct client_services *services, size_t message_bytes)
{
    /* Attachments come as base64 beside the text of their packet, which is as large again
     * at most; going out, they are decoded behind it. */
    size_t payload_bytes = 3 * message_bytes;

    if (payload_bytes <= services->rendering.max)
        return;
    services->scratch.max =
        2 * payload_bytes > WELCOME_BYTES ? 2 * payload_bytes : WELCOME_BYTES;
    /* What a message brings, or the head of a handshake. */
    services->strings.max =
        message_bytes > LIMIT_HTTP_POOL_BYTES ? message_bytes : LIMIT_HTTP_POOL_BYTES;
    services->rendering.max = payload_bytes;
    services->answer.max = payload_bytes;
    services->user.max = LIMIT_CONFIG_BYTES;
}

struct buf *services_scratch(struct client_services *services)
{
    buf_clear(&services->scratch);
    return &services->scratch;
}

struct buf *services_rendering(struct client_services *services)
{
    buf_clear(&services->rendering);
    return &services->rendering;
}

void services_new_uuid(struct client_services *services)
{
    unsigned char bytes[16];
    char *at = services->uuid;

    random_bytes(bytes, sizeof bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    for (size_t i = 0; i < sizeof bytes; i++) {
        at += ident_hex_encode(&bytes[i], 1, at);
        if (i == 3 || i == 5 || i == 7 || i == 9)
            *at++ = '-';
    }
    *at = '\0';
}

const char *services_new_id(struct client_services *services)
{
    uint8_t fresh[IDENT_ULID_RANDOM_BYTES];

    random_bytes(fresh, sizeof fresh);
    ident_ulid_next(&services->ulids, clock_wall_ms(), fresh, services->id);
    return services->id;
}

bool services_decode(struct client_services *services, struct slice json,
                     struct slice *text)
{
    buf_clear(&services->strings);
    char *memory = buf_reserve(&services->strings, json.len);
    if (!memory)
        return false;
    *text = json_string_decode(json, memory);
    return true;
}

/* The heartbeats of a system begin anew with it. */
static bool use_beats(struct client_services *services, const struct system *system)
{
    const struct beat_rules *rules = command_rules_beats(system->commands);
    struct beats *beats = NULL;

    if (beat_rules_count(rules) > 0) {
        beats =
            beats_create(services->loop, rules, services->connections, services->metrics);
        if (!beats)
            return false;
    }
    beats_destroy(services->beats);
    services->beats = beats;
    return true;
}

static void tell_transports(const struct client_services *services)
{
    unsigned transports = mount_table_transports(services->mounts);

    metrics_set(services->metrics, METRIC_SERVES_WEBSOCKET,
                (transports & MOUNT_WEBSOCKET) != 0);
    metrics_set(services->metrics, METRIC_SERVES_POLLING,
                (transports & MOUNT_POLLING) != 0);
}

bool services_use(struct client_services *services, struct system *system)
{
    struct system *before = services->system;
    struct mount_table *mounts = mount_table_create(system->mounts, services->settings);

    if (!mounts || !use_beats(services, system)) {
        mount_table_destroy(mounts);
        return false;
    }
    mount_table_destroy(services->mounts);
    services->mounts = mounts;
    tell_transports(services);
    set_ceiling(services, services->settings->max_message_bytes);
    set_ceiling(services, mount_table_message_bytes(mounts));
    services->system = system_share(system);
    system_release(before);
    if (!before || !test_hook_half_reload())
        session_set_use(services->sessions, system);
    token_keys_need_no_sub(services->keys, auth_rules_has_user(system->auth));
    return true;
}

void services_finish(struct client_services *services)
{
    mount_table_destroy(services->mounts);
    system_release(services->system);
    buf_finish(&services->scratch);
    buf_finish(&services->strings);
    buf_finish(&services->rendering);
    buf_finish(&services->answer);
    event_publish_finish(&services->publish);
    publish_request_finish(&services->request);
    buf_finish(&services->user);
    rate_table_destroy(services->rates);
    native_memory_finish(&services->native);
}
