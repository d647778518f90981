/*
 * POST /v1/publish, POST /broadcast: authenticate, validate, derive the target, hand it
 * to the engine. What is refused here was not published.
 */
#include "publisher-api/handlers.h"

#include "bridge/clock.h"
#include "proto/http_query.h"

#include <stdio.h>

static void refuse(const struct handler_parts *parts, struct http_exchange *exchange,
                   struct problem *problem)
{
    metrics_add(parts->metrics, METRIC_PUBLISH_REFUSED, 1);
    http_problem(exchange, problem);
}

/* Draft-ietf-httpapi-idempotency-key has the value as a quoted string; most send it bare.
 */
static struct slice unquote(struct slice value)
{
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        return (struct slice){value.ptr + 1, value.len - 2};
    return value;
}

/* `*id` is the body's, or empty; the header of this name may give it, and must not
 * differ.
 */
static enum status take_header_id(const struct http_head *head, const char *name,
                                  struct slice *id, struct problem *problem)
{
    struct slice given = unquote(http_head_field(head, name));

    if (given.len == 0)
        return ST_OK;
    problem->hint = "Give the id once: as \"id\" in the body, or as Idempotency-Key.";
    if (!event_id_is_valid(given)) {
        problem->detail = "The idempotency key in the head is not valid: 1 to 64 of "
                          "[A-Za-z0-9._:-] were expected.";
        return ST_BAD_REQUEST;
    }
    if (id->len > 0 && !slice_equal(*id, given)) {
        problem->detail = "The request carries two different ids, in \"id\" of the body "
                          "and in the head, or in two fields of the head.";
        return ST_BAD_REQUEST;
    }
    *id = given;
    return ST_OK;
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

static void refuse_body(const struct handler_parts *parts, struct http_exchange *exchange,
                        enum status status, const struct publish_fault *fault)
{
    const struct problem_error error = {
        .pointer = fault->pointer,
        .detail = fault->detail,
        .expected = fault->expected,
    };
    struct problem problem = {
        .status = status,
        .detail = fault->detail,
        .hint = fault->hint,
        .errors = &error,
        .error_count = status == ST_NO_MEMORY ? 0 : 1,
    };
    refuse(parts, exchange, &problem);
}

/* All that the contract says, with pointers into the whole body. */
static void refuse_payload(const struct handler_parts *parts,
                           struct http_exchange *exchange,
                           const struct publish_fault *fault)
{
    const struct event_publish *shape = &parts->catalog.shape;
    const struct contract_report *report = &shape->report;
    char pointers[CONTRACT_MAX_ERRORS][CONTRACT_POINTER_BYTES + 8];
    struct problem_error errors[CONTRACT_MAX_ERRORS];

    for (size_t i = 0; i < report->count; i++) {
        const struct contract_error *error = &report->errors[i];
        snprintf(pointers[i], sizeof pointers[i], "%s%s", shape->root, error->pointer);
        errors[i] = (struct problem_error){pointers[i], error->detail, error->expected};
    }
    log_info(parts->log, "publish refused by contract",
             LOG_SLICE("event", event_rule_name(shape->rule)),
             LOG_TEXT("pointer", pointers[0]), LOG_TEXT("expected", errors[0].expected),
             LOG_NUM("errors", report->count));
    metrics_add(parts->metrics, METRIC_CONTRACT_REFUSED, 1);
    struct problem problem = {
        .status = ST_BAD_PAYLOAD,
        .detail = fault->detail,
        .hint = fault->hint,
        .errors = errors,
        .error_count = report->count,
    };
    refuse(parts, exchange, &problem);
}

static void refuse_caller(const struct handler_parts *parts,
                          struct http_exchange *exchange, const struct caller *caller)
{
    char detail[CALLER_DETAIL_BYTES];

    snprintf(detail, sizeof detail, "The %s may not publish this event to these rooms.",
             caller->name);
    struct problem problem = {
        .status = ST_FORBIDDEN,
        .detail = detail,
        .hint = "Compare the event and the rooms with the ones the credential is for."};
    refuse(parts, exchange, &problem);
}

/* Everything that is known about the event and who it is from. False: refused. */
static bool check_event(struct handler_parts *parts, struct http_exchange *exchange,
                        const struct http_request *request, const struct caller *caller)
{
    struct publish_fault fault = {0};
    enum status st = catalog_apply(&parts->catalog, &parts->request, caller,
                                   slice_of(request->request_id), &fault);

    if (!st && !caller_may_publish(caller, &parts->request.envelope))
        st = ST_FORBIDDEN;
    if (!st)
        st = catalog_shape(&parts->catalog, &parts->request, &fault);
    if (st == ST_FORBIDDEN)
        refuse_caller(parts, exchange, caller);
    else if (st == ST_BAD_PAYLOAD && catalog_rule(&parts->catalog) &&
             parts->catalog.shape.report.count > 0)
        refuse_payload(parts, exchange, &fault);
    else if (st)
        refuse_body(parts, exchange, st, &fault);
    return !st;
}

/* False: refused. */
static bool take_id(const struct handler_parts *parts, struct http_exchange *exchange,
                    const struct http_head *head, struct envelope *envelope)
{
    struct problem problem = {0};

    problem.status = take_header_id(head, "Idempotency-Key", &envelope->id, &problem);
    if (!problem.status)
        problem.status =
            take_header_id(head, "X-Idempotency-Key", &envelope->id, &problem);
    if (problem.status)
        refuse(parts, exchange, &problem);
    return !problem.status;
}

static void submit(struct handler_parts *parts, struct http_exchange *exchange,
                   const struct http_request *request, const struct caller *caller)
{
    struct envelope *envelope = &parts->request.envelope;

    if (!take_id(parts, exchange, request->head, envelope) ||
        !check_event(parts, exchange, request, caller))
        return;
    envelope->at_ms = clock_wall_ms();
    envelope->accepted_us = clock_us();
    envelope->request_id = slice_of(request->request_id);
    const struct publish_order order = {
        .envelope = envelope,
        .has_id = envelope->id.len > 0,
        .body = request->body,
        .caller = caller->name,
        .rule = catalog_rule(&parts->catalog),
    };
    publish_calls_submit(parts->calls, exchange, &order);
}

enum status admit_publish(const struct http_head *head, void *ctx,
                          char detail[LIMIT_HTTP_DETAIL_BYTES])
{
    const struct handler_parts *parts = ctx;
    struct caller caller;
    const char *hint;
    enum status st = caller_identify(&parts->trust, head, API_SCOPE_PUBLISH,
                                     clock_wall_ms() / 1000, &caller, detail, &hint);

    if (st)
        metrics_add(parts->metrics, METRIC_PUBLISH_REFUSED, 1);
    else
        caller_finish(&caller);
    return st;
}

void handle_publish(struct http_exchange *exchange, const struct http_request *request,
                    void *ctx)
{
    struct handler_parts *parts = ctx;
    struct problem problem = {0};
    struct publish_fault fault = {0};
    struct caller caller;
    char detail[CALLER_DETAIL_BYTES];

    if (parts->is_draining) {
        problem.status = ST_DRAINING;
        problem.detail = "The server is stopping; the event was not published.";
        refuse(parts, exchange, &problem);
        return;
    }
    problem.status =
        caller_identify(&parts->trust, request->head, API_SCOPE_PUBLISH,
                        clock_wall_ms() / 1000, &caller, detail, &problem.hint);
    if (problem.status) {
        problem.detail = detail;
        refuse(parts, exchange, &problem);
        return;
    }

    problem.status = check_head(request->head, &problem);
    if (problem.status) {
        refuse(parts, exchange, &problem);
        goto out;
    }
    parts->request.target_is_optional = parts->catalog.events != NULL;
    enum status st = publish_request_decode(request->body, &parts->request, &fault);
    if (st)
        refuse_body(parts, exchange, st, &fault);
    else
        submit(parts, exchange, request, &caller);
out:
    caller_finish(&caller);
}
