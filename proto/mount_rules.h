/*
 * Mounts: the paths that clients connect to, what is spoken there and at which pace. The
 * table `mounts` of a configuration; where a file names none, there is Socket.IO at
 * /socket.io/ and the native protocol at /ws. Pure, and constant once compiled.
 */
#ifndef PROTO_MOUNT_RULES_H
#define PROTO_MOUNT_RULES_H

#include "proto/document.h"
#include "proto/limits.h"

enum mount_dialect {
    MOUNT_SOCKETIO,
    MOUNT_NATIVE,
    MOUNT_ECHO, /* Engine.IO that sends every message back */
    MOUNT_DIALECT_COUNT
};

enum mount_transport { /* bits */
    MOUNT_WEBSOCKET = 1,
    MOUNT_POLLING = 2
};

/* How connections of one mount are kept. What a mount leaves out is as `gateway` says. */
struct mount_settings {
    uint64_t ping_interval_ms, ping_timeout_ms, upgrade_timeout_ms, connect_timeout_ms;
    uint64_t max_message_bytes;
    unsigned transports;                      /* bits of enum mount_transport */
    bool may_upgrade;                         /* from polling to WebSocket */
    uint64_t compress_polling_bytes;          /* answers from this size on; 0: none */
    char cookie[LIMIT_COOKIE_NAME_BYTES + 1]; /* of the polling handshake; empty: none */
};

struct mount_rule {
    enum mount_dialect dialect;
    struct mount_settings own; /* 0: as `gateway` says */
    /* Where nothing is a value, too: what of `own` is meant. */
    bool says_upgrades, says_compress, says_cookie;
};

struct mount_rules;

/* Borrows `node`, the list, or NULL for the defaults. Gives rules (mount_rules_destroy),
 * or NULL after at least one fault was added. */
struct mount_rules *mount_rules_compile(const struct document_node *node,
                                        struct faults *faults);
void mount_rules_destroy(struct mount_rules *rules);

size_t mount_rules_count(const struct mount_rules *rules);
/* Lends. */
const struct mount_rule *mount_rules_at(const struct mount_rules *rules, size_t index);

/*
 * Which mount a request's path belongs to. "/a/" and "/a" are one path; what lies below
 * it belongs to it too, but for the native dialect. The longest path wins. False: none.
 */
bool mount_rules_find(const struct mount_rules *rules, struct slice path, size_t *index);

/* What holds for a mount where `gateway` says `defaults`. */
struct mount_settings mount_rule_settle(const struct mount_rule *rule,
                                        const struct mount_settings *defaults);

/* What a cookie may be called: letters, digits, '-', '_' and '.', as many as fit. */
bool mount_cookie_is_valid(struct slice name);

/* "websocket,polling" as bits; words that are none count for nothing. */
unsigned mount_transports_parse(struct slice words);

#endif
