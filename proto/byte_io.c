/* Little endian numbers: see the header. */
#include "proto/byte_io.h"

#include <endian.h>
#include <string.h>

static void put_raw(struct buf *out, const void *bytes, size_t n)
{
    buf_add(out, (struct slice){bytes, n});
}

void byte_put_u8(struct buf *out, unsigned value)
{
    buf_add_byte(out, (char)value);
}

void byte_put_u16(struct buf *out, size_t value)
{
    uint16_t bytes = htole16((uint16_t)value);
    put_raw(out, &bytes, sizeof bytes);
}

void byte_put_u32(struct buf *out, size_t value)
{
    uint32_t bytes = htole32((uint32_t)value);
    put_raw(out, &bytes, sizeof bytes);
}

void byte_put_u64(struct buf *out, uint64_t value)
{
    uint64_t bytes = htole64(value);
    put_raw(out, &bytes, sizeof bytes);
}

void byte_put_name(struct buf *out, struct slice name)
{
    if (name.len > UINT16_MAX) {
        out->failure = out->failure ? out->failure : ST_TOO_LARGE;
        return;
    }
    byte_put_u16(out, name.len);
    buf_add(out, name);
}

void byte_put_block(struct buf *out, struct slice block)
{
    if (block.len > UINT32_MAX) {
        out->failure = out->failure ? out->failure : ST_TOO_LARGE;
        return;
    }
    byte_put_u32(out, block.len);
    buf_add(out, block);
}

struct slice byte_get_bytes(struct byte_reader *in, size_t n)
{
    if (in->is_short || n > in->rest.len) {
        in->is_short = true;
        return (struct slice){0};
    }
    struct slice bytes = slice_first(in->rest, n);
    in->rest = slice_from(in->rest, n);
    return bytes;
}

unsigned byte_get_u8(struct byte_reader *in)
{
    struct slice bytes = byte_get_bytes(in, 1);
    return bytes.len ? (unsigned char)bytes.ptr[0] : 0;
}

unsigned byte_get_u16(struct byte_reader *in)
{
    uint16_t value = 0;
    struct slice bytes = byte_get_bytes(in, sizeof value);

    if (bytes.len)
        memcpy(&value, bytes.ptr, sizeof value);
    return le16toh(value);
}

uint32_t byte_get_u32(struct byte_reader *in)
{
    uint32_t value = 0;
    struct slice bytes = byte_get_bytes(in, sizeof value);

    if (bytes.len)
        memcpy(&value, bytes.ptr, sizeof value);
    return le32toh(value);
}

uint64_t byte_get_u64(struct byte_reader *in)
{
    uint64_t value = 0;
    struct slice bytes = byte_get_bytes(in, sizeof value);

    if (bytes.len)
        memcpy(&value, bytes.ptr, sizeof value);
    return le64toh(value);
}

struct slice byte_get_name(struct byte_reader *in)
{
    return byte_get_bytes(in, byte_get_u16(in));
}

struct slice byte_get_block(struct byte_reader *in)
{
    return byte_get_bytes(in, byte_get_u32(in));
}

enum status byte_reader_end(const struct byte_reader *in)
{
    return in->is_short || in->rest.len > 0 ? ST_BAD_PACKET : ST_OK;
}
