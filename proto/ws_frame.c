/* WebSocket frames: see the header. */
#include "proto/ws_frame.h"

#include "proto/utf8.h"

#include <assert.h>
#include <string.h>

enum {
    FIN = 0x80,
    LEN_16 = 126, /* the length follows in two bytes */
    LEN_64 = 127  /* in eight */
};

static size_t put_big_endian(char *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)(value >> (8 * (bytes - 1 - i)));
    return bytes;
}

size_t ws_frame_header(char out[WS_HEADER_BYTES], enum ws_opcode op, size_t payload_len)
{
    out[0] = (char)(FIN | op);
    if (payload_len < LEN_16) {
        out[1] = (char)payload_len;
        return 2;
    }
    if (payload_len <= UINT16_MAX) {
        out[1] = LEN_16;
        return 2 + put_big_endian(out + 2, payload_len, 2);
    }
    out[1] = LEN_64;
    return 2 + put_big_endian(out + 2, payload_len, 8);
}

static uint64_t get_big_endian(const char *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

/* How many bytes after the second one hold the length. */
static size_t bytes_of_len(unsigned char len)
{
    if (len < LEN_16)
        return 0;
    return len == LEN_16 ? 2 : 8;
}

size_t ws_frame_split(struct slice wire, enum ws_opcode *op, struct slice *payload)
{
    if (wire.len < 2)
        return 0;

    uint64_t len = (unsigned char)wire.ptr[1];
    size_t more = bytes_of_len((unsigned char)len);
    if (wire.len < 2 + more)
        return 0;
    if (more > 0)
        len = get_big_endian(wire.ptr + 2, more);
    struct slice rest = slice_from(wire, 2 + more);
    if (len > rest.len)
        return 0;
    *op = (enum ws_opcode)(wire.ptr[0] & 0x0f);
    *payload = slice_first(rest, (size_t)len);
    return 2 + more + (size_t)len;
}

/* The longest beginning of `text` that has at most `max` bytes and ends between
 * characters. */
static struct slice cut_between_characters(struct slice text, size_t max)
{
    size_t kept = 0;

    while (kept < text.len) {
        size_t n = utf8_sequence(slice_from(text, kept));
        if (n == 0 || kept + n > max)
            break;
        kept += n;
    }
    return slice_first(text, kept);
}

size_t ws_close_frame(char out[WS_CLOSE_BYTES], unsigned code, struct slice reason)
{
    assert(code <= UINT16_MAX);
    if (code == 0)
        return ws_frame_header(out, WS_OP_CLOSE, 0);

    reason = cut_between_characters(reason, WS_REASON_BYTES);
    size_t len = ws_frame_header(out, WS_OP_CLOSE, 2 + reason.len);
    len += put_big_endian(out + len, code, 2);
    if (reason.len)
        memcpy(out + len, reason.ptr, reason.len);
    return len + reason.len;
}
