/* Lines about clients: see the header. */
#include "client-gw/audit.h"

#include "client-gw/connection.h"

static const struct logger *log_of(const struct session *session)
{
    return connection_set_config(session->connection->set)->log;
}

/* Empty where none came along: embedders and tests. */
static struct slice request_of(const struct session *session)
{
    const char *id = session->connection->request_id;

    return slice_of(id ? id : "-");
}

static bool is_told(const struct session *session, enum log_level level)
{
    return session->connection && log_of(session)->level >= level;
}

static bool may_tell(const struct session *session)
{
    return is_told(session, LOG_LEVEL_INFO) &&
           connection_set_may_log(session->connection->set);
}

void audit_connected(const struct session *session)
{
    if (may_tell(session))
        log_info(log_of(session), "client connected", LOG_TEXT("sid", session->sid),
                 LOG_SLICE("user", claims_user(session->claims)),
                 LOG_TEXT("transport", session->connection->transport->ops->name),
                 LOG_SLICE("namespace", session->voice->nsp),
                 LOG_TEXT("recovered", session->is_recovered ? "true" : "false"),
                 LOG_SLICE("request_id", request_of(session)));
}

void audit_disconnected(const struct session *session, const char *reason)
{
    if (may_tell(session))
        log_info(log_of(session), "client disconnected", LOG_TEXT("sid", session->sid),
                 LOG_SLICE("user", claims_user(session->claims)),
                 LOG_TEXT("reason", reason),
                 LOG_SLICE("request_id", request_of(session)));
}

void audit_not_recovered(const struct session *session, enum recovery_reason reason)
{
    if (may_tell(session))
        log_info(log_of(session), "client not recovered", LOG_TEXT("sid", session->sid),
                 LOG_TEXT("reason", recovery_reason_text(reason)),
                 LOG_SLICE("request_id", request_of(session)));
}

static void tell_room(const struct session *session, const char *what, struct slice room)
{
    if (is_told(session, LOG_LEVEL_DEBUG))
        log_debug(log_of(session), what, LOG_TEXT("sid", session->sid),
                  LOG_SLICE("room", room));
}

void audit_joined(const struct session *session, struct slice room)
{
    tell_room(session, "room joined", room);
}

void audit_left(const struct session *session, struct slice room)
{
    tell_room(session, "room left", room);
}

void audit_heartbeat(const struct session *session, int64_t round_trip_ms)
{
    if (is_told(session, LOG_LEVEL_DEBUG))
        log_debug(log_of(session), "heartbeat", LOG_TEXT("sid", session->sid),
                  LOG_NUM("round_trip_ms", round_trip_ms));
}

void audit_failed(const struct session *session, struct slice name, enum status status)
{
    if (is_told(session, LOG_LEVEL_DEBUG))
        log_debug(log_of(session), "command failed", LOG_TEXT("sid", session->sid),
                  LOG_SLICE("command", name), LOG_TEXT("code", status_code(status)),
                  LOG_SLICE("request_id", request_of(session)));
}
