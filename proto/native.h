/*
 * The native dialect, version 1 (docs/protocol.md): one JSON object per text frame; `t`
 * names it. Readers ignore fields that they do not know.
 */
#ifndef PROTO_NATIVE_H
#define PROTO_NATIVE_H

#include "proto/buf.h"
#include "proto/json_gate.h"
#include "proto/limits.h"

enum native_type {
    NATIVE_CONNECT,
    NATIVE_SUBSCRIBE,
    NATIVE_UNSUBSCRIBE,
    NATIVE_EMIT,
    NATIVE_REFRESH,
    NATIVE_PONG
};

enum {
    NATIVE_DETAIL_BYTES = 160
};

/* A client's message. A field that its type does not have is empty, zero or false. */
struct native_message {
    enum native_type type;
    /* decoded */
    struct slice token;
    struct slice session;
    struct slice position;
    struct slice room;  /* not empty for subscribe and unsubscribe */
    struct slice event; /* not empty for emit */
    struct slice rooms[LIMIT_MESSAGE_ROOMS];
    size_t room_count;
    bool ping;
    bool has_n;
    uint64_t n; /* ≤ 2^53-1 */
    /* raw JSON, the client's bytes */
    struct slice data; /* any value */
    struct slice args; /* an array, with its brackets; never together with data */
};

/* Where decoded strings live. Start zeroed; one serves all connections of a loop. */
struct native_memory {
    struct buf strings;
};
void native_memory_finish(struct native_memory *memory);

/*
 * Lends from `text`, and from `memory` until the next decode into it. ST_BAD_PACKET (not
 * an object, unknown `t`, a field missing or of the wrong type, beyond `limits`) says why
 * in `detail`, in words for the client's developer that repeat nothing of the message.
 * ST_NO_MEMORY leaves `detail` empty.
 */
enum status native_decode(struct slice text, const struct json_limits *limits,
                          struct native_memory *memory, struct native_message *message,
                          char detail[NATIVE_DETAIL_BYTES]);

/* The encoders append one message; check buf_status. Slices are plain text unless said.
 */

struct native_connected {
    struct slice session; /* secret */
    struct slice sid;     /* public */
    struct slice user;    /* empty: null */
    const struct slice *rooms;
    size_t room_count;
    bool recovered;
    struct slice reason; /* why not recovered; empty: there was nothing to recover */
    struct slice position;
    uint64_t ping_interval_ms;
};
void native_encode_connected(struct buf *out, const struct native_connected *connected);

struct native_event {
    struct slice event_json; /* raw: the name with its quotes */
    struct slice room;       /* empty: not disclosed */
    struct slice data;       /* raw; empty: none */
    struct slice args;       /* raw array instead of data; empty: none */
    struct slice id;
    int64_t at_ms;
    struct slice position; /* empty: volatile */
};
void native_encode_event(struct buf *out, const struct native_event *event);

/* `data_json` is raw; empty: none. */
void native_encode_ack(struct buf *out, uint64_t n, struct slice data_json);

struct native_error {
    struct slice code; /* "E_UNAUTH" */
    struct slice message;
    struct slice reason; /* empty: none */
    bool has_n;          /* it answers a message, not the connection */
    uint64_t n;
};
void native_encode_error(struct buf *out, const struct native_error *error);

/* `rooms` as the client knows them; {"*"} for all. */
void native_encode_resync(struct buf *out, const struct slice *rooms, size_t room_count,
                          struct slice reason, struct slice position);

void native_encode_ping(struct buf *out);
void native_encode_drain(struct buf *out, uint64_t in_ms);
void native_encode_expiring(struct buf *out, uint64_t in_ms);

#endif
