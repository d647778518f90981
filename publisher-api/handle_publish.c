/*
 * POST /v1/publish, POST /broadcast: authenticate, and publish what the body asks for.
 * What is refused here was not published.
 */
#include "publisher-api/handlers.h"

#include "bridge/clock.h"
#include "proto/http_query.h"
#include "publisher-api/publish_submit.h"

static void refuse(const struct handler_parts *parts, struct http_exchange *exchange,
                   struct problem *problem)
{
    metrics_add(parts->metrics, METRIC_PUBLISH_REFUSED, 1);
    http_problem(exchange, problem);
}

/* What is read by nobody must not seem to have worked. */
static enum status check_head(const struct http_head *head, struct problem *problem)
{
    struct slice type = http_head_field(head, "Content-Type");
    struct slice value;

    if (slice_is_nocase(slice_first(type, 10), "multipart/")) {
        problem->detail = "A multipart body was sent; one JSON object was expected.";
        problem->hint = "Send the JSON itself as the body, of type application/json.";
        return ST_MEDIA_TYPE;
    }
    if (http_query_find(head->query, "dry_run", &value)) {
        problem->detail = "dry_run is not supported; nothing was published.";
        problem->hint = "Leave dry_run out of the query to publish the event.";
        return ST_BAD_REQUEST;
    }
    return ST_OK;
}

/* ST_OK fills `*caller` (caller_finish); else it has answered. */
static enum status identify(const struct handler_parts *parts,
                            struct http_exchange *exchange, const struct http_head *head,
                            struct caller *caller)
{
    struct problem problem = {0};
    char detail[CALLER_DETAIL_BYTES];

    problem.status =
        caller_identify(&parts->trust, head, API_SCOPE_PUBLISH, clock_wall_ms() / 1000,
                        caller, detail, &problem.hint);
    problem.detail = detail;
    if (problem.status)
        refuse(parts, exchange, &problem);
    return problem.status;
}

bool admit_publish(struct http_exchange *exchange, const struct http_request *request,
                   void *ctx)
{
    struct caller caller;

    if (identify(ctx, exchange, request->head, &caller))
        return false;
    caller_finish(&caller);
    return true;
}

void handle_publish(struct http_exchange *exchange, const struct http_request *request,
                    void *ctx)
{
    struct handler_parts *parts = ctx;
    struct problem problem = {0};
    struct caller caller;

    if (identify(parts, exchange, request->head, &caller))
        return;
    problem.status = check_head(request->head, &problem);
    if (problem.status) {
        refuse(parts, exchange, &problem);
        goto out;
    }
    publish_submit(parts, &(struct publish_job){.exchange = exchange,
                                                .request = request,
                                                .caller = &caller,
                                                .body = request->body,
                                                .identity = request->body});
out:
    caller_finish(&caller);
}
