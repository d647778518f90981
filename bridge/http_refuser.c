/* Refusals on a bare socket: see the header. */
#include "bridge/http_refuser.h"

#include "bridge/clock.h"
#include "bridge/list.h"
#include "bridge/log_quota.h"
#include "bridge/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REFUSAL_BYTES = 16 * 1024,
    DRAIN_CHUNK = 16 * 1024,
    DRAIN_CHUNKS_A_TURN = 16,
    LINGER_MS = 2000,
    LINGER_BYTES = 16 * 1024 * 1024,
    LINGER_COUNT = 1024, /* more at once are closed unread */
    SWEEP_MS = 250,
};

static const char ALL_METHODS[] = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS";

/* A socket that has its answer, and is drained until the peer has closed it. */
struct lingerer {
    struct list_node node; /* first: see list.h */
    struct http_refuser *refuser;
    uv_poll_t poll;
    int fd;
    size_t drained;
    uint64_t deadline;
};

struct http_refuser {
    const struct logger *log;
    struct metrics *metrics;
    uv_loop_t *loop;
    unsigned max_fd;
    uv_timer_t sweep;
    struct list_node lingerers; /* oldest first: all wait equally long */
    unsigned count;
    struct log_quota quota;
};

/* Who is sent away in one moment does not come back in one moment. */
static const char *spread_return(void)
{
    static const char *const seconds[] = {"1", "2", "3", "4", "5"};
    unsigned char byte;

    random_bytes(&byte, 1);
    return seconds[byte % (sizeof seconds / sizeof *seconds)];
}

const char *http_refusal_header(enum status status, const char *allow, const char **value)
{
    switch (status_http(status)) {
    /* RFC 6750 §3: who sent nothing is told no error. */
    case 401:
        *value =
            status == ST_BAD_CREDENTIAL ? "Bearer error=\"invalid_token\"" : "Bearer";
        return "WWW-Authenticate";
    case 405: *value = allow ? allow : ALL_METHODS; return "Allow";
    case 426: *value = "websocket"; return "Upgrade";
    case 429:
    case 503: *value = spread_return(); return "Retry-After";
    default: *value = NULL; return NULL;
    }
}

static void encode_bare(struct buf *out, const char *text)
{
    buf_print(out,
              "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n"
              "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
              strlen(text), text);
}

static void encode(struct buf *out, const struct http_refusal *refusal)
{
    enum status status = refusal->problem.status;
    struct buf body = {.max = REFUSAL_BYTES / 2};
    const char *value;
    const char *name = http_refusal_header(status, refusal->allow, &value);

    if (refusal->problem.bare) {
        encode_bare(out, refusal->problem.bare);
        return;
    }
    problem_encode(&body, &refusal->problem);
    buf_print(out, "HTTP/1.1 %d %s\r\n", status_http(status), status_title(status));
    buf_add_text(out, "Content-Type: application/problem+json\r\nX-Request-Id: ");
    buf_add(out, refusal->problem.instance);
    if (name)
        buf_print(out, "\r\n%s: %s", name, value);
    if (status_http(status) == 426)
        buf_add_text(out, "\r\nSec-WebSocket-Version: 13");
    buf_print(out, "\r\nConnection: close%s\r\nContent-Length: %zu\r\n\r\n",
              status_http(status) == 426 ? ", Upgrade" : "", body.len);
    if (!refusal->omits_body)
        buf_add(out, buf_slice(&body));
    buf_finish(&body);
}

static void on_sweep(uv_timer_t *timer);

static void sweep_soon(struct http_refuser *refuser)
{
    if (!uv_is_active((uv_handle_t *)&refuser->sweep))
        uv_timer_start(&refuser->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

void http_refuser_log(struct http_refuser *refuser, enum log_level level,
                      const char *message, const struct log_field *fields, size_t count)
{
    if (level > refuser->log->level)
        return;
    /* Who asks for debug lines wants them all. */
    if (level == LOG_LEVEL_DEBUG || log_quota_take(&refuser->quota, clock_ms()))
        log_line(refuser->log, level, message, fields, count);
    else
        sweep_soon(refuser);
}

static void log_withheld(struct http_refuser *refuser, uint64_t count)
{
    if (count > 0)
        log_warn(refuser->log, "lines about requests withheld", LOG_NUM("count", count));
}

void http_refuser_send(struct http_refuser *refuser, int fd,
                       const struct http_refusal *refusal)
{
    struct buf wire = {.max = REFUSAL_BYTES};
    const struct problem *problem = &refusal->problem;
    /* A peer that asks for what nobody serves (501) is no trouble of ours. */
    enum log_level level = status_http(problem->status) == 503   ? LOG_LEVEL_WARN
                           : status_http(problem->status) == 500 ? LOG_LEVEL_ERROR
                                                                 : LOG_LEVEL_INFO;
    const struct log_field fields[] = {
        LOG_TEXT("code", status_code(problem->status)),
        LOG_NUM("status", status_http(problem->status)),
        LOG_TEXT("detail", problem->detail ? problem->detail : ""),
        LOG_TEXT("ip", refusal->peer_ip),
        LOG_SLICE("request_id", problem->instance),
    };

    /* What the peer does not take at once is lost: it has room for a first answer, or has
     * long stopped reading. */
    encode(&wire, refusal);
    if (buf_status(&wire) == ST_OK)
        (void)!send(fd, wire.ptr, wire.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    buf_finish(&wire);

    metrics_add(refuser->metrics, METRIC_HTTP_REFUSED, 1);
    http_refuser_log(refuser, level, "request refused", fields,
                     sizeof fields / sizeof *fields);
}

/* Reads and forgets what has come. False: nothing more will. */
static bool drain(int fd, size_t *drained)
{
    char chunk[DRAIN_CHUNK];

    for (int i = 0; i < DRAIN_CHUNKS_A_TURN; i++) {
        ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n == 0)
            return false;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        *drained += (size_t)n;
    }
    return true;
}

static void on_lingerer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void lingerer_close(struct lingerer *lingerer)
{
    list_remove(&lingerer->node);
    lingerer->refuser->count--;
    uv_close((uv_handle_t *)&lingerer->poll, on_lingerer_closed);
    close(lingerer->fd);
}

static void on_readable(uv_poll_t *handle, int error, int events)
{
    struct lingerer *lingerer = handle->data;

    (void)events;
    if (error || !drain(lingerer->fd, &lingerer->drained) ||
        lingerer->drained > LINGER_BYTES)
        lingerer_close(lingerer);
}

static void on_sweep(uv_timer_t *timer)
{
    struct http_refuser *refuser = timer->data;
    uint64_t now = clock_ms();
    struct list_node *node;

    log_withheld(refuser, log_quota_settle(&refuser->quota, now));
    while ((node = list_first(&refuser->lingerers))) {
        struct lingerer *lingerer = (struct lingerer *)node;
        if (lingerer->deadline > now)
            return;
        lingerer_close(lingerer);
    }
    if (refuser->quota.withheld == 0)
        uv_timer_stop(timer);
}

/* Takes `fd`. */
static void linger(struct http_refuser *refuser, int fd)
{
    struct lingerer *lingerer = NULL;
    bool is_reserved = refuser->max_fd > 0 && fd >= (int)refuser->max_fd;

    if (refuser->count < LINGER_COUNT && !is_reserved)
        lingerer = calloc(1, sizeof *lingerer);
    if (!lingerer || uv_poll_init(refuser->loop, &lingerer->poll, fd) != 0) {
        free(lingerer);
        close(fd);
        return;
    }
    lingerer->refuser = refuser;
    lingerer->poll.data = lingerer;
    lingerer->fd = fd;
    lingerer->deadline = clock_ms() + LINGER_MS;
    list_append(&refuser->lingerers, &lingerer->node);
    refuser->count++;
    sweep_soon(refuser);
    if (uv_poll_start(&lingerer->poll, UV_READABLE, on_readable) != 0)
        lingerer_close(lingerer);
}

/* False: the peer has closed as well. */
static bool answer(struct http_refuser *refuser, int fd,
                   const struct http_refusal *refusal)
{
    size_t drained = 0;
    bool may_send_more = drain(fd, &drained);

    http_refuser_send(refuser, fd, refusal);
    shutdown(fd, SHUT_WR);
    return may_send_more && drain(fd, &drained);
}

void http_refuser_answer(struct http_refuser *refuser, int fd,
                         const struct http_refusal *refusal)
{
    if (answer(refuser, fd, refusal))
        linger(refuser, fd);
    else
        close(fd);
}

void http_refuser_answer_with(struct http_refuser *refuser, int fd, struct slice wire)
{
    size_t drained = 0;
    bool may_send_more = drain(fd, &drained);

    (void)!send(fd, wire.ptr, wire.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    if (may_send_more && drain(fd, &drained))
        linger(refuser, fd);
    else
        close(fd);
}

void http_refuser_answer_at_once(struct http_refuser *refuser, int fd,
                                 const struct http_refusal *refusal)
{
    answer(refuser, fd, refusal);
    close(fd);
}

struct http_refuser *http_refuser_create(uv_loop_t *loop, const struct logger *log,
                                         struct metrics *metrics, unsigned max_fd)
{
    struct http_refuser *refuser = calloc(1, sizeof *refuser);

    if (!refuser)
        return NULL;
    refuser->log = log;
    refuser->metrics = metrics;
    refuser->loop = loop;
    refuser->max_fd = max_fd;
    list_init(&refuser->lingerers);
    uv_timer_init(loop, &refuser->sweep);
    refuser->sweep.data = refuser;
    return refuser;
}

static void on_refuser_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void http_refuser_destroy(struct http_refuser *refuser)
{
    struct list_node *node;

    if (!refuser)
        return;
    log_withheld(refuser, refuser->quota.withheld);
    while ((node = list_first(&refuser->lingerers)))
        lingerer_close((struct lingerer *)node);
    uv_close((uv_handle_t *)&refuser->sweep, on_refuser_closed);
}
