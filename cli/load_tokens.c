/* Tokens of a load: see the header. */
#include "cli/load_tokens.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TTL_S = 24 * 60 * 60,
    USER_BYTES = 40
};

static enum status mint_one(char **out, size_t i, const struct token_keys *keys,
                            int64_t now_s)
{
    struct buf token = {.max = LIMIT_TOKEN_BYTES + 1};
    char user[USER_BYTES];

    snprintf(user, sizeof user, "load-%zu", i);
    json_t *claims = json_pack("{s:s, s:[s]}", "sub", user, "rooms", "load:*");
    if (claims)
        token_address(keys, CLAIMS_CLIENT, now_s, TTL_S, claims);
    enum status st =
        claims ? token_mint(keys, slice_of(""), claims, &token) : ST_NO_MEMORY;
    if (!st) {
        buf_add_byte(&token, '\0');
        st = buf_status(&token);
    }
    json_decref(claims);
    *out = buf_release(&token);
    return st;
}

enum status load_tokens_mint(struct load_tokens *tokens, size_t count,
                             const struct token_keys *keys, int64_t now_s)
{
    enum status st = ST_OK;

    tokens->items = calloc(count + 1, sizeof *tokens->items);
    if (!tokens->items)
        return ST_NO_MEMORY;
    for (tokens->count = 0; !st && tokens->count < count; tokens->count++)
        st = mint_one(&tokens->items[tokens->count], tokens->count, keys, now_s);
    return st;
}

void load_tokens_finish(struct load_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++)
        free(tokens->items[i]);
    free(tokens->items);
    *tokens = (struct load_tokens){0};
}
