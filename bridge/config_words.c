/* Unknown keys: see the header. */
#include "bridge/config_words.h"

#include "proto/suggest.h"

#include <stdio.h>
#include <string.h>

enum {
    HINT_BYTES = 200,
    SHOWN_BYTES = 60
};

/* What other servers and the programs that are replaced call it. */
static const struct {
    const char *theirs, *ours;
} peers[] = {
    {"cors_origins",               "allowed_origins"         },
    {"cors_allowed_origins",       "allowed_origins"         },
    {"origin",                     "allowed_origins"         },
    {"hmac_secret_key",            "auth.jwt.hmac_secret"    },
    {"token_hmac_secret_key",      "auth.jwt.hmac_secret"    },
    {"jwt_secret",                 "auth.jwt.hmac_secret"    },
    {"JWT_SECRET_KEY",             "auth.jwt.hmac_secret"    },
    {"JWT_ACCESS_SECRET",          "auth.jwt.hmac_secret"    },
    {"secret",                     "auth.jwt.hmac_secret"    },
    {"jwks_public_endpoint",       "auth.jwt.jwks_url"       },
    {"token_jwks_public_endpoint", "auth.jwt.jwks_url"       },
    {"api_key",                    "publisher.api_keys"      },
    {"http_api_key",               "publisher.api_keys"      },
    {"broadcast_key",              "publisher.api_keys"      },
    {"pingInterval",               "gateway.ping_interval"   },
    {"heartbeat",                  "gateway.ping_interval"   },
    {"pingTimeout",                "gateway.ping_timeout"    },
    {"pong_timeout",               "gateway.ping_timeout"    },
    {"activity_timeout",           "gateway.ping_timeout"    },
    {"connectTimeout",             "gateway.connect_timeout" },
    {"maxHttpBufferSize",          "gateway.max_message_size"},
    {"max_http_buffer_size",       "gateway.max_message_size"},
    {"message_size_limit",         "gateway.max_message_size"},
    {"redis_url",                  "bus.redis.url"           },
    {"REDIS_URL",                  "bus.redis.url"           },
    {"history_size",               "rooms[].history.size"    },
    {"history_limit",              "rooms[].history.size"    },
    {"history_ttl",                "rooms[].history.ttl"     },
    {"connectionStateRecovery",    "recovery.window"         },
    {"schema",                     "contract"                },
    {"algs",                       "auth.jwt.algorithms"     },
    {"auto_join",                  "connect.auto_join"       },
    {"api",                        "routes"                  },
    {"webhook",                    "hook"                    },
};

static const char *peer_word(struct slice word)
{
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        if (slice_is(word, peers[i].theirs))
            return peers[i].ours;
    return NULL;
}

static const char *nearest_below(const struct config_key *parent, struct slice word)
{
    const char *words[CONFIG_KEY_MAX_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_is_below(&config_keys[i], parent, &words[count]) &&
            words[count][0] != '*')
            count++;
    return suggest_nearest(word, words, count);
}

/* A key that has this name elsewhere, an option rather than others. */
static const struct config_key *elsewhere(struct slice word)
{
    const struct config_key *found = NULL;

    for (size_t i = 0; i < config_key_count; i++) {
        const char *dot = strrchr(config_keys[i].path, '.');
        if (!slice_is(word, dot ? dot + 1 : config_keys[i].path) ||
            config_key_is_later(&config_keys[i]))
            continue;
        if (config_key_is_option(&config_keys[i]) || !found)
            found = &config_keys[i];
        if (config_key_is_option(found))
            return found;
    }
    return found;
}

void config_words_unknown(const struct config_key *parent, struct slice word,
                          struct place place, struct faults *faults)
{
    const char *peer = peer_word(word);
    const char *nearest = nearest_below(parent, word);
    const struct config_key *other = elsewhere(word);
    char hint[HINT_BYTES] = "";

    if (peer)
        snprintf(hint, sizeof hint, "it is called \"%s\" here", peer);
    else if (other && !nearest)
        snprintf(hint, sizeof hint, "it belongs elsewhere: \"%s\"", other->path);
    else if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    faults_add(faults, place, hint[0] ? hint : NULL, "unknown key \"%.*s\"%s%s",
               (int)slice_first(word, SHOWN_BYTES).len, word.len ? word.ptr : "",
               parent ? " in " : "", parent ? parent->path : "");
}
