/* A token for each client of a load: user "load-7", rooms load:*, good for a day. */
#ifndef CLI_LOAD_TOKENS_H
#define CLI_LOAD_TOKENS_H

#include "bridge/token.h"
#include "proto/limits.h"

struct load_tokens {
    char **items; /* one for each client */
    size_t count;
};

/* Made before the load, for signing is work, too. load_tokens_finish whatever came. */
enum status load_tokens_mint(struct load_tokens *tokens, size_t count,
                             const struct token_keys *keys, int64_t now_s);
void load_tokens_finish(struct load_tokens *tokens);

#endif
