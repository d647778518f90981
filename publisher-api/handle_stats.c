/* GET /v1/stats: the figures of the whole system. */
#include "bridge/clock.h"
#include "publisher-api/figures.h"

void handle_stats_open(struct http_exchange *exchange, const struct http_request *request,
                       void *ctx)
{
    struct handler_parts *parts = ctx;
    struct buf body = {.max = FIGURES_BYTES};

    (void)request;
    figures_add(&body, parts, FIGURES_FOR_STATS);
    if (buf_status(&body)) {
        http_problem(exchange, &(struct problem){.status = ST_NO_MEMORY});
    } else {
        http_reply(exchange, &(struct http_reply){
                                 .status = 200,
                                 .content_type = "application/json",
                                 .body = buf_slice(&body),
                             });
    }
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
