/*
 * Exchanges: one request on its way to its handler. libmicrohttpd steps through it: once
 * with the head, once for each part of the body, and at the end; again after a resume.
 * A step must end with an answer, a suspension or a closed connection: with none of them
 * libmicrohttpd asks again at each run. The awaited make use of that, for a moment.
 */
#include "bridge/http_server_parts.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Kept for the next requests, and of them the memory of small ones alone. */
    SPARES = 256,
    SPARE_BYTES = 4096,
    FIRST_FIELDS = 12,
};

/* Room for the head and `fields` of its fields. False: out of memory. */
static bool head_reserve(struct http_exchange *exchange, size_t fields)
{
    if (exchange->head && fields <= exchange->head_room)
        return true;
    size_t size = offsetof(struct http_head, fields) + fields * sizeof(struct http_field);
    struct http_head *head = realloc(exchange->head, size);
    if (!head)
        return false;
    exchange->head = head;
    exchange->head_room = fields;
    return true;
}

/* The last spare one, which is in the processor's cache, or a new one; cleared but for
 * its memory. NULL: out of memory. */
static struct http_exchange *exchange_take(struct http_server *server)
{
    struct http_exchange *exchange = (struct http_exchange *)list_last(&server->spares);

    if (!exchange)
        return calloc(1, sizeof *exchange);
    list_remove(&exchange->node);
    server->spare_count--;
    memset(exchange, 0, offsetof(struct http_exchange, target));
    return exchange;
}

static void exchange_free(struct http_exchange *exchange)
{
    buf_finish(&exchange->target);
    buf_finish(&exchange->body);
    free(exchange->head);
    free(exchange);
}

static void exchange_give_back(struct http_server *server, struct http_exchange *exchange)
{
    if (server->spare_count == SPARES || exchange->target.cap > SPARE_BYTES ||
        exchange->body.cap > SPARE_BYTES) {
        exchange_free(exchange);
        return;
    }
    list_append(&server->spares, &exchange->node);
    server->spare_count++;
}

void http_exchange_free_spares(struct http_server *server)
{
    struct list_node *node;

    while ((node = list_first(&server->spares))) {
        list_remove(node);
        exchange_free((struct http_exchange *)node);
    }
}

struct http_exchange *http_exchange_create(struct http_connection *connection,
                                           struct MHD_Connection *mhd, const char *target)
{
    struct http_exchange *exchange = exchange_take(connection->server);

    if (!exchange)
        return NULL;
    exchange->target.max = LIMIT_HTTP_POOL_BYTES;
    buf_clear(&exchange->target);
    buf_clear(&exchange->body);
    buf_add_text(&exchange->target, target ? target : "");
    if (buf_status(&exchange->target) || !head_reserve(exchange, FIRST_FIELDS)) {
        exchange_free(exchange);
        return NULL;
    }
    memset(exchange->head, 0, offsetof(struct http_head, fields));
    exchange->server = connection->server;
    exchange->connection = connection;
    exchange->mhd = mhd;
    exchange->target_in_place = target ? target : "";
    exchange->head->target = buf_slice(&exchange->target);
    connection->exchange = exchange;
    http_connection_forget_long(connection);
    if (connection->phase == HTTP_PHASE_IDLE)
        http_connection_enter(connection, HTTP_PHASE_HEAD);
    return exchange;
}

static struct http_daemon *daemon_of(const struct http_exchange *exchange)
{
    return &exchange->server->daemons[exchange->connection->daemon];
}

/* At most once. The holder may do anything but touch this exchange again. */
static void tell_holder(struct http_exchange *exchange)
{
    void (*on_gone)(void *ctx) = exchange->on_gone;

    exchange->on_gone = NULL;
    if (on_gone)
        on_gone(exchange->on_gone_ctx);
}

static void tell_writer(struct http_exchange *exchange, bool is_whole)
{
    void (*on_written)(void *ctx, bool is_whole) = exchange->on_written;

    exchange->on_written = NULL;
    if (on_written)
        on_written(exchange->on_written_ctx, is_whole);
}

void http_exchange_destroy(struct http_exchange *exchange, bool is_whole)
{
    if (!exchange)
        return;
    is_whole = is_whole && exchange->state == EXCHANGE_WRITING;
    if (exchange->state == EXCHANGE_AWAITED) /* libmicrohttpd saw its peer leave */
        daemon_of(exchange)->awaited--;
    /* Before its holder is told: a drain from there answers whoever is unanswered. */
    list_remove(&exchange->node);
    exchange->state = EXCHANGE_GONE;
    tell_holder(exchange);
    tell_writer(exchange, is_whole);
    if (exchange->response)
        MHD_destroy_response(exchange->response);
    exchange->connection->exchange = NULL;
    http_connection_enter(exchange->connection, HTTP_PHASE_IDLE);
    exchange_give_back(exchange->server, exchange);
}

/*
 * libmicrohttpd cuts a head where it lies: zero bytes take the place of the line ends, of
 * the colons and of the last blank of the request line. So the parts of a strict head lie
 * side by side, two zeros between its lines. A bare line feed, a folded line or a zero
 * byte of the peer's, which it lets pass, leave another distance.
 */
struct head_reader {
    struct http_head *head;
    const char *next; /* where the next field must begin */
    bool is_strict;
};

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                size_t name_len, const char *value, size_t value_len)
{
    struct head_reader *reader = cls;
    struct http_head *head = reader->head;

    (void)kind;
    if (head->field_count == LIMIT_HTTP_FIELDS) {
        head->field_count++;
        return MHD_NO;
    }
    struct http_field *field = &head->fields[head->field_count++];
    field->name = (struct slice){name, name_len};
    field->value = slice_trim((struct slice){value, value ? value_len : 0});
    /* Behind a value there are two bytes at least: the end of its line, and of the head.
     */
    reader->is_strict = reader->is_strict && name == reader->next && value &&
                        value[value_len] == '\0' && value[value_len + 1] == '\0';
    reader->next = value ? value + value_len + 2 : NULL;
    return MHD_YES;
}

/* The fields, and whether the head was as RFC 9112 has it. */
static bool read_fields(struct http_exchange *exchange, const char *version)
{
    struct head_reader reader = {
        .head = &exchange->server->reading,
        .next = version + strlen(version) + 2,
        .is_strict = version == exchange->target_in_place + exchange->target.len + 1,
    };

    MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, on_field, &reader);
    return reader.is_strict;
}

/* A request that is held keeps its head: as much memory as it has fields. */
static bool keep_head(struct http_exchange *exchange)
{
    const struct http_head *head = &exchange->server->reading;
    size_t fields =
        head->field_count < LIMIT_HTTP_FIELDS ? head->field_count : LIMIT_HTTP_FIELDS;

    if (!head_reserve(exchange, fields))
        return false;
    memcpy(exchange->head, head,
           offsetof(struct http_head, fields) + fields * sizeof head->fields[0]);
    exchange->head->field_count = fields;
    return true;
}

/* The gate, on what libmicrohttpd made of the head. */
static enum status gate(struct http_exchange *exchange, const char *method,
                        const char *version, const char **reason)
{
    struct http_head *head = &exchange->server->reading;
    enum status st = ST_HEAD_TOO_LARGE;

    memset(head, 0, offsetof(struct http_head, fields));
    head->target = exchange->head->target;
    *reason = "too many fields";
    bool is_strict = read_fields(exchange, version);
    bool is_countable = head->field_count <= LIMIT_HTTP_FIELDS;
    if (is_countable)
        st = http_gate_fields(slice_of(method), slice_of(version), head, reason);
    if (!st && !is_strict) {
        st = ST_BAD_REQUEST;
        *reason = "a folded line, a bare line feed or a zero byte in the head";
    }
    request_id_draw(&exchange->server->random, is_countable ? head : NULL,
                    exchange->request_id);
    if (!keep_head(exchange)) {
        st = ST_NO_MEMORY;
        *reason = "out of memory";
    }
    return st;
}

static bool has_body(const struct http_head *head)
{
    return head->is_chunked || head->length > 0;
}

static enum status too_large(struct http_exchange *exchange)
{
    size_t limit = exchange->max_body;

    if (limit == 0)
        snprintf(exchange->detail, sizeof exchange->detail, "This route takes no body.");
    else
        snprintf(exchange->detail, sizeof exchange->detail,
                 "The body is larger than %zu bytes, the limit of this route.", limit);
    return ST_TOO_LARGE;
}

static enum status judge_body(struct http_exchange *exchange)
{
    const struct http_head *head = exchange->head;
    struct slice type = http_head_field(head, "Content-Type");

    if (!has_body(head))
        return ST_OK;
    if (head->length > exchange->max_body || exchange->max_body == 0)
        return too_large(exchange);
    if (http_head_field(head, "Content-Encoding").len > 0) {
        snprintf(exchange->detail, sizeof exchange->detail,
                 "Content-Encoding is not supported: send the body as it is.");
        return ST_MEDIA_TYPE;
    }
    if (slice_is_nocase(slice_first(type, strlen("multipart/")), "multipart/")) {
        snprintf(exchange->detail, sizeof exchange->detail,
                 "Multipart bodies are not supported: send the JSON itself.");
        return ST_MEDIA_TYPE;
    }
    return ST_OK;
}

static void *route_ctx(const struct http_exchange *exchange)
{
    if (exchange->is_own)
        return exchange->server->config.protocol->ctx;
    return exchange->route->ctx ? exchange->route->ctx : exchange->server->config.ctx;
}

/* Where the request comes from: before anything else is said about it. */
static enum status judge_caller(struct http_exchange *exchange)
{
    const struct web_policy *policy =
        http_route_policy(&exchange->server->config, exchange->head);
    const struct http_head *head = exchange->head;
    const char *detail = "";
    enum status st = web_policy_judge(policy, head, &exchange->connection->peer,
                                      &exchange->caller, &detail);

    exchange->policy = policy;
    if (st)
        snprintf(exchange->detail, sizeof exchange->detail, "%s", detail);
    if (exchange->caller.is_through_proxy)
        ip_address_print(&exchange->caller.address, exchange->client_ip);
    exchange->is_preflight =
        !st && policy && policy->takes_browsers && origin_is_preflight(head);
    return st;
}

static bool is_own(struct http_exchange *exchange)
{
    const struct http_protocol *protocol = exchange->server->config.protocol;

    return protocol && protocol->owns(protocol->ctx, exchange->head, &exchange->max_body);
}

/* What the head alone decides. */
static enum status judge(struct http_exchange *exchange)
{
    const struct http_head *head = exchange->head;
    enum status st = judge_caller(exchange);

    exchange->is_own = is_own(exchange);
    if (exchange->is_own) {
        exchange->request.verdict = st;
        st = ST_OK;
    }
    if (st)
        return st;
    if (exchange->server->is_draining)
        return ST_DRAINING;
    if (exchange->is_preflight && !has_body(head))
        return ST_OK;
    if (head->is_websocket) {
        snprintf(exchange->detail, sizeof exchange->detail,
                 "This connection has carried HTTP: open a new one for the upgrade.");
        return ST_UPGRADE_NEEDED;
    }
    if (exchange->is_own)
        return ST_OK;
    exchange->route =
        http_route_find(&exchange->server->config, head->method, head->path, &st);
    if (exchange->route) {
        exchange->max_body = exchange->route->max_body;
        return judge_body(exchange);
    }
    snprintf(exchange->detail, sizeof exchange->detail,
             st == ST_METHOD
                 ? "This path does not take %s: see Allow."
                 : "Nothing is served at this path for %s: compare its spelling.",
             http_method_name(head->method));
    return st;
}

static void fill_request(struct http_exchange *exchange)
{
    const struct http_connection *connection = exchange->connection;

    exchange->request = (struct http_request){
        .head = exchange->head,
        .body = buf_slice(&exchange->body),
        .peer_ip = http_exchange_ip(exchange),
        .peer = exchange->client_ip[0] ? &exchange->caller.address : &connection->peer,
        .request_id = exchange->request_id,
        .verdict = exchange->request.verdict,
    };
}

/* The protocol's word on a body that is not read any further; the connection closes. */
static bool refuse_own_body(struct http_exchange *exchange)
{
    const struct http_protocol *protocol = exchange->server->config.protocol;

    exchange->state = EXCHANGE_EARLY;
    exchange->request.verdict = ST_TOO_LARGE;
    fill_request(exchange);
    protocol->handle(exchange, &exchange->request, protocol->ctx);
    assert(exchange->state == EXCHANGE_GONE);
    return false;
}

static bool begin_own_body(struct http_exchange *exchange)
{
    const struct http_protocol *protocol = exchange->server->config.protocol;

    fill_request(exchange);
    if (exchange->head->length > exchange->max_body)
        return refuse_own_body(exchange);
    exchange->state = EXCHANGE_EARLY;
    protocol->on_body(exchange, &exchange->request, protocol->ctx);
    if (exchange->state != EXCHANGE_EARLY)
        return false;
    exchange->state = EXCHANGE_BODY;
    return true;
}

/* Much is taken in only from who may send it. */
static bool admit_body(struct http_exchange *exchange)
{
    const struct http_head *head = exchange->head;
    http_admit_fn *admit = exchange->route ? exchange->route->admit : NULL;

    if (!admit || (!head->is_chunked && head->length <= LIMIT_HTTP_UNADMITTED_BYTES))
        return true;
    fill_request(exchange);
    exchange->state = EXCHANGE_EARLY;
    if (!admit(exchange, &exchange->request, route_ctx(exchange))) {
        assert(exchange->state == EXCHANGE_GONE);
        return false;
    }
    exchange->state = EXCHANGE_BODY;
    return true;
}

static bool step_head(struct http_exchange *exchange, const char *method,
                      const char *version)
{
    const char *reason;
    enum status st = gate(exchange, method, version, &reason);

    metrics_add(exchange->server->config.metrics, METRIC_HTTP_REQUESTS, 1);
    exchange->state = EXCHANGE_BODY;
    http_connection_enter(exchange->connection, HTTP_PHASE_BODY);
    if (st) {
        http_exchange_refuse(exchange, st, reason);
        return false;
    }
    exchange->verdict = judge(exchange);
    /* A body that nobody wants is not waited for, nor is a head trusted after it. */
    if (exchange->verdict && (has_body(exchange->head) || exchange->head->is_websocket)) {
        http_exchange_refuse(exchange, exchange->verdict, exchange->detail);
        return false;
    }
    exchange->body.max = exchange->max_body;
    if (exchange->is_own && has_body(exchange->head) && !exchange->is_preflight)
        return begin_own_body(exchange);
    return admit_body(exchange);
}

static bool step_body(struct http_exchange *exchange, const char *body, size_t len)
{
    buf_add(&exchange->body, (struct slice){body, len});
    switch (buf_status(&exchange->body)) {
    case ST_OK: return true;
    case ST_TOO_LARGE:
        if (exchange->is_own)
            return refuse_own_body(exchange);
        http_exchange_refuse(exchange, too_large(exchange), exchange->detail);
        return false;
    default: http_exchange_refuse(exchange, ST_NO_MEMORY, NULL); return false;
    }
}

static void run_handler(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct problem problem = {.status = exchange->verdict, .detail = exchange->detail};

    exchange->state = EXCHANGE_RUNNING;
    http_connection_enter(exchange->connection, HTTP_PHASES);
    if (!problem.status && server->is_draining)
        problem.status = ST_DRAINING;
    if (problem.status) {
        http_problem(exchange, &problem);
        return;
    }
    if (exchange->is_preflight) {
        http_exchange_answer_preflight(exchange);
        return;
    }
    fill_request(exchange);
    http_handle_fn *handle =
        exchange->is_own ? server->config.protocol->handle : exchange->route->handle;
    handle(exchange, &exchange->request, route_ctx(exchange));
}

static bool hold(struct http_exchange *exchange)
{
    exchange->state = EXCHANGE_HELD;
    if (exchange->is_long)
        http_connection_lengthen(exchange->connection);
    MHD_suspend_connection(exchange->mhd);
    return true;
}

static bool step_end(struct http_exchange *exchange)
{
    struct http_daemon *daemon = daemon_of(exchange);

    run_handler(exchange);
    if (exchange->state == EXCHANGE_ANSWERED)
        return http_exchange_queue(exchange);
    if (exchange->state == EXCHANGE_GONE)
        return false;
    if (exchange->connection->peer_left) {
        exchange->state = EXCHANGE_GONE;
        tell_holder(exchange);
        return false;
    }
    list_append(&exchange->server->unanswered, &exchange->node);
    if (exchange->is_long || daemon->awaited == HTTP_AWAITED)
        return hold(exchange);
    exchange->state = EXCHANGE_AWAITED;
    daemon->awaited++;
    return true;
}

/* It is asked for at each run; when our patience has ended, for the last time. */
static bool step_awaited(struct http_exchange *exchange)
{
    if (exchange->server->is_patient)
        return true;
    daemon_of(exchange)->awaited--;
    return hold(exchange);
}

bool http_exchange_is_unanswered(const struct http_exchange *exchange)
{
    return exchange->state == EXCHANGE_AWAITED || exchange->state == EXCHANGE_HELD;
}

void http_exchange_wake(struct http_exchange *exchange)
{
    list_remove(&exchange->node);
    if (exchange->state == EXCHANGE_HELD) {
        MHD_resume_connection(exchange->mhd);
    } else {
        daemon_of(exchange)->awaited--;
    }
    http_server_touch(exchange->server, exchange->connection->daemon);
}

bool http_exchange_step(struct http_exchange *exchange, const char *method,
                        const char *version, const char *body, size_t *body_len)
{
    size_t len = *body_len;

    *body_len = 0;
    switch (exchange->state) {
    case EXCHANGE_HEAD: return step_head(exchange, method, version);
    case EXCHANGE_BODY:
        return len > 0 ? step_body(exchange, body, len) : step_end(exchange);
    case EXCHANGE_AWAITED: return step_awaited(exchange);
    case EXCHANGE_ANSWERED: return http_exchange_queue(exchange);
    default: return false;
    }
}

/* Its next step finds it gone. */
void http_exchange_abandon(struct http_exchange *exchange)
{
    http_exchange_wake(exchange);
    exchange->state = EXCHANGE_GONE;
    tell_holder(exchange);
}

void http_exchange_takes_long(struct http_exchange *exchange)
{
    exchange->is_long = true;
}

void http_exchange_on_written(struct http_exchange *exchange,
                              void (*on_written)(void *ctx, bool is_whole), void *ctx)
{
    exchange->on_written = on_written;
    exchange->on_written_ctx = ctx;
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

void http_exchange_cut(struct http_exchange *exchange)
{
    exchange->on_gone = NULL;
    if (http_exchange_is_unanswered(exchange))
        http_exchange_wake(exchange);
    else
        http_connection_cut(exchange->connection);
    exchange->state = EXCHANGE_GONE;
}

void http_exchange_dismiss(struct http_exchange *exchange)
{
    void (*on_gone)(void *ctx) = exchange->on_gone;
    struct problem problem = {.status = ST_DRAINING};

    http_problem(exchange, &problem);
    if (on_gone)
        on_gone(exchange->on_gone_ctx);
}

void http_exchange_on_gone(struct http_exchange *exchange, void (*on_gone)(void *ctx),
                           void *ctx)
{
    exchange->on_gone = on_gone;
    exchange->on_gone_ctx = ctx;
}
