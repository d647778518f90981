/*
 * The http_server: libmicrohttpd's daemons on the loop. Their callbacks only translate.
 *
 * Events and answers merely mark a daemon; a uv_prepare runs the marked ones before the
 * loop waits, so that all answers of one turn share one run.
 */
#include "bridge/http_server_parts.h"

#include "bridge/peer_ip.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RUNS_A_TURN = 4, /* of one daemon, while it says that more waits */
    PATIENCE_MS = 1,
};

static const struct http_deadlines DEADLINES = {
    .ms = {[HTTP_PHASE_IDLE] = 30000,
           [HTTP_PHASE_HEAD] = 5000,
           [HTTP_PHASE_BODY] = 5000,
           [HTTP_PHASE_WRITE] = 10000,
           [HTTP_PHASE_LEFT] = 500},
};

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_daemon *daemon = cls;
    unsigned index = (unsigned)(daemon - daemon->server->daemons);

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_connection_destroy(*socket_context);
        *socket_context = NULL;
        return;
    }
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *peer =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    socklen_t len = peer->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                : sizeof(struct sockaddr_in);
    *socket_context = http_connection_create(daemon->server, index, fd, peer, len);
    if (!*socket_context)
        shutdown(fd, SHUT_RDWR); /* no deadline would ever end it */
}

/* The only place that shows the target as it was sent. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
    struct http_connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

    (void)cls;
    return connection ? http_exchange_create(connection, mhd, target) : NULL;
}

static enum MHD_Result on_step(void *cls, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *body,
                               size_t *body_len, void **exchange)
{
    (void)cls;
    (void)mhd;
    (void)url;
    if (!*exchange)
        return MHD_NO; /* out of memory */
    return http_exchange_step(*exchange, method, version, body, body_len) ? MHD_YES
                                                                          : MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **exchange,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)mhd;
    http_exchange_destroy(*exchange, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    *exchange = NULL;
}

/*
 * No timeout of its own: ours cover every phase. Not its strict mode either: that answers
 * a missing Host itself, with a header block sent twice, where the gate says it in our
 * words.
 */
static bool daemon_open(struct http_daemon *daemon, struct http_server *server)
{
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;

    daemon->server = server;
    daemon->mhd = MHD_start_daemon(
        flags, 0, NULL, NULL, on_step, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        daemon, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)LIMIT_HTTP_POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        server->config.max_connections + server->config.max_long + HTTP_NEWCOMERS + 1,
        MHD_OPTION_END);
    return daemon->mhd != NULL;
}

/*
 * With exchanges awaited it would say so for ever: then an answer, or the end of our
 * patience, brings the next run.
 */
static bool daemon_has_more(const struct http_daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 1;

    return daemon->awaited == 0 && MHD_get_timeout(daemon->mhd, &wait_ms) == MHD_YES &&
           wait_ms == 0;
}

static void daemon_run(struct http_daemon *daemon)
{
    int runs = 0;

    do {
        MHD_run(daemon->mhd);
    } while (daemon_has_more(daemon) && ++runs < RUNS_A_TURN);
    if (runs == RUNS_A_TURN)
        daemon->is_dirty = true;
}

static void on_again(uv_timer_t *timer)
{
    (void)timer; /* the loop turns, that is all */
}

static void on_patience_end(uv_timer_t *timer)
{
    struct http_server *server = timer->data;

    server->is_patient = false;
    for (unsigned i = 0; i < HTTP_DAEMONS; i++)
        if (server->daemons[i].awaited > 0)
            server->daemons[i].is_dirty = true;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct http_server *server = prepare->data;
    bool is_dirty = false, is_awaiting = false;

    for (unsigned i = 0; i < HTTP_DAEMONS; i++) {
        struct http_daemon *daemon = &server->daemons[i];
        if (!daemon->is_dirty)
            continue;
        daemon->is_dirty = false;
        daemon_run(daemon);
    }
    /* A handler may have answered an exchange of a daemon that ran before its own. */
    for (unsigned i = 0; i < HTTP_DAEMONS; i++) {
        is_dirty = is_dirty || server->daemons[i].is_dirty;
        is_awaiting = is_awaiting || server->daemons[i].awaited > 0;
    }
    if (is_dirty)
        uv_timer_start(&server->again, on_again, 0, 0);

    server->is_patient = true;
    if (!is_awaiting)
        uv_timer_stop(&server->patience);
    else if (!uv_is_active((uv_handle_t *)&server->patience))
        uv_timer_start(&server->patience, on_patience_end, PATIENCE_MS, 0);
}

static void on_daemon_event(uv_poll_t *poll, int error, int events)
{
    struct http_daemon *daemon = poll->data;

    (void)error;
    (void)events;
    daemon->is_dirty = true;
}

void http_server_touch(struct http_server *server, unsigned daemon)
{
    server->daemons[daemon].is_dirty = true;
}

static bool poll_open(struct http_server *server, uv_poll_t *poll, int fd, void *data,
                      uv_poll_cb on_event)
{
    if (uv_poll_init(server->config.loop, poll, fd) != 0)
        return false;
    server->open_handles++;
    poll->data = data;
    return uv_poll_start(poll, UV_READABLE, on_event) == 0;
}

static bool handles_open(struct http_server *server)
{
    uv_prepare_init(server->config.loop, &server->prepare);
    uv_timer_init(server->config.loop, &server->again);
    uv_timer_init(server->config.loop, &server->patience);
    uv_timer_init(server->config.loop, &server->sweep);
    server->open_handles = 4;
    server->prepare.data = server;
    server->again.data = server;
    server->patience.data = server;
    server->sweep.data = server;
    uv_prepare_start(&server->prepare, on_prepare);

    server->hup_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->hup_fd < 0 || !poll_open(server, &server->hup_poll, server->hup_fd,
                                         server, http_connections_on_hup))
        return false;
    for (unsigned i = 0; i < HTTP_DAEMONS; i++) {
        struct http_daemon *daemon = &server->daemons[i];
        if (!daemon_open(daemon, server))
            return false;
        int fd = MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        if (!poll_open(server, &daemon->poll, fd, daemon, on_daemon_event))
            return false;
    }
    return true;
}

struct http_server *http_server_create(const struct http_server_config *config)
{
    struct http_server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->config = *config;
    server->deadlines = DEADLINES;
    server->hup_fd = -1;
    server->is_patient = true;
    list_init(&server->unanswered);
    list_init(&server->spares);
    for (int phase = 0; phase < HTTP_PHASES; phase++)
        list_init(&server->phases[phase]);
    server->refuser =
        http_refuser_create(config->loop, config->log, config->metrics, config->max_fd);
    if (!server->refuser) {
        free(server);
        return NULL;
    }
    if (!handles_open(server)) {
        http_server_destroy(server);
        return NULL;
    }
    return server;
}

static void refuse_full(struct http_server *server, int fd, const struct sockaddr *peer,
                        socklen_t peer_len)
{
    char ip[INET6_ADDRSTRLEN];
    char id[REQUEST_ID_SIZE];

    peer_ip(peer, peer_len, ip);
    request_id_draw(&server->random, NULL, id);
    struct http_refusal refusal = {
        .problem = {.status = server->is_draining ? ST_DRAINING : ST_BUSY,
                    .detail = server->is_draining
                                  ? NULL
                                  : "The server has all the connections it may.",
                    .instance = slice_of(id)},
        .peer_ip = ip,
    };
    http_refuser_answer(server->refuser, fd, &refusal);
}

/* At the ceiling, who keeps a connection for nothing makes room for who has a request. */
static bool has_room(struct http_server *server)
{
    unsigned max = server->config.max_connections;
    unsigned long_ones = server->long_ones < server->config.max_long
                             ? server->long_ones
                             : server->config.max_long;
    unsigned count = server->connections - long_ones;

    if (count < max)
        return true;
    return count < max + HTTP_NEWCOMERS && http_connections_make_room(server);
}

void http_server_adopt(struct http_server *server, int fd, const struct sockaddr *peer,
                       socklen_t peer_len, struct peer_guest *guest)
{
    unsigned index = server->next_daemon;

    if (server->is_draining || !has_room(server)) {
        refuse_full(server, fd, peer, peer_len);
        peer_guest_leave(guest);
        return;
    }
    server->next_daemon = (index + 1) % HTTP_DAEMONS;
    server->arriving = guest;
    MHD_add_connection(server->daemons[index].mhd, fd, peer, peer_len);
    peer_guest_leave(server->arriving); /* nobody took it: the socket is closed */
    server->arriving = NULL;
    http_server_touch(server, index);
}

void http_server_wind_down(struct http_server *server)
{
    server->config.always_closes = true;
    server->is_leaving = true;
    http_connections_close_idle(server);
}

bool http_server_is_reading(const struct http_server *server)
{
    return !list_is_empty(&server->phases[HTTP_PHASE_HEAD]) ||
           !list_is_empty(&server->phases[HTTP_PHASE_BODY]);
}

void http_server_drain(struct http_server *server)
{
    struct list_node *node;

    server->is_draining = true;
    http_connections_close_idle(server);
    http_connections_dismiss_half(server);
    while ((node = list_first(&server->unanswered)))
        http_exchange_dismiss((struct http_exchange *)node);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;

    if (--server->open_handles == 0)
        free(server);
}

/* `handle` zeroed: it was never opened. */
static void handle_close(struct http_server *server, void *handle)
{
    if (uv_handle_get_type(handle) == UV_UNKNOWN_HANDLE)
        return;
    uv_handle_set_data(handle, server);
    uv_close(handle, on_handle_closed);
}

void http_server_destroy(struct http_server *server)
{
    struct list_node *node;

    if (!server)
        return;
    server->is_draining = true;
    while ((node = list_first(&server->unanswered)))
        http_exchange_abandon((struct http_exchange *)node);
    /* The loop must forget a descriptor before it closes. */
    for (unsigned i = 0; i < HTTP_DAEMONS; i++)
        handle_close(server, &server->daemons[i].poll);
    handle_close(server, &server->hup_poll);
    for (unsigned i = 0; i < HTTP_DAEMONS; i++) {
        if (!server->daemons[i].mhd)
            continue;
        /* libmicrohttpd may not be stopped with anything suspended. */
        MHD_run(server->daemons[i].mhd);
        MHD_run(server->daemons[i].mhd);
        MHD_stop_daemon(server->daemons[i].mhd);
    }
    if (server->hup_fd >= 0)
        close(server->hup_fd);
    http_exchange_free_spares(server);
    http_refuser_destroy(server->refuser);
    handle_close(server, &server->prepare);
    handle_close(server, &server->again);
    handle_close(server, &server->patience);
    handle_close(server, &server->sweep);
}
