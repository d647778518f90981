/* GET /metrics: Prometheus text of this process and of each gateway. */
#include "publisher-api/handlers.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    METRICS_GATEWAYS = 256,
    LABEL_BYTES = 96,
    METRICS_BYTES = 4 * 1024 * 1024,
};

struct gateway_copy {
    char label[LABEL_BYTES];
    struct metrics_snapshot counters;
};

/* The visit lends: what it shows is copied until all is printed. */
struct collection {
    struct gateway_copy *gateways;
    size_t count;
    bool failed;
};

static void collect(void *ctx, const struct engine_gateway *gateway)
{
    struct collection *all = ctx;

    if (all->failed || all->count == METRICS_GATEWAYS)
        return;
    struct gateway_copy *grown =
        realloc(all->gateways, (all->count + 1) * sizeof *all->gateways);
    if (!grown) {
        all->failed = true;
        return;
    }
    all->gateways = grown;
    struct gateway_copy *copy = &grown[all->count++];
    snprintf(copy->label, sizeof copy->label, "gateway=\"%.*s\"", (int)gateway->id.len,
             gateway->id.ptr);
    copy->counters = gateway->counters;
}

static void print(struct buf *out, const struct metrics_snapshot *own,
                  const struct collection *all)
{
    struct metrics_source sources[METRICS_GATEWAYS + 1] = {
        {NULL, own}
    };

    for (size_t i = 0; i < all->count; i++)
        sources[i + 1] =
            (struct metrics_source){all->gateways[i].label, &all->gateways[i].counters};
    metrics_print(out, sources, all->count + 1);
}

void handle_metrics(struct http_exchange *exchange, const struct http_request *request,
                    void *ctx)
{
    struct handler_parts *parts = ctx;
    struct collection all = {0};
    struct metrics_snapshot own;
    struct buf body = {.max = METRICS_BYTES};

    (void)request;
    metrics_snapshot(parts->metrics, &own);
    parts->engine->ops->gateways(parts->engine, collect, &all);
    print(&body, &own, &all);
    if (all.failed || buf_status(&body)) {
        http_problem(exchange, &(struct problem){.status = ST_NO_MEMORY});
    } else {
        http_reply(exchange, &(struct http_reply){
                                 .status = 200,
                                 .content_type = "text/plain; version=0.0.4",
                                 .body = buf_slice(&body),
                             });
    }
    free(all.gateways);
    buf_finish(&body);
}
