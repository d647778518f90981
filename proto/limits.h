/*
 * Ceilings on whatever a peer can make grow. Numbers that a user may change are defaults
 * of options (bridge/options.c); these are the ones nobody can pass.
 */
#ifndef PROTO_LIMITS_H
#define PROTO_LIMITS_H

enum {
    /* HTTP (the head limit is the parser's memory pool less 1 KiB: it must answer, not
     * hang up) */
    LIMIT_HTTP_POOL_BYTES = 8192,
    LIMIT_HTTP_HEAD_BYTES = LIMIT_HTTP_POOL_BYTES - 1024,
    LIMIT_HTTP_FIELDS = 100,
    LIMIT_HTTP_UNADMITTED_BYTES = 1024, /* of a body, before its sender is known */
    LIMIT_HTTP_DETAIL_BYTES = 200,
    LIMIT_REQUEST_ID_BYTES = 128,

    /* who comes in */
    LIMIT_ORIGINS = 64,
    LIMIT_TRUSTED_PROXIES = 64,
    LIMIT_PEER_ADDRESSES = 65536, /* that are counted at one time */

    /* JSON */
    LIMIT_JSON_DEPTH = 32,
    LIMIT_JSON_NODES = 100000,
    LIMIT_JSON_NUMBER_BYTES = 64,

    /*
     * Contracts: the steps (proto/steps.h) that one check may take, and as many more for
     * each byte of the payload. A step is 10 to 50 ns: 1 MB costs 0.5 s at the worst, 400
     * bytes 5 ms, but for a pattern with a fixed repeat of thousands, whose inside takes
     * no step. An ordinary payload stays far below. 1 MB with LIMIT_JSON_NODES values,
     * 8 deep: each byte is walked once a level, 8 x 1 MB / 16 = 0.5 million; each value
     * takes two steps (item, schema), ten with a union of eight kinds, 20 more with an
     * enum of 20: 3.2 million; a pattern on half of the bytes, a class each: 0.2 million.
     * 4 of 8.1 million. The densest list, 100000 numbers in 200 KB: 0.3 of 1.7 million.
     */
    LIMIT_CONTRACT_STEPS = 100000,
    LIMIT_CONTRACT_STEPS_PER_BYTE = 8,

    /* publish */
    LIMIT_PUBLISH_BYTES = 256 * 1024,
    LIMIT_EVENT_NAME_BYTES = 128,
    LIMIT_EVENT_ID_BYTES = 64,
    LIMIT_EMIT_NAMES = 64, /* that clients get one event under */
    LIMIT_META_BYTES = 1024,
    LIMIT_TARGETS = 1000,
    LIMIT_EXCEPT = 100,
    LIMIT_NAMESPACE_BYTES = 128,

    /* names */
    LIMIT_ROOM_BYTES = 200,
    LIMIT_ROOM_SEGMENT_BYTES = 128,
    LIMIT_SESSION_ROOMS = 10000, /* named ones, whatever the file says */
    LIMIT_ROOMS = 4000000,       /* on one gateway; a user's and a socket's count */
    LIMIT_USER_BYTES = 128,
    LIMIT_PATTERNS = 64, /* in one token */

    /* tokens */
    LIMIT_TOKEN_BYTES = 4096,
    LIMIT_KID_BYTES = 64,

    /* bus: buffers x the largest message stay within 64 MiB */
    LIMIT_ENVELOPE_BYTES = LIMIT_PUBLISH_BYTES + 16 * 1024,
    LIMIT_BUS_BATCH_BYTES = 64 * 1024,
    LIMIT_BUS_MESSAGE_BYTES = LIMIT_ENVELOPE_BYTES + 64,
    LIMIT_BUS_BUFFERS = 240,
    LIMIT_APPEND_EVENTS = 10000,
    LIMIT_APPEND_BYTES = 64 * 1024 * 1024,
    LIMIT_APPEND_GROUP = 256, /* events that are kept together */

    /* directory */
    LIMIT_DIRECTORY_BYTES = 1024 * 1024, /* of one request, one session, one answer */
    LIMIT_DIRECTORY_WAITING_BYTES = 64 * 1024 * 1024,
    LIMIT_GATEWAY_PUBLISH_BYTES = 8 * 1024 * 1024, /* events that wait to be kept */
    LIMIT_DIRECTORY_SESSIONS = 1000000,
    LIMIT_DIRECTORY_PARKED = 200000, /* sessions whose clients may come back */
    LIMIT_DIRECTORY_LAPSED = 20000,  /* and those that were too late for it, lately */
    LIMIT_DIRECTORY_PARKED_BYTES = 256 * 1024 * 1024,
    LIMIT_DIRECTORY_ROOMS = 4000000,
    LIMIT_GATEWAYS = 256,
    LIMIT_GATEWAY_ID_BYTES = 64,

    /* replay */
    LIMIT_REPLAY_PAGE_BYTES = 256 * 1024,         /* or one event */
    LIMIT_REPLAY_ROOMS = LIMIT_SESSION_ROOMS + 3, /* everybody, the user, the socket */
    /* A question of that many rooms: by seqs, or by time, which is longer. */
    LIMIT_REPLAY_QUESTION_BYTES =
        64 + LIMIT_REPLAY_ROOMS * (40 + LIMIT_NAMESPACE_BYTES + LIMIT_ROOM_BYTES),
    LIMIT_PAST_EVENTS = 5000,   /* that one catch-up by time gets */
    LIMIT_PARKED_FRAMES = 1024, /* while a gap is being filled */
    LIMIT_PARKED_BYTES = 16 * 1024 * 1024,

    /* clients */
    LIMIT_CLIENT_MESSAGE_BYTES = 1000000,
    LIMIT_AUTH_BYTES = 16384,    /* that a session keeps of its CONNECT */
    LIMIT_ACK_ID_DIGITS = 16,    /* 2^53-1 */
    LIMIT_ATTACHMENTS = 10,      /* of one packet */
    LIMIT_MESSAGE_ROOMS = 64,    /* in one native connect */
    LIMIT_ANSWERED_ROOMS = 1000, /* that a client is told of at once */
    LIMIT_EIO_SID_BYTES = 24,
    LIMIT_SIO_SID_BYTES = 20,
    LIMIT_PID_BYTES = 32,
    LIMIT_POSITION_BYTES = 32,

    /* configuration */
    LIMIT_CONFIG_BYTES = 1024 * 1024, /* one file */
    LIMIT_CONFIG_DEPTH = 16,
    LIMIT_FAULTS = 200,
    LIMIT_TEMPLATE_PIECES = 256,
    LIMIT_TEMPLATE_PATH = 8,   /* names after the source */
    LIMIT_TEMPLATE_FAN = 1000, /* rooms that one template gives */
    LIMIT_COMMANDS = 256,
    LIMIT_RATES = 64,
    LIMIT_MOUNTS = 32,
    LIMIT_NAMESPACES = 64,
    LIMIT_MOUNT_PATH_BYTES = 128,
    LIMIT_COOKIE_NAME_BYTES = 64,
    LIMIT_COMPRESS_FROM_BYTES = 1024 * 1024
};

#endif
