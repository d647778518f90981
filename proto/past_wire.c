/*
 * Layouts, little endian (proto/byte_io):
 *
 *   request  u8 version, u8 'T', u64 epoch, u64 after, u64 through, u32 max_bytes,
 *            u32 total, u8 oldest first, u16 rooms,
 *            rooms × (u8 kind, name nsp, name, u32 max, i64 since, i64 asked)
 *   page     u8 version, u8 'T', u64 epoch, u64 end, u64 through, block cuts,
 *            u32 count, count × (u64 seq, u32 length, envelope)
 */
#include "proto/past_wire.h"

#include "proto/byte_io.h"

enum {
    VERSION = 1,
    PAST = 'T',
};

static void put_opening(struct buf *out)
{
    byte_put_u8(out, VERSION);
    byte_put_u8(out, PAST);
}

static void check_opening(struct byte_reader *in)
{
    if (byte_get_u8(in) != VERSION || byte_get_u8(in) != PAST)
        in->is_short = true;
}

void past_request_encode(const struct past_request *request, struct buf *out)
{
    put_opening(out);
    byte_put_u64(out, request->after.epoch);
    byte_put_u64(out, request->after.seq);
    byte_put_u64(out, request->through);
    byte_put_u32(out, request->max_bytes);
    byte_put_u32(out, request->total);
    byte_put_u8(out, request->oldest_first);
    byte_put_u16(out, request->room_count);
}

void past_wish_add(struct buf *out, const struct past_wish *wish)
{
    byte_put_u8(out, wish->room.kind);
    byte_put_name(out, wish->room.nsp);
    byte_put_name(out, wish->room.name);
    byte_put_u32(out, wish->max);
    byte_put_u64(out, (uint64_t)wish->since_ms);
    byte_put_u64(out, (uint64_t)wish->asked_ms);
}

static bool get_wish(struct byte_reader *in, struct past_wish *wish)
{
    unsigned kind = byte_get_u8(in);

    if (kind >= ROOM_KIND_COUNT)
        in->is_short = true;
    wish->room.kind = (enum room_kind)kind;
    wish->room.nsp = byte_get_name(in);
    wish->room.name = byte_get_name(in);
    wish->max = byte_get_u32(in);
    wish->since_ms = (int64_t)byte_get_u64(in);
    wish->asked_ms = (int64_t)byte_get_u64(in);
    if (wish->asked_ms > wish->since_ms)
        in->is_short = true;
    return !in->is_short;
}

enum status past_request_decode(struct slice bytes, struct past_request *request)
{
    struct byte_reader in = {.rest = bytes};
    struct past_wish wish;

    check_opening(&in);
    request->after.epoch = byte_get_u64(&in);
    request->after.seq = byte_get_u64(&in);
    request->through = byte_get_u64(&in);
    request->max_bytes = byte_get_u32(&in);
    request->total = byte_get_u32(&in);
    request->oldest_first = byte_get_u8(&in) != 0;
    request->room_count = (uint16_t)byte_get_u16(&in);
    request->rooms = in.rest;
    if (request->total > LIMIT_PAST_EVENTS || request->room_count == 0 ||
        request->room_count > LIMIT_REPLAY_ROOMS)
        return ST_BAD_PACKET;
    for (size_t i = 0; i < request->room_count && get_wish(&in, &wish); i++)
        ;
    return byte_reader_end(&in);
}

bool past_wish_next(struct slice *rooms, struct past_wish *wish)
{
    struct byte_reader in = {.rest = *rooms};
    bool got = get_wish(&in, wish);

    *rooms = in.rest;
    return got;
}

void past_page_add(struct buf *items, uint64_t seq, struct slice envelope)
{
    byte_put_u64(items, seq);
    byte_put_block(items, envelope);
}

void past_page_encode(const struct past_page *page, struct buf *out)
{
    put_opening(out);
    byte_put_u64(out, page->epoch);
    byte_put_u64(out, page->end);
    byte_put_u64(out, page->through);
    byte_put_block(out, page->cuts);
    byte_put_u32(out, page->count);
    buf_add(out, page->items);
}

enum status past_page_decode(struct slice bytes, size_t room_count,
                             struct past_page *page)
{
    struct byte_reader in = {.rest = bytes};
    uint64_t last = 0;

    check_opening(&in);
    page->epoch = byte_get_u64(&in);
    page->end = byte_get_u64(&in);
    page->through = byte_get_u64(&in);
    page->cuts = byte_get_block(&in);
    page->count = byte_get_u32(&in);
    page->items = in.rest;
    for (size_t i = 0; i < page->count && !in.is_short; i++) {
        uint64_t seq = byte_get_u64(&in);
        byte_get_block(&in);
        if (seq <= last || seq > page->through)
            return ST_BAD_PACKET;
        last = seq;
    }
    if (page->epoch == 0 || page->cuts.len != room_count || page->through > page->end)
        return ST_BAD_PACKET;
    return byte_reader_end(&in);
}

bool past_page_next(struct slice *items, uint64_t *seq, struct slice *envelope)
{
    struct byte_reader in = {.rest = *items};

    *seq = byte_get_u64(&in);
    *envelope = byte_get_block(&in);
    *items = in.rest;
    return !in.is_short;
}
