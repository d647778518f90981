/* What can be set: see the header. */
#include "bridge/options_table.h"

#include "proto/limits.h"

#define AT(field) offsetof(struct config, field)
#define SECOND UINT64_C(1000)
#define HOUR (3600 * SECOND)
#define MIB (UINT64_C(1024) * 1024)

static const char *const engines[] = {"nng", NULL};
/* In the order of enum config_switch, */
static const char *const switches[] = {"off", "on", NULL};
/* and of enum log_level and enum log_format. */
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const formats[] = {"text", "json", NULL};

/* clang-format off: a table, one row each, wider than a line. */
const struct option option_table[] = {
    {"run_dir",                     OPTION_TEXT,     "",               AT(run_dir),                     0,      0,                 NULL,
     "folder of the bus sockets; empty: $XDG_RUNTIME_DIR/sidecast, or /run/sidecast for "
     "root"                                                                                                                                                                                                         },

    {"allowed_origins",             OPTION_ORIGINS,  "",               AT(web.allowed_origins),         0,      0,                 NULL,
     "origins whose pages may connect, separated by commas; empty: pages of the "
     "gateway's "
     "own host"                                                                                                                                                                                                     },
    {"cors.credentials",            OPTION_CHOICE,   "off",            AT(web.cors_credentials),        0,      0,                 switches,
     "whether pages of the allowed origins may send cookies along"                                                                                                                                                  },
    {"cors.max_age",                OPTION_DURATION, "10m",            AT(web.cors_max_age_ms),         0,      24 * HOUR,         NULL,
     "how long a browser may remember what it was allowed"                                                                                                                                                          },
    {"trusted_proxies",             OPTION_PREFIXES, "",               AT(web.trusted_proxies),         0,      0,                 NULL,
     "addresses of proxies that say whom they ask for, separated by commas: 10.0.0.0/8"                                                                                                                             },

    {"gateway.listen",              OPTION_ADDRESS,  "127.0.0.1:7410", AT(gateway.listen),              0,      0,                 NULL,
     "address that clients connect to"                                                                                                                                                                              },
    {"gateway.count",               OPTION_INT,      "1",              AT(gateway.count),               1,      64,                NULL,
     "gateway processes that share the address"                                                                                                                                                                     },
    {"gateway.ping_interval",       OPTION_DURATION, "25s",            AT(gateway.ping_interval_ms),    50,
     HOUR,                                                                                                                         NULL,     "how often a client is asked whether it lives"                         },
    {"gateway.ping_timeout",        OPTION_DURATION, "20s",            AT(gateway.ping_timeout_ms),     50,
     HOUR,                                                                                                                         NULL,     "how long its answer may take"                                         },
    {"gateway.connect_timeout",     OPTION_DURATION, "45s",            AT(gateway.connect_timeout_ms),
     50,                                                                                                        HOUR,              NULL,     "how long a connection may stay without a session"                     },
    {"gateway.max_message_size",    OPTION_SIZE,     "1MB",            AT(gateway.max_message_bytes),   1,
     LIMIT_CLIENT_MESSAGE_BYTES,                                                                                                   NULL,     "largest message a client may send"                                    },

    {"publisher.listen",            OPTION_ADDRESS,  "127.0.0.1:7411", AT(publisher.listen),            0,      0,
     NULL,                                                                                                                                   "address that backends post to"                                        },
    {"publisher.api_keys",          OPTION_SECRET,   "",               AT(publisher.api_keys),          0,      0,                 NULL,
     "keys that may publish, separated by commas: sk_ and 43 characters each"                                                                                                                                       },
    {"publisher.max_body_size",     OPTION_SIZE,     "256KiB",         AT(publisher.max_body_bytes),    1,
     LIMIT_PUBLISH_BYTES,                                                                                                          NULL,     "largest publish request"                                              },
    {"publisher.idempotency",       OPTION_DURATION, "5m",             AT(publisher.idempotency_ms),    0,
     24 * HOUR,                                                                                                                    NULL,     "how long a repeated id gets its first answer again"                   },

    {"ops.listen",                  OPTION_ADDRESS,  "127.0.0.1:7412", AT(ops.listen),                  0,      0,                 NULL,
     "address of health, statistics and metrics"                                                                                                                                                                    },

    {"auth.jwt.hmac_secret",        OPTION_SECRET,   "",               AT(auth.hmac_secret),            0,      0,                 NULL,
     "secret that signs the clients' tokens, at least 32 bytes; empty: only keys check "
     "tokens"                                                                                                                                                                                                       },
    {"auth.jwt.hmac_secret_file",   OPTION_TEXT,     "",               AT(auth.hmac_secret_file),       0,      0,                 NULL,
     "file with that secret, read again when it changes"                                                                                                                                                            },
    {"auth.jwt.algorithms",         OPTION_TEXT,     "",               AT(auth.algorithms),             0,      0,                 NULL,
     "how tokens may be signed, separated by commas; empty: hmac_secret with HS256, and "
     "each key as it says"                                                                                                                                                                                          },
    {"auth.jwt.keys",               OPTION_TEXT,     "",               AT(auth.keys),                   0,      0,                 NULL,
     "public keys that check tokens, separated by commas: KID:ALG:FILE each, a PEM file"                                                                                                                            },
    {"auth.jwt.jwks_file",          OPTION_TEXT,     "",               AT(auth.jwks_file),              0,      0,                 NULL,
     "file with a JWKS, whose keys check tokens"                                                                                                                                                                    },
    {"auth.jwt.issuer",             OPTION_TEXT,     "",               AT(auth.issuer),                 0,      0,                 NULL,
     "what iss of a token must be; empty: anything"                                                                                                                                                                 },
    {"auth.jwt.audience",           OPTION_TEXT,     "",               AT(auth.audience),               0,      0,                 NULL,
     "what aud of a client's token must be or contain; empty: anything"                                                                                                                                             },
    {"auth.jwt.leeway",             OPTION_DURATION, "30s",            AT(auth.leeway_ms),              0,      120 * SECOND,      NULL,
     "how far apart the clocks of issuer and server may be"                                                                                                                                                         },
    {"auth.jwt.max_ttl",            OPTION_DURATION, "24h",            AT(auth.max_ttl_ms),             0,      24 * 3650 * HOUR,
     NULL,                                                                                                                                   "how far ahead the end of a token may lie; 0s: as far as it likes"     },

    {"bus.engine",                  OPTION_WORD,     "nng",            AT(bus.engine),                  0,      0,                 engines,
     "where the log, the bus and the directory live"                                                                                                                                                                },
    {"bus.url",                     OPTION_TEXT,     "",               AT(bus.url),                     0,      0,                 NULL,
     "where the processes meet: ipc://FOLDER or tcp://HOST:PORT; empty: ipc:// and "
     "run_dir"                                                                                                                                                                                                      },
    {"bus.secret",                  OPTION_SECRET,   "",               AT(bus.secret),                  0,      0,                 NULL,
     "secret of all processes of a tcp:// bus, at least 32 bytes; needed beyond the "
     "loopback"                                                                                                                                                                                                     },

    {"log.keep.age",                OPTION_DURATION, "5m",             AT(log.keep_age_ms),             SECOND, 24 * 365 * HOUR,
     NULL,                                                                                                                                   "events older than this are removed"                                   },
    {"log.keep.events",             OPTION_INT,      "100000",         AT(log.keep_events),             1,      1000000000,        NULL,
     "the oldest beyond this number are removed"                                                                                                                                                                    },
    {"log.keep.size",               OPTION_SIZE,     "64MiB",          AT(log.keep_bytes),              MIB,    1024 * 1024 * MIB,
     NULL,                                                                                                                                   "the oldest beyond this size are removed"                              },

    {"limits.connections",          OPTION_INT,      "50000",          AT(limits.connections),          1,      1000000,           NULL,
     "client connections of one gateway"                                                                                                                                                                            },
    {"limits.connections_per_ip",   OPTION_INT,      "200",            AT(limits.connections_per_ip),   1,
     1000000,                                                                                                                      NULL,
     "connections of one client address, an IPv6 /64 counting as one; loopback is exempt "
     "unless this is set"                                                                                                                                                                                           },
    {"limits.connections_per_user", OPTION_INT,      "0",              AT(limits.connections_per_user), 0,
     1000000,                                                                                                                      NULL,     "connections of one user to one gateway; 0: no limit"                  },
    {"limits.handshakes",           OPTION_RATE,     "5000/s",         AT(limits.handshakes),           0,      0,                 NULL,
     "new client connections in a while, or off; loopback is exempt unless this is set"                                                                                                                             },
    {"limits.rooms_per_socket",     OPTION_INT,      "100",            AT(limits.rooms_per_socket),     1,      10000,
     NULL,                                                                                                                                   "rooms that one client may be in"                                      },
    {"limits.outbox",               OPTION_SIZE,     "1MiB",           AT(limits.outbox_bytes),         1024,   1024 * MIB,
     NULL,                                                                                                                                   "bytes that may wait for one client before it is closed as too slow"   },
    {"limits.outbox_frames",        OPTION_INT,      "1024",           AT(limits.outbox_frames),        1,      1000000,
     NULL,                                                                                                                                   "messages that may wait for one client before it is closed as too slow"},

    {"logs.level",                  OPTION_CHOICE,   "info",           AT(logs.level),                  0,      0,                 levels,
     "how much is logged"                                                                                                                                                                                           },
    {"logs.format",                 OPTION_CHOICE,   "text",           AT(logs.format),                 0,      0,                 formats,
     "how log lines look"                                                                                                                                                                                           },
};
/* clang-format on */

const size_t option_count = sizeof option_table / sizeof *option_table;

_Static_assert(sizeof option_table / sizeof *option_table <= OPTION_MAX_COUNT,
               "raise OPTION_MAX_COUNT");
