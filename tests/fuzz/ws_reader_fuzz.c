/* However the bytes are cut, the same messages come out, until the same verdict. */
#include "cli/ws_reader.h"
#include "proto/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct verdict {
    enum status status;
    size_t messages;
    size_t bytes;
};

static void read_all(struct ws_reader *reader, struct verdict *verdict)
{
    struct ws_message message;

    while ((verdict->status = ws_reader_next(reader, &message)) == ST_OK) {
        verdict->messages++;
        verdict->bytes += message.data.len;
        if (message.opcode == WS_OP_TEXT && !utf8_is_valid(message.data))
            abort();
        if (message.opcode >= WS_OP_CLOSE && message.data.len > WS_CONTROL_BYTES)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct ws_reader whole, single;
    struct verdict a = {0}, b = {0};

    ws_reader_init(&whole);
    ws_reader_feed(&whole, text);
    read_all(&whole, &a);

    ws_reader_init(&single);
    b.status = ST_AGAIN;
    for (size_t i = 0; i < size && b.status == ST_AGAIN; i++) {
        ws_reader_feed(&single, slice_first(slice_from(text, i), 1));
        read_all(&single, &b);
    }
    if (a.status != b.status || a.messages != b.messages || a.bytes != b.bytes)
        abort();
    ws_reader_finish(&whole);
    ws_reader_finish(&single);
    return 0;
}
