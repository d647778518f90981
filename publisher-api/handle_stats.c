/* GET /v1/stats: the publisher's own figures and the sum of what the gateways reported.
 */
#include "publisher-api/handlers.h"

#include "bridge/clock.h"

#include <inttypes.h>

enum {
    STATS_BYTES = 256 * 1024
};

struct gateway_sum {
    struct buf list; /* the JSON items */
    uint64_t connections, deliveries, dropped;
};

static void add_gateway(void *ctx, const struct engine_gateway *gateway)
{
    struct gateway_sum *sum = ctx;
    const uint64_t *values = gateway->counters.values;

    sum->connections += values[METRIC_CONNECTIONS];
    sum->deliveries += values[METRIC_DELIVERIES];
    sum->dropped += values[METRIC_DROPPED];
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

static void add_stats(struct buf *out, const struct handler_parts *parts,
                      const struct gateway_sum *sum)
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
    buf_print(out, "],\"complete\":%s}", totals.complete ? "true" : "false");
}

void handle_stats_open(struct http_exchange *exchange, const struct http_request *request,
                       void *ctx)
{
    struct handler_parts *parts = ctx;
    struct gateway_sum sum = {.list = {.max = STATS_BYTES}};
    struct buf body = {.max = STATS_BYTES + 1024};

    (void)request;
    parts->engine->ops->gateways(parts->engine, add_gateway, &sum);
    add_stats(&body, parts, &sum);
    if (buf_status(&sum.list) || buf_status(&body)) {
        http_problem(exchange, &(struct problem){.status = ST_NO_MEMORY});
    } else {
        http_reply(exchange, &(struct http_reply){
                                 .status = 200,
                                 .content_type = "application/json",
                                 .body = buf_slice(&body),
                             });
    }
    buf_finish(&sum.list);
    buf_finish(&body);
}

void handle_stats(struct http_exchange *exchange, const struct http_request *request,
                  void *ctx)
{
    struct handler_parts *parts = ctx;
    struct problem problem = {0};
    struct caller caller;
    char detail[CALLER_DETAIL_BYTES];

    problem.status =
        caller_identify(&parts->trust, request->head, API_SCOPE_ADMIN,
                        clock_wall_ms() / 1000, &caller, detail, &problem.hint);
    if (problem.status) {
        problem.detail = detail;
        http_problem(exchange, &problem);
        return;
    }
    caller_finish(&caller);
    handle_stats_open(exchange, request, ctx);
}
