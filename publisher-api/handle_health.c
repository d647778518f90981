/*
 * /livez (= /healthz): the loop turns. /readyz: what is published now is kept and sent.
 */
#include "publisher-api/handlers.h"

#include "bridge/health.h"
#include "proto/http_query.h"

enum {
    CHECKS_BYTES = 64 * 1024
};

void handle_live(struct http_exchange *exchange, const struct http_request *request,
                 void *ctx)
{
    (void)request;
    (void)ctx;
    health_answer_live(exchange);
}

bool handler_parts_are_ready(const struct handler_parts *parts)
{
    return !parts->is_draining && lifecycle_is_ready(parts->lifecycle);
}

void handle_ready(struct http_exchange *exchange, const struct http_request *request,
                  void *ctx)
{
    (void)request;
    health_answer_ready(exchange, handler_parts_are_ready(ctx));
}

static void add_check(struct buf *out, const char *name, bool ok, const char *detail)
{
    buf_print(out, "{\"name\":\"%s\",\"ok\":%s,\"detail\":\"%s\"}", name,
              ok ? "true" : "false", detail);
}

/* A gateway is not one of the publisher's conditions: it is listed for the reader. */
static void add_gateway(void *ctx, const struct engine_gateway *gateway)
{
    struct buf *out = ctx;

    buf_add_text(out, ",{\"name\":");
    buf_add_json_string(out, gateway->id);
    buf_print(out, ",\"ok\":%s,\"detail\":\"last heard %llu ms ago\"}",
              gateway->is_ready ? "true" : "false", (unsigned long long)gateway->lag_ms);
}

/* Of all gateways; who does not hear all its events says so in its log. */
static void count_failing(void *ctx, const struct engine_gateway *gateway)
{
    *(unsigned *)ctx += gateway->counters.values[METRIC_PROBE_FAILING] > 0;
}

static void count_overloaded(void *ctx, const struct engine_gateway *gateway)
{
    *(unsigned *)ctx += gateway->counters.values[METRIC_OVERLOADED] > 0;
}

static void add_gateway_checks(struct buf *out, struct engine *engine)
{
    unsigned failing = 0, overloaded = 0;

    engine->ops->gateways(engine, count_failing, &failing);
    engine->ops->gateways(engine, count_overloaded, &overloaded);
    buf_add_byte(out, ',');
    add_check(out, "probe", failing == 0,
              failing == 0 ? "the gateways get all events"
                           : "a gateway does not get all events: see its log");
    buf_add_byte(out, ',');
    add_check(out, "load", overloaded == 0,
              overloaded == 0 ? "new clients are let in"
                              : "a gateway is late and refuses new clients");
    engine->ops->gateways(engine, add_gateway, out);
}

void handle_ready_verbose(struct http_exchange *exchange,
                          const struct http_request *request, void *ctx)
{
    struct handler_parts *parts = ctx;
    struct engine *engine = parts->engine;
    bool ready = handler_parts_are_ready(parts),
         engine_ready = engine->ops->is_ready(engine);
    struct buf body = {.max = CHECKS_BYTES};
    struct slice value;

    if (!http_query_find(request->head->query, "verbose", &value)) {
        handle_ready(exchange, request, ctx);
        return;
    }
    bool has_its_file = lifecycle_has_its_file(parts->lifecycle);
    buf_print(&body, "{\"ready\":%s,\"checks\":[", ready ? "true" : "false");
    add_check(&body, "process", ready, parts->is_draining ? "stopping" : "serving");
    buf_add_byte(&body, ',');
    add_check(&body, "engine", engine_ready,
              engine_ready ? "events are kept" : "events cannot be kept");
    buf_add_byte(&body, ',');
    add_check(&body, "configuration", has_its_file,
              has_its_file ? "in force"
                           : "the last reload was refused, see the log: the one before "
                             "it is in force");
    add_gateway_checks(&body, engine);
    buf_add_text(&body, "]}");
    http_reply(exchange, &(struct http_reply){
                             .status = ready ? 200 : 503,
                             .content_type = "application/json",
                             .body = buf_slice(&body),
                         });
    buf_finish(&body);
}
