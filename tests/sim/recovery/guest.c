/* Clients that come back: see the header. */
#include "sim/recovery/guest.h"

#include <string.h>

void guest_init(struct guest *guest, struct world *world, const struct house *house,
                const char *user, struct guest_tally *tally)
{
    memset(guest, 0, sizeof *guest);
    guest->world = world;
    guest->house = house;
    guest->user = user;
    guest->tally = tally;
    guest->is_native = world_chance(world, 50);
}

void guest_is_cut(const struct line *line)
{
    struct guest *guest = line->guest;

    if (guest && guest->is_greeted)
        guest->lost_ms = guest->world->now_ms;
}

void guest_lose(struct guest *guest)
{
    world_trace(guest->world, "%s loses its connection", guest->user);
    if (guest->line->visit)
        guest_is_cut(guest->line);
    guest->line->guest = NULL;
    guest->line = NULL;
    guest->is_greeted = false;
}

/* --- what is for it --- */

static bool is_for_room(const struct house_event *event, unsigned room)
{
    return event->rooms & 1u << room;
}

static bool may_hear(const struct guest *guest, const struct house_event *event)
{
    if (event->rooms & HOUSE_EVERYBODY && event->at.seq > guest->since)
        return true;
    for (unsigned i = 0; i < guest->stay_count; i++) {
        const struct guest_stay *stay = &guest->stays[i];
        if (is_for_room(event, stay->room) && stay->epoch == event->at.epoch &&
            event->at.seq > stay->joined &&
            (!stay->is_over || event->at.seq <= stay->left))
            return true;
    }
    return false;
}

static bool must_hear(const struct guest *guest, const struct house_event *event)
{
    if (event->is_volatile)
        return false;
    if (event->rooms & HOUSE_EVERYBODY && event->at.seq > guest->since)
        return true;
    for (unsigned i = 0; i < guest->stay_count; i++) {
        const struct guest_stay *stay = &guest->stays[i];
        if (is_for_room(event, stay->room) && stay->epoch == event->at.epoch &&
            event->at.seq > stay->joined && event->at.seq > stay->before &&
            stay->is_known && !stay->is_leaving && !stay->is_over)
            return true;
    }
    return false;
}

/* Nothing that it must hear up to `seq` is missing. Only of the epoch at hand. */
static void check_up_to(struct guest *guest, uint64_t seq)
{
    for (uint64_t s = guest->checked + 1; s <= seq; s++) {
        unsigned number = house_event_at(guest->house, s);
        if (!guest->got[number] && must_hear(guest, &guest->house->events[number]))
            world_fail(guest->world, "event %u is owed to %s and was passed over", number,
                       guest->user);
    }
    if (seq > guest->checked)
        guest->checked = seq;
}

void guest_check_all(struct guest *guest)
{
    if (!guest->is_greeted || guest->epoch != guest->house->head.epoch)
        world_fail(guest->world, "%s is not back in the end", guest->user);
    else
        check_up_to(guest, guest->house->head.seq);
}

/* --- what it hears --- */

static void hear_event(struct guest *guest, unsigned number)
{
    const struct house_event *event = &guest->house->events[number];
    uint64_t seq = event->at.seq;

    guest->has_offset = true;
    guest->offset = event->at;
    guest->tally->events++;
    if (event->at.epoch < guest->epoch)
        return; /* it waited for the hello while the log began anew */
    if (event->at.epoch > guest->epoch)
        world_fail(guest->world, "%s hears of a new log and was not told", guest->user);
    else if (guest->got[number] && !guest->went_back)
        world_fail(guest->world, "%s hears event %u twice", guest->user, number);
    else if (seq <= guest->last)
        world_fail(guest->world, "%s hears event %u after a later one", guest->user,
                   number);
    else if (!may_hear(guest, event))
        world_fail(guest->world, "%s hears event %u, of before a join or after a leave",
                   guest->user, number);
    /* The log may have begun anew: then nobody can say. */
    guest->got[number] = true;
    guest->last = seq;
    if (event->at.epoch == guest->house->head.epoch)
        check_up_to(guest, seq);
}

static void learn(struct guest *guest, struct guest_stay *stay)
{
    stay->is_known = true;
    uint64_t from = stay->joined > guest->resynced ? stay->joined : guest->resynced;
    if (guest->checked > from && stay->epoch == guest->epoch)
        guest->checked = from;
}

/* It is recovered, in these rooms. */
static void resume(struct guest *guest, unsigned rooms, const unsigned *stays)
{
    for (unsigned room = 0; room < HOUSE_ROOMS; room++)
        if (rooms & 1u << room && stays[room] == GUEST_STAYS)
            world_fail(guest->world, "%s is back in room %u, which it left", guest->user,
                       room);
    for (unsigned i = 0; i < guest->stay_count; i++) {
        struct guest_stay *stay = &guest->stays[i];
        bool is_in = rooms & 1u << stay->room && stays[stay->room] == i;
        if (stay->is_over)
            continue;
        if (is_in)
            learn(guest, stay);
        else if (stay->is_known && !stay->is_leaving)
            world_fail(guest->world, "%s is recovered without room %u", guest->user,
                       stay->room);
        else
            stay->is_over = true;
    }
}

/* What comes after `from` may come again: it did not say what it has. */
static void go_back(struct guest *guest, uint64_t from)
{
    guest->went_back = true;
    if (guest->last > from)
        guest->last = from;
}

/* A part is lost, or the log began anew: then all begins at `now`. */
static void hear_resync(struct guest *guest, const struct position *now)
{
    guest->last = guest->checked = guest->resynced = now->seq;
    guest->has_offset = true;
    guest->offset = *now;
    if (guest->epoch == now->epoch)
        return;
    for (unsigned i = 0; i < guest->stay_count; i++) {
        struct guest_stay *stay = &guest->stays[i];
        if (stay->epoch >= now->epoch)
            continue;
        stay->joined = now->seq;
        stay->before = 0;
        stay->epoch = now->epoch;
    }
    guest->was_resynced = true;
    guest->epoch = now->epoch;
    guest->since = now->seq;
}

static void hear_hello(struct guest *guest, const struct line_frame *frame)
{
    bool is_recovered = frame->is_recovered;

    guest->tally->hellos++;
    guest->tally->recovered += is_recovered;
    guest->is_greeted = true;
    if (is_recovered && strcmp(guest->pid, guest->line->pid) != 0)
        world_fail(guest->world, "%s is recovered as somebody else", guest->user);
    if (!is_recovered && guest->pid[0] && frame->reason == RECOVERY_FINE)
        world_fail(guest->world, "%s is not told why", guest->user);
    if (!is_recovered) {
        guest->epoch = frame->position.epoch;
        guest->since = guest->last = guest->checked = frame->position.seq;
        guest->stay_count = 0;
        guest->resynced = 0;
        guest->went_back = false;
        guest->has_ended = guest->is_haunted = false;
        guest->was_resynced = frame->was_rebased;
        if (frame->was_rebased)
            guest->since = 0; /* its record may be of before that */
        memset(guest->got, 0, sizeof guest->got);
    } else {
        /* Who says nothing of what it has cannot be told that the log began anew. */
        if (!guest->brought_offset && frame->position.epoch != guest->epoch)
            hear_resync(guest, &frame->position);
        if (!guest->brought_offset)
            go_back(guest, frame->position.seq);
        resume(guest, guest->line->rooms, guest->line->stays);
    }
    memcpy(guest->sid, guest->line->sid, sizeof guest->sid);
    memcpy(guest->pid, guest->line->pid, sizeof guest->pid);
    if (guest->is_native) {
        guest->has_offset = true;
        guest->offset = frame->position;
    }
}

void guest_hear(struct guest *guest, const struct line_frame *frame)
{
    static const struct line_frame pong = {.word = LINE_PONG};
    static const char *const words[] = {
        [LINE_HELLO] = "hello",   [LINE_EVENT] = "event", [LINE_PING] = "ping",
        [LINE_JOINED] = "joined", [LINE_LEFT] = "left",   [LINE_RESYNC] = "resync",
    };

    world_trace(guest->world, "%s hears %s %u", guest->user, words[frame->word],
                frame->number);
    if (!guest->is_greeted && frame->word != LINE_HELLO)
        world_fail(guest->world, "%s hears something before its hello", guest->user);
    switch (frame->word) {
    case LINE_HELLO: hear_hello(guest, frame); break;
    case LINE_EVENT: hear_event(guest, frame->number); break;
    case LINE_PING: line_put(&guest->line->up, &pong); break;
    case LINE_JOINED: learn(guest, &guest->stays[frame->number % GUEST_STAYS]); break;
    case LINE_LEFT: guest->stays[frame->number % GUEST_STAYS].is_over = true; break;
    case LINE_RESYNC: hear_resync(guest, &frame->position); break;
    default: break;
    }
}

static struct guest_stay *find_stay(struct guest *guest, unsigned room)
{
    for (unsigned i = guest->stay_count; i-- > 0;)
        if (guest->stays[i].room == room && !guest->stays[i].is_over)
            return &guest->stays[i];
    return NULL;
}

void guest_ask(struct guest *guest, unsigned room)
{
    struct guest_stay *stay = find_stay(guest, room);
    struct line_frame frame = {.word = stay ? LINE_LEAVE : LINE_JOIN, .number = room};

    if (stay && !stay->is_known && !stay->is_leaving)
        return; /* it waits for the answer */
    if (stay)
        stay->is_leaving = true;
    world_trace(guest->world, "%s asks to %s room %u", guest->user,
                stay ? "leave" : "join", room);
    line_put(&guest->line->up, &frame);
}

/* --- what is done to its session --- */

void guest_proves(struct guest *guest, const struct position *at)
{
    if (guest->proven.epoch != at->epoch || guest->proven.seq < at->seq)
        guest->proven = *at;
}

unsigned guest_enters(struct guest *guest, unsigned room, const struct position *at)
{
    if (guest->stay_count == GUEST_STAYS) {
        world_fail(guest->world, "%s stays too often", guest->user);
        return 0;
    }
    guest->stays[guest->stay_count] = (struct guest_stay){
        .room = room,
        .epoch = at->epoch,
        .joined = at->seq,
        .left = at->seq,
        .before = guest->proven.epoch == at->epoch ? guest->proven.seq : 0,
    };
    return guest->stay_count++;
}

void guest_exits(struct guest *guest, unsigned stay, uint64_t seq)
{
    if (stay < GUEST_STAYS)
        guest->stays[stay].left = seq;
}

unsigned guest_is_found(struct guest *guest, unsigned room, uint64_t joined)
{
    unsigned found = GUEST_STAYS;

    for (unsigned i = 0; i < guest->stay_count; i++) {
        const struct guest_stay *stay = &guest->stays[i];
        if (stay->room == room && !stay->is_over &&
            (found == GUEST_STAYS || stay->joined == joined))
            found = i;
    }
    return found;
}

/* --- why it is not recovered --- */

static bool has_lost(const struct guest *guest, const struct guest_case *known)
{
    for (unsigned i = 0; i < guest->house->count; i++) {
        const struct house_event *event = &guest->house->events[i];
        if (!event->is_gone || event->is_volatile || event->at.seq <= known->from ||
            event->at.epoch != known->gate_epoch)
            continue;
        if (event->rooms & HOUSE_EVERYBODY)
            return true;
        for (unsigned room = 0; room < HOUSE_ROOMS; room++)
            if (known->rooms & 1u << room && is_for_room(event, room) &&
                event->at.seq > known->joined[room])
                return true;
    }
    return false;
}

static bool fits(const struct guest *guest, enum recovery_reason reason,
                 const struct guest_case *known)
{
    uint64_t away_ms = guest->world->now_ms - guest->lost_ms;

    switch (reason) {
    case RECOVERY_HISTORY_OVERFLOW:
        return has_lost(guest, known) || known->session_epoch == 0;
    case RECOVERY_EPOCH_CHANGED:
        return guest->epoch != guest->house->head.epoch ||
               guest->epoch != known->gate_epoch ||
               (guest->brought_offset && guest->offset.epoch != guest->epoch) ||
               known->session_epoch == 0 ||
               (guest->was_resynced && known->session_epoch != guest->epoch);
    case RECOVERY_UNKNOWN_SESSION:
        return guest->has_ended || away_ms >= 2 * HOUSE_WINDOW_MS;
    case RECOVERY_EXPIRED: return guest->is_haunted || away_ms >= HOUSE_WINDOW_MS;
    case RECOVERY_FORBIDDEN: return guest->forbidden & known->rooms;
    default: return false;
    }
}

void guest_check_refusal(struct guest *guest, enum recovery_reason reason,
                         const struct guest_case *known)
{
    guest->tally->refused[reason]++;
    if (!fits(guest, reason, known))
        world_fail(guest->world, "%s is not recovered for no reason: %s", guest->user,
                   recovery_reason_text(reason));
}
