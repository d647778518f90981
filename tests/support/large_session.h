/*
 * Sessions whose puts are of so many bytes, for tests of what has room where. One thread.
 */
#ifndef TESTS_SUPPORT_LARGE_SESSION_H
#define TESTS_SUPPORT_LARGE_SESSION_H

#include "bridge/directory_serve.h"
#include "proto/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LARGE_ROOM_BYTES = 105, /* in a put: a name of ten bytes less */
};

struct large_session {
    struct engine_session record; /* lends from all below */
    struct engine_membership *rooms;
    char (*names)[LIMIT_ROOM_BYTES];
    char sid[16], pid[16];
};

static inline size_t large_session_bytes(const struct engine_session *record)
{
    struct buf put = {.max = 2 * (size_t)LIMIT_DIRECTORY_BYTES};

    directory_encode_put(record, &put);
    size_t bytes = put.len;
    if (buf_status(&put))
        abort();
    buf_finish(&put);
    return bytes;
}

/* Session "s1" of "p1" for the number 1, in its own rooms. large_session_finish. */
static inline void large_session_init(struct large_session *large, unsigned number,
                                      size_t bytes)
{
    snprintf(large->sid, sizeof large->sid, "s%u", number);
    snprintf(large->pid, sizeof large->pid, "p%u", number);
    large->record = (struct engine_session){.sid = slice_of(large->sid),
                                            .pid = slice_of(large->pid),
                                            .nsp = SLICE("/"),
                                            .user = SLICE("u"),
                                            .generation = 9};
    size_t left = bytes - large_session_bytes(&large->record);
    size_t count = left / LARGE_ROOM_BYTES;
    large->rooms = calloc(count, sizeof *large->rooms);
    large->names = calloc(count, sizeof *large->names);
    if (!large->rooms || !large->names)
        abort();
    for (size_t i = 0; i < count; i++) {
        size_t room = i + 1 < count ? LARGE_ROOM_BYTES : left;
        left -= room;
        memset(large->names[i], 'r', LIMIT_ROOM_BYTES);
        memcpy(large->names[i], &i, sizeof i);
        large->rooms[i] = (struct engine_membership){
            ROOM_NAMED, {large->names[i], room - 10},
             1
        };
    }
    large->record.rooms = large->rooms;
    large->record.room_count = count;
    if (large_session_bytes(&large->record) != bytes)
        abort();
}

static inline void large_session_finish(struct large_session *large)
{
    free(large->rooms);
    free(large->names);
}

#endif
