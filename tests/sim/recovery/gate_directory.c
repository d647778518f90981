/* A gateway and the directory: see gate.h. One request is under way at a time. */
#include "sim/recovery/gate.h"

#include "bridge/directory_serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gate_op *op_at(struct gate *gate, unsigned i)
{
    return &gate->ops[(gate->first_op + i) % GATE_OPS];
}

static struct gate_op *add_op(struct gate *gate, enum op_kind kind,
                              const struct visit *visit)
{
    if (gate->op_count == GATE_OPS)
        world_fail(gate->world, "%s has too much to say", gate->id);
    else
        gate->op_count++;
    struct gate_op *op = op_at(gate, gate->op_count - 1);

    op->kind = kind;
    op->sid[0] = '\0';
    if (visit) {
        op->visit = (unsigned)(visit - gate->visits);
        op->serial = visit->serial;
        memcpy(op->sid, visit->sid, sizeof op->sid);
    }
    op->bytes.max = 4096;
    buf_clear(&op->bytes);
    return op;
}

bool gate_speaks_of(struct gate *gate, const char *sid)
{
    for (unsigned i = 0; i < gate->op_count; i++)
        if (strcmp(op_at(gate, i)->sid, sid) == 0)
            return true;
    return false;
}

void gate_renew(struct gate *gate)
{
    const struct directory_op lease = {.is_ready = true, .is_settled = gate->is_settled};

    directory_lease_encode(&lease, 0, &add_op(gate, OP_TELL, NULL)->bytes);
}

void gate_put(struct visit *visit, enum op_kind kind, unsigned room)
{
    struct engine_membership rooms[HOUSE_ROOMS];
    struct engine_session record = {
        .sid = slice_of(visit->sid),
        .pid = slice_of(visit->pid),
        .nsp = SLICE("/"),
        .user = slice_of(visit->guest->user),
        .generation = ++visit->generation,
        .epoch = visit->reach.is_unsure ? 0 : visit->gate->applied.epoch,
        .proven = visit->reach.proven,
        .rooms = rooms,
    };
    struct gate_op *op = add_op(visit->gate, kind, visit);

    for (unsigned i = 0; i < HOUSE_ROOMS; i++)
        if (visit->rooms & 1u << i)
            rooms[record.room_count++] = (struct engine_membership){
                ROOM_NAMED, house_room(i).name, visit->joined[i]};
    world_trace(visit->gate->world, "%s puts %s, rooms %x, generation %llx",
                visit->gate->id, visit->sid, visit->rooms,
                (unsigned long long)visit->generation);
    op->room = room;
    op->generation = visit->generation;
    directory_encode_put(&record, &op->bytes);
}

void gate_tell_end(struct visit *visit, enum visit_fate fate)
{
    struct gate *gate = visit->gate;
    const struct wire_session end = {
        .sid = slice_of(visit->sid),
        .generation = ++visit->generation,
        .epoch = gate->applied.epoch,
        .proven = gate->fault == FAULT_SENT_IS_PROVEN ? gate->applied.seq
                  : visit->reach.is_unsure            ? 0
                                                      : visit->reach.proven,
    };
    struct gate_op *op = add_op(gate, OP_TELL, visit);

    if (fate == VISIT_PARKED)
        directory_park_encode(&end, &op->bytes);
    else
        directory_drop_encode(end.sid, end.generation, &op->bytes);
}

void gate_tell_proof(struct visit *visit)
{
    struct gate_op *op = add_op(visit->gate, OP_TELL, visit);

    directory_prove_encode(visit->gate->applied.epoch, 1, &op->bytes);
    wire_named_add(&op->bytes, slice_of(visit->sid), visit->reach.proven);
}

void gate_find(struct visit *visit)
{
    directory_find_encode(slice_of(visit->pid),
                          &add_op(visit->gate, OP_FIND, visit)->bytes);
}

/* --- answers --- */

static void on_moved(struct gate *gate, struct slice sid, uint64_t generation)
{
    struct visit *visit = gate_visit_of(gate, sid, NULL);

    if (visit && visit->generation < generation && gate->fault != FAULT_GHOST)
        visit_close(visit, VISIT_MOVED);
}

static void settle(struct gate *gate)
{
    for (unsigned i = 0; i < GATE_VISITS; i++)
        if (gate->visits[i].state >= VISIT_PROVING && gate->visits[i].is_told_of)
            gate_put(&gate->visits[i], OP_TELL, 0);
    gate->is_settled = true;
    gate_renew(gate);
}

/* Nobody waits any more where the visit is over. */
static void give_result(struct gate *gate, const struct gate_op *op,
                        const struct directory_result *result)
{
    struct visit *visit = &gate->visits[op->visit];
    enum op_kind kind = op->kind;
    unsigned room = op->room;

    if (result->outcome == OUTCOME_ELSEWHERE)
        on_moved(gate, slice_of(op->sid), engine_next_term(op->generation));
    if (kind == OP_TELL || visit->state == VISIT_FREE || visit->serial != op->serial)
        return;
    if (kind == OP_FIND && result->outcome == OUTCOME_LATER)
        gate_find(visit);
    else if (kind == OP_FIND)
        visit_found(visit, result);
    else if (kind == OP_OPEN)
        visit_opened(visit);
    else if (kind == OP_JOIN)
        visit_joined(visit, room);
    else
        visit_left(visit, room);
}

static void take_answer(struct gate *gate)
{
    struct directory_answer answer;
    struct directory_result result;
    struct wire_named moved;

    if (directory_answer_decode(buf_slice(&gate->answer), &answer))
        abort();
    for (unsigned i = 0; i < answer.moved_count; i++)
        if (wire_named_next(&answer.moved, &moved))
            on_moved(gate, moved.name, moved.number);
    for (unsigned left = gate->asked_count; left > 0; left--) {
        struct gate_op op = *op_at(gate, 0);
        if (!directory_result_next(&answer.results, &result))
            abort();
        gate->first_op = (gate->first_op + 1) % GATE_OPS;
        gate->op_count--;
        give_result(gate, &op, &result);
    }
    gate->asked_count = 0;
    if (answer.standing == STANDING_NEW)
        gate->meeting = answer.meeting;
    if (answer.standing == STANDING_NEW)
        settle(gate);
    else if (answer.moved_count > 0)
        gate_renew(gate);
    buf_clear(&gate->answer);
}

static void ask(struct gate *gate)
{
    struct buf *request = &gate->house->scratch;
    const struct directory_request head = {
        .gateway = slice_of(gate->id),
        .incarnation = gate->incarnation,
        .number = ++gate->number,
        .meeting = gate->meeting,
        .count = gate->op_count,
    };

    gate->asked_count = gate->op_count;
    request->max = 65536;
    buf_clear(request);
    directory_request_encode(&head, request);
    for (unsigned i = 0; i < gate->asked_count; i++)
        buf_add(request, buf_slice(&op_at(gate, i)->bytes));
    if (buf_status(request) || directory_serve(gate->house->directory, buf_slice(request),
                                               gate->world->now_ms, NULL, &gate->answer))
        abort();
}

bool gate_talk(struct gate *gate)
{
    if (gate->answer.len > 0)
        take_answer(gate);
    else if (gate->op_count > 0)
        ask(gate);
    else
        return false;
    return true;
}
