/* Clients that come back to a gateway, and what they missed: see gate.h. The order of
 * things is that of client-gw/recovery and client-gw/catching. */
#include "sim/recovery/gate.h"

#include <stdlib.h>
#include <string.h>

static void queue_put(struct gate_queue *queue, unsigned number)
{
    queue->numbers[queue->count++] = number;
}

/* --- how it ends --- */

/* Nobody can tell at the moment: it comes again. */
static void put_off(struct visit *visit)
{
    world_trace(visit->gate->world, "%s puts %s off", visit->gate->id,
                visit->guest->user);
    visit_close(visit, VISIT_PARKED);
}

static void look(struct visit *visit)
{
    const struct gate *gate = visit->gate;
    struct recovery_facts *facts = &visit->facts;

    facts->log_epoch = gate->applied.epoch;
    facts->applied = gate->applied.seq;
    facts->is_late = gate->world->now_ms >= visit->due_ms;
    facts->is_ready = !gate->is_deaf && gate->applied.epoch == gate->house->head.epoch &&
                      gate->applied.seq == gate->house->head.seq;
}

static void begin_new(struct visit *visit)
{
    enum gate_fault fault = visit->gate->fault;
    bool is_silent = fault == FAULT_NO_REASON;

    look(visit);
    switch (fault == FAULT_NEW_BEHIND ? RECOVERY_GO : recovery_judge_new(&visit->facts)) {
    case RECOVERY_WAIT: visit->state = VISIT_BEHIND; break;
    case RECOVERY_PUT_OFF: put_off(visit); break;
    default: visit_identify(visit, is_silent ? RECOVERY_FINE : visit->reason); break;
    }
}

static void give_up(struct visit *visit, enum recovery_reason reason)
{
    const struct gate *gate = visit->gate;
    const struct guest_case known = {
        .gate_epoch = gate->applied.epoch,
        .session_epoch = visit->facts.session_epoch,
        .from = visit->from,
        .rooms = visit->rooms,
        .joined = visit->joined,
    };

    world_trace(gate->world, "%s does not recover %s: %s", gate->id, visit->guest->user,
                recovery_reason_text(reason));
    if (visit->line->guest)
        guest_check_refusal(visit->guest, reason, &known);
    visit->is_reading = false;
    visit->ready.count = visit->held.count = 0;
    visit->reason = reason;
    begin_new(visit);
}

/* --- pages --- */

static void add_rooms(struct visit *visit, struct buf *request)
{
    const struct room_key everybody = {SLICE("/"), ROOM_ALL, {0}};
    uint64_t from = visit->facts.proven;

    replay_room_add(request, &everybody);
    replay_base_add(request, recovery_base(from, 0));
    for (unsigned room = 0; room < HOUSE_ROOMS; room++) {
        struct room_key key = house_room(room);
        if (!(visit->rooms & 1u << room))
            continue;
        replay_room_add(request, &key);
        replay_base_add(request, visit->gate->fault == FAULT_JOIN_SEQ
                                     ? from
                                     : recovery_base(from, visit->joined[room]));
    }
}

static void ask_page(struct visit *visit)
{
    struct gate_page *page = &visit->page;
    struct replay_request request = {
        .after = {visit->gate->applied.epoch, visit->reading.read},
        .through = visit->gate->fault == FAULT_TOO_FAR ? UINT64_MAX : visit->reading.to,
        .max_bytes = GATE_PAGE,
        .room_count = 1,
    };

    for (unsigned room = 0; room < HOUSE_ROOMS; room++)
        request.room_count = (uint16_t)(request.room_count + (visit->rooms >> room & 1));
    page->state = PAGE_ASKED;
    page->after = request.after;
    buf_clear(&page->bytes);
    replay_request_encode(&request, &page->bytes);
    add_rooms(visit, &page->bytes);
}

static bool has_room(const struct visit *visit)
{
    return visit->reading.is_going ? visit->line->down.count < GATE_OUTBOX
                                   : visit->ready.count < GATE_READY;
}

struct page_visit {
    struct visit *visit;
    uint64_t serial;
    struct past_page page;
};

static void on_event(void *ctx, const struct engine_event *event)
{
    static struct envelope_room room;
    struct page_visit *reading = ctx;
    struct visit *visit = reading->visit;
    struct envelope envelope;

    if (visit->state == VISIT_FREE || !past_page_takes(&reading->page, has_room(visit)))
        return;
    if (envelope_decode(event->envelope, &room, &envelope))
        abort();
    if (visit->reading.is_going)
        visit_send(visit, house_number_of(&envelope));
    else
        queue_put(&visit->ready, house_number_of(&envelope));
    past_page_took(&reading->page, event->position.seq);
}

static void go_live(struct visit *visit)
{
    struct gate_queue held = visit->held;

    visit->is_reading = false;
    visit->held.count = 0;
    for (unsigned i = 0; i < held.count && visit->state != VISIT_FREE; i++)
        visit_send(visit, held.numbers[i]);
}

static void proven(struct visit *visit)
{
    visit->is_recovered = visit->is_told_of = true;
    visit->state = VISIT_OPENING;
    gate_put(visit, OP_OPEN, 0);
}

static void use_page(struct visit *visit, const struct page_visit *reading,
                     enum recovery_page verdict, uint64_t through)
{
    struct past_page page = reading->page;

    if (visit->state == VISIT_FREE)
        return;
    if (verdict && visit->state == VISIT_PROVING) {
        give_up(visit, verdict == RECOVERY_PAGE_GONE ? RECOVERY_HISTORY_OVERFLOW
                                                     : RECOVERY_EPOCH_CHANGED);
        return;
    }
    if (verdict) { /* it comes back, and is told */
        visit_close(visit, VISIT_PARKED);
        return;
    }
    if (visit->gate->fault == FAULT_PAGE_END)
        page.is_cut = false;
    past_reading_turn(&visit->reading, &page, through);
    if (visit->gate->fault == FAULT_POSITION_LATE && page.last > page.is_cut)
        visit->reading.read = page.last - 1;
    if (visit->state == VISIT_PROVING)
        proven(visit);
}

/* From what this gateway has applied lately. */
static void read_near(struct visit *visit)
{
    struct page_visit reading = {visit, visit->serial, past_page_begin(&visit->reading)};
    struct replay_request request;
    uint64_t through;

    if (replay_request_decode(buf_slice(&visit->page.bytes), &request) ||
        recent_read(visit->gate->recent, &request, on_event, &reading, &through))
        abort();
    use_page(visit, &reading, RECOVERY_PAGE_WHOLE, through);
}

static void serve_page(struct visit *visit)
{
    struct slice answer;

    if (page_server_answer(visit->gate->house->pages, buf_slice(&visit->page.bytes),
                           &answer))
        abort();
    buf_clear(&visit->page.bytes);
    buf_add(&visit->page.bytes, answer);
    visit->page.state = PAGE_SERVED;
}

static enum recovery_page judge_page(const struct visit *visit,
                                     const struct replay_page *page)
{
    struct event_log_state state;
    uint64_t floor = page->floor;

    switch (visit->gate->fault) {
    case FAULT_MARKS: return RECOVERY_PAGE_WHOLE;
    case FAULT_FLOOR: floor -= floor > 0; break;
    case FAULT_ONE_FLOOR:
        event_log_state(visit->gate->house->log, &state);
        floor = state.floor;
        break;
    default: break;
    }
    return recovery_judge_page(&visit->page.after, page->head.epoch, floor);
}

static void read_far(struct visit *visit)
{
    struct page_visit reading = {visit, visit->serial, past_page_begin(&visit->reading)};
    struct replay_page page = {0};
    struct engine_event event = {0};

    if (replay_page_decode(buf_slice(&visit->page.bytes), &page))
        abort();
    visit->page.state = PAGE_NONE;
    enum recovery_page verdict = judge_page(visit, &page);
    for (uint32_t i = 0; i < page.count && verdict == RECOVERY_PAGE_WHOLE; i++) {
        replay_page_next(&page.items, &event.position.seq, &event.envelope);
        on_event(&reading, &event);
    }
    use_page(visit, &reading, verdict, page.through);
}

static void turn_page(struct visit *visit)
{
    if (visit->page.state == PAGE_SERVED) {
        read_far(visit);
    } else if (recent_has(visit->gate->recent, &visit->page.after) &&
               world_chance(visit->gate->world, 50)) {
        visit->page.state = PAGE_NONE;
        read_near(visit);
    } else {
        serve_page(visit);
    }
}

void visit_hold(struct visit *visit, unsigned number)
{
    if (visit->held.count < GATE_HELD) {
        queue_put(&visit->held, number);
    } else if (visit->is_reading) {
        visit->held.count = 0;
        if (visit->gate->fault != FAULT_HELD)
            past_reading_extend(&visit->reading, visit->gate->applied.seq);
    } else {
        visit_close(visit, VISIT_PARKED);
    }
}

/* --- the return --- */

static void evict(struct visit *ghost, struct visit *visit)
{
    if (!ghost->reach.is_unsure && ghost->reach.proven > visit->facts.proven)
        visit->facts.proven = ghost->reach.proven;
    visit_close(ghost, VISIT_PARKED);
}

static void go_on(struct visit *visit)
{
    struct gate *gate = visit->gate;
    struct visit *ghost = gate_visit_of(gate, slice_of(visit->sid), visit);

    if (ghost && gate->fault != FAULT_GHOST)
        evict(ghost, visit);
    visit->from = visit->facts.proven = recovery_from(&visit->facts);
    visit->generation = gate->fault == FAULT_TERM ? visit->generation + 1
                                                  : engine_next_term(visit->generation) +
                                                        ++gate->returns * GATE_WRITES;
    visit->reach = (struct recovery_reach){.proven = visit->from};
    for (unsigned room = 0; room < HOUSE_ROOMS; room++)
        if (visit->rooms & 1u << room && visit_is_current(visit))
            visit->stays[room] = guest_is_found(visit->guest, room, visit->joined[room]);
    visit->state = VISIT_PROVING;
    visit->is_reading = true;
    past_reading_begin(&visit->reading, visit->from, gate->applied.seq, false);
    if (past_reading_is_over(&visit->reading))
        proven(visit);
    else
        ask_page(visit);
}

static void judge(struct visit *visit)
{
    struct gate *gate = visit->gate;
    struct recovery_facts *facts = &visit->facts;
    enum recovery_reason reason;

    look(visit);
    if (gate->fault == FAULT_EPOCH)
        facts->offset.epoch = facts->session_epoch = facts->log_epoch;
    enum recovery_verdict verdict = recovery_judge(facts, &reason);
    if (verdict == RECOVERY_WAIT && gate->fault == FAULT_BEHIND)
        verdict = RECOVERY_GO;
    switch (verdict) {
    case RECOVERY_GO: go_on(visit); break;
    case RECOVERY_WAIT: visit->state = VISIT_BEHIND; break;
    case RECOVERY_PUT_OFF: put_off(visit); break;
    case RECOVERY_LOST: give_up(visit, reason); break;
    }
}

static void look_again(struct visit *visit)
{
    if (visit->reason)
        begin_new(visit);
    else
        judge(visit);
}

static void take_record(struct visit *visit, const struct wire_session *record)
{
    struct slice rest = record->rooms;
    struct wire_named named;

    memcpy(visit->sid, record->sid.ptr, record->sid.len);
    memcpy(visit->pid, record->pid.ptr, record->pid.len);
    visit->generation = record->generation;
    visit->facts.session_epoch = record->epoch;
    visit->facts.proven = record->proven;
    for (unsigned i = 0; i < record->room_count && wire_named_next(&rest, &named); i++) {
        unsigned room = house_room_number(named.name);
        visit->rooms |= 1u << room;
        visit->joined[room] = named.number;
        if (named.number > visit->facts.last_joined)
            visit->facts.last_joined = named.number;
    }
    visit->from = recovery_from(&visit->facts);
    world_trace(visit->gate->world, "%s finds %s, rooms %x, generation %llx, from %llu",
                visit->gate->id, visit->sid, visit->rooms,
                (unsigned long long)visit->generation, (unsigned long long)visit->from);
}

void visit_found(struct visit *visit, const struct directory_result *result)
{
    bool is_late = result->outcome == OUTCOME_EXPIRED;

    if (is_late && visit->gate->fault != FAULT_WRONG_REASON) {
        give_up(visit, RECOVERY_EXPIRED);
        return;
    }
    if (is_late || result->outcome == OUTCOME_NOT_FOUND) {
        give_up(visit, RECOVERY_UNKNOWN_SESSION);
        return;
    }
    take_record(visit, &result->session);
    if (visit->rooms & visit->guest->forbidden)
        give_up(visit, RECOVERY_FORBIDDEN);
    else
        judge(visit);
}

/* --- the hello, and what follows it --- */

static void release_ready(struct visit *visit)
{
    for (unsigned i = 0; i < visit->ready.count && visit->state != VISIT_FREE; i++)
        visit_send(visit, visit->ready.numbers[i]);
    visit->ready.count = 0;
}

void visit_opened(struct visit *visit)
{
    const struct gate *gate = visit->gate;
    struct line_frame hello = {
        .word = LINE_HELLO,
        .position = {gate->applied.epoch,
                     visit->is_reading ? visit->reading.position : visit->reach.proven},
        .reason = visit->reason,
        .is_recovered = visit->is_recovered,
        .was_rebased = visit->was_rebased,
    };

    visit->state = VISIT_OPEN;
    visit->is_answered = true;
    visit->guest->is_haunted |= visit->guest->line != visit->line;
    memcpy(visit->line->sid, visit->sid, sizeof visit->sid);
    memcpy(visit->line->pid, visit->pid, sizeof visit->pid);
    world_trace(gate->world, "%s greets %s%s", gate->id, visit->guest->user,
                visit->is_recovered ? ", recovered" : "");
    visit->line->rooms = visit->rooms;
    memcpy(visit->line->stays, visit->stays, sizeof visit->stays);
    if (gate->fault == FAULT_HELLO)
        release_ready(visit);
    line_put(&visit->line->down, &hello);
    if (!visit->is_reading) {
        go_live(visit);
        return;
    }
    past_reading_go(&visit->reading);
    release_ready(visit);
}

static bool may_finish(const struct visit *visit)
{
    return visit->line->down.count + visit->held.count < LINE_FRAMES;
}

bool gate_work(struct visit *visit)
{
    bool is_going = visit->state == VISIT_OPEN && visit->is_reading;

    if (visit->state == VISIT_BEHIND)
        look_again(visit);
    else if (visit->state >= VISIT_PROVING && visit->page.state != PAGE_NONE)
        turn_page(visit);
    else if (is_going && past_reading_is_over(&visit->reading) && may_finish(visit))
        go_live(visit);
    else if (is_going && !past_reading_is_over(&visit->reading) && has_room(visit))
        ask_page(visit);
    else
        return false;
    return true;
}
