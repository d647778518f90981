/* Requests of gateways: see the header. */
#include "bridge/directory_serve.h"

#include <stdlib.h>

static struct wire_session to_wire(const struct engine_session *session)
{
    return (struct wire_session){
        .sid = session->sid,
        .pid = session->pid,
        .nsp = session->nsp,
        .user = session->user,
        .generation = session->generation,
        .epoch = session->epoch,
        .room_count = (uint16_t)session->room_count,
    };
}

static void encode_rooms(const struct engine_session *session, struct buf *out)
{
    for (size_t i = 0; i < session->room_count; i++)
        wire_membership_add(out, &(struct wire_membership){session->rooms[i].name,
                                                           session->rooms[i].joined_seq});
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

bool directory_decode_session(const struct wire_session *wire,
                              struct engine_session *session,
                              struct engine_membership **rooms)
{
    struct slice rest = wire->rooms;
    struct wire_membership membership;
    size_t count = 0;

    *rooms = calloc(wire->room_count + 1u, sizeof **rooms);
    if (!*rooms)
        return false;
    while (count < wire->room_count && wire_membership_next(&rest, &membership))
        (*rooms)[count++] = (struct engine_membership){ROOM_NAMED, membership.name,
                                                       membership.joined_seq};
    *session = (struct engine_session){
        .sid = wire->sid,
        .pid = wire->pid,
        .nsp = wire->nsp,
        .user = wire->user,
        .generation = wire->generation,
        .epoch = wire->epoch,
        .rooms = *rooms,
        .room_count = count,
    };
    return true;
}

static enum directory_outcome serve_put(struct directory *directory,
                                        struct directory_gateway *gateway,
                                        const struct directory_keeper *keeper,
                                        const struct wire_session *wire)
{
    struct engine_session session;
    struct engine_membership *rooms;

    if (!directory_decode_session(wire, &session, &rooms))
        return OUTCOME_FULL;
    enum status st = directory_put(directory, gateway, &session);
    /* Without a pid nobody can come back for it. */
    if (!st && keeper && keeper->record && session.pid.len > 0)
        keeper->record(keeper->ctx, session.sid, &session);
    free(rooms);
    switch (st) {
    case ST_OK: return OUTCOME_OK;
    case ST_CONFLICT: return OUTCOME_ELSEWHERE;
    default: return OUTCOME_FULL;
    }
}

/* Who is met with this request was settled elsewhere: its sessions are not here. */
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

/* One answer stays within what the other side takes: the rest must be asked for again. */
static bool has_room_for(const struct buf *answer, const struct engine_session *session)
{
    size_t bytes = 512 + session->sid.len + session->pid.len + session->user.len;

    for (size_t i = 0; i < session->room_count; i++)
        bytes += 10 + session->rooms[i].name.len;
    return answer->len + bytes <= LIMIT_DIRECTORY_BYTES;
}

static void serve_find(struct directory *directory, struct slice pid, struct buf *answer)
{
    struct directory_result result = {.outcome = OUTCOME_NOT_FOUND};
    struct engine_session session = {0};

    if (directory_find(directory, pid, &session, &result.gateway)) {
        bool has_room = has_room_for(answer, &session);
        result.kind = has_room ? RESULT_SESSION : RESULT_PLAIN;
        result.outcome = has_room ? OUTCOME_OK : OUTCOME_FULL;
        result.session = to_wire(&session);
    }
    directory_result_encode(&result, answer);
    if (result.kind == RESULT_SESSION)
        encode_rooms(&session, answer);
}

/* What was published before is not kept twice: then nobody knows where any more. */
static void serve_publish(struct directory_gateway *gateway,
                          const struct directory_keeper *keeper,
                          const struct directory_op *op, struct buf *answer)
{
    struct directory_result result = {.outcome = OUTCOME_OK, .kind = RESULT_POSITION};
    size_t at = answer->len;
    bool is_new = directory_is_new_event(gateway, op->serial);

    if (is_new)
        result.outcome = OUTCOME_FULL; /* until it is kept */
    directory_result_encode(&result, answer);
    if (is_new && !buf_status(answer))
        keeper->keep(keeper->ctx, op->envelope, op->is_volatile, at);
}

static void serve_seen(struct directory *directory, const struct wire_session *who,
                       struct buf *answer)
{
    const struct directory_result result = {
        .outcome = OUTCOME_OK,
        .kind = RESULT_SEEN,
        .seen_ms = directory_last_seen(directory, who->nsp, who->user),
    };

    directory_result_encode(&result, answer);
}

static void serve_op(struct directory *directory, struct directory_gateway *gateway,
                     bool is_new, const struct directory_keeper *keeper,
                     const struct directory_op *op, struct buf *answer)
{
    struct directory_result result = {.outcome = OUTCOME_OK};

    switch (op->kind) {
    case DIRECTORY_LEASE: serve_lease(gateway, is_new, op); break;
    case DIRECTORY_PUT:
        result.outcome = serve_put(directory, gateway, keeper, &op->session);
        break;
    case DIRECTORY_DROP:
        directory_drop(directory, gateway, op->session.sid, op->session.generation);
        if (keeper && keeper->record)
            keeper->record(keeper->ctx, op->session.sid, NULL);
        break;
    case DIRECTORY_FIND: serve_find(directory, op->session.pid, answer); return;
    case DIRECTORY_PUBLISH: serve_publish(gateway, keeper, op, answer); return;
    case DIRECTORY_SEEN: serve_seen(directory, &op->session, answer); return;
    case DIRECTORY_OP_COUNT: break;
    }
    directory_result_encode(&result, answer);
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
    if (!is_known || !directory_is_in_order(gateway, request.number))
        answer.count = 0;
    else if (directory_met_with(gateway, request.number))
        answer.standing = STANDING_NEW;
    directory_answer_encode(&answer, out);

    struct directory_op op;
    for (size_t i = 0; i < answer.count && directory_op_next(&request.ops, &op); i++)
        serve_op(directory, gateway, answer.standing == STANDING_NEW, keeper, &op, out);
    return ST_OK;
}
