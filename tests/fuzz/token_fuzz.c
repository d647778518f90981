/*
 * The input as a whole token, and as the header of one with a signature of the right
 * length. None is signed with the key: whatever is accepted is a hole.
 */
#include "bridge/token.h"
#include "proto/ident.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refused(const struct token_keys *keys, struct slice token)
{
    struct claims *claims = NULL;
    char hint[160];

    if (token_verify(keys, token, CLAIMS_CLIENT, 1000, &claims, hint) == REFUSAL_NONE ||
        claims || hint[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char rest[] =
        ".eyJzdWIiOiI0MiIsImV4cCI6OTk5OX0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    static const char secret[] = "a secret that no input of the fuzzer can know";
    static struct token_keys *keys; /* built once: parsing keys is not what is tried */
    char token[LIMIT_TOKEN_BYTES];

    if (!keys && (!(keys = token_keys_create()) ||
                  token_keys_add(keys, TOKEN_HS256, SLICE(""), slice_of(secret)) ||
                  token_keys_add(keys, TOKEN_HS512, SLICE("k2"), slice_of(secret))))
        abort();
    refused(keys, (struct slice){(const char *)data, size});
    if (IDENT_BASE64URL_CHARS(size) + sizeof rest < sizeof token) {
        size_t len = ident_base64url_encode(data, size, token);
        memcpy(token + len, rest, sizeof rest);
        refused(keys, (struct slice){token, len + sizeof rest - 1});
    }
    return 0;
}
