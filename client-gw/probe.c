/* The self-probe: see the header. */
#include "client-gw/probe.h"

#include "bridge/clock.h"
#include "bridge/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOOKS = 4,       /* in an interval */
    LOOK_MS = 250,   /* or so often */
    LATE_MS = 5000,  /* then it is lost, wherever it is */
    HOLD_MS = 10000, /* after a loss, before all is well again */
    MARK_BYTES = 16,
    ID_BYTES = MARK_BYTES + 24,
};

enum {
    OWN_REFS = 2, /* the owner's and the timer's; a publish under way has one more */
};

enum probe_state {
    PROBE_IDLE,
    PROBE_ASKED, /* nobody has kept it yet */
    PROBE_KEPT,  /* it has a seq */
};

struct probe {
    uv_timer_t timer;
    struct probe_config config;
    unsigned refs;

    /* What is sent. Time is counted in looks: a stopped process has not waited. */
    enum probe_state state;
    uint64_t look_ms, waited_ms; /* since it was sent, or the last one ended */
    char mark[MARK_BYTES + 1];
    uint64_t number;
    char id[ID_BYTES];
    int64_t sent_us;
    uint64_t kept_seq;
    uint64_t passed_before; /* volatile events that were passed over by then */

    /* What comes. */
    struct position last; /* epoch 0: nothing yet */
    uint64_t passed;      /* when it came */

    bool is_well;
    uint64_t unwell_ms; /* since the last fault */
};

static void release(struct probe *probe)
{
    if (--probe->refs == 0)
        free(probe);
}

/* The engine has not answered yet, perhaps for one that was given up. */
static bool is_asking(const struct probe *probe)
{
    return probe->refs > OWN_REFS;
}

static uint64_t count_passed(const struct probe *probe)
{
    return atomic_load_explicit(&probe->config.metrics->values[METRIC_EVENTS_PASSED],
                                memory_order_relaxed);
}

/* --- what is told */

static void change(struct probe *probe, bool is_well)
{
    probe->is_well = is_well;
    metrics_set(probe->config.metrics, METRIC_PROBE_FAILING, !is_well);
    probe->config.on_change(probe->config.ctx, is_well);
}

/* Once, until all was well again. */
static void complain(struct probe *probe, const char *what, uint64_t seq)
{
    bool was_well = probe->is_well;

    probe->unwell_ms = 0;
    if (!was_well)
        return;
    log_error(probe->config.log, "the gateway does not get all events",
              LOG_TEXT("because", what), LOG_NUM("seq", seq));
    change(probe, false);
}

static void recover(struct probe *probe)
{
    if (probe->is_well || probe->unwell_ms < HOLD_MS)
        return;
    log_info(probe->config.log, "the gateway gets all events again",
             LOG_NUM("seq", probe->last.seq));
    change(probe, true);
}

/* --- what is sent */

static void end(struct probe *probe)
{
    probe->state = PROBE_IDLE;
    probe->waited_ms = 0;
}

static void lose(struct probe *probe, const char *what)
{
    metrics_add(probe->config.metrics, METRIC_PROBE_LOST, 1);
    complain(probe, what, probe->kept_seq);
    end(probe);
}

static void on_kept(void *ctx, enum status status, const struct position *position)
{
    struct probe *probe = ctx;

    /* It may have come back before the answer. Nobody's answer: the next one tells. */
    if (probe->state == PROBE_ASKED && (status || position->seq == 0)) {
        end(probe);
    } else if (probe->state == PROBE_ASKED) {
        probe->state = PROBE_KEPT;
        probe->kept_seq = position->seq;
    }
    release(probe);
}

static enum status publish(struct probe *probe)
{
    struct envelope_target everybody = {.kind = ROOM_ALL};
    struct envelope envelope = {
        .kind = ENVELOPE_PROBE,
        .flags = ENVELOPE_VOLATILE,
        .at_ms = clock_wall_ms(),
        .accepted_us = clock_us(),
        .id = slice_of(probe->id),
        .nsp = SLICE("/"),
        .targets = &everybody, /* an envelope has one; no client gets it */
        .target_count = 1,
    };
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};

    envelope_encode(&envelope, &wire);
    enum status st = buf_status(&wire);
    if (!st)
        st = probe->config.engine->ops->publish(probe->config.engine, buf_slice(&wire),
                                                true, on_kept, probe);
    buf_finish(&wire);
    return st;
}

static void send_next(struct probe *probe)
{
    snprintf(probe->id, sizeof probe->id, "%s-%" PRIu64, probe->mark, ++probe->number);
    probe->state = PROBE_ASKED; /* before the call, which may answer at once */
    probe->waited_ms = 0;
    probe->sent_us = clock_us();
    probe->kept_seq = 0;
    probe->passed_before = count_passed(probe);
    probe->refs++;
    if (publish(probe)) {
        release(probe);
        end(probe);
        return;
    }
    metrics_add(probe->config.metrics, METRIC_PROBE_SENT, 1);
}

/* Whether events after it have come. */
static bool is_behind(const struct probe *probe)
{
    struct position applied;

    probe->config.engine->ops->head(probe->config.engine, &applied);
    return probe->state == PROBE_KEPT && applied.seq >= probe->kept_seq;
}

/* The bus may lose it, and no replay brings back what is volatile: that is no fault. */
static void look(struct probe *probe)
{
    if (is_behind(probe) && count_passed(probe) != probe->passed_before)
        end(probe);
    else if (is_behind(probe))
        lose(probe, "it was lost on its way");
    else if (probe->waited_ms >= LATE_MS)
        lose(probe, "it takes too long");
}

static void on_look(uv_timer_t *timer)
{
    struct probe *probe = timer->data;

    probe->waited_ms += probe->look_ms;
    probe->unwell_ms += probe->look_ms;
    if (!probe->config.engine->ops->is_ready(probe->config.engine))
        end(probe); /* which is told anyway */
    else if (probe->state != PROBE_IDLE)
        look(probe);
    else if (probe->waited_ms >= probe->config.interval_ms && !is_asking(probe))
        send_next(probe);
}

/* --- what comes */

void probe_take(struct probe *probe, struct slice id)
{
    if (probe->state == PROBE_IDLE || !slice_is(id, probe->id))
        return;
    metrics_add(probe->config.metrics, METRIC_PROBE_RECEIVED, 1);
    metrics_set(probe->config.metrics, METRIC_PROBE_LATENCY_US,
                (uint64_t)(clock_us() - probe->sent_us));
    end(probe);
    recover(probe);
}

/* Neither the one that was due, nor one behind volatile ones that a replay passed over.
 */
static void find_fault(struct probe *probe, const struct position *position,
                       uint64_t expected)
{
    if (position->epoch != probe->last.epoch || position->seq < expected) {
        complain(probe, "an event came out of order", position->seq);
        return;
    }
    metrics_add(probe->config.metrics, METRIC_EVENTS_MISSING,
                (int64_t)(position->seq - expected));
    complain(probe, "an event is missing", expected);
}

void probe_see(struct probe *probe, const struct position *position)
{
    uint64_t passed = count_passed(probe);
    uint64_t expected = probe->last.seq + 1 + (passed - probe->passed);

    metrics_add(probe->config.metrics, METRIC_EVENTS, 1);
    if (probe->last.epoch != 0 &&
        (position->seq != expected || position->epoch != probe->last.epoch))
        find_fault(probe, position, expected);
    probe->last = *position;
    probe->passed = passed;
}

void probe_reset(struct probe *probe, const struct position *now)
{
    probe->last = *now;
    probe->passed = count_passed(probe);
    end(probe);
}

/* --- life */

bool probe_is_well(const struct probe *probe)
{
    return probe->is_well;
}

struct probe *probe_create(const struct probe_config *config)
{
    struct probe *probe = calloc(1, sizeof *probe);

    if (!probe)
        return NULL;
    probe->config = *config;
    probe->is_well = true;
    probe->refs = OWN_REFS;
    random_text(probe->mark, MARK_BYTES);
    uv_timer_init(config->loop, &probe->timer);
    probe->timer.data = probe;
    if (config->interval_ms == 0)
        return probe;
    probe->look_ms = config->interval_ms / LOOKS + 1;
    if (probe->look_ms > LOOK_MS)
        probe->look_ms = LOOK_MS;
    uv_timer_start(&probe->timer, on_look, probe->look_ms, probe->look_ms);
    return probe;
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void probe_destroy(struct probe *probe)
{
    if (!probe)
        return;
    end(probe);
    uv_close((uv_handle_t *)&probe->timer, on_closed);
    release(probe);
}
