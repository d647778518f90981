/* The end of tokens: see the header. */
#include "client-gw/expiry.h"

#include "bridge/clock.h"
#include "client-gw/command.h"
#include "client-gw/dialect.h"
#include "client-gw/emissions.h"
#include "proto/auth_rules.h"

enum {
    FAR_MS = 24 * 3600 * 1000, /* the wall clock is asked again at least that often */
};

static const struct auth_rules *rules_of(const struct connection *connection)
{
    return connection->services->system->auth;
}

/* How long the token still holds, its leeway included; below 1: it has ended. */
static int64_t left_ms(const struct session *session)
{
    const struct client_services *services = session->connection->services;
    int64_t expires_s = claims_expires_s(session->claims);

    if (expires_s >= INT64_MAX / 2000)
        return INT64_MAX;
    return (expires_s + token_keys_rules(services->keys)->leeway_s) * 1000 -
           clock_wall_ms();
}

static bool is_silent(const struct auth_rules *rules)
{
    return auth_rules_end(rules) == AUTH_END_NONE &&
           emission_count(auth_rules_end_emits(rules)) == 0 &&
           auth_rules_warn_ms(rules) == 0;
}

/* Nothing is left to do, unless another file comes that says more. */
static bool is_over(const struct session *session, const struct auth_rules *rules)
{
    return session->end == SESSION_END_TOLD &&
           (auth_rules_end(rules) == AUTH_END_NONE ||
            session->connection->state != CONNECTION_OPEN);
}

/* When the session is to be looked at again; 0: never. */
static uint64_t next_ms(const struct session *session, const struct auth_rules *rules)
{
    int64_t left = left_ms(session);
    int64_t warn = (int64_t)auth_rules_warn_ms(rules);
    int64_t every = (int64_t)auth_rules_every_ms(rules);

    if (session->state != SESSION_OPEN || is_over(session, rules) || left == INT64_MAX ||
        is_silent(rules))
        return 0;
    if (session->end == SESSION_END_AHEAD && warn > 0)
        left -= warn;
    if (every > 0)
        left = every;
    if (left > FAR_MS)
        left = FAR_MS;
    return left < 1 ? 1 : (uint64_t)left;
}

void expiry_arm(struct session *session)
{
    uint64_t next = next_ms(session, rules_of(session->connection));

    session->due_ms = next > 0 ? clock_ms() + next : 0;
    connection_arm(session->connection);
}

void expiry_reloaded(struct session *session, void *ctx)
{
    uint64_t before_ms = session->due_ms;

    (void)ctx;
    if (!session->is_answered)
        return; /* armed when it is greeted */
    expiry_arm(session);
    /* However often files come, they put no look off. */
    if (before_ms > 0 && before_ms < session->due_ms) {
        session->due_ms = before_ms;
        connection_arm(session->connection);
    }
}

static void tell(struct session *session, const struct auth_rules *rules)
{
    struct client_services *services = session->connection->services;
    struct command_call call = {.services = services, .session = session};
    struct template_values values;

    command_values(&call, &values);
    values.code = slice_of(status_code(ST_BAD_CREDENTIAL));
    values.message = auth_refusal_text(auth_rules_refusals(rules), REFUSAL_EXPIRED);
    if (connection_set_may_log(session->connection->set))
        log_info(services->log, "a token has ended", LOG_TEXT("sid", session->sid));
    emissions_send(services, session, auth_rules_end_emits(rules), &values);
}

static void carry_out(struct session *session, enum auth_end how)
{
    struct connection *connection = session->connection;

    if (!connection || connection->state != CONNECTION_OPEN || how == AUTH_END_NONE)
        return;
    if (how == AUTH_END_DISCONNECT)
        connection_end_session(session, CLOSE_EXPIRED);
    else
        connection_close(connection, CLOSE_EXPIRED);
}

static void look_at(struct session *session, const struct auth_rules *rules)
{
    int64_t left = left_ms(session);

    if (session->state != SESSION_OPEN || is_over(session, rules))
        return;
    if (left <= 0) {
        bool is_told = session->end == SESSION_END_TOLD;
        session->end = SESSION_END_TOLD;
        if (!is_told)
            tell(session, rules);
        carry_out(session, auth_rules_end(rules));
    } else if (session->end == SESSION_END_AHEAD &&
               left <= (int64_t)auth_rules_warn_ms(rules)) {
        session->end = SESSION_END_WARNED;
        session->connection->dialect->send_expiring(session, (uint64_t)left);
    }
}

void expiry_due(struct session *session)
{
    session_share(session); /* whatever is sent may end it */
    look_at(session, rules_of(session->connection));
    if (session->connection)
        expiry_arm(session);
    session_drop(session);
}
