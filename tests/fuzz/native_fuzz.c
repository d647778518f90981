/* What is accepted obeys the header's promises; what is refused says why in plain words.
 */
#include "proto/native.h"
#include "proto/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_message(const struct native_message *message)
{
    require(utf8_is_valid(message->token) && utf8_is_valid(message->event));
    require(utf8_is_valid(message->room));
    for (size_t i = 0; i < message->room_count; i++)
        require(utf8_is_valid(message->rooms[i]));
    require(message->type != NATIVE_EMIT || message->event.len > 0);
    require(message->data.len == 0 || message->args.len == 0);
    require(message->n < UINT64_C(1) << 53);
}

/* A client's data in an event of ours is one JSON object still. */
static void check_encoding(const struct native_message *message, size_t size)
{
    struct buf out = {.max = 8 * size + 256};
    struct native_event event = {.event_json = SLICE("\"e\""),
                                 .room = message->event,
                                 .data = message->data,
                                 .args = message->args,
                                 .id = SLICE("01JD")};
    struct json_limits limits = json_limits_default;
    struct json_value value;

    limits.nodes += 8;
    native_encode_event(&out, &event);
    require(buf_status(&out) == ST_OK);
    require(json_gate_check(buf_slice(&out), &limits, &value, NULL) == ST_OK);
    buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct native_memory memory = {0};
    struct native_message message;
    char detail[NATIVE_DETAIL_BYTES];

    if (native_decode(text, &json_limits_default, &memory, &message, detail) == ST_OK) {
        check_message(&message);
        check_encoding(&message, size);
    } else {
        require(detail[0] != '\0' && utf8_is_valid(slice_of(detail)));
    }
    native_memory_finish(&memory);
    return 0;
}
