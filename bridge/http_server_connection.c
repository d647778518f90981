/*
 * Connections of the http_server: how long each may take in the phase it is in, and
 * whether its peer has left. libmicrohttpd's own timeout counts idleness only, so that a
 * byte now and then would keep a connection for ever; ours are totals.
 */
#include "bridge/http_server_parts.h"

#include "bridge/clock.h"
#include "bridge/peer_ip.h"
#include "bridge/socket_bytes.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
    SWEEP_MS = 250,
    LOOK_MS = 1000, /* between two looks at idle connections */
    SLOW_MS = 1000, /* for the rest of a request, while others have no room */
    HUP_EVENTS = 64,
    HUP_ROUNDS = 16, /* what is left wakes the next turn */
};

struct http_connection *http_connection_create(struct http_server *server,
                                               unsigned daemon, int fd,
                                               const struct sockaddr *peer,
                                               socklen_t peer_len)
{
    struct http_connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        return NULL;
    connection->server = server;
    connection->daemon = daemon;
    connection->fd = fd;
    connection->peer = peer_address(peer, peer_len);
    peer_ip(peer, peer_len, connection->peer_ip);

    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    if (epoll_ctl(server->hup_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(connection);
        return NULL;
    }
    connection->guest = server->arriving;
    server->arriving = NULL;
    server->connections++;
    metrics_add(server->config.metrics, METRIC_HTTP_CONNECTIONS, 1);
    http_connection_enter(connection, HTTP_PHASE_HEAD);
    return connection;
}

void http_connection_lengthen(struct http_connection *connection)
{
    connection->server->long_ones += !connection->is_long;
    connection->is_long = true;
}

void http_connection_forget_long(struct http_connection *connection)
{
    connection->server->long_ones -= connection->is_long;
    connection->is_long = false;
}

void http_connection_destroy(struct http_connection *connection)
{
    if (!connection)
        return;
    http_connection_forget_long(connection);
    epoll_ctl(connection->server->hup_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    list_remove(&connection->node);
    peer_guest_leave(connection->guest);
    connection->server->connections--;
    metrics_add(connection->server->config.metrics, METRIC_HTTP_CONNECTIONS, -1);
    free(connection);
}

void http_connection_enter(struct http_connection *connection, enum http_phase phase)
{
    struct http_server *server = connection->server;

    /* libmicrohttpd misses the end of a stream that comes along with its last bytes. */
    if (connection->peer_left && phase < HTTP_PHASE_WRITE)
        phase = HTTP_PHASE_LEFT;
    list_remove(&connection->node);
    connection->phase = phase;
    connection->received = 0;
    if (phase == HTTP_PHASES)
        return;
    connection->deadline = clock_ms() + server->deadlines.ms[phase];
    list_append(&server->phases[phase], &connection->node);
    if (!uv_is_active((uv_handle_t *)&server->sweep))
        uv_timer_start(&server->sweep, http_connections_on_sweep, SWEEP_MS, SWEEP_MS);
}

void http_connection_cut(struct http_connection *connection)
{
    http_connection_enter(connection, HTTP_PHASES);
    shutdown(connection->fd, SHUT_RDWR);
    http_server_touch(connection->server, connection->daemon);
}

/* NULL: no request of it has an id. */
static const char *request_id_of(const struct http_connection *connection)
{
    const struct http_exchange *exchange = connection->exchange;

    return exchange && exchange->request_id[0] ? exchange->request_id : NULL;
}

/* Its request is half read. */
static void refuse_half(struct http_connection *connection, enum status status,
                        const char *detail)
{
    const char *id = request_id_of(connection);
    char made[REQUEST_ID_SIZE];

    if (!id)
        request_id_choose(NULL, made);
    struct http_refusal refusal = {
        .problem = {.status = status,
                    .detail = detail,
                    .instance = slice_of(id ? id : made)},
        .peer_ip = connection->peer_ip,
    };
    http_refuser_send(connection->server->refuser, connection->fd, &refusal);
}

static void expire(struct http_connection *connection)
{
    if (connection->phase == HTTP_PHASE_HEAD || connection->phase == HTTP_PHASE_BODY) {
        refuse_half(connection, ST_TIMEOUT, "The request took too long to arrive.");
    } else if (connection->phase == HTTP_PHASE_WRITE) {
        const char *id = request_id_of(connection);
        log_info(connection->server->config.log, "reader too slow",
                 LOG_TEXT("ip", connection->peer_ip),
                 LOG_TEXT("request_id", id ? id : "-"));
    }
    http_connection_cut(connection);
}

void http_connections_dismiss_half(struct http_server *server)
{
    static const enum http_phase half[] = {HTTP_PHASE_HEAD, HTTP_PHASE_BODY};

    for (size_t i = 0; i < sizeof half / sizeof *half; i++) {
        struct list_node *node;
        while ((node = list_first(&server->phases[half[i]]))) {
            struct http_connection *connection = (struct http_connection *)node;
            refuse_half(connection, ST_DRAINING, NULL);
            http_connection_cut(connection);
        }
    }
}

/*
 * A next head that drips in: libmicrohttpd tells of it only once its request line is
 * whole, so it would have the long deadline of an idle connection. The kernel knows that
 * bytes came.
 */
static void look_at_idle(struct http_server *server, uint64_t now)
{
    struct list_node *end = &server->phases[HTTP_PHASE_IDLE];
    struct list_node *next;

    if (now < server->looked_ms + LOOK_MS)
        return;
    server->looked_ms = now;
    for (struct list_node *node = end->next; node != end; node = next) {
        struct http_connection *connection = (struct http_connection *)node;
        next = node->next;
        uint64_t received = socket_bytes_received(connection->fd);
        if (connection->received && received > connection->received)
            http_connection_enter(connection, HTTP_PHASE_HEAD);
        else
            connection->received = received;
    }
}

void http_connections_on_sweep(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    uint64_t now = clock_ms();
    bool is_idle = true;

    look_at_idle(server, now);
    for (int phase = 0; phase < HTTP_PHASES; phase++) {
        struct list_node *node;
        while ((node = list_first(&server->phases[phase]))) {
            struct http_connection *connection = (struct http_connection *)node;
            if (connection->deadline > now) {
                is_idle = false;
                break;
            }
            expire(connection);
        }
    }
    if (is_idle)
        uv_timer_stop(timer);
}

void http_connections_close_idle(struct http_server *server)
{
    struct list_node *node;

    while ((node = list_first(&server->phases[HTTP_PHASE_IDLE])))
        http_connection_cut((struct http_connection *)node);
}

static void on_peer_left(struct http_connection *connection)
{
    connection->peer_left = true;
    if (connection->exchange && http_exchange_is_unanswered(connection->exchange))
        http_exchange_abandon(connection->exchange);
    else
        http_connection_enter(connection, connection->phase);
}

bool http_connections_make_room(struct http_server *server)
{
    static const enum http_phase order[] = {HTTP_PHASE_IDLE, HTTP_PHASE_HEAD,
                                            HTTP_PHASE_BODY};
    uint64_t now = clock_ms();

    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        enum http_phase phase = order[i];
        struct http_connection *oldest =
            (struct http_connection *)list_first(&server->phases[phase]);
        bool is_slow =
            oldest && now + server->deadlines.ms[phase] >= oldest->deadline + SLOW_MS;
        if (!oldest || (phase != HTTP_PHASE_IDLE && !is_slow))
            continue;
        http_connection_cut(oldest);
        return true;
    }
    return false;
}

void http_connections_on_hup(uv_poll_t *poll, int error, int events)
{
    struct http_server *server = poll->data;
    struct epoll_event hups[HUP_EVENTS];

    (void)error;
    (void)events;
    for (int round = 0; round < HUP_ROUNDS; round++) {
        int count = epoll_wait(server->hup_fd, hups, HUP_EVENTS, 0);
        for (int i = 0; i < count; i++) {
            on_peer_left(hups[i].data.ptr);
        }
        if (count < HUP_EVENTS)
            return;
    }
}
