/* Binary packets: see the header. */
#include "proto/sio_attachments.h"

#include "proto/binary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* {"_placeholder":true,"num":} and the digits; and of the head: 4, 5, the count, - */
    PLACEHOLDER_BYTES = 32,
    HEAD_BYTES = 8,
    MAX_KEY_BYTES = 96, /* of "_placeholder" with every character escaped */
    /* A template may put what passed the gate into objects of its own. */
    MAX_DEPTH = LIMIT_JSON_DEPTH + LIMIT_CONFIG_DEPTH
};

/* Attachments one behind the other. */
struct attached {
    unsigned count;
    const size_t *ends;
    struct slice bytes;
};

/* --- placeholders: an object with "_placeholder":true, whatever else it has */

enum member {
    MEMBER_OTHER,
    MEMBER_PLACEHOLDER,
    MEMBER_NUM
};

/* An open container. */
struct level {
    const char *from;
    size_t out_len; /* what had been written before it */
    bool is_object;
    bool is_at_key;
    bool is_placeholder;
    bool has_placeholder; /* somewhere in it */
    bool has_num;
    uint64_t num;
    enum member member; /* that is being read */
};

struct filling {
    const struct attached *attached;
    struct buf *out;    /* NULL: only looks */
    const char *copied; /* what stands before it has been written, or replaced */
    const char *bad;    /* a placeholder that stands for nothing */
    size_t depth;
    struct level levels[MAX_DEPTH + 1]; /* the first is no container */
};

static void copy_up_to(struct filling *filling, const char *at)
{
    if (filling->out && at > filling->copied)
        buf_add(filling->out,
                (struct slice){filling->copied, (size_t)(at - filling->copied)});
    filling->copied = at;
}

static struct slice attachment(const struct attached *attached, uint64_t i)
{
    size_t from = i == 0 ? 0 : attached->ends[i - 1];

    return slice_first(slice_from(attached->bytes, from), attached->ends[i] - from);
}

static void open_container(struct filling *filling, const char *at)
{
    if (filling->depth == MAX_DEPTH) {
        filling->bad = at;
        return;
    }
    struct level *level = &filling->levels[++filling->depth];
    copy_up_to(filling, at);
    *level = (struct level){.from = at,
                            .out_len = filling->out ? filling->out->len : 0,
                            .is_object = *at == '{',
                            .is_at_key = *at == '{'};
}

/*
 * Everything that was written of a placeholder, and of what is in it, is taken back. What
 * would be taken back with it is no other placeholder, or each level of them would cost
 * as much as a whole message.
 */
static void close_container(struct filling *filling, const char *end)
{
    const struct level *level = &filling->levels[filling->depth--];
    struct level *around = &filling->levels[filling->depth];

    around->has_placeholder |= level->is_placeholder || level->has_placeholder;
    if (!level->is_placeholder)
        return;
    if (!level->has_num || level->num >= filling->attached->count ||
        level->has_placeholder) {
        filling->bad = level->from;
        return;
    }
    filling->copied = end;
    if (!filling->out || buf_status(filling->out))
        return;
    filling->out->len = level->out_len;
    binary_add_object(attachment(filling->attached, level->num), filling->out);
}

static enum member member_of(struct slice key)
{
    char memory[MAX_KEY_BYTES];

    if (key.len > sizeof memory)
        return MEMBER_OTHER;
    struct slice name = json_key_decode(key, memory);
    if (slice_is(name, "_placeholder"))
        return MEMBER_PLACEHOLDER;
    return slice_is(name, "num") ? MEMBER_NUM : MEMBER_OTHER;
}

static const char *take_string(struct filling *filling, const char *at, const char *end)
{
    struct level *level = &filling->levels[filling->depth];
    const char *from = at + 1;

    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && end - at > 1)
            at++;
    if (level->is_at_key)
        level->member = member_of((struct slice){from, (size_t)(at - from)});
    level->is_at_key = false;
    return at < end ? at + 1 : end;
}

/* A number, true, false or null. */
static const char *take_word(struct filling *filling, const char *at, const char *end)
{
    struct level *level = &filling->levels[filling->depth];
    const char *from = at++;

    while (at < end && !strchr(",]} \n\r\t", *at))
        at++;
    if (level->member == MEMBER_PLACEHOLDER)
        level->is_placeholder = *from == 't';
    if (level->member == MEMBER_NUM)
        level->has_num =
            json_number_to_u64((struct slice){from, (size_t)(at - from)}, &level->num);
    return at;
}

static const char *take(struct filling *filling, const char *at, const char *end)
{
    struct level *level = &filling->levels[filling->depth];

    switch (*at) {
    case '{':
    case '[': open_container(filling, at); return at + 1;
    case '}':
    case ']': close_container(filling, at + 1); return at + 1;
    case '"': return take_string(filling, at, end);
    case ',':
        level->is_at_key = level->is_object;
        level->member = MEMBER_OTHER;
        return at + 1;
    case ':':
    case ' ':
    case '\t':
    case '\n':
    case '\r': return at + 1;
    default: return take_word(filling, at, end);
    }
}

/* Copies `json` to `out`, or only looks at it (NULL). Where a placeholder stands for
 * nothing; NULL: nowhere. */
static const char *fill_in(struct slice json, const struct attached *attached,
                           struct buf *out)
{
    struct filling filling = {.attached = attached, .out = out, .copied = json.ptr};
    const char *end = json.ptr + json.len;

    for (const char *at = json.ptr; at < end && !filling.bad;)
        at = take(&filling, at, end);
    copy_up_to(&filling, end);
    return filling.bad;
}

/* --- out */

enum status sio_may_attach(struct slice json, const char **bad)
{
    static const struct attached nothing;
    struct binary_spot spot;
    size_t count = 0;

    for (size_t at = 0; binary_next(json, &at, &spot);) {
        *bad = spot.object.ptr;
        if (++count > LIMIT_ATTACHMENTS)
            return ST_LIMIT;
    }
    if (count == 0)
        return ST_OK;
    *bad = fill_in(json, &nothing, NULL);
    return *bad ? ST_BAD_PAYLOAD : ST_OK;
}

/* Where the payload of a packet that we encoded begins: behind a namespace and digits. */
static size_t payload_at(struct slice packet)
{
    size_t at = 2;

    if (packet.ptr[at] == '/')
        while (packet.ptr[at] != ',')
            at++;
    while (packet.ptr[at] != '[')
        at++;
    return at;
}

/* The bytes of each object that is base64, and which they are. */
static enum status add_attachments(struct slice payload, struct buf *packet,
                                   struct sio_parts *parts, struct slice *objects)
{
    struct binary_spot spot;

    for (size_t at = 0; binary_next(payload, &at, &spot);) {
        size_t from = packet->len;
        if (!binary_add_bytes(&spot, packet))
            continue;
        if (parts->count == LIMIT_ATTACHMENTS)
            return ST_LIMIT;
        objects[parts->count] = spot.object;
        parts->attachments[parts->count++] = slice_from(buf_slice(packet), from);
    }
    return buf_status(packet);
}

/* "45" and the count for "42", and so on; a placeholder for each object. */
static void add_text(struct slice plain, const struct slice *objects, struct buf *packet,
                     struct sio_parts *parts)
{
    size_t from = packet->len;
    const char *copied = plain.ptr + 2;

    buf_add_byte(packet, plain.ptr[0]);
    buf_add_byte(packet, (char)(plain.ptr[1] + SIO_BINARY_EVENT - SIO_EVENT));
    buf_add_u64(packet, parts->count);
    buf_add_byte(packet, '-');
    for (size_t i = 0; i < parts->count; i++) {
        buf_add(packet, (struct slice){copied, (size_t)(objects[i].ptr - copied)});
        buf_add_text(packet, "{\"_placeholder\":true,\"num\":");
        buf_add_u64(packet, i);
        buf_add_byte(packet, '}');
        copied = objects[i].ptr + objects[i].len;
    }
    buf_add(packet, slice_from(plain, (size_t)(copied - plain.ptr)));
    parts->text = slice_from(buf_slice(packet), from);
}

enum status sio_attach(struct buf *packet, struct sio_parts *parts)
{
    struct slice plain = buf_slice(packet);
    struct slice objects[LIMIT_ATTACHMENTS] = {0};

    *parts = (struct sio_parts){.text = plain};
    if (buf_status(packet))
        return buf_status(packet);
    struct slice payload = slice_from(plain, payload_at(plain));
    size_t count = binary_count(payload);
    if (count == 0)
        return ST_OK;
    if (count > LIMIT_ATTACHMENTS)
        return ST_LIMIT;
    /* All at once: nothing that points there may move. What is decoded is shorter than
     * the object that it makes room for. */
    if (!buf_reserve(packet, plain.len + count * PLACEHOLDER_BYTES + HEAD_BYTES))
        return buf_status(packet);
    parts->text = plain = slice_first(buf_slice(packet), plain.len);
    payload = slice_from(plain, payload_at(plain));
    enum status st = add_attachments(payload, packet, parts, objects);
    if (!st && parts->count > 0)
        add_text(plain, objects, packet, parts);
    return st ? st : buf_status(packet);
}

/* --- in */

struct sio_incoming {
    struct sio_packet packet; /* its slices are of `text` */
    unsigned count;           /* of attachments that came */
    size_t ends[LIMIT_ATTACHMENTS];
    struct buf bytes;
    char text[]; /* the namespace, the payload */
};

static struct slice keep(char **at, struct slice text)
{
    struct slice kept = {*at, text.len};

    if (text.len)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return kept;
}

enum status sio_incoming_create(const struct sio_packet *packet, size_t max_bytes,
                                struct sio_incoming **incoming)
{
    static const size_t no_ends[LIMIT_ATTACHMENTS];
    const struct attached announced = {packet->attachments, no_ends, {0}};

    assert(packet->attachments > 0 && packet->attachments <= LIMIT_ATTACHMENTS);
    if (fill_in(packet->json, &announced, NULL))
        return ST_BAD_PACKET;
    struct sio_incoming *made = malloc(sizeof *made + packet->nsp.len + packet->json.len);
    if (!made)
        return ST_NO_MEMORY;
    *made = (struct sio_incoming){.packet = *packet, .bytes = {.max = max_bytes}};
    char *at = made->text;
    made->packet.nsp = keep(&at, packet->nsp);
    made->packet.json = keep(&at, packet->json);
    *incoming = made;
    return ST_OK;
}

void sio_incoming_destroy(struct sio_incoming *incoming)
{
    if (!incoming)
        return;
    buf_finish(&incoming->bytes);
    free(incoming);
}

enum status sio_incoming_add(struct sio_incoming *incoming, struct slice bytes)
{
    assert(!sio_incoming_is_whole(incoming));
    buf_add(&incoming->bytes, bytes);
    incoming->ends[incoming->count++] = incoming->bytes.len;
    return buf_status(&incoming->bytes);
}

bool sio_incoming_is_whole(const struct sio_incoming *incoming)
{
    return incoming->count == incoming->packet.attachments;
}

void sio_incoming_finish(const struct sio_incoming *incoming, struct buf *json,
                         struct sio_packet *packet)
{
    const struct attached attached = {incoming->count, incoming->ends,
                                      buf_slice(&incoming->bytes)};
    size_t from = json->len;

    *packet = incoming->packet;
    fill_in(incoming->packet.json, &attached, json);
    packet->json = slice_from(buf_slice(json), from);
}
