/* The token of the demo: see the header. */
#include "cli/demo_token.h"

enum {
    TTL_S = 24 * 60 * 60
};

enum status demo_token_mint(const struct token_keys *keys, int64_t now_s, struct buf *out)
{
    const struct claims_rules *rules = token_keys_rules(keys);
    int64_t ttl_s =
        rules->max_ttl_s > 0 && rules->max_ttl_s < TTL_S ? rules->max_ttl_s : TTL_S;
    json_t *claims =
        json_pack("{s:s, s:I, s:I, s:[s]}", "sub", "demo", "iat", (json_int_t)now_s,
                  "exp", (json_int_t)(now_s + ttl_s), "rooms", "demo:*");

    if (!claims)
        return ST_NO_MEMORY;
    if (rules->issuer.len > 0)
        json_object_set_new(claims, "iss", json_string(rules->issuer.ptr));
    if (rules->audience.len > 0)
        json_object_set_new(claims, "aud", json_string(rules->audience.ptr));
    enum status st = token_mint(keys, slice_of(""), claims, out);
    json_decref(claims);
    return st;
}
