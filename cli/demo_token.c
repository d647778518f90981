/* The token of the demo: see the header. */
#include "cli/demo_token.h"

enum {
    TTL_S = 24 * 60 * 60
};

enum status demo_token_mint(const struct token_keys *keys, int64_t now_s, struct buf *out)
{
    json_t *claims = json_pack("{s:s, s:[s]}", "sub", "demo", "rooms", "demo:*");

    if (!claims)
        return ST_NO_MEMORY;
    token_address(keys, CLAIMS_CLIENT, now_s, TTL_S, claims);
    enum status st = token_mint(keys, slice_of(""), claims, out);
    json_decref(claims);
    return st;
}
