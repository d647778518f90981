/* Running commands: found, counted, checked, handed to the action's file. */
#include "client-gw/command.h"

#include "bridge/clock.h"
#include "client-gw/beats.h"
#include "proto/access.h"
#include "proto/namespace_rules.h"

#include <stdio.h>
#include <string.h>

typedef void handle_fn(const struct command_call *call);

static handle_fn *const actions[COMMAND_ACTION_COUNT] = {
    [COMMAND_JOIN] = handle_join,       [COMMAND_LEAVE] = handle_leave,
    [COMMAND_ROOMS] = handle_rooms,     [COMMAND_WHOAMI] = handle_whoami,
    [COMMAND_REFRESH] = handle_refresh, [COMMAND_REPLY] = handle_reply,
    [COMMAND_ACK] = handle_ack,         [COMMAND_RELAY] = handle_relay,
    [COMMAND_CLOSE] = handle_close,
};

/* The last words and the end: a Socket.IO client does not come back by itself. */
static void end_connection(const struct command_call *call, enum close_reason reason)
{
    struct connection *connection = call->session->connection;

    if (connection && connection->state == CONNECTION_OPEN)
        connection_end_with(call->session, reason);
}

static void run_unknown(const struct command_call *call)
{
    static const char message[] = "nothing here handles this event";
    enum command_unknown unknown =
        command_rules_unknown(call->services->system->commands);

    metrics_add(call->services->metrics, METRIC_CLIENT_EVENTS_UNKNOWN, 1);
    if (unknown != COMMAND_UNKNOWN_IGNORE || call->ack.is_wanted)
        command_fail(call, ST_UNKNOWN_EVENT, message);
    if (unknown == COMMAND_UNKNOWN_DISCONNECT)
        end_connection(call, CLOSE_FORBIDDEN);
}

/* --- rates --- */

/* Who has no name is nobody but themselves. */
static struct slice who_is(const struct command_call *call, enum rate_per per)
{
    static const struct ip_address nobody;
    const struct peer_guest *guest = call->session->connection->guest;
    const struct ip_address *site = guest ? peer_guest_site(guest) : &nobody;
    struct slice user = claims_user(call->session->claims);

    if (per == RATE_PER_USER)
        return user.len > 0 ? user : slice_of(call->session->sid);
    return (struct slice){(const char *)site->bytes, sizeof site->bytes};
}

static bool take(const struct command_call *call, const struct rate_rule *limit)
{
    struct client_services *services = call->services;
    const struct rate_rules *rates = command_rules_rates(services->system->commands);

    if (limit->per != RATE_PER_SOCKET)
        return rate_table_take(services->rates, limit->index, who_is(call, limit->per),
                               &limit->rate, clock_ms());
    struct token_bucket *bucket =
        session_rate(call->session, limit->index, rate_rules_per_socket(rates));
    return !bucket || token_bucket_take(bucket, &limit->rate, clock_ms());
}

/* What a rate may do at most by itself is not to be multiplied in the log. */
static void warn(const struct command_call *call, const struct rate_rule *limit)
{
    static const struct token_rate per_second = {1, 1000};
    char name[80];

    if (!token_bucket_take(&call->services->warned, &per_second, clock_ms()))
        return;
    snprintf(name, sizeof name, "%.*s", (int)slice_first(limit->name, 79).len,
             limit->name.ptr);
    log_warn(call->services->log, "a client is beyond a rate", LOG_TEXT("rate", name),
             LOG_TEXT("sid", call->session->sid));
}

/* False: it is too much, and what the rate says has happened. */
static bool is_within_rate(const struct command_call *call)
{
    const struct rate_rule *limit = call->rule->limit;

    if (!limit || take(call, limit))
        return true;
    metrics_add(call->services->metrics, METRIC_RATE_LIMITED, 1);
    warn(call, limit);
    if (limit->then == RATE_THEN_WARN)
        return true;
    if (limit->then != RATE_THEN_DROP)
        command_fail(call, ST_RATE_LIMIT, "too many of these: wait a moment");
    if (limit->then == RATE_THEN_DISCONNECT)
        end_connection(call, CLOSE_LIMIT);
    return false;
}

/* --- */

static bool has_its_args(const struct command_call *call)
{
    char why[COMMAND_ARGS_WHY_BYTES];

    if (!call->rule->args || command_args_hold(call->rule->args, call->args, why))
        return true;
    command_fail(call, ST_BAD_PAYLOAD, why);
    return false;
}

/* NULL: there is none, or not in this namespace. */
static const struct command_rule *find_command(const struct command_call *call,
                                               struct slice name)
{
    const struct system *system = call->services->system;
    const struct command_rule *rule = command_rules_find(system->commands, name);
    bool works = rule && namespace_rules_allow(system->namespaces,
                                               call->session->voice->nsp, rule);

    return works ? rule : NULL;
}

void command_run(const struct command_call *asked, struct slice name)
{
    struct command_call call = *asked;

    metrics_add(call.services->metrics, METRIC_CLIENT_EVENTS, 1);
    if (call.services->beats && beats_event(call.services->beats, call.session, name))
        return;
    call.name = name;
    call.rule = find_command(&call, name);
    session_share(call.session); /* whatever is sent may end it */
    if (!call.rule)
        run_unknown(&call);
    else if (is_within_rate(&call) && has_its_args(&call) &&
             command_keeps_contract(&call, name, call.args))
        actions[call.rule->action](&call);
    session_drop(call.session);
}

void command_values(const struct command_call *call, struct template_values *values)
{
    struct client_services *services = call->services;
    const struct peer_guest *guest = call->session->connection->guest;

    *values = (struct template_values){0};
    access_values(services->system, call->session->claims, &services->user, values);
    if (services->system->client_uses & TEMPLATE_BIT(TEMPLATE_UUID))
        services_new_uuid(services);
    if (guest)
        ip_address_print(peer_guest_site(guest), services->ip);
    else
        strcpy(services->ip, "127.0.0.1");
    values->auth = slice_of(call->session->auth);
    values->args = call->args;
    values->event = call->name;
    values->conn_id = slice_of(call->session->sid);
    values->conn_ip = slice_of(services->ip);
    values->conn_transport = slice_of(call->session->connection->transport->ops->name);
    values->conn_recovered = call->session->is_recovered;
    values->uuid = slice_of(services->uuid);
    values->now_ms = clock_wall_ms();
    values->last_seen_ms = call->session->last_seen_ms;
}
