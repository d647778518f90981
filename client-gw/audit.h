/*
 * Who came, went, and asked for what could not be: the lines of the log that tell of
 * clients. They carry ids and words of ours, never a token or a payload. Of those that
 * are not for debugging there is a ceiling in a second; the others are counted. Loop
 * thread.
 */
#ifndef CLIENT_GW_AUDIT_H
#define CLIENT_GW_AUDIT_H

#include "client-gw/session.h"
#include "proto/status.h"

/* A client is connected, as somebody. */
void audit_connected(const struct session *session);
/* It is not any more; `reason` is a word of close_reason, or of Socket.IO. */
void audit_disconnected(const struct session *session, const char *reason);

/* It came back, and is told that it missed something. */
void audit_not_recovered(const struct session *session, enum recovery_reason reason);

void audit_joined(const struct session *session, struct slice room);
void audit_left(const struct session *session, struct slice room);

/* It has answered a heartbeat of the application. */
void audit_heartbeat(const struct session *session, int64_t round_trip_ms);

/* A command failed; `name` may be empty. */
void audit_failed(const struct session *session, struct slice name, enum status status);

#endif
