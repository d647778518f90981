/* From a body to the engine: see the header. */
#include "publisher-api/publish_submit.h"

#include "bridge/clock.h"

#include <stdio.h>

static void refuse(const struct handler_parts *parts, const struct publish_job *job,
                   struct problem *problem)
{
    metrics_add(parts->metrics, METRIC_PUBLISH_REFUSED, 1);
    if (job->teller.refused)
        job->teller.refused(job->teller.ctx, job->exchange, problem);
    else
        http_problem(job->exchange, problem);
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

static void refuse_body(const struct handler_parts *parts, const struct publish_job *job,
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
    refuse(parts, job, &problem);
}

bool handler_parts_may_log(struct handler_parts *parts)
{
    return parts->log->level >= LOG_LEVEL_DEBUG ||
           log_quota_lets(&parts->lines, parts->log, "lines about requests withheld",
                          clock_ms());
}

/* All that the contract says, with pointers into the whole body. */
static void refuse_payload(struct handler_parts *parts, const struct publish_job *job,
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
    if (handler_parts_may_log(parts))
        log_info(parts->log, "publish refused by contract",
                 LOG_SLICE("event", event_rule_name(shape->rule)),
                 LOG_TEXT("pointer", pointers[0]),
                 LOG_TEXT("expected", errors[0].expected),
                 LOG_NUM("errors", report->count));
    metrics_add(parts->metrics, METRIC_CONTRACT_REFUSED, 1);
    struct problem problem = {
        .status = ST_BAD_PAYLOAD,
        .detail = fault->detail,
        .hint = fault->hint,
        .errors = errors,
        .error_count = report->count,
    };
    refuse(parts, job, &problem);
}

static void refuse_caller(const struct handler_parts *parts,
                          const struct publish_job *job)
{
    char detail[CALLER_DETAIL_BYTES];

    snprintf(detail, sizeof detail, "The %s may not publish this event to these rooms.",
             job->caller->name);
    struct problem problem = {
        .status = ST_FORBIDDEN,
        .detail = detail,
        .hint = "Compare the event and the rooms with the ones the credential is for."};
    refuse(parts, job, &problem);
}

/* Everything that is known about the event and who it is from. False: refused. */
static bool check_event(struct handler_parts *parts, const struct publish_job *job)
{
    struct publish_fault fault = {0};
    enum status st = catalog_apply(&parts->catalog, &parts->request, job->caller,
                                   slice_of(job->request->request_id), &fault);

    if (!st && !caller_may_publish(job->caller, &parts->request.envelope))
        st = ST_FORBIDDEN;
    if (!st)
        st = catalog_shape(&parts->catalog, &parts->request, &fault);
    if (st == ST_FORBIDDEN)
        refuse_caller(parts, job);
    else if (st == ST_BAD_PAYLOAD && catalog_rule(&parts->catalog) &&
             parts->catalog.shape.report.count > 0)
        refuse_payload(parts, job, &fault);
    else if (st)
        refuse_body(parts, job, st, &fault);
    return !st;
}

/* False: refused. */
static bool take_id(const struct handler_parts *parts, const struct publish_job *job,
                    struct envelope *envelope)
{
    struct problem problem = {0};

    problem.status =
        take_header_id(job->request->head, "Idempotency-Key", &envelope->id, &problem);
    if (!problem.status)
        problem.status = take_header_id(job->request->head, "X-Idempotency-Key",
                                        &envelope->id, &problem);
    if (problem.status)
        refuse(parts, job, &problem);
    return !problem.status;
}

/* False: refused. */
static bool submit(struct handler_parts *parts, const struct publish_job *job)
{
    struct envelope *envelope = &parts->request.envelope;

    if (!take_id(parts, job, envelope) || !check_event(parts, job))
        return false;
    envelope->at_ms = clock_wall_ms();
    envelope->accepted_us = clock_us();
    envelope->request_id = slice_of(job->request->request_id);
    const struct publish_order order = {
        .envelope = envelope,
        .has_id = envelope->id.len > 0,
        .id_owner = job->id_owner,
        .body = job->identity,
        .caller = job->caller->name,
        .rule = catalog_rule(&parts->catalog),
        .teller = job->teller,
        .counts_users = job->counts_users,
    };
    publish_calls_submit(parts->calls, job->exchange, &order);
    return true;
}

void publish_submit(struct handler_parts *parts, const struct publish_job *job)
{
    struct publish_fault fault = {0};

    parts->request.target_is_optional = parts->catalog.events != NULL;
    enum status st = publish_request_decode(job->body, &parts->request, &fault);
    if (st)
        refuse_body(parts, job, st, &fault);
    if ((st || !submit(parts, job)) && job->teller.done)
        job->teller.done(job->teller.ctx);
}
