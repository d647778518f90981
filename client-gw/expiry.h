/*
 * The end of tokens on live connections: warned of, told, and carried out as the file
 * says (proto/auth_rules). Loop thread.
 */
#ifndef CLIENT_GW_EXPIRY_H
#define CLIENT_GW_EXPIRY_H

#include "client-gw/services.h"

/* Sets when the session is to be looked at next; also after it got a newer token. */
void expiry_arm(struct session *session);

/* The same after another file has come: sooner if it says so. A session_visit_fn. */
void expiry_reloaded(struct session *session, void *ctx);

/* That time has come: does what is due, and sets the next one. May close. */
void expiry_due(struct session *session);

#endif
