/*
 * A packet that is accepted is encoded to the bytes it came from; a body is cut into
 * packets that give the same body when joined; what is called base64 can be decoded.
 */
#include "proto/base64.h"
#include "proto/eio_session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode_again(struct slice text)
{
    struct buf out = {.max = text.len};
    struct eio_packet packet;

    if (eio_decode(text, &packet) == ST_OK) {
        eio_encode(&out, packet.type, packet.data);
        if (buf_status(&out) || !slice_equal(buf_slice(&out), text))
            abort();
    }
    buf_finish(&out);
}

static void decode_binary(struct slice packet_text)
{
    struct eio_packet packet;
    size_t bytes;

    if (eio_event_posted(packet_text, &packet) != EIO_POSTED_MESSAGE ||
        packet.type != EIO_BINARY)
        return;
    if (!base64_measure(packet.data, &bytes) || bytes > packet.data.len)
        abort();
    char *out = malloc(bytes ? bytes : 1);
    if (!out)
        abort();
    base64_decode(packet.data, out);
    free(out);
}

/* Joining leaves out what an empty packet at the beginning would be: no body has one that
 * is accepted. */
static void join_again(struct slice body)
{
    struct eio_payload payload = {body, true};
    struct buf out = {.max = body.len};
    struct slice packet;
    size_t packets = 0, separators = 0;
    bool has_empty = false;

    for (size_t i = 0; i < body.len; i++)
        separators += body.ptr[i] == EIO_SEPARATOR;
    while (eio_payload_next(&payload, &packet)) {
        packets++;
        has_empty = has_empty || packet.len == 0;
        decode_binary(packet);
        eio_payload_add(&out, packet);
    }
    if (packets != separators + 1)
        abort();
    if (!has_empty && (buf_status(&out) || !slice_equal(buf_slice(&out), body)))
        abort();
    buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};

    encode_again(text);
    join_again(text);
    return 0;
}
