/* Answers of the http_server: through libmicrohttpd, or past it where it cannot. */
#include "bridge/http_server_parts.h"

#include "bridge/testing/test_hook.h"

#include <assert.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>

enum {
    PROBLEM_BYTES = 32 * 1024,
    HEADERS_OF_OURS = 8,
};

/* What the server itself has to say in an answer's head. */
struct own_headers {
    struct http_header items[HEADERS_OF_OURS];
    size_t count;
    char origin[LIMIT_HTTP_HEAD_BYTES + 1];
};

/* The kernel takes what is written to a peer that has closed its socket. */
static bool has_left(const struct http_exchange *exchange)
{
    char byte;

    return recv(exchange->connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool http_exchange_queue(struct http_exchange *exchange)
{
    struct MHD_Response *response = exchange->response;

    if (exchange->on_written && has_left(exchange)) {
        exchange->state = EXCHANGE_GONE; /* with the answer */
        return false;
    }
    enum MHD_Result taken =
        MHD_queue_response(exchange->mhd, (unsigned)exchange->response_status, response);

    exchange->response = NULL;
    MHD_destroy_response(response);
    exchange->state = EXCHANGE_WRITING;
    http_connection_enter(exchange->connection, HTTP_PHASE_WRITE);
    return taken == MHD_YES;
}

/* The connection leaves libmicrohttpd: a double of its socket lingers with the refuser.
 */
void http_exchange_refuse(struct http_exchange *exchange, enum status status,
                          const char *detail)
{
    struct http_server *server = exchange->server;
    int fd = exchange->connection->fd;
    char allow[64];
    struct http_refusal refusal = {
        .problem = {.status = status,
                    .detail = detail,
                    .instance = slice_of(exchange->request_id)},
        .peer_ip = http_exchange_ip(exchange),
        .omits_body = exchange->head->method == HTTP_HEAD,
    };

    if (status == ST_METHOD && exchange->head->path.len > 0) {
        http_route_allow(&server->config, exchange->head->path, allow);
        refusal.allow = allow;
    }
    exchange->state = EXCHANGE_GONE;
    int twin = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (twin >= 0)
        http_refuser_answer(server->refuser, twin, &refusal);
    else
        http_refuser_send(server->refuser, fd, &refusal);
}

/* A proxy may put another user's upgrade on a connection it keeps: it gets no chance. */
static bool came_through_proxy(const struct http_head *head)
{
    return http_head_field(head, "X-Forwarded-For").ptr ||
           http_head_field(head, "Forwarded").ptr || http_head_field(head, "Via").ptr;
}

const char *http_exchange_ip(const struct http_exchange *exchange)
{
    return exchange->client_ip[0] ? exchange->client_ip : exchange->connection->peer_ip;
}

static void add(struct own_headers *headers, const char *name, const char *value)
{
    assert(headers->count < HEADERS_OF_OURS);
    headers->items[headers->count++] = (struct http_header){name, value};
}

/*
 * What a browser may let the page have. Every answer that depends on the page says so,
 * or a cache would give one page the permission of another.
 */
static void add_cors(const struct http_exchange *exchange, struct own_headers *headers)
{
    const struct web_policy *policy = exchange->policy;

    if (!policy || !policy->takes_browsers)
        return;
    add(headers, "Vary", "Origin");
    struct slice allowed =
        web_policy_allowed_origin(exchange->head, exchange->caller.origin);
    if (allowed.len == 0 || allowed.len >= sizeof headers->origin)
        return;
    memcpy(headers->origin, allowed.ptr, allowed.len);
    headers->origin[allowed.len] = '\0';
    add(headers, "Access-Control-Allow-Origin", headers->origin);
    add(headers, "Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
    if (web_policy_allows_credentials(policy, exchange->head, exchange->caller.origin))
        add(headers, "Access-Control-Allow-Credentials", "true");
}

static void collect(const struct http_exchange *exchange, const struct http_reply *reply,
                    bool closes, struct own_headers *headers)
{
    headers->count = 0;
    add(headers, "X-Request-Id", exchange->request_id);
    if (reply->content_type)
        add(headers, "Content-Type", reply->content_type);
    add_cors(exchange, headers);
    if (closes)
        add(headers, "Connection", "close");
}

static struct slice body_of(const struct http_reply *reply)
{
    return reply->content_type ? reply->body : (struct slice){0};
}

static struct MHD_Response *make_response(const struct http_exchange *exchange,
                                          const struct http_reply *reply)
{
    const struct http_server *server = exchange->server;
    struct slice body = body_of(reply);
    struct own_headers headers;
    /* libmicrohttpd takes chunk lines and trailers that others read otherwise: nothing
     * behind such an end is a request. */
    bool closes = reply->closes || server->config.always_closes || server->is_draining ||
                  exchange->head->is_chunked || came_through_proxy(exchange->head);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);

    if (!response)
        return NULL;
    collect(exchange, reply, closes, &headers);
    for (size_t i = 0; i < headers.count; i++)
        MHD_add_response_header(response, headers.items[i].name, headers.items[i].value);
    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name,
                                reply->headers[i].value);
    return response;
}

static void print_headers(struct buf *out, const struct http_header *headers,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_print(out, "%s: %s\r\n", headers[i].name, headers[i].value);
}

/* Past libmicrohttpd, which would reset a connection whose body it has not read. */
static void send_early(struct http_exchange *exchange, const struct http_reply *reply)
{
    struct slice body = body_of(reply);
    struct buf wire = {.max = LIMIT_HTTP_HEAD_BYTES + PROBLEM_BYTES + body.len};
    struct own_headers headers;

    collect(exchange, reply, true, &headers);
    buf_print(&wire, "HTTP/1.1 %d %s\r\n", reply->status,
              MHD_get_reason_phrase_for((unsigned)reply->status));
    print_headers(&wire, headers.items, headers.count);
    print_headers(&wire, reply->headers, reply->header_count);
    buf_print(&wire, "Content-Length: %zu\r\n\r\n", body.len);
    if (exchange->head->method != HTTP_HEAD)
        buf_add(&wire, body);
    int fd = exchange->connection->fd;
    int twin = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (twin >= 0)
        http_refuser_answer_with(exchange->server->refuser, twin, buf_slice(&wire));
    else
        (void)!send(fd, wire.ptr, wire.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    buf_finish(&wire);
}

static void store(struct http_exchange *exchange, const struct http_reply *reply)
{
    if (exchange->state == EXCHANGE_EARLY) {
        exchange->on_gone = NULL;
        exchange->state = EXCHANGE_GONE;
        send_early(exchange, reply);
        return;
    }
    assert(exchange->state == EXCHANGE_RUNNING || http_exchange_is_unanswered(exchange));
    if (exchange->state != EXCHANGE_RUNNING)
        http_exchange_wake(exchange);
    exchange->on_gone = NULL;
    bool is_kept_back = exchange->server->is_leaving && test_hook_no_last_answer();
    exchange->response = is_kept_back ? NULL : make_response(exchange, reply);
    exchange->response_status = reply->status;
    exchange->state = exchange->response ? EXCHANGE_ANSWERED : EXCHANGE_GONE;
}

static enum log_level level_of(int status, enum log_level otherwise)
{
    return status >= 500 ? LOG_LEVEL_ERROR : otherwise;
}

void http_reply(struct http_exchange *exchange, const struct http_reply *reply)
{
    const struct log_field fields[] = {
        LOG_NUM("status", reply->status),
        LOG_TEXT("method", http_method_name(exchange->head->method)),
        LOG_SLICE("path", exchange->head->path),
        LOG_TEXT("request_id", exchange->request_id),
    };

    http_refuser_log(exchange->server->refuser,
                     reply->is_peers_fault ? LOG_LEVEL_DEBUG
                                           : level_of(reply->status, LOG_LEVEL_DEBUG),
                     "request answered", fields, sizeof fields / sizeof *fields);
    store(exchange, reply);
}

/* A protocol of its own does not say what it takes: what the page asks for is repeated.
 */
static void add_asked(const struct http_exchange *exchange, struct http_header *allow,
                      char copy[LIMIT_HTTP_HEAD_BYTES + 1])
{
    struct slice asked =
        http_head_field(exchange->head, "Access-Control-Request-Headers");

    if (!exchange->is_own || asked.len == 0)
        return;
    memcpy(copy, asked.ptr, asked.len);
    copy[asked.len] = '\0';
    allow->value = copy;
}

void http_exchange_answer_preflight(struct http_exchange *exchange)
{
    const struct http_server_config *config = &exchange->server->config;
    char methods[64] = "GET,HEAD,PUT,PATCH,POST,DELETE";
    char asked[LIMIT_HTTP_HEAD_BYTES + 1];
    struct http_header headers[] = {
        {"Access-Control-Allow-Methods", methods                                               },
        {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, "
                                         "X-Request-Id"},
        {"Access-Control-Max-Age",       exchange->policy->max_age                             },
        {"Vary",                         "Access-Control-Request-Headers"                      },
    };
    const struct http_reply reply = {
        .status = 204,
        .headers = headers,
        .header_count = exchange->is_own ? 4 : 3,
    };

    if (!exchange->is_own)
        http_route_allow(config, exchange->head->path, methods);
    add_asked(exchange, &headers[1], asked);
    http_reply(exchange, &reply);
}

static void answer_problem(struct http_exchange *exchange, const struct problem *problem,
                           const char *content_type, struct slice body)
{
    int status = status_http(problem->status);
    struct http_header header = {0};
    char allow[64];
    const struct log_field fields[] = {
        LOG_TEXT("code", status_code(problem->status)),
        LOG_NUM("status", status),
        LOG_TEXT("method", http_method_name(exchange->head->method)),
        LOG_SLICE("path", exchange->head->path),
        LOG_TEXT("ip", http_exchange_ip(exchange)),
        LOG_TEXT("request_id", exchange->request_id),
    };

    http_route_allow(&exchange->server->config, exchange->head->path, allow);
    header.name = http_refusal_header(problem->status, allow, &header.value);

    struct http_reply reply = {
        .status = status,
        .content_type = content_type,
        .body = body,
        .headers = &header,
        .header_count = header.name ? 1 : 0,
    };
    http_refuser_log(exchange->server->refuser, level_of(status, LOG_LEVEL_INFO),
                     "request failed", fields, sizeof fields / sizeof *fields);
    store(exchange, &reply);
}

void http_problem(struct http_exchange *exchange, struct problem *problem)
{
    struct buf body = {.max = PROBLEM_BYTES};

    problem->instance = slice_of(exchange->request_id);
    problem_encode(&body, problem);
    answer_problem(exchange, problem, "application/problem+json", buf_slice(&body));
    buf_finish(&body);
}

void http_problem_as(struct http_exchange *exchange, struct problem *problem,
                     struct slice body)
{
    answer_problem(exchange, problem, "application/json", body);
}
