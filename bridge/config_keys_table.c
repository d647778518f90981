/* The rows of the table of keys: see bridge/config_keys.h. */
#include "bridge/config_keys.h"

#include "proto/limits.h"

#define SECOND UINT64_C(1000)
#define HOUR (3600 * SECOND)
#define MIB (UINT64_C(1024) * 1024)
#define R KEY_RELOADS
#define L KEY_LATER /* whoever builds the part takes it out */

/* An option, an option that is a number, and one that is a word. */
#define OPT(path, type, fallback, field, flags, doc)                                     \
    {                                                                                    \
        path, type, fallback, offsetof(struct config, field), 0, 0, NULL, flags, doc     \
    }
#define NUM(path, type, fallback, field, min, max, flags, doc)                           \
    {                                                                                    \
        path, type, fallback, offsetof(struct config, field), min, max, NULL, flags, doc \
    }
#define PICK(path, type, fallback, field, words, flags, doc)                             \
    {                                                                                    \
        path, type, fallback, offsetof(struct config, field), 0, 0, words, flags, doc    \
    }
/* The same for keys of lists and maps, which are no options. */
#define KEY(path, type, fallback, flags, doc)                                            \
    {                                                                                    \
        path, type, fallback, CONFIG_KEY_NO_OFFSET, 0, 0, NULL, flags, doc               \
    }
#define KEYNUM(path, type, fallback, min, max, flags, doc)                               \
    {                                                                                    \
        path, type, fallback, CONFIG_KEY_NO_OFFSET, min, max, NULL, flags, doc           \
    }
#define KEYPICK(path, type, fallback, words, flags, doc)                                 \
    {                                                                                    \
        path, type, fallback, CONFIG_KEY_NO_OFFSET, 0, 0, words, flags, doc              \
    }

static const char *const engines[] = {"nng", "~redis", NULL};
/* In the order of enum log_level and enum log_format. */
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const gateway_word[] = {"gateway", NULL};
static const char *const transports[] = {"websocket", "polling", NULL};
static const char *const dialects[] = {"socketio", "native", "echo", NULL};
static const char *const parsers[] = {"json", "~msgpack", NULL};
static const char *const auth_modes[] = {"handshake", "event", "none", NULL};
static const char *const expiry_acts[] = {"disconnect", "close", "none", NULL};
static const char *const algorithms[] = {"HS256", "HS384", "HS512", "RS256", "RS384",
                                         "RS512", "PS256", "PS384", "PS512", "ES256",
                                         "ES384", "ES512", "EdDSA", NULL};
static const char *const room_allow[] = {"token", "any", "none", "claim", "~hook", NULL};
static const char *const command_acts[] = {"join",    "leave",    "rooms", "whoami",
                                           "refresh", "reply",    "ack",   "relay",
                                           "close",   "~forward", NULL};
static const char *const unknown_client_events[] = {"ignore", "refuse", "disconnect",
                                                    "~forward", NULL};
static const char *const rate_peers[] = {"socket", "user", "ip", NULL};
static const char *const rate_acts[] = {"ack", "drop", "disconnect", "warn", NULL};
static const char *const unknown_events[] = {"deny", "allow", NULL};
static const char *const route_acts[] = {
    "publish",      "stats",       "health", "~rooms", "~room",   "~users",
    "~connections", "~disconnect", "~join",  "~leave", "~revoke", NULL};
static const char *const durabilities[] = {"memory", "log", "fsync", NULL};
static const char *const catchup_units[] = {"auto", "ms", "s", "iso", NULL};
static const char *const catchup_orders[] = {"newest", "oldest", NULL};

/* A table, one row each. */
/* clang-format off */
const struct config_key config_keys[] = {
    OPT("public_url", KEY_TEXT, "", public_url, 0,
        "address that browsers use, for messages and generated files: https://rt.example.com"),
    OPT("allowed_origins", KEY_ORIGINS, "", web.allowed_origins, R,
        "origins whose pages may connect; empty: pages of the gateway's own host"),
    KEY("cors", KEY_MAP, NULL, 0, "what pages of the allowed origins may do"),
    OPT("cors.credentials", KEY_SWITCH, "off", web.cors_credentials, R,
        "whether pages of the allowed origins may send cookies along"),
    NUM("cors.max_age", KEY_DURATION, "10m", web.cors_max_age_ms, 0, 24 * HOUR, R,
        "how long a browser may remember what it was allowed"),
    OPT("trusted_proxies", KEY_PREFIXES, "", web.trusted_proxies, R,
        "addresses of proxies that say whom they ask for: 10.0.0.0/8"),
    OPT("data_dir", KEY_PATH, "", data_dir, 0,
        "folder of the log; empty: $XDG_STATE_HOME/sidecast, or /var/lib/sidecast for root"),
    OPT("run_dir", KEY_PATH, "", run_dir, 0,
        "folder of the bus sockets; empty: $XDG_RUNTIME_DIR/sidecast, or /run/sidecast for "
        "root"),
    OPT("create_secrets", KEY_SWITCH, "off", create_secrets, 0,
        "whether a start makes the files of auth.jwt.hmac_secret_file and "
        "publisher.api_keys_file, with secrets of their own, where there are none"),

    KEY("gateway", KEY_MAP, NULL, 0, "what clients connect to"),
    OPT("gateway.listen", KEY_ADDRESS, "127.0.0.1:7410", gateway.listen, 0,
        "address that clients connect to"),
    NUM("gateway.count", KEY_INT, "1", gateway.count, 1, 64, 0,
        "gateway processes that share the address"),
    NUM("gateway.ping_interval", KEY_DURATION, "25s", gateway.ping_interval_ms, 50, HOUR, R,
        "how often a client is asked whether it lives"),
    NUM("gateway.ping_timeout", KEY_DURATION, "20s", gateway.ping_timeout_ms, 50, HOUR, R,
        "how long its answer may take"),
    NUM("gateway.upgrade_timeout", KEY_DURATION, "10s", gateway.upgrade_timeout_ms, 50, HOUR, R,
        "how long a change from polling to WebSocket may take"),
    NUM("gateway.connect_timeout", KEY_DURATION, "45s", gateway.connect_timeout_ms, 50, HOUR, R,
        "how long a connection may stay without a session"),
    NUM("gateway.max_message_size", KEY_SIZE, "1MB", gateway.max_message_bytes, 1,
        LIMIT_CLIENT_MESSAGE_BYTES, R, "largest message a client may send"),
    PICK("gateway.transports", KEY_WORDS, "polling,websocket", gateway.transports, transports, R,
        "how bytes travel between client and gateway"),
    OPT("gateway.upgrades", KEY_SWITCH, "on", gateway.upgrades, R, "whether polling clients may change to WebSocket"),
    KEY("gateway.compress", KEY_MAP, NULL, 0, "what is compressed"),
    NUM("gateway.compress.polling", KEY_SIZE, "1KiB", gateway.compress_polling_bytes, 0, MIB, R,
        "answers to polls from this size on, where the client can read it; 0B: none"),
    KEY("gateway.compress.websocket", KEY_SWITCH, "off", L, "messages on a WebSocket"),
    OPT("gateway.cookie", KEY_NAME, "", gateway.cookie, R,
        "name of a cookie that carries a polling client's session, for sticky proxies; "
        "empty: none"),
    NUM("gateway.probe", KEY_DURATION, "1s", gateway.probe_ms, 0, HOUR, 0,
        "how often a gateway sends an event round that only it gets, to see that events come; 0s: never"),
    OPT("gateway.socketio", KEY_SWITCH, "on", gateway.socketio, R,
        "whether the mounts of Socket.IO are served"),
    OPT("gateway.native", KEY_SWITCH, "on", gateway.native, R,
        "whether the mounts of the native protocol are served"),

    KEY("mounts", KEY_LIST, NULL, R,
        "where clients connect: paths and what is spoken there; absent: /socket.io/ and /ws"),
    KEY("mounts[]", KEY_MAP, NULL, 0, "one mount; every key of gateway about clients may be here, too"),
    KEY("mounts[].path", KEY_TEXTS, NULL, 0, "path, or a list of paths"),
    KEYPICK("mounts[].dialect", KEY_WORD, "socketio", dialects, 0, "what is spoken there"),
    KEYPICK("mounts[].parser", KEY_WORD, "json", parsers, 0, "how packets are written"),
    KEYNUM("mounts[].ping_interval", KEY_DURATION, NULL, 50, HOUR, 0, "as gateway.ping_interval"),
    KEYNUM("mounts[].ping_timeout", KEY_DURATION, NULL, 50, HOUR, 0, "as gateway.ping_timeout"),
    KEYNUM("mounts[].upgrade_timeout", KEY_DURATION, NULL, 50, HOUR, 0, "as gateway.upgrade_timeout"),
    KEYNUM("mounts[].connect_timeout", KEY_DURATION, NULL, 50, HOUR, 0, "as gateway.connect_timeout"),
    KEYNUM("mounts[].max_message_size", KEY_SIZE, NULL, 1, LIMIT_CLIENT_MESSAGE_BYTES, 0,
        "as gateway.max_message_size"),
    KEYPICK("mounts[].transports", KEY_WORDS, NULL, transports, 0, "as gateway.transports"),
    KEY("mounts[].upgrades", KEY_SWITCH, NULL, 0, "as gateway.upgrades"),
    KEY("mounts[].compress", KEY_MAP, NULL, 0, "as gateway.compress"),
    KEYNUM("mounts[].compress.polling", KEY_SIZE, NULL, 0, MIB, 0, "as gateway.compress.polling"),
    KEY("mounts[].compress.websocket", KEY_SWITCH, NULL, L, "as gateway.compress.websocket"),
    KEY("mounts[].cookie", KEY_NAME, NULL, 0, "as gateway.cookie"),

    KEY("namespaces", KEY_MAP, NULL, R, "namespaces of Socket.IO by name, beside /, which is always there"),
    KEY("namespaces.*", KEY_MAP, NULL, 0, "one namespace"),
    KEY("namespaces.*.alias", KEY_TEXT, NULL, 0, "the namespace that it is another name of"),
    KEY("namespaces.*.recovery", KEY_SWITCH, "on", 0,
        "whether clients that come back get what they missed; never with auth.mode: event"),
    KEY("namespaces.*.commands", KEY_TEXTS, NULL, 0, "the only commands that work here; [] is none"),
    KEY("namespaces.*.refuse", KEY_MAP, NULL, 0, "who connects here is always refused"),
    KEY("namespaces.*.refuse.message", KEY_TEXT, NULL, 0, "with this message"),
    KEY("namespaces.*.refuse.data", KEY_TEMPLATE, NULL, 0, "and this data"),

    KEY("publisher", KEY_MAP, NULL, 0, "what backends post to"),
    PICK("publisher.listen", KEY_ADDRESS, "127.0.0.1:7411", publisher.listen, gateway_word, 0,
        "address that backends post to; gateway: that of gateway.listen (single port)"),
    OPT("publisher.api_keys", KEY_SECRETS, "", publisher.api_keys, R,
        "keys that may publish: sk_ and 43 characters each"),
    NUM("publisher.max_body_size", KEY_SIZE, "256KiB", publisher.max_body_bytes, 1,
        LIMIT_PUBLISH_BYTES, 0, "largest publish request"),
    NUM("publisher.idempotency", KEY_DURATION, "5m", publisher.idempotency_ms, 0, 24 * HOUR, 0,
        "how long a repeated id gets its first answer again"),
    OPT("publisher.api_keys_file", KEY_PATH, "", publisher.api_keys_file, R,
        "file with more keys, read again when it changes: NAME: {key, scopes, rooms, events} each, or keys alone"),
    OPT("publisher.allow_none", KEY_SWITCH, "off", publisher.allow_none, R,
        "whether programs of this machine may publish without a key; listen is then on the loopback"),

    KEY("ops", KEY_MAP, NULL, 0, "what operators ask"),
    OPT("ops.listen", KEY_ADDRESS, "127.0.0.1:7412", ops.listen, 0,
        "address of health, statistics and metrics"),

    KEY("auth", KEY_MAP, NULL, 0, "who a client is"),
    KEYPICK("auth.mode", KEY_WORD, "handshake", auth_modes, R,
        "when a client says who it is: in the handshake, by an event after it, or never"),
    KEY("auth.from", KEY_TEXTS, NULL, R,
        "where the token is, in order: auth.token, header, query.token, cookie.NAME, subprotocol"),
    KEY("auth.strip", KEY_TEXT, NULL, R, "what is taken off the front of a token"),
    KEY("auth.jwt", KEY_MAP, NULL, 0, "how tokens are checked"),
    PICK("auth.jwt.algorithms", KEY_WORDS, "", auth.algorithms, algorithms, R,
        "how tokens may be signed; empty: hmac_secret with HS256, and each key as it says"),
    OPT("auth.jwt.hmac_secret", KEY_SECRET, "", auth.hmac_secret, R,
        "secret that signs the clients' tokens, at least 32 bytes; empty: only keys check tokens"),
    OPT("auth.jwt.hmac_secret_file", KEY_PATH, "", auth.hmac_secret_file, R,
        "file with that secret, read again when it changes"),
    OPT("auth.jwt.keys", KEY_KEY_ITEMS, "", auth.keys, R,
        "public keys that check tokens: KID:ALG:FILE each, a PEM file; in the file also as maps"),
    KEY("auth.jwt.keys[]", KEY_MAP, NULL, 0, "one key"),
    KEY("auth.jwt.keys[].kid", KEY_TEXT, "", 0, "its id; empty: for tokens without one"),
    KEYPICK("auth.jwt.keys[].alg", KEY_WORD, NULL, algorithms, 0, "the algorithm it is good for"),
    KEY("auth.jwt.keys[].file", KEY_PATH, NULL, 0, "its PEM file"),
    OPT("auth.jwt.jwks_file", KEY_PATH, "", auth.jwks_file, R, "file with a JWKS, whose keys check tokens"),
    OPT("auth.jwt.jwks_url", KEY_TEXT, "", auth.jwks_url, R,
        "address of a JWKS, whose keys check tokens: https, or http to this machine"),
    NUM("auth.jwt.leeway", KEY_DURATION, "30s", auth.leeway_ms, 0, 120 * SECOND, R,
        "how far apart the clocks of issuer and server may be"),
    OPT("auth.jwt.issuer", KEY_TEXT, "", auth.issuer, R, "what iss of a token must be; empty: anything"),
    OPT("auth.jwt.audience", KEY_TEXT, "", auth.audience, R,
        "what aud of a client's token must be or contain; empty: anything"),
    NUM("auth.jwt.max_ttl", KEY_DURATION, "24h", auth.max_ttl_ms, 0, 24 * 3650 * HOUR, R,
        "how far ahead the end of a token may lie; 0s: as far as it likes"),
    KEY("auth.require", KEY_MAP, NULL, R, "what claims a token must have"),
    KEY("auth.require.*", KEY_ANY, NULL, 0, "the value that this claim must have, or a list of them; \"*\": any"),
    KEY("auth.user", KEY_TEXT_TEMPLATE, "{claims.sub}", R, "the id of the user"),
    KEY("auth.data", KEY_MAP, NULL, R, "what else is known of the user, as {user.NAME}"),
    KEY("auth.data.*", KEY_TEMPLATE, NULL, 0, "one piece of it"),
    KEY("auth.refusal", KEY_MAP, NULL, R, "the texts of refusals by cause"),
    KEY("auth.refusal.missing", KEY_TEXT, NULL, 0, "there was no token"),
    KEY("auth.refusal.invalid", KEY_TEXT, NULL, 0, "it was not a good one"),
    KEY("auth.refusal.expired", KEY_TEXT, NULL, 0, "it had ended"),
    KEY("auth.refusal.not_yet", KEY_TEXT, NULL, 0, "it had not begun"),
    KEY("auth.refusal.revoked", KEY_TEXT, NULL, 0, "it was taken back"),
    KEY("auth.refusal.inactive", KEY_TEXT, NULL, 0, "the user is not active"),
    KEY("auth.refusal.forbidden", KEY_TEXT, NULL, 0, "the user may not connect"),
    KEY("auth.refusal.unavailable", KEY_TEXT, NULL, 0, "nobody could tell"),
    KEY("auth.refusal.limit", KEY_TEXT, NULL, 0, "there were too many"),
    KEY("auth.refusal.*", KEY_TEXT, NULL, KEY_EXACT, "all other causes"),
    KEY("auth.refusal_data", KEY_TEMPLATE, NULL, R, "what goes along with a refusal's text"),
    KEY("auth.expiry", KEY_MAP, NULL, R, "what happens when the token of a live connection ends"),
    KEYNUM("auth.expiry.every", KEY_DURATION, NULL, 50, 24 * HOUR, 0,
        "how often it is checked; absent: when it ends"),
    KEYNUM("auth.expiry.warn", KEY_DURATION, NULL, 0, 24 * HOUR, 0, "how long before its end the client is told"),
    KEY("auth.expiry.emit", KEY_ANY, NULL, 0, "the event that says so: {event, payload}"),
    KEYPICK("auth.expiry.then", KEY_WORD, "disconnect", expiry_acts, 0,
        "what follows: disconnect (the client stays away), close (it comes back) or none"),
    KEY("auth.event", KEY_MAP, NULL, R, "how a client says by an event who it is, with mode event"),
    KEY("auth.event.name", KEY_EVENT, NULL, 0, "the event"),
    KEY("auth.event.token", KEY_TEXT_TEMPLATE, NULL, 0, "where in it the token is: {args.0.token}"),
    KEY("auth.event.match", KEY_MAP, NULL, 0, "what must agree with the token"),
    KEY("auth.event.match.*", KEY_TEXT_TEMPLATE, NULL, 0, "the value that this claim must have"),
    KEYNUM("auth.event.timeout", KEY_DURATION, "10s", 50, HOUR, 0, "how long the client may take"),
    KEY("auth.event.ok", KEY_ANY, NULL, 0, "what a welcome client gets: an event, or {event, payload}"),
    KEY("auth.event.error", KEY_ANY, NULL, 0, "what others get"),

    KEY("connect", KEY_MAP, NULL, R, "what happens when a client has connected"),
    KEY("connect.hook", KEY_TEXT, NULL, L, "a backend that is asked"),
    KEY("connect.auto_join", KEY_LIST, NULL, 0, "rooms that it joins by itself"),
    KEY("connect.auto_join[]", KEY_ROOM_TEMPLATE, NULL, 0, "a room: program:{claims.programs[]}"),
    KEY("connect.emit", KEY_LIST, NULL, 0, "events that it gets"),
    KEY("connect.emit[]", KEY_MAP, NULL, 0, "one event"),
    KEY("connect.emit[].event", KEY_EVENT, NULL, 0, "its name"),
    KEY("connect.emit[].payload", KEY_TEMPLATE, NULL, 0, "its payload"),

    KEY("rooms", KEY_LIST, NULL, R, "rules of rooms; the most specific pattern wins"),
    KEY("rooms[]", KEY_MAP, NULL, 0, "one rule"),
    KEY("rooms[].match", KEY_PATTERN, NULL, 0, "rooms that it is for: project:*, team:{claims.team}"),
    KEYPICK("rooms[].allow", KEY_WORD, "token", room_allow, 0, "who may join"),
    KEY("rooms[].require", KEY_MAP, NULL, 0, "what claims the token must have, too"),
    KEY("rooms[].require.*", KEY_ANY, NULL, 0, "the value that this claim must have, or a list of them; \"*\": any"),
    KEY("rooms[].hook", KEY_TEXT, NULL, L, "a backend that is asked"),
    KEY("rooms[].publish", KEY_ANY, "any", 0,
        "who of the clients may send into it by a command that relays: any (whom the command lets), members, "
        "none, or the claims that the token must have, too"),
    KEY("rooms[].hidden", KEY_SWITCH, "off", 0,
        "whether clients are not told that they are in it, nor that an event went to it; goes by the room's "
        "name alone: a placeholder in `match` counts as `*`"),
    KEYNUM("rooms[].max_members", KEY_INT, "0", 0, 1000000, 0, "clients that may be in it on one gateway; 0: no limit"),
    KEY("rooms[].presence", KEY_SWITCH, NULL, L, "whether its members see who comes and goes"),
    KEY("rooms[].history", KEY_MAP, NULL, 0, "what of the room's past a catch-up, or a new member, may get; absent: what catchup says"),
    KEYNUM("rooms[].history.size", KEY_INT, "50", 0, LIMIT_PAST_EVENTS, 0, "so many events; 0: nothing"),
    KEYNUM("rooms[].history.ttl", KEY_DURATION, "5m", 1, 24 * 365 * HOUR, 0, "not older than this"),
    KEY("rooms[].history.on_join", KEY_SWITCH, "off", 0, "whether who joins gets the newest of them without asking, after the ack"),

    KEY("commands", KEY_MAP, NULL, R, "events that clients send, by name; absent: subscribe, unsubscribe, auth:refresh"),
    KEY("commands.*", KEY_MAP, NULL, 0, "one command"),
    KEYPICK("commands.*.do", KEY_WORD, NULL, command_acts, 0, "what it does"),
    KEY("commands.*.args", KEY_ANY, NULL, 0,
        "what its argument must be: a field's type (id, string, int, object) each, or for reply, ack "
        "and relay what is sent"),
    KEY("commands.*.room", KEY_ROOM_TEMPLATE, NULL, 0, "the room: project:{args.0.id}"),
    KEY("commands.*.allow", KEY_LIST, NULL, 0, "patterns of rooms that may be joined by it"),
    KEY("commands.*.allow[]", KEY_PATTERN, NULL, 0, "a pattern"),
    KEY("commands.*.event", KEY_EVENT, NULL, 0, "the event that is sent back"),
    KEY("commands.*.payload", KEY_TEMPLATE, NULL, 0, "its payload"),
    KEY("commands.*.as", KEY_EVENT, NULL, 0, "the name that a relayed event has"),
    KEY("commands.*.except_self", KEY_SWITCH, "on", 0, "whether the sender does not get it"),
    KEY("commands.*.member", KEY_SWITCH, "on", 0, "whether only members of the room may send"),
    KEY("commands.*.hook", KEY_TEXT, NULL, L, "the backend that is asked"),
    KEY("commands.*.limit", KEY_TEXT, NULL, 0, "the rate of limits.rates that it counts for"),
    KEY("commands.*.ack", KEY_MAP, NULL, 0, "what is acknowledged"),
    KEY("commands.*.ack.ok", KEY_TEMPLATE, NULL, 0, "when it went well"),
    KEY("commands.*.ack.error", KEY_TEMPLATE, NULL, 0, "when not"),
    KEYPICK("client_events", KEY_WORD, "ignore", unknown_client_events, R,
        "what happens to events of clients that are no commands"),

    KEY("ack", KEY_MAP, NULL, R, "what is acknowledged where the command does not say"),
    KEY("ack.ok", KEY_TEMPLATE, NULL, 0, "when it went well"),
    KEY("ack.error", KEY_TEMPLATE, NULL, 0, "when not"),
    KEY("error_event", KEY_EVENT, "error", R, "the event that tells of a failure nobody asked an ack for"),
    KEY("codes", KEY_MAP, NULL, R, "our codes and the words that the system has for them"),
    KEY("codes.ack", KEY_MAP, NULL, 0, "in acks"),
    KEY("codes.ack.*", KEY_TEXT, NULL, 0, "the word"),
    KEY("codes.event", KEY_MAP, NULL, 0, "in events"),
    KEY("codes.event.*", KEY_TEXT, NULL, 0, "the word"),

    KEY("limits", KEY_MAP, NULL, 0, "what one peer may take"),
    KEY("limits.rates", KEY_MAP, NULL, R, "rates by name"),
    KEY("limits.rates.*", KEY_MAP, NULL, 0, "one rate"),
    KEY("limits.rates.*.rate", KEY_RATE, NULL, 0, "so many in a while: 10/5s"),
    KEYPICK("limits.rates.*.per", KEY_WORD, "socket", rate_peers, 0, "who is counted"),
    KEYPICK("limits.rates.*.then", KEY_WORD, "ack", rate_acts, 0, "what happens beyond it"),
    NUM("limits.connections", KEY_INT, "50000", limits.connections, 1, 1000000, R,
        "client connections of one gateway"),
    NUM("limits.connections_per_ip", KEY_INT, "200", limits.connections_per_ip, 1, 1000000, R,
        "connections of one client address, an IPv6 /64 counting as one; loopback is exempt "
        "unless this is set"),
    NUM("limits.connections_per_user", KEY_INT, "0", limits.connections_per_user, 0, 1000000, R,
        "connections of one user to one gateway; 0: no limit"),
    OPT("limits.handshakes", KEY_RATE, "5000/s", limits.handshakes, R,
        "new client connections in a while, or off; loopback is exempt unless this is set"),
    NUM("limits.lag", KEY_DURATION, "500ms", limits.lag_ms, 0, 60 * SECOND, R,
        "how late the event loop may usually be before new clients are refused for a while, as "
        "limits.handshakes does; 0s: never"),
    NUM("limits.rooms_per_socket", KEY_INT, "100", limits.rooms_per_socket, 1, LIMIT_SESSION_ROOMS, R,
        "rooms that one client may be in"),
    NUM("limits.outbox", KEY_SIZE, "1MiB", limits.outbox_bytes, 1024, 1024 * MIB, R,
        "bytes that may wait for one client before it is closed as too slow"),
    NUM("limits.outbox_frames", KEY_INT, "1024", limits.outbox_frames, 1, 1000000, R,
        "messages that may wait for one client before it is closed as too slow"),
    NUM("limits.acks", KEY_INT, "100", limits.acks, 1, 1000, R,
        "answers that may be awaited from one client; beyond it the oldest is forgotten"),
    NUM("limits.attachments", KEY_INT, "10", limits.attachments, 0, LIMIT_ATTACHMENTS, R,
        "binary attachments of one message of a client; all of them together may be as large as "
        "a message"),
    NUM("limits.attachments_timeout", KEY_DURATION, "30s", limits.attachments_timeout_ms, 50, HOUR, R,
        "how long they may take to come, and the rest of a message"),

    KEY("contracts", KEY_PATH, NULL, R, "folder of contracts: EVENT.schema.json, \":\" and \"/\" written %3A and %2F"),
    KEY("events", KEY_MAP, NULL, R, "the catalog of events by name"),
    KEY("events.*", KEY_MAP, NULL, 0, "one event"),
    KEY("events.*.contract", KEY_CONTRACT, NULL, 0, "its contract, or the name of its file"),
    KEY("events.*.to", KEY_ANY, NULL, 0, "where it goes when a publish names no target: a room, a list of rooms, all, or one of {rooms: …}, {users: …}, {first: […]}"),
    KEY("events.*.envelope", KEY_TEMPLATE, NULL, 0, "the payload that clients get"),
    KEY("events.*.args", KEY_TEMPLATE, NULL, 0, "the arguments that clients get"),
    KEY("events.*.emit_as", KEY_TEXTS, NULL, 0, "the names that clients get it under, at most 64"),
    KEY("events.*.history", KEY_SWITCH, "on", 0, "whether new members may get it"),
    KEY("events.*.volatile", KEY_SWITCH, "off", 0, "whether it may be dropped"),
    KEY("events.*.publish", KEY_TEXTS, NULL, 0, "names of API keys, or scopes, that may publish it"),
    KEY("events.*.aliases", KEY_TEXTS, NULL, 0, "other names that backends may use for it"),
    KEYPICK("unknown_events", KEY_WORD, "allow", unknown_events, R,
        "whether events outside the catalog may be published; deny when there is one"),
    KEY("envelope", KEY_TEMPLATE, NULL, R, "the payload that clients get, of all events"),

    KEY("log", KEY_MAP, NULL, 0, "how events are kept"),
    PICK("log.durability", KEY_WORD, "log", log.durability, durabilities, 0,
        "what an accepted event survives: memory (a lost bus), log (the death of the "
        "process), fsync (the loss of power)"),
    KEY("log.keep", KEY_MAP, NULL, 0, "for how long"),
    NUM("log.keep.age", KEY_DURATION, "5m", log.keep_age_ms, SECOND, 24 * 365 * HOUR, 0,
        "events older than this are removed"),
    NUM("log.keep.events", KEY_INT, "100000", log.keep_events, 1, 1000000000, 0,
        "the oldest beyond this number are removed"),
    NUM("log.keep.size", KEY_SIZE, "64MiB", log.keep_bytes, MIB, 1024 * 1024 * MIB, 0,
        "the oldest beyond this size are removed"),
    KEY("recovery", KEY_MAP, NULL, 0, "what clients that come back get"),
    NUM("recovery.window", KEY_DURATION, "2m", recovery.window_ms, SECOND, 24 * HOUR, 0,
        "how long a client may be away and still be known when it comes back; log.keep.age should be as long"),
    KEY("catchup", KEY_MAP, NULL, R, "what clients get that were not recovered and say when their last event was; absent: nothing"),
    KEY("catchup.from", KEY_TEMPLATE, NULL, 0, "where a client says it: {auth.since} is `since` of its CONNECT payload"),
    KEYPICK("catchup.unit", KEY_WORD, "auto", catchup_units, 0, "how: auto takes ISO texts, and numbers of ms or seconds"),
    KEYNUM("catchup.per_room", KEY_INT, "50", 1, LIMIT_PAST_EVENTS, 0, "so many events of one room at most"),
    KEYNUM("catchup.total", KEY_INT, "500", 1, LIMIT_PAST_EVENTS, 0, "so many events at most"),
    KEYNUM("catchup.ttl", KEY_DURATION, "5m", 1, 24 * 365 * HOUR, 0, "not older than this"),
    KEYPICK("catchup.order", KEY_WORD, "newest", catchup_orders, 0, "which ones a client gets of too many; in either case in their order"),
    KEY("catchup.done", KEY_ANY, NULL, 0,
        "the event that follows, or {event, payload}: {catchup.count}, {catchup.truncated}, {catchup.rooms} (those cut short), "
        "{catchup} is all three; absent: catchup with all three, only when some are missing"),

    KEY("heartbeats", KEY_LIST, NULL, R, "events that ask clients whether they live"),
    KEY("heartbeats[]", KEY_MAP, NULL, 0, "one of them"),
    KEY("heartbeats[].emit", KEY_ANY, NULL, 0, "the event, or {event, payload}"),
    KEYNUM("heartbeats[].every", KEY_DURATION, NULL, 50, 24 * HOUR, 0, "how often"),
    KEY("heartbeats[].ack", KEY_SWITCH, "off", 0, "whether the client acknowledges it"),
    KEY("heartbeats[].expect", KEY_EVENT, NULL, 0, "the event that answers it"),
    KEY("presence", KEY_MAP, NULL, R, "what is told of users who come and go, in each namespace"),
    KEY("presence.online", KEY_ANY, NULL, 0,
        "the event when a user's first session appears: its name, or {event, payload}"),
    KEY("presence.offline", KEY_ANY, NULL, 0, "the event when the last one is gone, and stays away"),
    KEY("presence.away", KEY_ANY, NULL, L, "the event when a user does nothing"),
    KEY("presence.to", KEY_ANY, "all", 0,
        "where they go: a room, a list of rooms, or all; the user's own connections do not get them"),
    KEYNUM("presence.grace", KEY_DURATION, "10s", 1, 24 * HOUR, 0,
        "how long a user must be away to be offline: longer than a reconnect takes"),
    KEY("presence.last_seen", KEY_SWITCH, "off", 0,
        "whether it is kept when users were last connected: {user.last_seen}"),

    KEY("routes", KEY_LIST, NULL, R, "more routes of the publisher"),
    KEY("routes[]", KEY_MAP, NULL, 0, "one route"),
    KEY("routes[].match", KEY_TEXT, NULL, 0, "method and path: POST /rooms/:room"),
    KEYPICK("routes[].do", KEY_WORD, NULL, route_acts, 0, "what it does"),
    KEY("routes[].auth", KEY_ANY, NULL, 0, "who may: key, none (to publish: this machine only) or {jwt, role}, a token of a client with these claims"),
    KEY("routes[].to", KEY_ANY, NULL, 0, "rooms, or all"),
    KEY("routes[].users", KEY_ANY, NULL, 0, "users: {body.userIds[]}"),
    KEY("routes[].event", KEY_TEXT_TEMPLATE, NULL, 0, "the event's name"),
    KEY("routes[].payload", KEY_TEMPLATE, NULL, 0, "its payload"),
    KEY("routes[].reply", KEY_MAP, NULL, 0, "the bodies of answers"),
    KEY("routes[].reply.ok", KEY_TEMPLATE, NULL, 0, "when it went well"),
    KEY("routes[].reply.error", KEY_TEMPLATE, NULL, 0, "when not"),
    KEYNUM("routes[].status", KEY_INT, NULL, 200, 299, 0, "the status of the answer when it went well"),
    KEY("hooks", KEY_MAP, NULL, L, "backends that are asked"),

    KEY("bus", KEY_MAP, NULL, 0, "where the processes meet"),
    PICK("bus.engine", KEY_WORD, "nng", bus.engine, engines, 0,
        "where the log, the bus and the directory live"),
    OPT("bus.url", KEY_TEXT, "", bus.url, 0,
        "where the processes meet: ipc://FOLDER or tcp://HOST:PORT; empty: ipc:// and run_dir"),
    OPT("bus.secret", KEY_SECRET, "", bus.secret, 0,
        "secret of all processes of a tcp:// bus, at least 32 bytes; needed beyond the loopback"),
    KEY("bus.instance", KEY_TEXT, NULL, L, "name of this installation"),
    KEY("bus.redis", KEY_MAP, NULL, L, "a bus on Redis"),

    KEY("logs", KEY_MAP, NULL, 0, "what is logged"),
    PICK("logs.level", KEY_CHOICE, "info", logs.level, levels, R, "how much is logged"),
    PICK("logs.format", KEY_CHOICE, "text", logs.format, formats, 0, "how log lines look"),
    KEY("logs.names", KEY_MAP, NULL, 0, "what lines of the log, and their fields, are called instead"),
    KEY("logs.names.*", KEY_TEXT, NULL, 0, "the name; that of a line may have fields: {sid}"),
    KEY("logs.prefixes", KEY_MAP, NULL, 0,
        "what stands in front of the lines of publisher, gateway or serve, or of one line"),
    KEY("logs.prefixes.*", KEY_TEXT, NULL, 0, "the text"),
    KEY("drain", KEY_MAP, NULL, 0, "how clients are sent away from a gateway that stops"),
    NUM("drain.window", KEY_DURATION, "20s", drain.window_ms, 0, HOUR, 0,
        "how long it takes to send them all, evenly; 0s: at once"),
    KEY("drain.event", KEY_EVENT, NULL, R, "an event that each of them gets when it begins"),
    KEY("drain.payload", KEY_TEMPLATE, NULL, R, "its payload"),
};
/* clang-format on */

const size_t config_key_count = sizeof config_keys / sizeof *config_keys;

_Static_assert(sizeof config_keys / sizeof *config_keys <= CONFIG_KEY_MAX_COUNT,
               "raise CONFIG_KEY_MAX_COUNT");
