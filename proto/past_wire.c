/*
 * Layouts, little endian (proto/byte_io):
 *
 *   request  u8 version, u8 'T', u64 epoch, u64 through, u32 total, u8 oldest first,
 *            u16 rooms,
 *            rooms × (u8 kind, name nsp, name, u32 max, i64 since, i64 asked)
 *   answer   u8 version, u8 'T', u64 epoch, u32 count, u16 rooms,
 *            rooms × (u64 base, u64 top, u8 cut)
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
    byte_put_u64(out, request->through.epoch);
    byte_put_u64(out, request->through.seq);
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
    request->through.epoch = byte_get_u64(&in);
    request->through.seq = byte_get_u64(&in);
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

void past_answer_encode(const struct past_answer *answer, struct buf *out)
{
    put_opening(out);
    byte_put_u64(out, answer->epoch);
    byte_put_u32(out, answer->count);
    byte_put_u16(out, answer->room_count);
}

void past_range_add(struct buf *out, const struct past_range *range)
{
    byte_put_u64(out, range->base);
    byte_put_u64(out, range->top);
    byte_put_u8(out, range->is_cut);
}

static bool get_range(struct byte_reader *in, struct past_range *range)
{
    range->base = byte_get_u64(in);
    range->top = byte_get_u64(in);
    range->is_cut = byte_get_u8(in) != 0;
    if (range->base > range->top)
        in->is_short = true;
    return !in->is_short;
}

enum status past_answer_decode(struct slice bytes, struct past_answer *answer)
{
    struct byte_reader in = {.rest = bytes};
    struct past_range range;

    check_opening(&in);
    answer->epoch = byte_get_u64(&in);
    answer->count = byte_get_u32(&in);
    answer->room_count = (uint16_t)byte_get_u16(&in);
    answer->ranges = in.rest;
    for (size_t i = 0; i < answer->room_count && get_range(&in, &range); i++)
        ;
    return byte_reader_end(&in);
}

bool past_range_next(struct slice *ranges, struct past_range *range)
{
    struct byte_reader in = {.rest = *ranges};
    bool got = get_range(&in, range);

    *ranges = in.rest;
    return got;
}
