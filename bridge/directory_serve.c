/* Requests of gateways: see the header. */
#include "bridge/directory_serve.h"

#include <stdlib.h>

enum {
    MAX_MOVED = 1000,   /* in one answer */
    HEAD_BYTES = 64,    /* of an answer, at most */
    SESSION_BYTES = 512 /* of a session that is found, at most, beyond its texts */
};

static struct wire_session to_wire(const struct engine_session *session)
{
    return (struct wire_session){
        .sid = session->sid,
        .pid = session->pid,
        .nsp = session->nsp,
        .user = session->user,
        .generation = session->generation,
        .epoch = session->epoch,
        .proven = session->proven,
        .room_count = (uint16_t)session->room_count,
    };
}

static void encode_rooms(const struct engine_session *session, struct buf *out)
{
    for (size_t i = 0; i < session->room_count; i++)
        wire_named_add(out, session->rooms[i].name, session->rooms[i].joined_seq);
}

void directory_encode_put(const struct engine_session *session, struct buf *out)
{
    struct wire_session wire = to_wire(session);

    if (session->room_count > UINT16_MAX) {
        out->failure = ST_TOO_LARGE;
        return;
    }
    directory_put_encode(&wire, out);
    encode_rooms(session, out);
}

void directory_encode_kept(const struct directory_kept *kept, struct buf *out)
{
    const struct directory_record record = {kept->gateway, kept->is_parked,
                                            to_wire(&kept->session)};

    directory_record_encode(&record, out);
    encode_rooms(&kept->session, out);
}

bool directory_decode_session(const struct wire_session *wire,
                              struct engine_session *session,
                              struct engine_membership **rooms)
{
    struct slice rest = wire->rooms;
    struct wire_named room;
    size_t count = 0;

    *rooms = calloc(wire->room_count + 1u, sizeof **rooms);
    if (!*rooms)
        return false;
    while (count < wire->room_count && wire_named_next(&rest, &room))
        (*rooms)[count++] =
            (struct engine_membership){ROOM_NAMED, room.name, room.number};
    *session = (struct engine_session){
        .sid = wire->sid,
        .pid = wire->pid,
        .nsp = wire->nsp,
        .user = wire->user,
        .generation = wire->generation,
        .epoch = wire->epoch,
        .proven = wire->proven,
        .rooms = *rooms,
        .room_count = count,
    };
    return true;
}

/* One request, while it is being answered. */
struct serving {
    struct directory *directory;
    const struct directory_request *request;
    struct directory_gateway *gateway;
    const struct directory_keeper *keeper;
    uint64_t now_ms;
    bool is_new; /* the gateway has yet to hear that it was met */
    struct buf *answer;
};

static void keep_record(const struct serving *serving, struct slice sid)
{
    if (serving->keeper && serving->keeper->record)
        serving->keeper->record(serving->keeper->ctx, sid);
}

static enum directory_outcome serve_put(const struct serving *serving,
                                        const struct wire_session *wire)
{
    struct engine_session session;
    struct engine_membership *rooms;

    if (!directory_decode_session(wire, &session, &rooms))
        return OUTCOME_FULL;
    enum status st = directory_put(serving->directory, serving->gateway, &session);
    /* Without a pid nobody can come back for it. */
    if (!st && session.pid.len > 0)
        keep_record(serving, session.sid);
    free(rooms);
    switch (st) {
    case ST_OK: return OUTCOME_OK;
    case ST_CONFLICT: return OUTCOME_ELSEWHERE;
    default: return OUTCOME_FULL;
    }
}

static void serve_park(const struct serving *serving, const struct wire_session *session)
{
    const struct position proven = {session->epoch, session->proven};

    if (directory_park(serving->directory, serving->gateway, session->sid,
                       session->generation, &proven, serving->now_ms))
        keep_record(serving, session->sid);
}

static void serve_drop(const struct serving *serving, const struct wire_session *session)
{
    if (directory_drop(serving->directory, serving->gateway, session->sid,
                       session->generation))
        keep_record(serving, session->sid);
}

/* Proofs are written later, many at once: see directory_unwritten. */
static void serve_prove(const struct serving *serving, const struct directory_op *op)
{
    struct slice rest = op->proofs;
    struct wire_named proof;

    for (size_t i = 0; i < op->proof_count && wire_named_next(&rest, &proof); i++) {
        const struct position proven = {op->session.epoch, proof.number};
        directory_prove(serving->directory, serving->gateway, proof.name, &proven);
    }
}

/* Who has yet to hear that it was met was settled elsewhere: its sessions are not here.
 */
static void serve_lease(struct directory_gateway *gateway, bool is_new,
                        const struct directory_op *op)
{
    struct directory_lease lease = {
        (int)op->pid, op->is_ready, op->is_settled && !is_new, {{0}}};
    struct slice rest = op->counters;

    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (!wire_counter_next(&rest, &lease.counters.values[i]))
            break;
    }
    directory_renew(gateway, &lease);
}

/* Whether it has room behind `used` bytes. One answer stays within what the other side
 * takes; whatever may be put has room in one of its own. */
static bool has_room_for(size_t used, const struct engine_session *session)
{
    size_t bytes =
        SESSION_BYTES + session->sid.len + session->pid.len + session->user.len;

    for (size_t i = 0; i < session->room_count; i++)
        bytes += 10 + session->rooms[i].name.len;
    return used + bytes <= LIMIT_DIRECTORY_BYTES + HEAD_BYTES + SESSION_BYTES;
}

static void serve_find(const struct serving *serving, struct slice pid)
{
    struct directory_result result = {.outcome = OUTCOME_NOT_FOUND};
    struct engine_session session = {0};
    struct directory *directory = serving->directory;
    struct buf *answer = serving->answer;

    if (!directory_may_find(directory, serving->now_ms))
        result.outcome = OUTCOME_LATER;
    else if (directory_find(directory, pid, serving->now_ms, &session, &result.gateway))
        result.outcome = OUTCOME_OK;
    else if (directory_find_lapsed(directory, pid, serving->now_ms, &session))
        result.outcome = OUTCOME_EXPIRED;
    if (session.pid.len > 0 && has_room_for(answer->len, &session)) {
        result.kind = RESULT_SESSION;
        result.session = to_wire(&session);
    } else if (session.pid.len > 0) {
        result.outcome =
            has_room_for(HEAD_BYTES, &session) ? OUTCOME_LATER : OUTCOME_FULL;
    }
    directory_result_encode(&result, answer);
    if (result.kind == RESULT_SESSION)
        encode_rooms(&session, answer);
}

/* What was published before is not kept twice: then nobody knows where any more. Nor is
 * what could not be kept before: others may have come behind it. Where there is no memory
 * for the answer nothing has happened: the request comes again. */
static void serve_publish(const struct serving *serving, const struct directory_op *op)
{
    struct directory_result result = {.outcome = OUTCOME_FULL, .kind = RESULT_POSITION};
    struct buf *answer = serving->answer;
    size_t at = answer->len;

    directory_result_encode(&result, answer); /* of a new one: until it is kept */
    if (buf_status(answer))
        return;
    if (directory_is_new_event(serving->gateway, op->serial)) {
        serving->keeper->keep(serving->keeper->ctx, serving->request, op, at);
    } else if (!directory_is_refused(serving->gateway, op->serial)) {
        result.outcome = OUTCOME_OK;
        directory_result_settle(answer, at, &result);
    }
}

static void serve_seen(const struct serving *serving, const struct wire_session *who)
{
    const struct directory_result result = {
        .outcome = OUTCOME_OK,
        .kind = RESULT_SEEN,
        .seen_ms = directory_last_seen(serving->directory, who->nsp, who->user),
    };

    directory_result_encode(&result, serving->answer);
}

static void serve_op(const struct serving *serving, const struct directory_op *op)
{
    struct directory_result result = {.outcome = OUTCOME_OK};

    switch (op->kind) {
    case DIRECTORY_LEASE: serve_lease(serving->gateway, serving->is_new, op); break;
    case DIRECTORY_PUT: result.outcome = serve_put(serving, &op->session); break;
    case DIRECTORY_DROP: serve_drop(serving, &op->session); break;
    case DIRECTORY_PARK: serve_park(serving, &op->session); break;
    case DIRECTORY_PROVE: serve_prove(serving, op); break;
    case DIRECTORY_LEAVE:
        directory_leave(serving->directory, serving->gateway, serving->now_ms);
        break;
    case DIRECTORY_FIND: serve_find(serving, op->session.pid); return;
    case DIRECTORY_PUBLISH: serve_publish(serving, op); return;
    case DIRECTORY_SEEN: serve_seen(serving, &op->session); return;
    case DIRECTORY_OP_COUNT: break;
    }
    directory_result_encode(&result, serving->answer);
}

static void add_moved(void *ctx, struct slice sid, uint64_t generation)
{
    wire_named_add(ctx, sid, generation);
}

static void encode_head(const struct serving *serving, struct directory_answer *answer,
                        bool is_known)
{
    struct buf moved = {.max = LIMIT_DIRECTORY_BYTES / 2};

    if (is_known)
        answer->moved_count = (uint16_t)directory_moved(serving->gateway, answer->number,
                                                        MAX_MOVED, add_moved, &moved);
    directory_answer_encode(answer, serving->answer);
    buf_add(serving->answer, buf_slice(&moved));
    if (buf_status(&moved))
        serving->answer->failure = buf_status(&moved);
    buf_finish(&moved);
}

static enum directory_standing standing_of(enum directory_meeting meeting)
{
    switch (meeting) {
    case MEETING_KNOWN: return STANDING_KNOWN;
    case MEETING_NEW: return STANDING_NEW;
    case MEETING_FENCED: return STANDING_FENCED;
    case MEETING_FULL: break;
    }
    return STANDING_FULL;
}

enum status directory_serve(struct directory *directory, struct slice bytes,
                            uint64_t now_ms, const struct directory_keeper *keeper,
                            struct buf *out)
{
    struct directory_request request;
    struct directory_gateway *gateway;

    if (directory_request_decode(bytes, &request))
        return ST_BAD_PACKET;

    enum directory_meeting meeting = directory_contact(
        directory, request.gateway, request.incarnation, now_ms, &gateway);
    struct directory_answer answer = {
        .incarnation = request.incarnation,
        .number = request.number,
        .standing = standing_of(meeting),
        .count = request.count,
    };
    bool is_known = meeting == MEETING_KNOWN || meeting == MEETING_NEW;
    if (is_known)
        answer.meeting = directory_meeting(gateway);
    if (!is_known || !directory_is_in_order(gateway, request.number))
        answer.count = 0;
    else if (answer.meeting != request.meeting)
        answer.standing = STANDING_NEW;

    const struct serving serving = {
        directory, &request, gateway, keeper, now_ms, answer.standing == STANDING_NEW,
        out,
    };
    encode_head(&serving, &answer, answer.count > 0);
    struct directory_op op;
    for (size_t i = 0; i < answer.count && directory_op_next(&request.ops, &op); i++)
        serve_op(&serving, &op);
    return ST_OK;
}
