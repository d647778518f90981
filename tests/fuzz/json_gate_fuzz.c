/* Whatever the bytes: the gate ends, and what it let through can be walked and decoded.
 */
#include "proto/json_gate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MAX_PARTS = 8,
};

static void decode(struct slice text, struct slice key)
{
    char *out = malloc(text.len + key.len + 1);

    if (!out)
        abort();
    json_string_decode(text, out);
    json_key_decode(key, out);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct json_member members[MAX_PARTS];
    struct json_value items[MAX_PARTS];
    struct json_cursor cursor = {0};
    struct json_member member = {0};
    struct json_value value;
    struct json_fault fault = {0};
    size_t count;
    size_t walked = 0;

    json_gate_array(text, &json_limits_default, items, MAX_PARTS, &count, NULL);
    if (json_gate_check(text, &json_limits_default, &value, &fault)) {
        if (!fault.reason || fault.offset > size)
            abort();
        return 0;
    }

    enum status st =
        json_gate_object(text, &json_limits_default, members, MAX_PARTS, &count, NULL);
    while (json_object_next(value.text, &cursor, &member)) {
        decode(member.value.text, member.key);
        walked++;
    }
    if (st == ST_OK && walked != count)
        abort();
    json_object_find(value.text, "a");
    decode(value.text, member.key);
    return 0;
}
