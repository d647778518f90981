/*
 * The end of tokens on live connections: warned of, told, and carried out as the file
 * says (proto/auth_rules). Uses the deadline of a connection, which is free once it has a
 * session. Loop thread.
 */
#ifndef CLIENT_GW_EXPIRY_H
#define CLIENT_GW_EXPIRY_H

#include "client-gw/services.h"

/* Sets the connection's deadline to what comes next of its sessions' ends; also after a
 * session got a newer token. */
void expiry_arm(struct connection *connection);

/* The deadline has come: does what is due, and arms the next one. May close. */
void expiry_due(struct connection *connection);

#endif
