/*
 * Names of rooms, and what a target is. A room's key is (namespace, kind, name): one
 * mechanism for named rooms, a user's devices, a single socket and everybody; since the
 * kind is part of the key, no name can spell its way into a user's or a socket's room.
 *
 * Grammar of a named room: segments of [A-Za-z0-9_.@+=|~-]{1,128} joined by ':', ≤ 200
 * bytes. A user id: UTF-8 without control characters, 1-128 bytes.
 */
#ifndef PROTO_ROOM_NAME_H
#define PROTO_ROOM_NAME_H

#include "proto/slice.h"
#include "proto/status.h"

enum room_kind {
    ROOM_NAMED,
    ROOM_USER,
    ROOM_SOCKET, /* name: the public sid */
    ROOM_ALL,    /* no name */
    ROOM_KIND_COUNT
};

struct room_key {
    struct slice nsp; /* namespace, "/" by default */
    enum room_kind kind;
    struct slice name;
};

bool room_name_is_valid(struct slice name);
bool user_id_is_valid(struct slice id);
/* The public id of a session: exactly LIMIT_SIO_SID_BYTES of base64url. */
bool socket_sid_is_valid(struct slice sid);
/* "/" or "/x…": UTF-8 without control characters, ',' and '?', ≤ LIMIT_NAMESPACE_BYTES.
 */
bool namespace_is_valid(struct slice nsp);

/*
 * A room as a command or a publish spells it: "user:42" is the user's kind (joinable by
 * that user only), "*" everybody, anything else a named room. ST_BAD_TARGET when
 * malformed. Lends from `text`.
 */
enum status room_target_decode(struct slice nsp, struct slice text, struct room_key *key);

bool room_key_equal(const struct room_key *a, const struct room_key *b);

/*
 * Patterns: as names, a segment may be `*` (exactly one segment), the last one `**` (the
 * rest, one segment or more). ("{claims.x}" is replaced before a pattern comes here.)
 */
bool room_pattern_is_valid(struct slice pattern);
bool room_pattern_matches(struct slice pattern, struct slice name);

/* A form: a name in which each `*`, also as a part of a segment, stands for one byte of a
 * segment or more. */
bool room_form_fits(struct slice form, struct slice name);

#endif
