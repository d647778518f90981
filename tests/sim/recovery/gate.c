/* A gateway's sessions and what they get live: see the header. */
#include "sim/recovery/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void begin(struct gate *gate)
{
    gate->applied = gate->house->head;
    gate->incarnation++;
    gate->returns = 0;
    gate->number = 0;
    gate->is_settled = false;
    gate->first_op = gate->op_count = gate->asked_count = 0;
    gate->is_deaf = false;
    buf_clear(&gate->answer);
    recent_destroy(gate->recent);
    gate->recent = gate->has_recent ? recent_create() : NULL;
    recent_begin(gate->recent, &gate->applied);
    gate_renew(gate);
}

void gate_init(struct gate *gate, struct world *world, struct house *house,
               const char *id, enum gate_fault fault, uint64_t names)
{
    gate->world = world;
    gate->house = house;
    gate->id = id;
    gate->fault = fault;
    gate->incarnation = 0;
    gate->names = names;
    gate->has_recent = world_chance(world, 10); /* it takes a while to make one */
    gate->answer.max = 65536;
    begin(gate);
}

void gate_finish(struct gate *gate)
{
    recent_destroy(gate->recent);
    gate->recent = NULL;
    for (unsigned i = 0; i < GATE_VISITS; i++)
        gate->visits[i].state = VISIT_FREE;
}

void gate_release(struct gate *gate)
{
    buf_finish(&gate->answer);
    for (unsigned i = 0; i < GATE_OPS; i++)
        buf_finish(&gate->ops[i].bytes);
    for (unsigned i = 0; i < GATE_VISITS; i++)
        buf_finish(&gate->visits[i].page.bytes);
}

static void hang_up(struct visit *visit)
{
    guest_is_cut(visit->line);
    visit->line->visit = NULL;
    visit->state = VISIT_FREE;
}

void gate_restart(struct gate *gate)
{
    world_trace(gate->world, "%s dies", gate->id);
    for (unsigned i = 0; i < GATE_VISITS; i++) {
        struct visit *visit = &gate->visits[i];
        if (visit->state != VISIT_FREE)
            hang_up(visit);
    }
    begin(gate);
}

/* --- sessions --- */

bool visit_is_current(const struct visit *visit)
{
    return strcmp(visit->pid, visit->guest->pid) == 0;
}

struct visit *gate_visit_of(struct gate *gate, struct slice sid, const struct visit *but)
{
    for (unsigned i = 0; i < GATE_VISITS; i++) {
        struct visit *visit = &gate->visits[i];
        if (visit != but && visit->state >= VISIT_PROVING && slice_is(sid, visit->sid))
            return visit;
    }
    return NULL;
}

static struct visit *find_place(struct gate *gate)
{
    for (unsigned i = 0; i < GATE_VISITS; i++)
        if (gate->visits[i].state == VISIT_FREE)
            return &gate->visits[i];
    return NULL;
}

bool gate_accept(struct gate *gate, struct line *line)
{
    struct visit *visit = find_place(gate);
    struct guest *guest = line->guest;

    if (!visit)
        return false;
    struct buf bytes = visit->page.bytes;
    memset(visit, 0, sizeof *visit);
    visit->page.bytes = bytes;
    visit->page.bytes.max = 65536;
    visit->serial = ++gate->serials;
    visit->gate = gate;
    visit->line = line;
    visit->guest = guest;
    line->visit = visit;
    guest->brought_offset =
        guest->has_offset && !(guest->is_native && world_chance(gate->world, 25));
    world_trace(gate->world, "%s comes to %s%s at %llu-%llu", guest->user, gate->id,
                guest->pid[0] ? " again" : "", (unsigned long long)guest->offset.epoch,
                (unsigned long long)(guest->brought_offset ? guest->offset.seq : 0));
    if (!guest->pid[0]) {
        visit_identify(visit, RECOVERY_FINE);
        return true;
    }
    visit->state = VISIT_FINDING;
    visit->due_ms = gate->world->now_ms + GATE_BEHIND_MS;
    visit->facts.has_offset = guest->brought_offset;
    visit->facts.keeps_offset = !guest->is_native;
    visit->facts.offset = guest->offset;
    memcpy(visit->pid, guest->pid, sizeof visit->pid);
    gate_find(visit);
    return true;
}

static void make_ids(struct visit *visit)
{
    unsigned long long name = ++visit->gate->names;

    snprintf(visit->sid, sizeof visit->sid, "s%019llu", name);
    snprintf(visit->pid, sizeof visit->pid, "p%031llu", name);
}

static void note_proof(const struct visit *visit)
{
    const struct position proven = {visit->gate->applied.epoch, visit->reach.proven};

    guest_proves(visit->guest, &proven);
}

void visit_identify(struct visit *visit, enum recovery_reason reason)
{
    visit->state = VISIT_OPENING;
    visit->reason = reason;
    visit->rooms = 0;
    visit->generation = 1;
    visit->reach = (struct recovery_reach){.proven = visit->gate->applied.seq};
    visit->is_told_of = true;
    note_proof(visit);
    make_ids(visit);
    gate_put(visit, OP_OPEN, 0);
}

void visit_close(struct visit *visit, enum visit_fate fate)
{
    if (visit->state == VISIT_FREE)
        return;
    world_trace(visit->gate->world, "%s closes %s of %s", visit->gate->id, visit->sid,
                visit->guest->user);
    if (fate == VISIT_PARKED && !visit->is_answered && !visit->is_recovered)
        fate = VISIT_OVER;
    hang_up(visit);
    if (visit->is_told_of && fate != VISIT_MOVED)
        gate_tell_end(visit, fate);
}

void gate_notice(struct visit *visit)
{
    visit_close(visit, VISIT_PARKED);
}

static void say(struct visit *visit, const struct line_frame *frame)
{
    if (!line_put(&visit->line->down, frame))
        visit_close(visit, VISIT_PARKED);
}

void visit_send(struct visit *visit, unsigned number)
{
    const struct line_frame frame = {.word = LINE_EVENT, .number = number};

    say(visit, &frame);
}

/* --- what clients say --- */

static void join(struct visit *visit, unsigned room)
{
    const struct gate *gate = visit->gate;

    if (!(visit->rooms & 1u << room)) {
        struct position at = gate->applied;
        if (gate->fault == FAULT_JOIN_AT_HEAD)
            at.seq = gate->house->head.seq;
        visit->rooms |= 1u << room;
        visit->joined[room] = at.seq;
        visit->stays[room] = guest_enters(visit->guest, room, &gate->applied);
    }
    if (gate->fault == FAULT_JOIN_UNKEPT)
        visit_joined(visit, room);
    if (visit->state != VISIT_FREE)
        gate_put(visit, OP_JOIN, room);
}

static void leave(struct visit *visit, unsigned room)
{
    if (!(visit->rooms & 1u << room))
        return;
    visit->rooms &= ~(1u << room);
    guest_exits(visit->guest, visit->stays[room], visit->gate->applied.seq);
    if (visit->gate->fault == FAULT_LEFT_ROOM)
        visit_left(visit, room);
    else
        gate_put(visit, OP_LEAVE, room);
}

void visit_joined(struct visit *visit, unsigned room)
{
    const struct line_frame frame = {.word = LINE_JOINED, .number = visit->stays[room]};

    if (visit->rooms & 1u << room)
        say(visit, &frame);
}

void visit_left(struct visit *visit, unsigned room)
{
    const struct line_frame frame = {.word = LINE_LEFT, .number = visit->stays[room]};

    if (!(visit->rooms & 1u << room))
        say(visit, &frame);
}

static void hear_pong(struct visit *visit)
{
    bool was_unsure = visit->reach.is_unsure;

    if (!recovery_ponged(&visit->reach))
        return;
    note_proof(visit);
    if (was_unsure)
        gate_put(visit, OP_TELL, 0); /* its record is of no log so far */
    else
        gate_tell_proof(visit);
}

void gate_hear(struct visit *visit, const struct line_frame *frame)
{
    /* A ghost of a session that its guest has given up. */
    if (visit->state != VISIT_OPEN ||
        (frame->word != LINE_BYE && !visit_is_current(visit)))
        return;
    switch (frame->word) {
    case LINE_PONG: hear_pong(visit); break;
    case LINE_JOIN: join(visit, frame->number); break;
    case LINE_LEAVE: leave(visit, frame->number); break;
    case LINE_BYE:
        if (visit_is_current(visit))
            visit->guest->has_ended = true;
        visit_close(visit, VISIT_OVER);
        break;
    default: break;
    }
}

static uint64_t position_of(const struct visit *visit)
{
    bool is_reading = visit->is_reading && visit->gate->fault != FAULT_QUEUED_IS_PROVEN;

    return is_reading ? visit->reading.position : visit->gate->applied.seq;
}

void gate_ping(struct visit *visit)
{
    const struct line_frame ping = {.word = LINE_PING};

    /* What a native client says is a sign of life: the next ping may overtake a pong. */
    if (visit->state != VISIT_OPEN || (visit->reach.out > 0 && !visit->guest->is_native))
        return;
    recovery_pinged(&visit->reach, position_of(visit));
    say(visit, &ping);
}

/* --- what the log says --- */

static void deliver(struct visit *visit, const struct gate *gate, unsigned number)
{
    const struct house_event *event = &gate->house->events[number];
    bool is_open = visit->state == VISIT_OPEN && !visit->is_reading;

    if (visit->state < VISIT_PROVING ||
        !(event->rooms & (visit->rooms | HOUSE_EVERYBODY)))
        return;
    if (event->is_volatile && !(is_open && visit->line->down.count < GATE_OUTBOX))
        return;
    if (is_open || (visit->is_reading && visit->state == VISIT_OPEN &&
                    gate->fault == FAULT_LIVE_EVENT))
        visit_send(visit, number);
    else
        visit_hold(visit, number);
}

static void apply(struct gate *gate)
{
    unsigned number = house_event_at(gate->house, ++gate->applied.seq);
    const struct engine_event event = {.position = gate->applied,
                                       .envelope = house_envelope(gate->house, number)};

    recent_add(gate->recent, &event);
    world_trace(gate->world, "%s applies %llu", gate->id,
                (unsigned long long)gate->applied.seq);
    for (unsigned i = 0; i < GATE_VISITS; i++)
        deliver(&gate->visits[i], gate, number);
}

/* As connection_set_reset and session_rebase have it. */
static void reset_visit(struct visit *visit, const struct position *now)
{
    const struct line_frame resync = {.word = LINE_RESYNC, .position = *now};

    if (visit->state < VISIT_PROVING)
        return;
    if (visit->is_reading || (visit->state == VISIT_OPEN && !visit->guest->is_native))
        visit_close(visit, VISIT_PARKED);
    else if (visit->state == VISIT_OPEN)
        say(visit, &resync);
    if (visit->state == VISIT_FREE)
        return;
    if (!visit->is_answered)
        visit->held.count = 0;
    visit->was_rebased = true;
    visit->reach = (struct recovery_reach){
        .proven = now->seq, .out = visit->reach.out, .is_unsure = visit->is_answered};
    for (unsigned room = 0; room < HOUSE_ROOMS; room++)
        visit->joined[room] = now->seq;
    gate_put(visit, OP_TELL, 0);
}

static void reset(struct gate *gate)
{
    gate->applied = gate->house->head;
    recent_begin(gate->recent, &gate->applied);
    world_trace(gate->world, "%s begins anew at %llu-%llu", gate->id,
                (unsigned long long)gate->applied.epoch,
                (unsigned long long)gate->applied.seq);
    for (unsigned i = 0; i < GATE_VISITS; i++)
        reset_visit(&gate->visits[i], &gate->applied);
}

/* The bus loses things, and the log may have let go of them. */
static bool has_missed(const struct gate *gate)
{
    const struct house *house = gate->house;
    unsigned next = house_event_at(house, gate->applied.seq + 1);

    return house->events[next].is_gone && !house->events[next].is_volatile &&
           world_chance(gate->world, 10);
}

bool gate_apply(struct gate *gate)
{
    const struct position *head = &gate->house->head;

    if (gate->applied.epoch == head->epoch && gate->applied.seq == head->seq)
        return false;
    if (gate->applied.epoch != head->epoch || has_missed(gate))
        reset(gate);
    else
        apply(gate);
    return true;
}
