/*
 * The input as a key set. Whatever it says, nothing may be left of a set that was refused
 * but its memory, and no key may be in without an algorithm that was asked for.
 */
#include "bridge/token_jwks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_skip(void *ctx, size_t index, struct slice kid, const char *why)
{
    size_t *skipped = ctx;

    (void)index;
    (void)kid;
    if (!why || !why[0])
        abort();
    ++*skipped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct token_keys *keys = token_keys_create();
    size_t skipped = 0;
    const char *reason;

    if (!keys)
        abort();
    enum status st =
        token_jwks_add(keys, text, TOKEN_ALGS_ALL, on_skip, &skipped, &reason);
    if (st && token_keys_count(keys) > 0)
        abort();
    if (st == ST_BAD_PAYLOAD && !reason[0])
        abort();
    token_keys_destroy(keys);

    keys = token_keys_create();
    token_jwks_add(keys, text, TOKEN_ALG_BIT(TOKEN_EDDSA), NULL, NULL, &reason);
    if (token_keys_first_secret(keys))
        abort();
    token_keys_destroy(keys);
    return 0;
}
