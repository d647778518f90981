/* Delivery: see the header. */
#include "client-gw/deliver.h"

#include "bridge/clock.h"
#include "client-gw/probe.h"
#include "proto/limits.h"

#include <assert.h>
#include <stdlib.h>

/* What a session is marked with, so that it gets an event once. */
enum {
    STAMP_EXCEPT = 1, /* added: it is to get nothing */
    STAMPS = 2,       /* of one event */
};

struct deliver {
    struct deliver_config config;
    uint64_t stamp; /* of the event under way */
    struct buf scratch;
    struct envelope_room room;
    struct voice_frames frames; /* empty between two events */
};

/* One event on its way: a frame for each voice, made when the first member needs it. */
struct delivery {
    struct deliver *deliver;
    struct event_view view;
    struct slice offset; /* also of a volatile one: what came before it was sent */
    bool is_burst;       /* others follow or came before: all are written together */
    bool is_unique;      /* several targets or exceptions: each member at most once */
    bool is_volatile;    /* only for who takes it now */
    uint64_t addressed, delivered, dropped;
    struct voice_frames *frames;
    int voice;           /* number of the one in hand; -1: none */
    struct frame *frame; /* its own */
};

struct deliver *deliver_create(const struct deliver_config *config)
{
    struct deliver *deliver = calloc(1, sizeof *deliver);

    if (!deliver)
        return NULL;
    deliver->config = *config;
    deliver->scratch.max = 2 * (size_t)LIMIT_ENVELOPE_BYTES;
    return deliver;
}

void deliver_destroy(struct deliver *deliver)
{
    if (!deliver)
        return;
    buf_finish(&deliver->scratch);
    free(deliver);
}

static struct frame *make_frame(struct delivery *delivery, const struct voice *voice)
{
    struct buf *scratch = &delivery->deliver->scratch;

    buf_clear(scratch);
    delivery->view.nsp = voice->name;
    delivery->view.offset = voice->is_recoverable ? delivery->offset : (struct slice){0};
    struct frame *frame = voice->dialect->make_event(&delivery->view, scratch);
    voice_frames_put(delivery->frames, voice->number, frame);
    return frame;
}

/* Takes another voice's frame in hand; false: there is none. */
static bool change_voice(struct delivery *delivery, const struct voice *voice)
{
    struct frame *made = voice_frames_find(delivery->frames, voice->number);

    delivery->frame = made ? made : make_frame(delivery, voice);
    delivery->voice = delivery->frame ? voice->number : -1;
    return delivery->frame;
}

static void waive(const struct delivery *delivery, enum metric reason, uint64_t count)
{
    metrics_add(delivery->deliver->config.metrics, reason, (int64_t)count);
}

/* Why a frame has not become a client's. A volatile event that would have to wait:
 * ST_BUSY. */
static enum metric waiver_of(enum status status)
{
    switch (status) {
    case ST_BUSY: return METRIC_WAIVED_VOLATILE_BUSY;
    case ST_LIMIT: return METRIC_WAIVED_SLOW_CONSUMER;
    case ST_NO_MEMORY: return METRIC_WAIVED_NO_MEMORY;
    default: return METRIC_WAIVED_CLOSED;
    }
}

/* Straight to the socket; what did not fit waits. A volatile event waits for nobody. */
static enum status deliver_directly(const struct delivery *delivery,
                                    const struct room_member *member, struct frame *frame)
{
    struct slice wire = frame_wire(frame);
    size_t sent = transport_send(member->fd, wire);

    if (sent == wire.len)
        return ST_OK;
    if (sent == 0 && delivery->is_volatile)
        return ST_BUSY;
    return connection_wrote_partly(member->session->connection, frame, sent);
}

static enum status deliver_frame(const struct delivery *delivery,
                                 const struct room_member *member, struct frame *frame)
{
    bool is_direct = member->flags & ROOM_MEMBER_DIRECT;

    if (is_direct && !delivery->is_burst)
        return deliver_directly(delivery, member, frame);
    if (is_direct || (delivery->is_burst && session_takes_now(member->session)))
        return connection_send_later(member->session->connection, frame);
    if (!delivery->is_volatile || session_takes_now(member->session))
        return session_send(member->session, frame);
    return ST_BUSY;
}

static void deliver_to(struct delivery *delivery, const struct room_member *member)
{
    enum status st = ST_NO_MEMORY;

    /* Neighbours mostly have the same one. */
    if (member->voice != delivery->voice &&
        !change_voice(delivery, member->session->voice))
        /* Out of memory: a client that would miss an event is closed, it comes back. */
        connection_close(member->session->connection, CLOSE_SLOW_CONSUMER);
    else
        st = deliver_frame(delivery, member, delivery->frame);
    if (!st) {
        delivery->delivered++;
    } else {
        delivery->dropped += st == ST_BUSY;
        waive(delivery, waiver_of(st), 1);
    }
}

/* Each session at most once per event; only then is it looked at. */
static bool is_repeated(const struct delivery *delivery, struct session *session)
{
    uint64_t stamp = delivery->deliver->stamp;

    if (!delivery->is_unique)
        return false;
    if (session->stamp != stamp && session->stamp != stamp + STAMP_EXCEPT) {
        session->stamp = stamp;
        return false;
    }
    waive(delivery,
          session->stamp == stamp ? METRIC_WAIVED_REPEATED : METRIC_WAIVED_EXCEPT, 1);
    return true;
}

/* From the end: who came last is first. Nobody leaves meanwhile: a member that a full
 * outbox ends goes when all targets have been walked. */
static void deliver_to_members(struct delivery *delivery,
                               const struct room_member *members, size_t count)
{
    delivery->addressed += count;
    while (count-- > 0)
        if (!is_repeated(delivery, members[count].session))
            deliver_to(delivery, &members[count]);
}

static void deliver_to_room(struct delivery *delivery, const struct room_key *key)
{
    struct room *room = room_find(delivery->deliver->config.rooms, key);
    size_t count;

    if (!room)
        return;
    const struct room_member *members = room_members(room, &count);
    deliver_to_members(delivery, members, count);
}

/* The socket of a sid, as long as it is in the namespace. */
static struct session *find_socket(const struct deliver *deliver,
                                   const struct room_key *key)
{
    struct session *session = session_find(deliver->config.sessions, key->name);

    return session && slice_equal(session->voice->nsp, key->nsp) ? session : NULL;
}

static void deliver_to_socket(struct delivery *delivery, const struct room_key *key)
{
    struct session *session = find_socket(delivery->deliver, key);

    if (!session)
        return;
    const struct room_member member = session_as_member(session);
    deliver_to_members(delivery, &member, 1);
}

static void skip_excepted(struct delivery *delivery, const struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->except_count; i++) {
        struct session *session =
            session_find(delivery->deliver->config.sessions, envelope->except[i]);
        if (session)
            session->stamp = delivery->deliver->stamp + STAMP_EXCEPT;
    }
}

static void deliver_envelope(struct deliver *deliver, const struct engine_event *event,
                             const struct envelope *envelope)
{
    char text[LIMIT_POSITION_BYTES + 1];
    struct delivery delivery = {
        .deliver = deliver,
        .frames = &deliver->frames,
        .voice = -1,
        .view =
            {
                   .envelope = envelope,
                   .position = {text, position_print(&event->position, text)},
                   .room = session_set_told_room(deliver->config.sessions, envelope),
                   },
        .is_burst =
            event->has_more || connection_set_is_bursting(deliver->config.connections),
        .is_unique = envelope->target_count > 1 || envelope->except_count > 0,
        .is_volatile = envelope->flags & ENVELOPE_VOLATILE,
    };

    delivery.offset = delivery.view.position;
    if (delivery.is_volatile)
        delivery.view.position = (struct slice){0};
    deliver->stamp += STAMPS;
    skip_excepted(&delivery, envelope);
    connection_set_begin_walk(deliver->config.connections);
    for (size_t i = 0; i < envelope->target_count; i++) {
        struct room_key key = {envelope->nsp, envelope->targets[i].kind,
                               envelope->targets[i].name};
        if (key.kind == ROOM_SOCKET)
            deliver_to_socket(&delivery, &key);
        else
            deliver_to_room(&delivery, &key);
    }
    connection_set_end_walk(deliver->config.connections);
    voice_frames_drop(delivery.frames);
    metrics_add(deliver->config.metrics, METRIC_ADDRESSED, (int64_t)delivery.addressed);
    metrics_add(deliver->config.metrics, METRIC_DELIVERIES, (int64_t)delivery.delivered);
    if (delivery.dropped)
        metrics_add(deliver->config.metrics, METRIC_DROPPED, (int64_t)delivery.dropped);
}

/* One session of a target, or NULL when there is none (any more). */
static struct session *any_member(const struct deliver *deliver,
                                  const struct room_key *key)
{
    if (key->kind == ROOM_SOCKET)
        return find_socket(deliver, key);

    struct room *room = room_find(deliver->config.rooms, key);
    if (!room)
        return NULL;
    size_t count;
    const struct room_member *members = room_members(room, &count);
    return members[count - 1].session; /* the one whose leaving moves nobody */
}

/* An administrator's word: every session of the targets ends, and is told not to
 * return. */
static void disconnect_targets(struct deliver *deliver, const struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->target_count; i++) {
        struct room_key key = {envelope->nsp, envelope->targets[i].kind,
                               envelope->targets[i].name};
        struct session *session;
        while ((session = any_member(deliver, &key))) {
            connection_end_session(session, CLOSE_KICKED);
        }
    }
}

static void obey(struct deliver *deliver, const struct envelope *envelope)
{
    if (envelope->kind == ENVELOPE_CONTROL_DISCONNECT)
        disconnect_targets(deliver, envelope);
    else
        probe_take(deliver->config.probe, envelope->id);
}

/* How many would have had it, counting a member of two targets twice. */
static uint64_t count_members(const struct deliver *deliver,
                              const struct envelope *envelope)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < envelope->target_count; i++) {
        struct room_key key = {envelope->nsp, envelope->targets[i].kind,
                               envelope->targets[i].name};
        size_t count = 0;
        if (key.kind == ROOM_SOCKET)
            count = find_socket(deliver, &key) != NULL;
        else if (room_find(deliver->config.rooms, &key))
            room_members(room_find(deliver->config.rooms, &key), &count);
        sum += count;
    }
    return sum;
}

static void drop_expired(struct deliver *deliver, const struct envelope *envelope)
{
    int64_t members = (int64_t)count_members(deliver, envelope);

    metrics_add(deliver->config.metrics, METRIC_DROPPED, 1);
    metrics_add(deliver->config.metrics, METRIC_ADDRESSED, members);
    metrics_add(deliver->config.metrics, METRIC_WAIVED_EXPIRED, members);
}

static bool has_expired(const struct envelope *envelope)
{
    return envelope->ttl_ms > 0 && clock_wall_ms() > envelope->at_ms + envelope->ttl_ms;
}

void deliver_event(struct deliver *deliver, const struct engine_event *event)
{
    struct envelope envelope;

    if (envelope_decode(event->envelope, &deliver->room, &envelope)) {
        log_error(deliver->config.log,
                  "an event of the log cannot be read; is this gateway older?",
                  LOG_NUM("seq", event->position.seq));
        return;
    }
    assert(envelope.target_count == 0 || envelope.targets);
    if (envelope.kind != ENVELOPE_EVENT) {
        obey(deliver, &envelope);
        return;
    }
    if (has_expired(&envelope)) {
        drop_expired(deliver, &envelope);
        return;
    }
    int64_t taken_us = deliver->config.traces ? clock_us() : 0;
    deliver_envelope(deliver, event, &envelope);
    if (deliver->config.traces)
        trace_log_add(deliver->config.traces, event, &envelope, taken_us, clock_us());
}

void deliver_settle(struct deliver *deliver)
{
    connection_set_flush(deliver->config.connections);
}
