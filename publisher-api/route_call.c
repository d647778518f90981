/* Requests to routes and their answers: see the header. */
#include "publisher-api/route_call.h"

#include "bridge/clock.h"
#include "bridge/random.h"
#include "proto/route_mapping.h"
#include "proto/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    REPLY_MAX_BYTES = 1024 * 1024,
    POINTER_BYTES = 256,
};

/* --- what templates draw from */

/* The last of a name wins; what is no text is not there. */
static void put_pair(struct route_values *into, struct slice name, struct slice value)
{
    size_t i = 0;

    while (i < into->values.query_count && !slice_equal(into->query[i].name, name))
        i++;
    if (i == ROUTE_QUERY_PAIRS)
        return;
    into->query[i] = (struct template_pair){name, value};
    if (i == into->values.query_count)
        into->values.query_count++;
}

static void read_query(struct slice query, struct route_values *into, char *memory)
{
    while (query.len > 0) {
        struct slice pair, name, raw;
        size_t len = 0;
        slice_cut(query, '&', &pair, &query);
        slice_cut(pair, '=', &name, &raw);
        if (!http_percent_decode(raw, true, memory, &len) ||
            !utf8_is_valid((struct slice){memory, len}))
            continue;
        put_pair(into, name, (struct slice){memory, len});
        memory += len;
    }
}

bool route_values_read(const struct route_call *call, struct route_values *into)
{
    const struct http_head *head = call->request->head;
    struct template_values *values = &into->values;
    uint8_t fresh[IDENT_UUID_RANDOM_BYTES];

    *values = (struct template_values){
        .body = call->request->body,
        .claims = call->claims ? claims_json(call->claims) : (struct slice){0},
        .event = buf_slice(&call->event),
        .path = into->path,
        .query = into->query,
        .now_ms = clock_wall_ms(),
        .request_id = slice_of(call->request->request_id),
    };
    if ((call->rule->uses | call->rule->reply_uses) & TEMPLATE_BIT(TEMPLATE_UUID)) {
        random_bytes(fresh, sizeof fresh);
        ident_uuid(fresh, into->uuid);
        values->uuid = (struct slice){into->uuid, IDENT_UUID_BYTES};
    }
    /* Nothing decoded is longer than it was: both fit where the head did. */
    if (!route_path_values(&call->rule->path, head->path, into->memory, into->path,
                           &values->path_count))
        return false;
    read_query(head->query, into, into->memory + head->path.len);
    return true;
}

/* --- its life */

struct route_call *route_call_create(struct handler_parts *parts, struct system *system,
                                     const struct route_rule *rule,
                                     const struct http_request *request,
                                     struct claims *claims)
{
    struct route_call *call = calloc(1, sizeof *call);

    if (!call) {
        claims_drop(claims);
        return NULL;
    }
    *call = (struct route_call){
        .parts = parts,
        .system = system_share(system),
        .rule = rule,
        .request = request,
        .claims = claims,
        .event = {.max = 6 * LIMIT_EVENT_NAME_BYTES + 2},
    };
    return call;
}

void route_call_destroy(struct route_call *call)
{
    claims_drop(call->claims);
    buf_finish(&call->event);
    system_release(call->system);
    free(call);
}

/* --- answers */

/* False: the route has no words of its own for it, or they lack a value. */
static bool render(const struct route_call *call, const struct template *words,
                   const struct route_values *from, struct buf *out)
{
    struct template_failure failure = {0};

    if (!words)
        return false;
    if (!template_json(words, &from->values, out, &failure))
        return true;
    if (handler_parts_may_log(call->parts))
        log_warn(call->parts->log, "the reply of a route lacks a value",
                 LOG_TEXT("route", call->rule->path.text),
                 LOG_SLICE("placeholder", failure.placeholder),
                 LOG_SLICE("request_id", from->values.request_id));
    return false;
}

void route_call_reply(const struct route_call *call, struct http_exchange *exchange,
                      const struct reply *reply, struct slice result, int status)
{
    struct buf body = {.max = REPLY_MAX_BYTES};
    struct route_values from;

    bool is_own = call->rule->reply_ok && route_values_read(call, &from);
    if (is_own) {
        from.values.payload = result;
        from.values.count = reply ? reply->recipients : 0;
        from.values.count_is_unknown = !reply || !reply->has_recipients;
        is_own = render(call, call->rule->reply_ok, &from, &body);
    }
    http_reply(exchange, &(struct http_reply){
                             .status = call->rule->status ? call->rule->status : status,
                             .content_type = "application/json",
                             .body = is_own ? buf_slice(&body) : result,
                             .headers = &publish_replayed,
                             .header_count = reply && reply->duplicate ? 1 : 0,
                         });
    buf_finish(&body);
}

void route_call_refuse(const struct route_call *call, struct http_exchange *exchange,
                       struct problem *problem)
{
    struct buf body = {.max = REPLY_MAX_BYTES};
    struct route_values from;
    bool is_own = false;

    if (call->rule->reply_error) {
        route_values_read(call, &from); /* no template of errors has a path */
        from.values.code = slice_of(status_code(problem->status));
        from.values.message = slice_of(problem->detail && problem->detail[0]
                                           ? problem->detail
                                           : status_title(problem->status));
        is_own = render(call, call->rule->reply_error, &from, &body);
    }
    if (is_own)
        http_problem_as(exchange, problem, buf_slice(&body));
    else
        http_problem(exchange, problem);
    buf_finish(&body);
}

/* --- of a publish */

static void on_kept(void *ctx, struct http_exchange *exchange, const struct reply *reply)
{
    const struct route_call *call = ctx;
    struct buf result = {.max = REPLY_BYTES};

    reply_encode(&result, reply);
    if (buf_status(&result))
        route_call_refuse(call, exchange, &(struct problem){.status = ST_INTERNAL});
    else
        route_call_reply(call, exchange, reply, buf_slice(&result), 202);
    buf_finish(&result);
}

/* Pointers are told as they are in the body that came. */
static void on_refused(void *ctx, struct http_exchange *exchange, struct problem *problem)
{
    const struct route_call *call = ctx;
    char pointers[PROBLEM_MAX_ERRORS][POINTER_BYTES];
    struct problem_error errors[PROBLEM_MAX_ERRORS];
    struct problem told = *problem;

    if (told.error_count > PROBLEM_MAX_ERRORS)
        told.error_count = PROBLEM_MAX_ERRORS;
    for (size_t i = 0; i < told.error_count; i++) {
        errors[i] = problem->errors[i];
        route_pointer(call->rule, errors[i].pointer, pointers[i], POINTER_BYTES);
        errors[i].pointer = pointers[i];
    }
    told.errors = errors;
    route_call_refuse(call, exchange, &told);
}

static void on_done(void *ctx)
{
    route_call_destroy(ctx);
}

struct publish_teller route_call_teller(struct route_call *call)
{
    return (struct publish_teller){on_kept, on_refused, on_done, call};
}
