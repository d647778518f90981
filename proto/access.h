/*
 * Who may join what. Pure: the same question has the same answer, so that it can be asked
 * again on a refresh and on a recovery. Deny by default.
 */
#ifndef PROTO_ACCESS_H
#define PROTO_ACCESS_H

#include "proto/claims.h"
#include "proto/room_name.h"

/* A user's kind: that user only. A named room: a pattern in the token's `rooms` matches.
 * Sockets: never. Everybody is in ROOM_ALL by themselves: joining it is allowed and
 * changes nothing. `claims` may be NULL: nobody. */
bool access_may_join(const struct claims *claims, const struct room_key *key);

#endif
