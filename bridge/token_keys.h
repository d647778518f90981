/*
 * The set of keys that tokens are checked with, by key id, and the rules for what they
 * say. Who holds a set keeps it for good: a rotation replaces what is in it, and with it
 * everything that was verified before. Loop thread.
 */
#ifndef BRIDGE_TOKEN_KEYS_H
#define BRIDGE_TOKEN_KEYS_H

#include "bridge/metrics.h"
#include "bridge/token_cache.h"
#include "bridge/token_key.h"
#include "proto/claims.h"

enum {
    TOKEN_KEYS_MAX = 100
};

struct token_keys;

/* Gives an empty set (token_keys_destroy), or NULL when out of memory. */
struct token_keys *token_keys_create(void);
void token_keys_destroy(struct token_keys *keys);

/*
 * Borrows `secret` and `kid` (empty: the key for tokens without one). ST_BAD_REQUEST when
 * the secret is no secret (token_secret_fault), the algorithm not HS… or the kid
 * malformed; ST_CONFLICT when the kid is taken; ST_LIMIT: TOKEN_KEYS_MAX.
 */
enum status token_keys_add(struct token_keys *keys, enum token_alg alg, struct slice kid,
                           struct slice secret);
/* Takes `key`. ST_CONFLICT and ST_LIMIT as above. */
enum status token_keys_put(struct token_keys *keys, struct token_key *key);

/* Copies; the texts too. At first: no leeway, no ceiling, any issuer and audience. */
enum status token_keys_set_rules(struct token_keys *keys,
                                 const struct claims_rules *rules);
/* Whether clients' tokens need no `sub`; what was verified before is forgotten. */
void token_keys_need_no_sub(struct token_keys *keys, bool needs_no_sub);
/* How far apart the clocks of issuer and server may be; the other rules stay. */
void token_keys_set_leeway(struct token_keys *keys, int64_t leeway_s);
/* Lent until the next change. */
const struct claims_rules *token_keys_rules(const struct token_keys *keys);

/* Counts hits and misses of the cache. Keeps `metrics` as long as the set lives. */
void token_keys_count_in(struct token_keys *keys, struct metrics *metrics);
struct metrics *token_keys_metrics(const struct token_keys *keys);

/* Calls `on_unknown` whenever a token names a key that is not in the set; stays when the
 * keys are replaced. NULL: nobody asks. */
typedef void token_unknown_fn(void *ctx);
void token_keys_on_unknown(struct token_keys *keys, token_unknown_fn *on_unknown,
                           void *ctx);
/* A token did. */
void token_keys_tell_unknown(const struct token_keys *keys);

/* Takes `fresh`: its keys and rules are those of `keys` from now on (but for what is
 * above), and what was verified with the old ones is forgotten. */
void token_keys_replace(struct token_keys *keys, struct token_keys *fresh);

size_t token_keys_count(const struct token_keys *keys);
/* Lends the key of this kid, or NULL. */
const struct token_key *token_keys_find(const struct token_keys *keys, struct slice kid);
/* Lends the first key with a secret, or NULL: what tokens can be minted with. */
const struct token_key *token_keys_first_secret(const struct token_keys *keys);
/* What was verified with this set. */
struct token_cache *token_keys_cache(const struct token_keys *keys);

#endif
