/*
 * Layouts, little endian (proto/byte_io); a name is u16 length and bytes:
 *
 *   request  u8 version, u8 'D', name gateway, u64 incarnation, u64 number, u64 meeting,
 *            u32 count, ops
 *   lease    u8 0, u32 pid, u8 ready, u8 settled, u16 counters, u64 each
 *   put      u8 1, session
 *   drop     u8 2, name sid, u64 generation
 *   find     u8 3, name pid
 *   publish  u8 4, u64 serial, u8 volatile, u32 length, envelope
 *   seen     u8 5, name nsp, name user
 *   park     u8 6, name sid, u64 generation, u64 epoch, u64 proven
 *   prove    u8 7, u64 epoch, u32 count, count × (name sid, u64 seq)
 *   leave    u8 8
 *   session  names sid pid nsp user, u64 generation, u64 epoch, u64 proven, u16 rooms,
 *            rooms × (name, u64 joined_seq)
 *   answer   u8 version, u8 'A', u64 incarnation, u64 number, u64 meeting, u8 standing,
 *            u32 count, u16 moved, moved × (name sid, u64 generation), results
 *   result   u8 outcome, u8 kind; then of a session name gateway, session; of a
 *            position u64 epoch, u64 seq; of a user that was seen u64 ms
 *   record   u8 version, u8 'R', name gateway, u8 parked, session
 *   published u8 version, u8 'P', u64 incarnation, u64 last serial, u64 first refused,
 *            u64 last refused
 */
#include "proto/directory_wire.h"

#include "proto/byte_io.h"

enum {
    VERSION = 3,
    KEPT_VERSION = 2, /* of what lies in the log */
    REQUEST = 'D',
    ANSWER = 'A',
    RECORD = 'R',
    PUBLISHED = 'P',
};

void directory_request_encode(const struct directory_request *request, struct buf *out)
{
    byte_put_u8(out, VERSION);
    byte_put_u8(out, REQUEST);
    byte_put_name(out, request->gateway);
    byte_put_u64(out, request->incarnation);
    byte_put_u64(out, request->number);
    byte_put_u64(out, request->meeting);
    byte_put_u32(out, request->count);
}

void directory_lease_encode(const struct directory_op *op, size_t counters,
                            struct buf *out)
{
    byte_put_u8(out, DIRECTORY_LEASE);
    byte_put_u32(out, op->pid);
    byte_put_u8(out, op->is_ready);
    byte_put_u8(out, op->is_settled);
    byte_put_u16(out, counters);
}

void wire_counter_add(struct buf *out, uint64_t value)
{
    byte_put_u64(out, value);
}

static void put_session(const struct wire_session *session, struct buf *out)
{
    byte_put_name(out, session->sid);
    byte_put_name(out, session->pid);
    byte_put_name(out, session->nsp);
    byte_put_name(out, session->user);
    byte_put_u64(out, session->generation);
    byte_put_u64(out, session->epoch);
    byte_put_u64(out, session->proven);
    byte_put_u16(out, session->room_count);
}

void directory_put_encode(const struct wire_session *session, struct buf *out)
{
    byte_put_u8(out, DIRECTORY_PUT);
    put_session(session, out);
}

void wire_named_add(struct buf *out, struct slice name, uint64_t number)
{
    byte_put_name(out, name);
    byte_put_u64(out, number);
}

void directory_drop_encode(struct slice sid, uint64_t generation, struct buf *out)
{
    byte_put_u8(out, DIRECTORY_DROP);
    byte_put_name(out, sid);
    byte_put_u64(out, generation);
}

void directory_park_encode(const struct wire_session *session, struct buf *out)
{
    byte_put_u8(out, DIRECTORY_PARK);
    byte_put_name(out, session->sid);
    byte_put_u64(out, session->generation);
    byte_put_u64(out, session->epoch);
    byte_put_u64(out, session->proven);
}

void directory_prove_encode(uint64_t epoch, uint32_t count, struct buf *out)
{
    byte_put_u8(out, DIRECTORY_PROVE);
    byte_put_u64(out, epoch);
    byte_put_u32(out, count);
}

void directory_leave_encode(struct buf *out)
{
    byte_put_u8(out, DIRECTORY_LEAVE);
}

void directory_find_encode(struct slice pid, struct buf *out)
{
    byte_put_u8(out, DIRECTORY_FIND);
    byte_put_name(out, pid);
}

void directory_publish_encode(uint64_t serial, bool is_volatile, struct slice envelope,
                              struct buf *out)
{
    byte_put_u8(out, DIRECTORY_PUBLISH);
    byte_put_u64(out, serial);
    byte_put_u8(out, is_volatile);
    byte_put_block(out, envelope);
}

void directory_seen_encode(struct slice nsp, struct slice user, struct buf *out)
{
    byte_put_u8(out, DIRECTORY_SEEN);
    byte_put_name(out, nsp);
    byte_put_name(out, user);
}

/* A number that stands for one of `count` values, or a question with two answers. */
static unsigned get_choice(struct byte_reader *in, unsigned count)
{
    unsigned value = byte_get_u8(in);

    if (value >= count)
        in->is_short = true;
    return in->is_short ? 0 : value;
}

static void get_named(struct byte_reader *in, struct wire_named *item)
{
    item->name = byte_get_name(in);
    item->number = byte_get_u64(in);
}

/* Lends all of them, each whole. */
static struct slice get_all_named(struct byte_reader *in, size_t count)
{
    struct slice all = in->rest;
    struct wire_named item;

    for (size_t i = 0; i < count && !in->is_short; i++)
        get_named(in, &item);
    all.len -= in->rest.len;
    return all;
}

static void get_session(struct byte_reader *in, struct wire_session *session)
{
    session->sid = byte_get_name(in);
    session->pid = byte_get_name(in);
    session->nsp = byte_get_name(in);
    session->user = byte_get_name(in);
    session->generation = byte_get_u64(in);
    session->epoch = byte_get_u64(in);
    session->proven = byte_get_u64(in);
    session->room_count = (uint16_t)byte_get_u16(in);
    session->rooms = get_all_named(in, session->room_count);
    if (session->sid.len == 0 && !in->is_short)
        in->is_short = true;
}

static bool get_op(struct byte_reader *in, struct directory_op *op)
{
    *op = (struct directory_op){
        .kind = (enum directory_op_kind)get_choice(in, DIRECTORY_OP_COUNT)};
    switch (op->kind) {
    case DIRECTORY_LEASE:
        op->pid = byte_get_u32(in);
        op->is_ready = get_choice(in, 2);
        op->is_settled = get_choice(in, 2);
        op->counters = byte_get_bytes(in, 8 * (size_t)byte_get_u16(in));
        break;
    case DIRECTORY_PUT: get_session(in, &op->session); break;
    case DIRECTORY_DROP:
        op->session.sid = byte_get_name(in);
        op->session.generation = byte_get_u64(in);
        break;
    case DIRECTORY_FIND: op->session.pid = byte_get_name(in); break;
    case DIRECTORY_PUBLISH:
        op->serial = byte_get_u64(in);
        op->is_volatile = get_choice(in, 2);
        op->envelope = byte_get_block(in);
        break;
    case DIRECTORY_SEEN:
        op->session.nsp = byte_get_name(in);
        op->session.user = byte_get_name(in);
        break;
    case DIRECTORY_PARK:
        op->session.sid = byte_get_name(in);
        op->session.generation = byte_get_u64(in);
        op->session.epoch = byte_get_u64(in);
        op->session.proven = byte_get_u64(in);
        break;
    case DIRECTORY_PROVE:
        op->session.epoch = byte_get_u64(in);
        op->proof_count = byte_get_u32(in);
        op->proofs = get_all_named(in, op->proof_count);
        break;
    case DIRECTORY_LEAVE:
    case DIRECTORY_OP_COUNT: break;
    }
    return !in->is_short;
}

/* The first two bytes: our version, and what kind of message it is. */
static bool get_head(struct byte_reader *in, unsigned wanted, unsigned kind)
{
    unsigned version = byte_get_u8(in);
    unsigned got = byte_get_u8(in);

    return version == wanted && got == kind;
}

enum status directory_request_decode(struct slice bytes,
                                     struct directory_request *request)
{
    struct byte_reader in = {.rest = bytes};
    struct directory_op op;

    if (!get_head(&in, VERSION, REQUEST))
        return ST_BAD_PACKET;
    request->gateway = byte_get_name(&in);
    request->incarnation = byte_get_u64(&in);
    request->number = byte_get_u64(&in);
    request->meeting = byte_get_u64(&in);
    request->count = byte_get_u32(&in);
    request->ops = in.rest;
    for (size_t i = 0; i < request->count && get_op(&in, &op); i++)
        ;
    return request->gateway.len ? byte_reader_end(&in) : ST_BAD_PACKET;
}

bool directory_op_next(struct slice *ops, struct directory_op *op)
{
    struct byte_reader in = {.rest = *ops};
    bool got = get_op(&in, op);

    *ops = in.rest;
    return got;
}

bool wire_named_next(struct slice *items, struct wire_named *item)
{
    struct byte_reader in = {.rest = *items};

    get_named(&in, item);
    *items = in.rest;
    return !in.is_short;
}

bool wire_counter_next(struct slice *counters, uint64_t *value)
{
    struct byte_reader in = {.rest = *counters};

    *value = byte_get_u64(&in);
    *counters = in.rest;
    return !in.is_short;
}

void directory_answer_encode(const struct directory_answer *answer, struct buf *out)
{
    byte_put_u8(out, VERSION);
    byte_put_u8(out, ANSWER);
    byte_put_u64(out, answer->incarnation);
    byte_put_u64(out, answer->number);
    byte_put_u64(out, answer->meeting);
    byte_put_u8(out, answer->standing);
    byte_put_u32(out, answer->count);
    byte_put_u16(out, answer->moved_count);
}

void directory_result_encode(const struct directory_result *result, struct buf *out)
{
    byte_put_u8(out, result->outcome);
    byte_put_u8(out, result->kind);
    if (result->kind == RESULT_SESSION) {
        byte_put_name(out, result->gateway);
        put_session(&result->session, out);
    } else if (result->kind == RESULT_POSITION) {
        byte_put_u64(out, result->epoch);
        byte_put_u64(out, result->seq);
    } else if (result->kind == RESULT_SEEN) {
        byte_put_u64(out, (uint64_t)result->seen_ms);
    }
}

void directory_result_settle(struct buf *out, size_t at,
                             const struct directory_result *result)
{
    size_t end = out->len;

    /* As long as the one that is there: nothing can fail. */
    out->len = at;
    directory_result_encode(result, out);
    out->len = end;
}

static bool get_result(struct byte_reader *in, struct directory_result *result)
{
    *result = (struct directory_result){
        .outcome = (enum directory_outcome)get_choice(in, OUTCOME_COUNT)};
    result->kind = (enum directory_result_kind)get_choice(in, RESULT_KIND_COUNT);
    if (result->kind == RESULT_SESSION) {
        result->gateway = byte_get_name(in);
        get_session(in, &result->session);
    } else if (result->kind == RESULT_POSITION) {
        result->epoch = byte_get_u64(in);
        result->seq = byte_get_u64(in);
    } else if (result->kind == RESULT_SEEN) {
        result->seen_ms = (int64_t)byte_get_u64(in);
    }
    return !in->is_short;
}

enum status directory_answer_decode(struct slice bytes, struct directory_answer *answer)
{
    struct byte_reader in = {.rest = bytes};
    struct directory_result result;

    if (!get_head(&in, VERSION, ANSWER))
        return ST_BAD_PACKET;
    answer->incarnation = byte_get_u64(&in);
    answer->number = byte_get_u64(&in);
    answer->meeting = byte_get_u64(&in);
    answer->standing = (enum directory_standing)get_choice(&in, STANDING_COUNT);
    answer->count = byte_get_u32(&in);
    answer->moved_count = (uint16_t)byte_get_u16(&in);
    answer->moved = get_all_named(&in, answer->moved_count);
    answer->results = in.rest;
    for (size_t i = 0; i < answer->count && get_result(&in, &result); i++)
        ;
    return byte_reader_end(&in);
}

bool directory_result_next(struct slice *results, struct directory_result *result)
{
    struct byte_reader in = {.rest = *results};
    bool got = get_result(&in, result);

    *results = in.rest;
    return got;
}

void directory_record_encode(const struct directory_record *record, struct buf *out)
{
    byte_put_u8(out, KEPT_VERSION);
    byte_put_u8(out, RECORD);
    byte_put_name(out, record->gateway);
    byte_put_u8(out, record->is_parked);
    put_session(&record->session, out);
}

enum status directory_record_decode(struct slice bytes, struct directory_record *record)
{
    struct byte_reader in = {.rest = bytes};

    if (!get_head(&in, KEPT_VERSION, RECORD))
        return ST_BAD_PACKET;
    record->gateway = byte_get_name(&in);
    record->is_parked = get_choice(&in, 2);
    get_session(&in, &record->session);
    return byte_reader_end(&in);
}

void directory_published_encode(const struct directory_published *published,
                                struct buf *out)
{
    byte_put_u8(out, KEPT_VERSION);
    byte_put_u8(out, PUBLISHED);
    byte_put_u64(out, published->incarnation);
    byte_put_u64(out, published->last_serial);
    byte_put_u64(out, published->first_refused);
    byte_put_u64(out, published->last_refused);
}

enum status directory_published_decode(struct slice bytes,
                                       struct directory_published *published)
{
    struct byte_reader in = {.rest = bytes};

    if (!get_head(&in, KEPT_VERSION, PUBLISHED))
        return ST_BAD_PACKET;
    published->incarnation = byte_get_u64(&in);
    published->last_serial = byte_get_u64(&in);
    published->first_refused = byte_get_u64(&in);
    published->last_refused = byte_get_u64(&in);
    return byte_reader_end(&in);
}
