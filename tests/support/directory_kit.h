/*
 * A directory with gateways and sessions, for tests of it. Include after cmocka.h.
 */
#ifndef TESTS_SUPPORT_DIRECTORY_KIT_H
#define TESTS_SUPPORT_DIRECTORY_KIT_H

#include "bridge/directory.h"

#include <stdio.h>
#include <string.h>

enum {
    LATER = 2500, /* after the grace, and nobody is silent yet */
};

/* The generation of whoever took a session over for the nth time. */
#define TERM(n) ((uint64_t)(n) << 32)

static const struct hash_key hash_key = {3, 4};

/* A gateway that has put everything it has. */
static inline struct directory_gateway *meet(struct directory *directory, const char *id,
                                             uint64_t incarnation, uint64_t now_ms)
{
    static const struct directory_lease settled = {1, true, true, {{0}}};
    struct directory_gateway *gateway;

    directory_contact(directory, slice_of(id), incarnation, now_ms, &gateway);
    directory_renew(gateway, &settled);
    return gateway;
}

/* `rooms`: one letter each. */
static inline enum status put_pid(struct directory *directory,
                                  struct directory_gateway *gateway, const char *sid,
                                  const char *pid, uint64_t generation, const char *user,
                                  const char *rooms)
{
    struct engine_membership memberships[16];
    struct engine_session session = {
        .sid = slice_of(sid),
        .pid = slice_of(pid),
        .nsp = SLICE("/"),
        .user = slice_of(user),
        .generation = generation,
        .rooms = memberships,
        .room_count = strlen(rooms),
    };

    for (size_t i = 0; rooms[i]; i++)
        memberships[i] = (struct engine_membership){
            ROOM_NAMED, {&rooms[i], 1},
             1
        };
    return directory_put(directory, gateway, &session);
}

static inline enum status try_put(struct directory *directory,
                                  struct directory_gateway *gateway, const char *sid,
                                  uint64_t generation, const char *user,
                                  const char *rooms)
{
    char pid[32];

    snprintf(pid, sizeof pid, "pid-of-%s", sid);
    return put_pid(directory, gateway, sid, pid, generation, user, rooms);
}

static inline void put(struct directory *directory, struct directory_gateway *gateway,
                       const char *sid, uint64_t generation, const char *user,
                       const char *rooms)
{
    assert_int_equal(try_put(directory, gateway, sid, generation, user, rooms), ST_OK);
}

static inline struct engine_count count(struct directory *directory, uint64_t now_ms,
                                        const char *rooms, const char *except)
{
    struct envelope_target targets[16];
    struct slice sids[1] = {slice_of(except)};
    struct engine_count found;
    size_t n = strlen(rooms);

    for (size_t i = 0; i < n; i++)
        targets[i] = rooms[i] == '*' ? (struct envelope_target){ROOM_ALL, {0}}
                                     : (struct envelope_target){ROOM_NAMED, {&rooms[i], 1}};
    directory_count(directory, now_ms, SLICE("/"), targets, n, sids, except ? 1 : 0,
                    &found);
    return found;
}

#endif
