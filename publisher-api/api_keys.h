/*
 * API keys: who may publish, and what. A key is `sk_` and 43 characters of base64url;
 * only its digest is held. Loop thread only.
 */
#ifndef PUBLISHER_API_API_KEYS_H
#define PUBLISHER_API_API_KEYS_H

#include "bridge/digest.h"
#include "proto/envelope.h"

enum api_scope {
    API_SCOPE_PUBLISH = 1,
    API_SCOPE_ADMIN = 2,
};

/* What one caller may do. No patterns: any room, any event. */
struct api_key {
    const char *name; /* for people and log lines */
    unsigned char digest[DIGEST_SHA256_BYTES];
    unsigned scopes;            /* of enum api_scope */
    const struct slice *rooms;  /* room patterns */
    const struct slice *events; /* names, or prefixes that end in '*' */
    size_t room_count, event_count;
};

struct api_keys;

/* Gives an empty set (api_keys_destroy), or NULL when out of memory. */
struct api_keys *api_keys_create(void);
void api_keys_destroy(struct api_keys *keys);

/*
 * Copies `key`, with its name and patterns; `secret` is digested (key->digest is not
 * read). ST_BAD_REQUEST: the secret or a room pattern is malformed. ST_CONFLICT: the
 * secret is there already. ST_LIMIT: 1,000 keys.
 */
enum status api_keys_add(struct api_keys *keys, const struct api_key *key,
                         struct slice secret);

/* A comma-separated list of keys with both scopes, called "key-1" and so on. As
 * api_keys_add. */
enum status api_keys_add_list(struct api_keys *keys, struct slice list);

/* Puts what `fresh` has in the place of what is there; takes `fresh`. Keys that were lent
 * are gone. */
void api_keys_replace(struct api_keys *keys, struct api_keys *fresh);

size_t api_keys_count(const struct api_keys *keys);

/* Is it written like a key? Says nothing about whether it is one. */
bool api_key_is_well_formed(struct slice secret);

/* The key of this secret, lent until destroy, or NULL. Compares with every key, whatever
 * it finds. */
const struct api_key *api_keys_find(const struct api_keys *keys, struct slice secret);

/*
 * May a caller with these room patterns publish to this target? A user counts as
 * "user:<id>"; sockets and everybody are for callers with the pattern "**" only.
 */
bool api_rooms_allow(const struct slice *patterns, size_t count,
                     const struct envelope_target *target);

/* As the key says, for all targets and the event's name. */
bool api_key_may_publish(const struct api_key *key, const struct envelope *envelope);

#endif
