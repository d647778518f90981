/* Who may join what: see the header. */
#include "proto/access.h"

static bool is_granted(const struct claims *claims, struct slice room)
{
    for (size_t i = 0; i < claims_room_count(claims); i++) {
        if (room_pattern_matches(claims_room(claims, i), room))
            return true;
    }
    return false;
}

static bool is_user(const struct claims *claims, struct slice user)
{
    return user.len > 0 && slice_equal(claims_user(claims), user);
}

bool access_may_join(const struct claims *claims, const struct room_key *key)
{
    switch (key->kind) {
    case ROOM_ALL: return true;
    case ROOM_USER: return claims && is_user(claims, key->name);
    case ROOM_NAMED: return claims && is_granted(claims, key->name);
    case ROOM_SOCKET:
    case ROOM_KIND_COUNT: break;
    }
    return false;
}
