/* Heartbeats of the application: see the header. */
#include "client-gw/beats.h"

#include "bridge/clock.h"
#include "client-gw/audit.h"
#include "client-gw/dialect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct beat {
    uv_timer_t timer; /* first: libuv hands it back */
    struct beats *beats;
    const struct beat_rule *rule;
    unsigned bit;
    uint64_t ack_id; /* of the last one */
    int64_t sent_us; /* 0: none yet */
};

struct beats {
    const struct beat_rules *rules;
    struct connection_set *connections;
    struct metrics *metrics;
    size_t count;
    size_t open_handles;
    struct beat items[BEAT_RULES_MAX];
};

/* One beat on its way. */
struct round {
    struct beat *beat;
    int64_t now_ms;   /* wall clock */
    uint64_t from_ms; /* since when answers are awaited */
    size_t max_acks;
    struct voice_frames frames;
};

/* With the position of this session: who gets what it missed is not where others are. */
static struct frame *make_frame(struct round *round, const struct session *session)
{
    const struct voice *voice = session->voice;
    char offset[LIMIT_POSITION_BYTES + 1];
    struct buf out = {.max = 4096};
    char stamp[24];

    snprintf(stamp, sizeof stamp, "%lld", (long long)round->now_ms);
    struct emit_view emit = {
        .nsp = voice->name,
        .event_json = round->beat->rule->event_json,
        .args = slice_of(stamp),
        .ack = {.is_wanted = round->beat->rule->wants_ack, .id = round->beat->ack_id},
        .id = slice_of(stamp),
        .at_ms = round->now_ms,
        .offset = session_offset(session, offset),
    };
    struct frame *frame = voice->dialect->make_emit(&emit, &out);
    buf_finish(&out);
    return frame;
}

/* Gives a reference. */
static struct frame *frame_of(struct round *round, const struct session *session)
{
    uint8_t number = session->voice->number;

    if (session->catching)
        return make_frame(round, session);
    if (!voice_frames_find(&round->frames, number))
        voice_frames_put(&round->frames, number, make_frame(round, session));
    struct frame *frame = voice_frames_find(&round->frames, number);
    return frame ? frame_share(frame) : NULL;
}

static void beat_session(struct session *session, void *ctx)
{
    struct round *round = ctx;
    const struct beat *beat = round->beat;
    struct frame *frame = frame_of(round, session);

    if (!frame)
        return;
    if (!beat->rule->wants_ack)
        session->beats_due |= (uint8_t)beat->bit;
    else if (session->voice->dialect->can_ask)
        acks_ask(&session->acks, round->max_acks,
                 &(struct ack_due){beat->ack_id, round->from_ms + beat->rule->every_ms},
                 round->from_ms);
    /* Past what is held: it says where the client is. */
    connection_send(session->connection, frame);
    frame_drop(frame);
}

static void on_beat(uv_timer_t *timer)
{
    struct beat *beat = (struct beat *)timer;
    struct round round;

    round.beat = beat;
    round.now_ms = clock_wall_ms();
    round.from_ms = clock_ms();
    round.max_acks = connection_set_config(beat->beats->connections)->acks;
    memset(round.frames.made, 0, sizeof round.frames.made);
    beat->ack_id = connection_set_next_ack(beat->beats->connections);
    beat->sent_us = clock_us();
    connection_set_each(beat->beats->connections, beat_session, &round);
    voice_frames_drop(&round.frames);
}

struct beats *beats_create(uv_loop_t *loop, const struct beat_rules *rules,
                           struct connection_set *connections, struct metrics *metrics)
{
    struct beats *beats = calloc(1, sizeof *beats);

    if (!beats)
        return NULL;
    beats->rules = rules;
    beats->connections = connections;
    beats->metrics = metrics;
    beats->count = beat_rules_count(rules);
    for (size_t i = 0; i < beats->count; i++) {
        struct beat *beat = &beats->items[i];
        beat->beats = beats;
        beat->rule = beat_rules_at(rules, i);
        beat->bit = 1u << i;
        uv_timer_init(loop, &beat->timer);
        uv_timer_start(&beat->timer, on_beat, beat->rule->every_ms, beat->rule->every_ms);
    }
    beats->open_handles = beats->count;
    return beats;
}

static void on_closed(uv_handle_t *handle)
{
    struct beats *beats = ((struct beat *)handle)->beats;

    if (--beats->open_handles == 0)
        free(beats);
}

void beats_destroy(struct beats *beats)
{
    if (!beats)
        return;
    if (beats->count == 0)
        free(beats);
    else
        for (size_t i = 0, count = beats->count; i < count; i++)
            uv_close((uv_handle_t *)&beats->items[i].timer, on_closed);
}

static void answered(const struct beat *beat, const struct session *session)
{
    int64_t took_us = clock_us() - beat->sent_us;

    metrics_add(beat->beats->metrics, METRIC_BEATS, 1);
    metrics_add(beat->beats->metrics, METRIC_BEAT_RTT_US, took_us);
    audit_heartbeat(session, took_us / 1000);
}

/* False: it was answered before, or never sent by these beats. */
static bool take_due(const struct beat *beat, struct session *session)
{
    bool is_due = session->beats_due & beat->bit && beat->sent_us > 0;

    session->beats_due &= (uint8_t)~beat->bit;
    return is_due;
}

bool beats_event(struct beats *beats, struct session *session, struct slice event)
{
    int at = beat_rules_expecting(beats->rules, event);

    if (at < 0 || !take_due(&beats->items[at], session))
        return false;
    answered(&beats->items[at], session);
    return true;
}

void beats_ack(struct beats *beats, const struct session *session, uint64_t id)
{
    for (size_t i = 0; i < beats->count; i++)
        if (beats->items[i].rule->wants_ack && beats->items[i].ack_id == id)
            answered(&beats->items[i], session);
}
