/* Welcoming a client: see the header. */
#include "client-gw/welcome.h"

#include "bridge/clock.h"
#include "client-gw/catchup.h"
#include "client-gw/emissions.h"
#include "client-gw/expiry.h"
#include "client-gw/recovery.h"
#include "proto/access.h"
#include "proto/auth_rules.h"
#include "proto/connect_rules.h"

#include <stdio.h>
#include <stdlib.h>

/* --- rooms --- */

enum {
    ROOMS_BYTES = LIMIT_TEMPLATE_FAN * (LIMIT_ROOM_BYTES + 1),
};

/* One after the other, a blank between them: no name has one. */
static enum status collect(void *ctx, struct slice name)
{
    struct welcome_rooms *rooms = ctx;
    struct room_key key;

    /* Everybody is in the room of their own user, and of all, by themselves. */
    if (room_target_decode(SLICE("/"), name, &key) || key.kind != ROOM_NAMED)
        return ST_OK;
    buf_add(&rooms->bytes, name);
    buf_add_byte(&rooms->bytes, ' ');
    rooms->count++;
    return buf_status(&rooms->bytes);
}

static bool cut_names(struct welcome_rooms *rooms)
{
    struct slice rest = buf_slice(&rooms->bytes);

    rooms->names = calloc(rooms->count + 1, sizeof *rooms->names);
    for (size_t i = 0; rooms->names && i < rooms->count; i++)
        slice_cut(rest, ' ', &rooms->names[i], &rest);
    return rooms->names != NULL;
}

enum refusal welcome_rooms(struct client_services *services, const struct claims *claims,
                           const struct slice *asked, size_t asked_count,
                           struct welcome_rooms *rooms, char hint[160])
{
    struct template_values values = {0};
    struct template_failure failure = {0};
    struct buf memory = {.max = LIMIT_CONFIG_BYTES};

    *rooms = (struct welcome_rooms){.bytes.max = ROOMS_BYTES};
    access_values(services->system, claims, &memory, &values);
    enum status st =
        connect_rules_rooms(services->system->connect, &values,
                            services_scratch(services), collect, rooms, &failure);
    buf_finish(&memory);
    for (size_t i = 0; !st && i < asked_count; i++)
        st = collect(rooms, asked[i]);
    if (!st && cut_names(rooms))
        return REFUSAL_NONE;
    welcome_rooms_finish(rooms);
    if (st != ST_BAD_PAYLOAD)
        return st == ST_TOO_LARGE || st == ST_LIMIT ? REFUSAL_LIMIT : REFUSAL_UNAVAILABLE;
    snprintf(hint, 160, "Rooms to be put into: {%.*s} %s.",
             (int)slice_first(failure.placeholder, 60).len, failure.placeholder.ptr,
             failure.reason);
    return REFUSAL_INVALID;
}

void welcome_rooms_finish(struct welcome_rooms *rooms)
{
    buf_finish(&rooms->bytes);
    free(rooms->names);
    *rooms = (struct welcome_rooms){0};
}

/* --- opening --- */

static enum refusal refusal_of(enum status status, char hint[160])
{
    if (status != ST_LIMIT)
        return REFUSAL_UNAVAILABLE;
    snprintf(hint, 160,
             "This user has as many connections as one may have, or is to be in more "
             "rooms than one may.");
    return REFUSAL_LIMIT;
}

/* A CONNECT without a payload has an empty one. Nothing is kept that no table asks for,
 * and of what is asked for only so much. */
static enum refusal pick_auth(const struct client_services *services, struct slice auth,
                              struct slice *kept, char hint[160])
{
    bool is_used = services->system->client_uses & TEMPLATE_BIT(TEMPLATE_AUTH);

    *kept = (struct slice){0};
    if (!is_used)
        return REFUSAL_NONE;
    *kept = auth.len > 0 ? auth : SLICE("{}");
    if (auth.len <= LIMIT_AUTH_BYTES)
        return REFUSAL_NONE;
    snprintf(hint, 160, "What comes with CONNECT is more than %d bytes.",
             LIMIT_AUTH_BYTES);
    return REFUSAL_LIMIT;
}

/* As a new one, or as the one that it was. */
static enum status enter(struct client_services *services, struct session *session,
                         const struct welcome_guest *guest,
                         const struct welcome_rooms *rooms, session_done_fn *on_connected)
{
    const struct recovery_claim claim = {guest->pid, guest->position,
                                         guest->keeps_position};
    struct catchup_wrap wrap = {on_connected, NULL};

    if (!catchup_expect(services, session, guest->claims, &wrap))
        return ST_NO_MEMORY;
    if (guest->pid.len == 0 || !session->voice->is_recoverable)
        return session_identify(session, claims_share(guest->claims), rooms->names,
                                rooms->count, wrap.on_done, wrap.ctx);
    return recovery_begin(services->recovery, session, &claim,
                          claims_share(guest->claims), rooms->names, rooms->count,
                          wrap.on_done, wrap.ctx);
}

enum refusal welcome_open(struct client_services *services,
                          const struct welcome_guest *guest,
                          session_done_fn *on_connected, char hint[160])
{
    bool is_nobody = auth_rules_mode(services->system->auth) == AUTH_EVENT;
    struct welcome_rooms rooms = {0};
    struct slice auth;
    enum refusal refusal = pick_auth(services, guest->auth, &auth, hint);

    if (!refusal && !is_nobody)
        refusal = welcome_rooms(services, guest->claims, guest->rooms, guest->room_count,
                                &rooms, hint);
    if (refusal) {
        claims_drop(guest->claims);
        return refusal;
    }
    /* Whoever says later who it is cannot be believed to come back before. */
    struct session *session = session_open(
        services->sessions, guest->connection, guest->nsp, guest->name,
        guest->is_recoverable && !is_nobody, claims_share(guest->claims), auth);
    enum status st = session ? ST_OK : ST_NO_MEMORY;
    if (session && !is_nobody)
        st = enter(services, session, guest, &rooms, on_connected);
    welcome_rooms_finish(&rooms);
    claims_drop(guest->claims);
    if (session && st)
        session_close(session, "forced close", SESSION_OVER);
    if (session && !st && is_nobody) {
        session_share(session); /* the answer may end it */
        on_connected(session, ST_OK, NULL);
        session_drop(session);
    }
    return st ? refusal_of(st, hint) : REFUSAL_NONE;
}

/* --- greetings --- */

/* Nobody is greeted, and has a while to say who it is. */
static void wait_for_event(struct session *session)
{
    const struct auth_rules *auth = session->connection->services->system->auth;
    const struct auth_event *event = auth_rules_event(auth);

    if (event)
        session->due_ms = clock_ms() + auth_event_timeout_ms(event);
    connection_arm(session->connection);
}

void welcome_greet(struct session *session)
{
    struct client_services *services = session->connection->services;
    const struct emission_list *emits = connect_rules_emits(services->system->connect);
    struct command_call call = {.services = services, .session = session};
    struct template_values values;

    if (session->state == SESSION_WAITING) {
        wait_for_event(session);
        return;
    }
    if (emission_count(emits) > 0) {
        command_values(&call, &values);
        emissions_send(services, session, emits, &values);
    }
    if (session->connection)
        expiry_arm(session);
}

/* --- authentication by an event --- */

/* The answer to the event, and the system's own words, then the end. */
static void turn_away(const struct command_call *call, enum refusal refusal)
{
    struct client_services *services = call->services;
    struct connection *connection = call->session->connection;
    const struct auth_rules *auth = services->system->auth;
    enum status st = services_refusal_status(refusal);
    struct slice text = auth_refusal_text(auth_rules_refusals(auth), refusal);
    struct template_values values;

    command_values(call, &values);
    values.code = slice_of(status_code(st));
    values.message = text;
    emissions_send(services, call->session, auth_event_error(auth_rules_event(auth)),
                   &values);
    if (call->ack.is_wanted && connection->state == CONNECTION_OPEN)
        command_fail(call, st, text.ptr);
    if (connection->state == CONNECTION_OPEN)
        connection_end_session(call->session, refusal == REFUSAL_FORBIDDEN
                                                  ? CLOSE_FORBIDDEN
                                                  : CLOSE_UNAUTHORIZED);
    if (refusal != REFUSAL_UNAVAILABLE) /* as at a CONNECT */
        connection_refused(connection);
}

static enum refusal read_claims(const struct command_call *call, struct claims **claims,
                                char hint[160])
{
    const struct auth_rules *auth = call->services->system->auth;
    const struct auth_event *event = auth_rules_event(auth);
    struct buf *text = &call->services->strings;
    const char *failed;

    buf_clear(text);
    if (auth_event_token(event, call->args, text))
        return REFUSAL_MISSING;
    enum refusal refusal = services_verify(
        call->services, auth_sources_strip(auth_rules_sources(auth), buf_slice(text)),
        claims, hint);
    if (!refusal &&
        !auth_event_matches(event, claims_json(*claims), call->args, &failed)) {
        claims_drop(*claims);
        refusal = REFUSAL_FORBIDDEN;
    }
    return refusal;
}

/* What outlives the call: who waits for an answer. */
struct waiting {
    struct client_services *services;
    struct ack ack;
};

static void identified(struct session *session, enum status status, void *ctx)
{
    struct waiting *waiting = ctx;
    struct command_call call = {
        .services = waiting->services, .session = session, .ack = waiting->ack};
    struct template_values values;

    free(waiting);
    if (status == ST_NOT_FOUND)
        return;
    if (status) {
        connection_close(session->connection, CLOSE_UNAVAILABLE);
        return;
    }
    command_values(&call, &values);
    emissions_send(call.services, session,
                   auth_event_ok(auth_rules_event(call.services->system->auth)), &values);
    if (call.ack.is_wanted && session->state == SESSION_OPEN)
        session->connection->dialect->send_ack(session, call.ack, SLICE("{\"ok\":true}"));
    if (session->state == SESSION_OPEN)
        welcome_greet(session);
}

/* Takes `claims`. */
static enum refusal identify(const struct command_call *call, struct claims *claims,
                             char hint[160])
{
    struct waiting *waiting = malloc(sizeof *waiting);
    struct welcome_rooms rooms = {0};
    enum refusal refusal =
        waiting ? welcome_rooms(call->services, claims, NULL, 0, &rooms, hint)
                : REFUSAL_UNAVAILABLE;

    if (refusal) {
        claims_drop(claims);
        free(waiting);
        return refusal;
    }
    *waiting = (struct waiting){call->services, call->ack};
    call->session->due_ms = 0;
    struct catchup_wrap wrap = {identified, waiting};
    enum status st = ST_NO_MEMORY;
    if (catchup_expect(call->services, call->session, claims, &wrap))
        st = session_identify(call->session, claims, rooms.names, rooms.count,
                              wrap.on_done, wrap.ctx);
    else
        claims_drop(claims);
    welcome_rooms_finish(&rooms);
    if (!st)
        return REFUSAL_NONE;
    free(waiting);
    return refusal_of(st, hint);
}

void welcome_event(const struct command_call *call, struct slice name)
{
    const struct auth_event *event = auth_rules_event(call->services->system->auth);
    struct claims *claims = NULL;
    char hint[160] = "";

    metrics_add(call->services->metrics, METRIC_CLIENT_EVENTS, 1);
    if (call->session->state != SESSION_WAITING || !event ||
        !auth_event_is(event, name)) {
        command_fail(call, ST_UNAUTH, "say who you are first");
        return;
    }
    enum refusal refusal = read_claims(call, &claims, hint);
    if (!refusal)
        refusal = identify(call, claims, hint);
    if (refusal)
        turn_away(call, refusal);
}

/* --- what is due --- */

static void session_due(struct session *session)
{
    struct command_call call = {.services = session->connection->services,
                                .session = session};

    session->due_ms = 0;
    if (session->state == SESSION_WAITING)
        turn_away(&call, REFUSAL_MISSING);
    else
        expiry_due(session);
}

void welcome_due(struct connection *connection)
{
    uint64_t now_ms = clock_ms();
    struct session *next;

    if (connection->connect_due_ms > 0 && connection->connect_due_ms <= now_ms) {
        connection_close(connection, CLOSE_CONNECT_TIMEOUT);
        return;
    }
    for (struct session *s = connection->sessions; s; s = next) {
        next = s->next;
        if (s->due_ms > 0 && s->due_ms <= now_ms)
            session_due(s);
        if (connection->state != CONNECTION_OPEN)
            return;
    }
    connection_arm(connection);
}
