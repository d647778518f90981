/* The first byte says which listener asks, the rest is a token's payload. */
#include "proto/access.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice json = slice_from((struct slice){(const char *)data, size}, 1);
    struct room_key key = {SLICE("/"), ROOM_NAMED, SLICE("project:7")};
    enum claims_use use = size ? (enum claims_use)(data[0] % 3) : CLAIMS_CLIENT;
    const struct claims_rules rules = {.leeway_s = 5};
    static struct system *system;
    struct buf scratch = {.max = 4096};
    struct claims *claims = NULL;
    char hint[160] = "";

    if (claims_decode(json, use, 1000, &rules, &claims, hint)) {
        if (claims || hint[0] == '\0' || strlen(hint) >= sizeof hint - 1)
            abort();
        return 0;
    }
    if (claims_expires_s(claims) + 5 <= 1000)
        abort();
    for (size_t i = 0; i < claims_room_count(claims); i++) {
        if (!room_pattern_is_valid(claims_room(claims, i)))
            abort();
    }
    if (!system)
        system = system_default();
    access_may_stay(system, claims, &key, &scratch);
    buf_finish(&scratch);
    claims_has_scope(claims, "publish");
    claims_drop(claims);
    return 0;
}
