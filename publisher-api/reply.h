/*
 * The body of a 202: what became of one event. Pure.
 */
#ifndef PUBLISHER_API_REPLY_H
#define PUBLISHER_API_REPLY_H

#include "proto/buf.h"
#include "proto/envelope.h"
#include "proto/position.h"

enum {
    REPLY_MAX_ROOMS = 20,
    /* So many names, each byte of them escaped, with quotes and commas. */
    REPLY_ROOMS_BYTES = REPLY_MAX_ROOMS * (6 * (LIMIT_ROOM_BYTES + 8) + 3) + 2,
    REPLY_BYTES = REPLY_ROOMS_BYTES + 2048,
};

struct reply {
    struct slice id;
    struct position position;
    const char *durability;
    uint64_t recipients;
    bool has_recipients; /* false: null, nobody could be counted */
    bool complete;
    bool duplicate;
    struct slice rooms; /* as reply_add_rooms wrote it */
    struct {
        bool is_counted; /* false: nothing is said about users */
        bool is_known;   /* false: null, not all of them could be counted */
        uint64_t online, offline;
    } users;
};

/* Appends a JSON array of the first targets as a caller spells them: a room's name,
 * "user:42", "*", a sid. */
void reply_add_rooms(struct buf *out, const struct envelope_target *targets,
                     size_t count);

/* Appends the body; check buf_status. An event that surely reached nobody gets a warning.
 */
void reply_encode(struct buf *out, const struct reply *reply);

#endif
