/*
 * The envelope's bytes. Little endian, no alignment:
 *
 *   u8  version (1)
 *   u8  kind
 *   u8  flags
 *   i64 at_ms
 *   i64 accepted_us
 *   u32 ttl_ms
 *   u16 number of targets
 *   u16 number of except
 *   names  (u16 length, bytes): id, nsp, event, event_json, request_id
 *   values (u32 length, bytes): data, args, meta
 *   targets (u8 kind, u16 length, bytes)
 *   except (u16 length, bytes)
 *
 * One envelope has one encoding, and nothing follows it.
 */
#include "proto/envelope.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum {
    VERSION = 1,
    FIXED_BYTES = 3 + 8 + 8 + 4 + 2 + 2,
    NAMES = 5,
    VALUES = 3,
    KNOWN_FLAGS = ENVELOPE_VOLATILE | ENVELOPE_HISTORY | ENVELOPE_BINARY,
    /* Each byte of the name as \u00xx, and the quotes. */
    MAX_EVENT_JSON = 6 * LIMIT_EVENT_NAME_BYTES + 2,
};

/* Where the slices stand in the struct, in the order of the bytes, and their ceilings. */
struct part {
    size_t offset;
    size_t max;
};

static const struct part names[NAMES] = {
    {offsetof(struct envelope, id),         LIMIT_EVENT_ID_BYTES  },
    {offsetof(struct envelope, nsp),        LIMIT_NAMESPACE_BYTES },
    {offsetof(struct envelope, event),      LIMIT_EVENT_NAME_BYTES},
    {offsetof(struct envelope, event_json), MAX_EVENT_JSON        },
    {offsetof(struct envelope, request_id), LIMIT_REQUEST_ID_BYTES},
};

static const struct part values[VALUES] = {
    {offsetof(struct envelope, data), LIMIT_PUBLISH_BYTES},
    {offsetof(struct envelope, args), LIMIT_PUBLISH_BYTES},
    {offsetof(struct envelope, meta), LIMIT_META_BYTES   },
};

static const struct slice *part_of(const struct envelope *envelope,
                                   const struct part *part)
{
    return (const struct slice *)((const char *)envelope + part->offset);
}

static struct slice *part_to_fill(struct envelope *envelope, const struct part *part)
{
    return (struct slice *)((char *)envelope + part->offset);
}

static char *put_u16(char *at, size_t value)
{
    uint16_t bytes = htole16((uint16_t)value);
    memcpy(at, &bytes, sizeof bytes);
    return at + sizeof bytes;
}

static char *put_u32(char *at, size_t value)
{
    uint32_t bytes = htole32((uint32_t)value);
    memcpy(at, &bytes, sizeof bytes);
    return at + sizeof bytes;
}

static char *put_u64(char *at, uint64_t value)
{
    uint64_t bytes = htole64(value);
    memcpy(at, &bytes, sizeof bytes);
    return at + sizeof bytes;
}

static char *put_bytes(char *at, struct slice bytes)
{
    if (bytes.len > 0)
        memcpy(at, bytes.ptr, bytes.len);
    return at + bytes.len;
}

static char *put_name(char *at, struct slice name)
{
    assert(name.len <= UINT16_MAX);
    return put_bytes(put_u16(at, name.len), name);
}

static char *put_value(char *at, struct slice value)
{
    assert(value.len <= UINT32_MAX);
    return put_bytes(put_u32(at, value.len), value);
}

static size_t encoded_size(const struct envelope *envelope)
{
    size_t size = FIXED_BYTES;

    for (size_t i = 0; i < NAMES; i++)
        size += 2 + part_of(envelope, &names[i])->len;
    for (size_t i = 0; i < VALUES; i++)
        size += 4 + part_of(envelope, &values[i])->len;
    for (size_t i = 0; i < envelope->target_count; i++)
        size += 3 + envelope->targets[i].name.len;
    for (size_t i = 0; i < envelope->except_count; i++)
        size += 2 + envelope->except[i].len;
    return size;
}

void envelope_encode(const struct envelope *envelope, struct buf *out)
{
    assert(envelope->target_count > 0 && envelope->target_count <= LIMIT_TARGETS);
    assert(envelope->except_count <= LIMIT_EXCEPT);

    size_t size = encoded_size(envelope);
    char *start = buf_reserve(out, size);
    if (!start)
        return;

    char *at = start;
    *at++ = VERSION;
    *at++ = (char)envelope->kind;
    *at++ = (char)envelope->flags;
    at = put_u64(at, (uint64_t)envelope->at_ms);
    at = put_u64(at, (uint64_t)envelope->accepted_us);
    at = put_u32(at, envelope->ttl_ms);
    at = put_u16(at, envelope->target_count);
    at = put_u16(at, envelope->except_count);
    for (size_t i = 0; i < NAMES; i++)
        at = put_name(at, *part_of(envelope, &names[i]));
    for (size_t i = 0; i < VALUES; i++)
        at = put_value(at, *part_of(envelope, &values[i]));
    for (size_t i = 0; i < envelope->target_count; i++) {
        *at++ = (char)envelope->targets[i].kind;
        at = put_name(at, envelope->targets[i].name);
    }
    for (size_t i = 0; i < envelope->except_count; i++)
        at = put_name(at, envelope->except[i]);
    assert(at == start + size);
    buf_grew(out, size);
}

/* Reads on; once the bytes have ended early, all it gives is zeros. */
struct reader {
    struct slice rest;
    bool has_failed;
};

static uint64_t get_number(struct reader *reader, size_t bytes)
{
    uint64_t value = 0;

    if (reader->rest.len < bytes) {
        reader->has_failed = true;
        return 0;
    }
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | (unsigned char)reader->rest.ptr[i];
    reader->rest = slice_from(reader->rest, bytes);
    return value;
}

static struct slice get_bytes(struct reader *reader, size_t len, size_t max)
{
    if (len > max || len > reader->rest.len) {
        reader->has_failed = true;
        return (struct slice){0};
    }
    if (len == 0)
        return (struct slice){0};
    struct slice bytes = slice_first(reader->rest, len);
    reader->rest = slice_from(reader->rest, len);
    return bytes;
}

static struct slice get_name(struct reader *reader, size_t max)
{
    return get_bytes(reader, get_number(reader, 2), max);
}

static bool target_is_valid(const struct envelope_target *target)
{
    switch (target->kind) {
    case ROOM_NAMED: return room_name_is_valid(target->name);
    case ROOM_USER: return user_id_is_valid(target->name);
    case ROOM_SOCKET: return socket_sid_is_valid(target->name);
    case ROOM_ALL: return target->name.len == 0;
    case ROOM_KIND_COUNT: break;
    }
    return false;
}

static bool get_lists(struct reader *reader, struct envelope_room *room,
                      const struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->target_count; i++) {
        uint64_t kind = get_number(reader, 1);
        if (kind >= ROOM_KIND_COUNT)
            return false;
        room->targets[i].kind = (enum room_kind)kind;
        room->targets[i].name = get_name(reader, LIMIT_ROOM_BYTES);
        if (reader->has_failed || !target_is_valid(&room->targets[i]))
            return false;
    }
    for (size_t i = 0; i < envelope->except_count; i++) {
        room->except[i] = get_name(reader, LIMIT_SIO_SID_BYTES);
        if (!socket_sid_is_valid(room->except[i]))
            return false;
    }
    return true;
}

/* What holds between the parts of every envelope that we encode. */
static bool is_whole(const struct envelope *envelope)
{
    bool is_event = envelope->kind == ENVELOPE_EVENT;

    return namespace_is_valid(envelope->nsp) && envelope->id.len > 0 &&
           (!is_event || (envelope->event.len > 0 && envelope->event_json.len > 2)) &&
           (envelope->data.len == 0 || envelope->args.len == 0);
}

bool envelope_is_volatile(struct slice bytes)
{
    enum {
        FLAGS_AT = 2
    };

    return bytes.len > FLAGS_AT && (bytes.ptr[FLAGS_AT] & ENVELOPE_VOLATILE);
}

enum status envelope_decode(struct slice bytes, struct envelope_room *room,
                            struct envelope *envelope)
{
    struct reader reader = {.rest = bytes};

    uint64_t version = get_number(&reader, 1);
    uint64_t kind = get_number(&reader, 1);
    uint64_t flags = get_number(&reader, 1);
    if (version != VERSION || kind > ENVELOPE_PROBE || flags & ~KNOWN_FLAGS)
        return ST_BAD_PACKET;

    *envelope = (struct envelope){
        .kind = (enum envelope_kind)kind,
        .flags = (unsigned)flags,
        .targets = room->targets,
        .except = room->except,
    };
    envelope->at_ms = (int64_t)get_number(&reader, 8);
    envelope->accepted_us = (int64_t)get_number(&reader, 8);
    envelope->ttl_ms = (uint32_t)get_number(&reader, 4);
    envelope->target_count = get_number(&reader, 2);
    envelope->except_count = get_number(&reader, 2);
    if (envelope->target_count == 0 || envelope->target_count > LIMIT_TARGETS ||
        envelope->except_count > LIMIT_EXCEPT)
        return ST_BAD_PACKET;

    for (size_t i = 0; i < NAMES; i++)
        *part_to_fill(envelope, &names[i]) = get_name(&reader, names[i].max);
    for (size_t i = 0; i < VALUES; i++)
        *part_to_fill(envelope, &values[i]) =
            get_bytes(&reader, get_number(&reader, 4), values[i].max);
    if (reader.has_failed || !get_lists(&reader, room, envelope))
        return ST_BAD_PACKET;
    if (reader.has_failed || reader.rest.len > 0 || !is_whole(envelope))
        return ST_BAD_PACKET;
    return ST_OK;
}
