/*
 * Binary packets. The first line is a packet as a client sends it, the others are its
 * attachments. What is whole becomes JSON that passes the gate; sent on, taken again and
 * sent on, it does not change any more. A first line that is no packet is a payload, in
 * which `$binary` objects are looked for.
 */
#include "proto/binary.h"
#include "proto/json_pointer.h"
#include "proto/sio_attachments.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MAX_BYTES = 1 << 16
};

static void expect(bool is_true)
{
    if (!is_true)
        abort();
}

/* Appends the payload of a packet whose attachments are lines, or `parts`. False: it is
 * not whole, or not allowed. */
static bool receive(struct slice text, struct slice lines, const struct sio_parts *parts,
                    struct buf *json)
{
    struct sio_incoming *incoming;
    struct sio_packet packet;
    struct slice line;

    if (sio_decode(text, &json_limits_default, &packet) || packet.attachments == 0 ||
        sio_incoming_create(&packet, MAX_BYTES, &incoming))
        return false;
    for (unsigned i = 0; i < packet.attachments; i++) {
        slice_cut(lines, '\n', &line, &lines);
        expect(!sio_incoming_is_whole(incoming));
        expect(!sio_incoming_add(incoming, parts ? parts->attachments[i] : line));
    }
    expect(sio_incoming_is_whole(incoming));
    sio_incoming_finish(incoming, json, &packet);
    sio_incoming_destroy(incoming);
    return !buf_status(json);
}

/* Sends a payload on; false: it may not be, or it has no bytes. */
static bool send_on(struct slice json, struct buf *packet, struct sio_parts *parts)
{
    const char *bad = NULL;
    struct slice name, args;

    if (sio_may_attach(json, &bad)) {
        expect(bad >= json.ptr && bad < json.ptr + json.len);
        return false;
    }
    expect(!sio_event_decode(json, &name, &args));
    sio_encode_event(packet, SLICE("/a"), name, args, (struct slice){0},
                     (struct slice){0});
    expect(!sio_attach(packet, parts));
    return parts->count > 0;
}

static void check_payload(struct slice json)
{
    struct buf memory = {.max = 2 * json.len + 2};
    struct binary_spot spot;
    size_t count = 0;

    for (size_t at = 0; binary_next(json, &at, &spot); count++) {
        buf_clear(&memory);
        binary_add_bytes(&spot, &memory);
        expect(!buf_status(&memory));
        buf_clear(&memory);
        json_pointer_add(json, spot.object.ptr, &memory);
        expect(!buf_status(&memory));
    }
    expect(count == binary_count(json));
    buf_finish(&memory);
}

static void check_packet(struct slice text, struct slice lines)
{
    struct buf first = {.max = 4 * MAX_BYTES}, second = {.max = 4 * MAX_BYTES};
    struct buf packet = {.max = 16 * MAX_BYTES};
    struct sio_parts parts;
    struct json_value whole;

    if (receive(text, lines, NULL, &first)) {
        expect(!json_gate_check(buf_slice(&first), &json_limits_default, &whole, NULL));
        check_payload(buf_slice(&first));
        for (int round = 0; round < 2; round++) {
            buf_clear(&packet);
            if (!send_on(buf_slice(&first), &packet, &parts))
                break;
            buf_clear(&second);
            expect(
                receive(slice_from(parts.text, 1), (struct slice){0}, &parts, &second));
            expect(round == 0 || slice_equal(buf_slice(&first), buf_slice(&second)));
            buf_clear(&first);
            buf_add(&first, buf_slice(&second));
        }
    }
    buf_finish(&first);
    buf_finish(&second);
    buf_finish(&packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = {(const char *)data, size}, text, lines;
    struct json_value payload;
    const char *bad;

    if (size > MAX_BYTES)
        return 0;
    slice_cut(all, '\n', &text, &lines);
    if (text.len > 0 && text.ptr[0] == '5') {
        check_packet(text, lines);
    } else if (!json_gate_check(text, &json_limits_default, &payload, NULL)) {
        check_payload(payload.text);
        sio_may_attach(payload.text, &bad);
    }
    return 0;
}
