/* Rows and their checksums: see the header. */
#include "proto/log_row.h"

#include "proto/byte_io.h"
#include "proto/siphash.h"

#include <endian.h>

/* Epochs have 48 bits: the checksum of a row is never that of its event. */
#define ROW_KEY ((uint64_t)1 << 63)

uint64_t log_row_checksum(const struct log_row *row)
{
    const struct hash_key place = {row->epoch | ROW_KEY, row->seq};
    const uint64_t head[] = {htole64(row->prev), htole64(row->at_ms),
                             htole64(row->body.len)};

    return siphash(&place, (struct slice){(const char *)head, sizeof head});
}

static uint64_t event_checksum(uint64_t epoch, uint64_t seq, struct slice bytes)
{
    const struct hash_key place = {epoch, seq};

    return siphash(&place, bytes);
}

void log_row_add(struct buf *body, uint64_t epoch, uint64_t prev, uint64_t seq,
                 struct slice bytes)
{
    byte_put_u32(body, seq - prev);
    byte_put_u32(body, bytes.len);
    byte_put_u64(body, event_checksum(epoch, seq, bytes));
    buf_add(body, bytes);
}

void log_row_begin(struct log_row_walk *walk, const struct log_row *row)
{
    *walk = (struct log_row_walk){.row = row, .rest = row->body, .seq = row->prev};
}

enum status log_row_next(struct log_row_walk *walk)
{
    struct byte_reader in = {.rest = walk->rest};

    if (walk->rest.len == 0)
        return ST_NOT_FOUND;
    uint64_t seq = walk->row->prev + byte_get_u32(&in);
    size_t len = byte_get_u32(&in);
    walk->sum = byte_get_u64(&in);
    walk->bytes = byte_get_bytes(&in, len);
    if (in.is_short || seq <= walk->seq || seq > walk->row->seq)
        return ST_BAD_PACKET;
    walk->seq = seq;
    walk->rest = in.rest;
    return ST_OK;
}

bool log_row_is_sound(const struct log_row_walk *walk)
{
    return walk->sum == event_checksum(walk->row->epoch, walk->seq, walk->bytes);
}

uint64_t log_note_checksum(uint64_t table, struct slice name, uint64_t at_ms,
                           struct slice bytes)
{
    const struct hash_key place = {table, name.len};
    const uint64_t head[] = {htole64(at_ms), siphash(&place, name), htole64(bytes.len)};
    struct hash_key key = place;

    /* The head's checksum is the key of the body's: nothing is copied together. */
    key.k0 = siphash(&place, (struct slice){(const char *)head, sizeof head});
    return siphash(&key, bytes);
}
