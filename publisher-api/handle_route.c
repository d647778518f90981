/*
 * Routes of the configuration: authenticate as the route says, make a publish of the
 * request, or tell figures or health; answered in the route's words.
 */
#include "publisher-api/handlers.h"

#include "bridge/clock.h"
#include "proto/json_gate.h"
#include "proto/route_mapping.h"
#include "publisher-api/figures.h"
#include "publisher-api/publish_submit.h"
#include "publisher-api/route_call.h"
#include "publisher-api/route_caller.h"

#include <stdio.h>
#include <string.h>

static const struct route_rule *find_rule(const struct handler_parts *parts,
                                          const struct http_head *head,
                                          enum status *verdict)
{
    return route_rules_find(parts->catalog.system->routes, head->method, head->path,
                            verdict);
}

static void refuse(const struct route_call *call, struct http_exchange *exchange,
                   struct problem *problem)
{
    if (call->rule->act == ROUTE_PUBLISH)
        metrics_add(call->parts->metrics, METRIC_PUBLISH_REFUSED, 1);
    route_call_refuse(call, exchange, problem);
}

/* --- publish */

static void refuse_part(const struct route_call *call, struct http_exchange *exchange,
                        enum status status, const struct publish_fault *fault)
{
    const struct problem_error error = {fault->pointer, fault->detail, fault->expected};
    struct problem problem = {
        .status = status,
        .detail = fault->detail,
        .errors = &error,
        .error_count = fault->detail[0] ? 1 : 0,
    };
    refuse(call, exchange, &problem);
}

/* What a template is to look into has to be JSON as any body of ours. */
static enum status check_body(const struct route_call *call, struct publish_fault *fault)
{
    struct json_fault why = {0};
    struct json_value value;
    struct slice body = call->request->body;

    if (!((call->rule->uses | call->rule->reply_uses) & TEMPLATE_BIT(TEMPLATE_BODY)))
        return ST_OK;
    enum status st = json_gate_check(body, &json_limits_default, &value, &why);
    if (st == ST_BAD_REQUEST && body.len == 0)
        snprintf(fault->detail, sizeof fault->detail,
                 "the body is empty; JSON was expected");
    else if (st == ST_BAD_REQUEST)
        snprintf(fault->detail, sizeof fault->detail,
                 "the body is not valid JSON: %s at byte %zu", why.reason, why.offset);
    return st;
}

/* Its name, for the answer; of another type it will be refused. */
static void take_event(struct route_call *call, struct slice publish)
{
    struct json_value event = json_object_find(publish, "event");
    char *room = buf_reserve(&call->event, event.text.len);

    if (!room || event.type != JSON_GATE_STRING)
        return;
    struct slice name = json_string_decode(event.text, room);
    if (name.ptr != room)
        memcpy(room, name.ptr, name.len);
    buf_grew(&call->event, name.len);
}

/* The event's name, for the answer; the request to publish, and what tells requests with
 * one id apart: all of what came, for templates may add the time of day. */
static enum status map(struct handler_parts *parts, struct route_call *call,
                       struct publish_fault *fault)
{
    const struct http_request *request = call->request;
    struct route_values from;
    enum status st = check_body(call, fault);

    if (st)
        return st;
    if (!route_values_read(call, &from)) {
        snprintf(fault->detail, sizeof fault->detail,
                 "the path has a malformed escape, or is no UTF-8");
        return ST_BAD_REQUEST;
    }
    parts->mapped.max = LIMIT_PUBLISH_BYTES;
    buf_clear(&parts->mapped);
    st = route_map(call->rule, &from.values, &parts->mapped, fault);
    if (st)
        return st;
    take_event(call, buf_slice(&parts->mapped));
    parts->identity.max = LIMIT_HTTP_HEAD_BYTES + LIMIT_PUBLISH_BYTES + 16;
    buf_clear(&parts->identity);
    buf_add(&parts->identity, request->head->target);
    buf_add_byte(&parts->identity, '\n');
    buf_add(&parts->identity, request->body);
    return buf_status(&parts->identity);
}

static struct slice user_of(const struct route_call *call)
{
    return call->claims ? claims_user(call->claims) : (struct slice){0};
}

/* Takes the call. */
static void publish(struct handler_parts *parts, struct http_exchange *exchange,
                    struct route_call *call, const struct caller *caller)
{
    struct publish_fault fault = {0};

    enum status st = map(parts, call, &fault);
    if (st) {
        refuse_part(call, exchange, st, &fault);
        route_call_destroy(call);
        return;
    }
    publish_submit(parts,
                   &(struct publish_job){.exchange = exchange,
                                         .request = call->request,
                                         .caller = caller,
                                         .body = buf_slice(&parts->mapped),
                                         .id_owner = user_of(call),
                                         .identity = buf_slice(&parts->identity),
                                         .teller = route_call_teller(call),
                                         .counts_users = call->rule->counts_users});
}

/* --- figures and health */

static void tell(const struct route_call *call, struct http_exchange *exchange)
{
    const struct route_rule *rule = call->rule;
    struct buf result = {.max = FIGURES_BYTES};

    if (rule->act == ROUTE_STATS || rule->reply_ok)
        figures_add(&result, call->parts, FIGURES_FOR_ROUTES);
    else
        buf_add_text(&result, "{\"ready\":true}");
    if (buf_status(&result))
        refuse(call, exchange, &(struct problem){.status = buf_status(&result)});
    else if (rule->act == ROUTE_HEALTH && !handler_parts_are_ready(call->parts))
        refuse(call, exchange,
               &(struct problem){.status = ST_UNAVAILABLE,
                                 .detail = "The server is not ready: what is published "
                                           "now may not be kept."});
    else
        route_call_reply(call, exchange, NULL, buf_slice(&result), 200);
    buf_finish(&result);
}

/* --- all */

static void refuse_caller(struct handler_parts *parts, const struct route_rule *rule,
                          struct http_exchange *exchange,
                          const struct http_request *request, struct problem *problem)
{
    const struct route_call call = {.parts = parts, .rule = rule, .request = request};

    refuse(&call, exchange, problem);
}

/* Lends the rule and fills `*caller` (caller_finish) and `*claims` (claims_drop). NULL:
 * it has answered. */
static const struct route_rule *identify(struct handler_parts *parts,
                                         struct http_exchange *exchange,
                                         const struct http_request *request,
                                         struct caller *caller, struct claims **claims)
{
    struct problem problem = {0};
    char detail[CALLER_DETAIL_BYTES] = "";
    /* A reload may have come since the head was read. */
    const struct route_rule *rule = find_rule(parts, request->head, &problem.status);

    if (!rule) {
        http_problem(exchange, &problem);
        return NULL;
    }
    problem.status = route_caller_identify(parts, rule, request->head, request->peer,
                                           caller, claims, detail, &problem.hint);
    if (!problem.status)
        return rule;
    problem.detail = detail;
    refuse_caller(parts, rule, exchange, request, &problem);
    return NULL;
}

bool admit_route(struct http_exchange *exchange, const struct http_request *request,
                 void *ctx)
{
    struct caller caller;
    struct claims *claims;

    if (!identify(ctx, exchange, request, &caller, &claims))
        return false;
    caller_finish(&caller);
    claims_drop(claims);
    return true;
}

void handle_route(struct http_exchange *exchange, const struct http_request *request,
                  void *ctx)
{
    struct handler_parts *parts = ctx;
    struct system *system = parts->catalog.system;
    struct caller caller;
    struct claims *claims;
    const struct route_rule *rule = identify(parts, exchange, request, &caller, &claims);

    if (!rule)
        return;
    struct route_call *call = route_call_create(parts, system, rule, request, claims);
    if (!call) {
        struct problem problem = {.status = ST_NO_MEMORY};
        refuse_caller(parts, rule, exchange, request, &problem);
    } else if (rule->act == ROUTE_PUBLISH) {
        publish(parts, exchange, call, &caller);
    } else {
        tell(call, exchange);
        route_call_destroy(call);
    }
    caller_finish(&caller);
}
