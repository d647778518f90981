/*
 * Layouts, little endian (proto/byte_io):
 *
 *   frame    u8 version, u8 'E', u16 count, u64 epoch, u64 first, i64 sent_us,
 *            count × (u32 length, envelope)
 *   request  u8 version, u8 'Q', u64 epoch, u64 after, u64 through, u32 max_bytes,
 *            u16 rooms, rooms × (u8 kind, name nsp, name)
 *   page     u8 version, u8 'P', u64 epoch, u64 head, u64 floor, u64 through, u32 count,
 *            count × (u64 seq, u32 length, envelope)
 */
#include "proto/bus_wire.h"

#include "proto/byte_io.h"

#include <string.h>

enum {
    VERSION = 1,
    FRAME = 'E',
    REQUEST = 'Q',
    PAGE = 'P',
};

static void check_opening(struct byte_reader *in, unsigned kind)
{
    if (byte_get_u8(in) != VERSION || byte_get_u8(in) != kind)
        in->is_short = true;
}

void bus_frame_encode(const struct bus_frame *frame, struct buf *out)
{
    byte_put_u8(out, VERSION);
    byte_put_u8(out, FRAME);
    byte_put_u16(out, frame->span.count);
    byte_put_u64(out, frame->span.epoch);
    byte_put_u64(out, frame->span.first);
    byte_put_u64(out, (uint64_t)frame->sent_us);
}

void bus_frame_add(struct buf *out, struct slice envelope)
{
    byte_put_block(out, envelope);
}

enum status bus_frame_decode(struct slice bytes, struct bus_frame *frame)
{
    struct byte_reader in = {.rest = bytes};

    check_opening(&in, FRAME);
    frame->span.count = byte_get_u16(&in);
    frame->span.epoch = byte_get_u64(&in);
    frame->span.first = byte_get_u64(&in);
    frame->sent_us = (int64_t)byte_get_u64(&in);
    frame->blocks = in.rest;
    for (size_t i = 0; i < frame->span.count && !in.is_short; i++)
        byte_get_block(&in);
    if (frame->span.epoch == 0 || frame->span.first == 0 ||
        frame->span.first > UINT64_MAX - frame->span.count)
        return ST_BAD_PACKET;
    return byte_reader_end(&in);
}

bool bus_frame_next(struct slice *blocks, struct slice *envelope)
{
    struct byte_reader in = {.rest = *blocks};

    *envelope = byte_get_block(&in);
    *blocks = in.rest;
    return !in.is_short;
}

void replay_request_encode(const struct replay_request *request, struct buf *out)
{
    byte_put_u8(out, VERSION);
    byte_put_u8(out, REQUEST);
    byte_put_u64(out, request->after.epoch);
    byte_put_u64(out, request->after.seq);
    byte_put_u64(out, request->through);
    byte_put_u32(out, request->max_bytes);
    byte_put_u16(out, request->room_count);
}

void replay_room_add(struct buf *out, const struct room_key *room)
{
    byte_put_u8(out, room->kind);
    byte_put_name(out, room->nsp);
    byte_put_name(out, room->name);
}

void replay_base_add(struct buf *out, uint64_t base)
{
    byte_put_u64(out, base);
}

static bool get_room(struct byte_reader *in, struct room_key *room, uint64_t *base)
{
    unsigned kind = byte_get_u8(in);

    if (kind >= ROOM_KIND_COUNT)
        in->is_short = true;
    room->kind = (enum room_kind)kind;
    room->nsp = byte_get_name(in);
    room->name = byte_get_name(in);
    *base = byte_get_u64(in);
    return !in->is_short;
}

enum status replay_request_decode(struct slice bytes, struct replay_request *request)
{
    struct byte_reader in = {.rest = bytes};
    struct room_key room;
    uint64_t base;

    check_opening(&in, REQUEST);
    request->after.epoch = byte_get_u64(&in);
    request->after.seq = byte_get_u64(&in);
    request->through = byte_get_u64(&in);
    request->max_bytes = byte_get_u32(&in);
    request->room_count = (uint16_t)byte_get_u16(&in);
    request->rooms = in.rest;
    for (size_t i = 0; i < request->room_count && get_room(&in, &room, &base); i++)
        ;
    return byte_reader_end(&in);
}

bool replay_room_next(struct slice *rooms, struct room_key *room, uint64_t *base)
{
    struct byte_reader in = {.rest = *rooms};
    bool got = get_room(&in, room, base);

    *rooms = in.rest;
    return got;
}

void replay_page_encode(const struct replay_page *page, char out[REPLAY_PAGE_HEAD_BYTES])
{
    struct buf head = {.max = REPLAY_PAGE_HEAD_BYTES, .cap = REPLAY_PAGE_HEAD_BYTES};

    head.ptr = out; /* full capacity: nothing is allocated */
    byte_put_u8(&head, VERSION);
    byte_put_u8(&head, PAGE);
    byte_put_u64(&head, page->head.epoch);
    byte_put_u64(&head, page->head.seq);
    byte_put_u64(&head, page->floor);
    byte_put_u64(&head, page->through);
    byte_put_u32(&head, page->count);
}

void replay_page_add(struct buf *out, uint64_t seq, struct slice envelope)
{
    byte_put_u64(out, seq);
    byte_put_block(out, envelope);
}

enum status replay_page_decode(struct slice bytes, struct replay_page *page)
{
    struct byte_reader in = {.rest = bytes};
    uint64_t last = 0;

    check_opening(&in, PAGE);
    page->head.epoch = byte_get_u64(&in);
    page->head.seq = byte_get_u64(&in);
    page->floor = byte_get_u64(&in);
    page->through = byte_get_u64(&in);
    page->count = byte_get_u32(&in);
    page->items = in.rest;
    for (size_t i = 0; i < page->count && !in.is_short; i++) {
        uint64_t seq = byte_get_u64(&in);
        byte_get_block(&in);
        if (seq <= last || seq > page->through)
            return ST_BAD_PACKET;
        last = seq;
    }
    if (page->head.epoch == 0)
        return ST_BAD_PACKET;
    return byte_reader_end(&in);
}

bool replay_page_next(struct slice *items, uint64_t *seq, struct slice *envelope)
{
    struct byte_reader in = {.rest = *items};

    *seq = byte_get_u64(&in);
    *envelope = byte_get_block(&in);
    *items = in.rest;
    return !in.is_short;
}

void replay_mark_add(struct buf *out, uint64_t mark)
{
    byte_put_u64(out, mark);
}

bool replay_page_marks(const struct replay_page *page, uint64_t *marks, size_t count)
{
    struct slice items = page->items, block = {0};
    uint64_t seq;

    if (page->count != 1 || !replay_page_next(&items, &seq, &block))
        return false;
    struct byte_reader in = {.rest = block};
    for (size_t i = 0; i < count; i++)
        marks[i] = byte_get_u64(&in);
    return byte_reader_end(&in) == ST_OK;
}
