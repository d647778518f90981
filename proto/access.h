/*
 * Who may join what. Pure: the same question has the same answer, so that it can be asked
 * again on a refresh and on a recovery. Deny by default.
 */
#ifndef PROTO_ACCESS_H
#define PROTO_ACCESS_H

#include "proto/claims.h"
#include "proto/room_name.h"
#include "proto/system.h"
#include "proto/template.h"

/*
 * A user's kind: that user only. A named room: the most specific row of `rooms` that
 * matches decides, where none does a pattern in the token's `rooms`. Sockets: never.
 * Everybody is in ROOM_ALL by themselves: joining it is allowed and changes nothing.
 * `claims` may be NULL: nobody. `scratch` is used for patterns.
 */
bool access_may_join(const struct system *system, const struct claims *claims,
                     const struct room_key *key, struct buf *scratch);

/*
 * Whether somebody may stay in a room with a newer token: by joining it again, because
 * they are put into it at connect, or because a command of its namespace that can give
 * its name lets them in.
 */
bool access_may_stay(const struct system *system, const struct claims *claims,
                     const struct room_key *key, struct buf *scratch);

/*
 * Whether a client may send into a room. What a row says holds beside what the command
 * asks for; rooms without a row, users and everybody are the command's alone.
 */
bool access_may_publish(const struct system *system, const struct claims *claims,
                        const struct room_key *key, bool is_member, struct buf *scratch);

/* Whether clients are not told that they are in a room, nor that an event went to it. */
bool access_is_hidden(const struct system *system, enum room_kind kind,
                      struct slice name);

/* How many members the room may have; 0: as many as come. */
uint64_t access_max_members(const struct system *system, const struct claims *claims,
                            const struct room_key *key, struct buf *scratch);

/* What `rooms` say of a named room's history for these claims; NULL: nothing. Lent by the
 * tables. */
const struct room_history *access_history(const struct system *system,
                                          const struct claims *claims,
                                          const struct room_key *key,
                                          struct buf *scratch);

/*
 * Fills in what templates draw from claims: {claims…} and {user…}, as far as the tables
 * for clients ask for it. `memory` holds the user's JSON as long as the values are used.
 */
void access_values(const struct system *system, const struct claims *claims,
                   struct buf *memory, struct template_values *values);

#endif
