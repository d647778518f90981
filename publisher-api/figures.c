/* Figures of the whole system: see the header. */
#include "publisher-api/figures.h"

#include "bridge/clock.h"

#include <inttypes.h>

enum {
    GATEWAYS_BYTES = FIGURES_BYTES - 1024
};

struct gateway_sum {
    struct buf list; /* the JSON items */
    uint64_t connections, deliveries, dropped;
    bool serves_websocket, serves_polling; /* one that is ready */
};

static void add_gateway(void *ctx, const struct engine_gateway *gateway)
{
    struct gateway_sum *sum = ctx;
    const uint64_t *values = gateway->counters.values;

    sum->connections += values[METRIC_CONNECTIONS];
    sum->deliveries += values[METRIC_DELIVERIES];
    sum->dropped += values[METRIC_DROPPED];
    sum->serves_websocket |= gateway->is_ready && values[METRIC_SERVES_WEBSOCKET] > 0;
    sum->serves_polling |= gateway->is_ready && values[METRIC_SERVES_POLLING] > 0;
    buf_add_text(&sum->list, sum->list.len > 0 ? ",{\"id\":" : "{\"id\":");
    buf_add_json_string(&sum->list, gateway->id);
    buf_print(&sum->list,
              ",\"pid\":%d,\"ready\":%s,\"connections\":%" PRIu64 ",\"lag_ms\":%" PRIu64
              "}",
              gateway->pid, gateway->is_ready ? "true" : "false",
              values[METRIC_CONNECTIONS], gateway->lag_ms);
}

/* What is being rebuilt is no number yet. */
static void add_total(struct buf *out, const char *name, uint64_t value,
                      const struct engine_totals *totals)
{
    if (totals->is_rebuilding)
        buf_print(out, ",\"%s\":null", name);
    else
        buf_print(out, ",\"%s\":%" PRIu64, name, value);
}

static void add_per_user(struct buf *out, const char *name, uint64_t value,
                         const struct engine_totals *totals)
{
    if (totals->is_rebuilding)
        buf_print(out, ",\"%s\":null", name);
    else
        buf_print(out, ",\"%s\":%.6g", name,
                  totals->users > 0 ? (double)value / (double)totals->users : 0.0);
}

/* What a system's own words for its figures are made of: templates do not count. */
static void add_derived(struct buf *out, const struct handler_parts *parts,
                        const struct gateway_sum *sum, const struct engine_totals *totals)
{
    buf_print(out, ",\"ready\":%s,\"uptime_seconds\":%.3f",
              handler_parts_are_ready(parts) ? "true" : "false",
              (double)(clock_ms() - parts->started_ms) / 1000);
    buf_print(out, ",\"transports\":{\"websocket\":%s,\"polling\":%s}",
              sum->serves_websocket ? "true" : "false",
              sum->serves_polling ? "true" : "false");
    add_total(out, "sessions", totals->sessions, totals);
    add_per_user(out, "connections_per_user", sum->connections, totals);
    add_per_user(out, "sessions_per_user", totals->sessions, totals);
}

static void add_all(struct buf *out, const struct handler_parts *parts,
                    const struct gateway_sum *sum, enum figures_for whom)
{
    struct engine *engine = parts->engine;
    char epoch[9], text[LIMIT_POSITION_BYTES + 1];
    struct metrics_snapshot own;
    struct engine_totals totals = {0};
    struct position head = {0};

    engine->ops->head(engine, &head);
    engine->ops->totals(engine, &totals);
    metrics_snapshot(parts->metrics, &own);
    epoch_print(head.epoch, epoch);
    position_print(&head, text);

    buf_add_text(out, "{\"version\":");
    buf_add_json_string(out, slice_of(parts->version));
    buf_print(out, ",\"uptime_ms\":%" PRIu64 ",\"epoch\":\"%s\",\"position\":\"%s\"",
              clock_ms() - parts->started_ms, epoch, text);
    add_total(out, "connections", sum->connections, &totals);
    add_total(out, "users", totals.users, &totals);
    add_total(out, "rooms", totals.rooms, &totals);
    add_total(out, "memberships", totals.memberships, &totals);
    buf_print(
        out, ",\"published\":%" PRIu64 ",\"deliveries\":%" PRIu64 ",\"dropped\":%" PRIu64,
        own.values[METRIC_PUBLISHED], sum->deliveries, sum->dropped);
    buf_add_text(out, ",\"gateways\":[");
    buf_add(out, buf_slice(&sum->list));
    buf_print(out, "],\"complete\":%s", totals.complete ? "true" : "false");
    if (whom == FIGURES_FOR_ROUTES)
        add_derived(out, parts, sum, &totals);
    buf_add_byte(out, '}');
}

void figures_add(struct buf *out, const struct handler_parts *parts,
                 enum figures_for whom)
{
    struct gateway_sum sum = {.list = {.max = GATEWAYS_BYTES}};

    parts->engine->ops->gateways(parts->engine, add_gateway, &sum);
    add_all(out, parts, &sum, whom);
    if (buf_status(&sum.list))
        out->failure = buf_status(&sum.list);
    buf_finish(&sum.list);
}
