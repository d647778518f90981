/* Catch-up by time: see the header. */
#include "client-gw/catchup_parts.h"

#include "bridge/clock.h"
#include "client-gw/command.h"
#include "client-gw/connection_set.h"
#include "client-gw/dialect.h"
#include "client-gw/emissions.h"
#include "client-gw/session_op.h"
#include "proto/access.h"
#include "proto/catchup_rules.h"
#include "proto/room_rules.h"

#include <stdlib.h>
#include <string.h>

void catchup_destroy(struct catchup *catchup)
{
    free(catchup->past);
    free(catchup);
}

void catchup_forget(struct session *session)
{
    struct catchup *waiting;

    if (session->catchup)
        catchup_destroy(session->catchup);
    session->catchup = NULL;
    while ((waiting = session->histories)) {
        session->histories = waiting->next;
        catchup_destroy(waiting);
    }
}

/* --- what is asked --- */

static uint64_t shorter(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* False: nothing of this room. */
static bool wish_of(const struct catchup *catchup, const struct session *session,
                    const struct room_key *key, struct engine_past_room *wish)
{
    const struct system *system = catchup->services->system;
    const struct catchup_limits *limits = catchup_rules_limits(system->catchup);
    const struct room_history *history = access_history(
        system, session->claims, key, services_rendering(catchup->services));
    bool is_asked = catchup->wish != CATCHUP_UNASKED;
    uint64_t max = limits->per_room, ttl_ms = limits->ttl_ms;
    int64_t now_ms = clock_wall_ms();

    if (!is_asked && (!history || !history->goes_to_join))
        return false;
    if (history && is_asked) {
        max = shorter(max, history->size);
        ttl_ms = shorter(ttl_ms, history->ttl_ms);
    } else if (history) {
        max = history->size;
        ttl_ms = history->ttl_ms;
    }
    int64_t oldest_ms = now_ms - (int64_t)shorter(ttl_ms, (uint64_t)now_ms);
    *wish = (struct engine_past_room){
        .key = *key,
        .max = (uint32_t)max,
        .since_ms = oldest_ms > catchup->since_ms ? oldest_ms : catchup->since_ms,
        .asked_ms = is_asked ? catchup->since_ms : oldest_ms,
    };
    return true;
}

/*
 * Of all its rooms, or of the named one only. The names are copied: a room may be left,
 * and be gone, while the log is asked.
 */
bool catchup_gather(struct catchup *catchup, const struct session *session,
                    const struct room_key *only)
{
    size_t bytes = 0;

    for (uint16_t i = 0; i < session->membership_count; i++)
        bytes += room_name(session->memberships[i].room).len;
    catchup->past =
        malloc((session->membership_count + 1u) * sizeof *catchup->past + bytes);
    if (!catchup->past)
        return false;
    char *at = (char *)(catchup->past + session->membership_count + 1);
    for (uint16_t i = 0; i < session->membership_count; i++) {
        const struct membership *membership = &session->memberships[i];
        struct past *past = &catchup->past[catchup->past_count];
        struct room_key key = {session->voice->nsp, room_kind(membership->room),
                               room_name(membership->room)};
        bool is_meant = !only || room_key_equal(&key, only);
        if (!is_meant || !wish_of(catchup, session, &key, &past->wish))
            continue;
        if (catchup->past_count == LIMIT_REPLAY_ROOMS) {
            catchup->is_cut = true;
            break;
        }
        if (key.name.len > 0)
            memcpy(at, key.name.ptr, key.name.len);
        past->wish.key.name.ptr = at;
        at += key.name.len;
        catchup->through.seq = membership->joined_seq;
        past->range = (struct engine_past_range){membership->joined_seq,
                                                 membership->joined_seq, true};
        catchup->past_count++;
    }
    return true;
}

/* --- how it ends --- */

/* Which rooms lack something, as their client may know them. */
static void add_cut_rooms(const struct catchup *catchup, struct buf *out)
{
    const struct session_set *set = catchup->services->sessions;
    bool is_first = true;

    buf_add_byte(out, '[');
    for (size_t i = 0; i < catchup->past_count; i++) {
        const struct past *past = &catchup->past[i];
        const struct room_key *key = &past->wish.key;
        if (!past->range.is_cut || session_set_hides(set, key->kind, key->name))
            continue;
        struct buf text = {.max = 8 + LIMIT_ROOM_BYTES + LIMIT_USER_BYTES};
        if (key->kind == ROOM_USER)
            buf_add_text(&text, "user:");
        buf_add(&text, key->kind == ROOM_ALL ? SLICE("*") : key->name);
        if (!is_first)
            buf_add_byte(out, ',');
        is_first = false;
        buf_add_json_string(out, buf_slice(&text));
        buf_finish(&text);
    }
    buf_add_byte(out, ']');
}

static bool is_cut(const struct catchup *catchup)
{
    bool is_cut = catchup->is_cut;

    for (size_t i = 0; i < catchup->past_count; i++)
        is_cut |= catchup->past[i].range.is_cut;
    return is_cut;
}

void catchup_account(const struct catchup *catchup, enum status status)
{
    struct metrics *metrics = catchup->services->metrics;
    bool has_asked = catchup->wish != CATCHUP_UNASKED;

    metrics_add(metrics, METRIC_CATCHUP_EVENTS, (int64_t)catchup->count);
    if (status)
        return;
    metrics_add(metrics, has_asked ? METRIC_CATCHUPS : METRIC_CATCHUPS_JOIN, 1);
    if (is_cut(catchup))
        metrics_add(metrics, has_asked ? METRIC_CATCHUPS_CUT : METRIC_CATCHUPS_CUT_JOIN,
                    1);
}

/* The last word, to who asked. */
static void say_done(struct catchup *catchup, struct session *session)
{
    struct client_services *services = catchup->services;
    struct buf json = {.max = LIMIT_CLIENT_MESSAGE_BYTES};
    struct command_call call = {.services = services, .session = session};
    struct template_values values;
    bool only_if_cut;
    const struct emission_list *done =
        catchup_rules_done(services->system->catchup, &only_if_cut);

    if (catchup->wish == CATCHUP_UNASKED || !done || (only_if_cut && !is_cut(catchup)))
        return;
    buf_print(&json, "{\"count\":%llu,\"truncated\":%s,\"rooms\":",
              (unsigned long long)catchup->count, is_cut(catchup) ? "true" : "false");
    add_cut_rooms(catchup, &json);
    buf_add_byte(&json, '}');
    command_values(&call, &values);
    values.catchup = buf_slice(&json);
    if (!buf_status(&json))
        emissions_send(services, session, done, &values);
    buf_finish(&json);
}

/* It has all that there is: from now on it may be come back to. */
static void finished(void *ctx, enum status status)
{
    struct catchup *catchup = ctx;
    struct session *session = catchup->session;

    catchup_account(catchup, status);
    if (!status)
        say_done(catchup, session);
    session->catchup = NULL;
    catchup_destroy(catchup);
    if (!status && session->state == SESSION_OPEN)
        session_put(session);
}

/* --- reading --- */

bool catchup_has(const struct catchup *catchup, uint64_t seq,
                 const struct envelope *envelope)
{
    for (size_t i = 0; i < catchup->past_count; i++) {
        const struct past *past = &catchup->past[i];
        if (seq <= past->range.base || seq > past->range.top)
            continue;
        for (size_t n = 0; n < envelope->target_count; n++) {
            const struct room_key target = {envelope->nsp, envelope->targets[n].kind,
                                            envelope->targets[n].name};
            if (room_key_equal(&target, &past->wish.key))
                return true;
        }
    }
    return false;
}

/* What came after it joined is its own, whatever it is. */
static bool wants(void *ctx, uint64_t seq, const struct envelope *envelope)
{
    struct catchup *catchup = ctx;

    if (seq > catchup->live_after)
        return true;
    if (!(envelope->flags & ENVELOPE_HISTORY) || !catchup_has(catchup, seq, envelope))
        return false;
    catchup->count++;
    return true;
}

enum status catchup_read(struct catchup *catchup, struct session *session,
                         const struct catching_wish *reading)
{
    struct catching_past *past = calloc(catchup->past_count + 1, sizeof *past);
    struct catching_wish wish = *reading;

    if (!past)
        return ST_NO_MEMORY;
    wish.past = past;
    for (size_t i = 0; i < catchup->past_count; i++) {
        const struct past *one = &catchup->past[i];
        if (one->range.base < one->range.top)
            past[wish.past_count++] =
                (struct catching_past){one->wish.key, one->range.base};
    }
    /* What is held now is read, too: it comes once, behind what is older. */
    session_forget_held(session);
    enum status st = catching_begin(catchup->services->catching, session, &wish);
    free(past);
    return st;
}

/* --- a client that connects --- */

static void answer(struct catchup *catchup, struct session *session, enum status status)
{
    catchup->on_done(session, status, catchup->ctx);
}

/* Nothing was asked of the log, or nothing may be. */
static void answer_at_once(struct catchup *catchup, struct session *session,
                           enum status status)
{
    session_done_fn *on_done = catchup->on_done;
    void *ctx = catchup->ctx;

    session->catchup = NULL;
    catchup_destroy(catchup);
    on_done(session, status, ctx);
}

void catchup_keep(struct catchup *catchup, const struct engine_past_range *ranges)
{
    for (size_t i = 0; i < catchup->past_count; i++)
        catchup->past[i].range = ranges[i];
}

/*
 * While the log was asked, another one began, or a part of it was lost: the session has
 * been in its rooms since then, and what was before is not to be had.
 */
static bool was_reset(const struct catchup *catchup, const struct session *session)
{
    struct position head;

    catchup->services->engine->ops->head(catchup->services->engine, &head);
    return head.epoch != catchup->through.epoch ||
           session->memberships[0].joined_seq != catchup->live_after;
}

/* Everything counts as cut. */
static void give_nothing(struct catchup *catchup, const struct session *session)
{
    uint64_t joined = session->memberships[0].joined_seq;

    catchup->live_after = joined;
    for (size_t i = 0; i < catchup->past_count; i++)
        catchup->past[i].range = (struct engine_past_range){joined, joined, true};
}

static void on_past(void *ctx, enum status status, const struct engine_past_range *ranges,
                    uint32_t events)
{
    struct catchup *catchup = ctx;
    struct session *session = catchup->session;
    struct catching_wish reading = {
        .wants = wants,
        .on_done = finished,
        .ctx = catchup,
    };

    (void)events;
    if (session->state == SESSION_CLOSED) {
        answer_at_once(catchup, session, ST_NOT_FOUND);
        session_drop(session);
        return;
    }
    if (status || was_reset(catchup, session))
        give_nothing(catchup, session);
    else
        catchup_keep(catchup, ranges);
    reading.from = catchup->live_after;
    session->state = SESSION_OPEN;
    if (catchup_read(catchup, session, &reading)) {
        answer_at_once(catchup, session, ST_NO_MEMORY);
    } else {
        answer(catchup, session, ST_OK);
        if (session->state == SESSION_OPEN)
            session_go(session);
    }
    session_drop(session);
}

void catchup_ask(struct catchup *catchup, struct session *session, engine_past_fn *told)
{
    const struct catchup_limits *limits =
        catchup_rules_limits(catchup->services->system->catchup);
    struct engine *engine = catchup->services->engine;
    struct engine_past_room *rooms = calloc(catchup->past_count, sizeof *rooms);
    struct engine_past wish = {
        .rooms = rooms,
        .count = catchup->past_count,
        .total = limits->total,
        .oldest_first = limits->oldest_first,
        .through = catchup->through,
    };

    catchup->session = session_share(session);
    for (size_t i = 0; rooms && i < catchup->past_count; i++)
        rooms[i] = catchup->past[i].wish;
    if (rooms)
        engine->ops->past(engine, &wish, told, catchup);
    else
        told(catchup, ST_NO_MEMORY, NULL, 0);
    free(rooms);
}

/* The directory knows it, its client does not yet: what comes is held. */
static void opened(struct session *session, enum status status, void *ctx)
{
    struct catchup *catchup = ctx;
    struct engine *engine = catchup->services->engine;

    if (status || session->is_recovered) {
        answer_at_once(catchup, session, status);
        return;
    }
    engine->ops->head(engine, &catchup->through);
    if (!catchup_gather(catchup, session, NULL)) {
        answer_at_once(catchup, session, ST_NO_MEMORY);
    } else if (catchup->past_count == 0) {
        answer_at_once(catchup, session, ST_OK);
        if (session->state == SESSION_OPEN)
            session_put(session);
    } else {
        session->state = SESSION_OPENING;
        catchup->live_after = catchup->through.seq;
        catchup_ask(catchup, session, on_past);
    }
}

bool catchup_expect(struct client_services *services, struct session *session,
                    const struct claims *claims, struct catchup_wrap *wrap)
{
    const struct system *system = services->system;
    struct buf memory = {.max = LIMIT_CONFIG_BYTES};
    struct template_values values = {0};
    int64_t since_ms = 0;

    access_values(system, claims, &memory, &values);
    values.auth = slice_of(session->auth);
    enum catchup_wish wish = catchup_rules_since(system->catchup, &values,
                                                 services_rendering(services), &since_ms);
    buf_finish(&memory);
    if (wish == CATCHUP_UNASKED && !room_rules_give_on_join(system->rooms))
        return true;
    struct catchup *catchup = calloc(1, sizeof *catchup);
    if (!catchup)
        return false;
    catchup->services = services;
    catchup->on_done = wrap->on_done;
    catchup->ctx = wrap->ctx;
    catchup->wish = wish;
    catchup->since_ms = wish == CATCHUP_ASKED ? since_ms : 0;
    session->catchup = catchup;
    *wrap = (struct catchup_wrap){opened, catchup};
    return true;
}
