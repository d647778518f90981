/*
 * The front's listener: see the header. When descriptors run out, a spare one is given up
 * to accept, refuse and close; without it every connect would wait in the backlog, and
 * the loop would spin on a listener that stays readable.
 */
#include "bridge/front_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_A_TURN = 64,
    LAST_ACCEPTS = 4096, /* as many as a listener's queue holds */
    SWEEP_MS = 250,
};

static int spare_open(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int accept_one(struct front *front, struct front_peer *peer)
{
    peer->len = sizeof peer->address;
    return accept4(front->config.listen_fd, (struct sockaddr *)&peer->address, &peer->len,
                   SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* Until the next sweep: who waits stays in the backlog, and the loop does not spin. */
static void go_deaf(struct front *front)
{
    front->is_deaf = true;
    uv_poll_stop(&front->listener);
    front_sweep_start(front);
}

/* False: nobody waits, or nobody can be let in before the next sweep. */
static bool accept_without_descriptors(struct front *front)
{
    struct front_peer peer = {.guest = NULL};
    int fd = -1;

    if (front->spare_fd >= 0) {
        close(front->spare_fd);
        fd = accept_one(front, &peer);
    }
    if (fd >= 0)
        front_refuse_at_once(front, fd, &peer, ST_BUSY, "No descriptor is free.");
    front->spare_fd = spare_open();
    if (front->spare_fd >= 0)
        return fd >= 0;

    go_deaf(front);
    return false;
}

static void accept_all(struct front *front, int most)
{
    for (int i = 0; i < most && !front->is_stopped; i++) {
        struct front_peer peer = {.guest = NULL};
        int fd = accept_one(front, &peer);
        if (fd >= 0 && front->config.max_fd > 0 && fd >= (int)front->config.max_fd) {
            front_refuse_at_once(front, fd, &peer, ST_BUSY,
                                 "No descriptor is free for clients.");
        } else if (fd >= 0) {
            front_meet(front, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE) {
            if (!accept_without_descriptors(front))
                return;
        } else if (errno == ENOMEM || errno == ENOBUFS) {
            go_deaf(front);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void on_connects(uv_poll_t *poll, int error, int events)
{
    (void)error;
    (void)events;
    accept_all(poll->data, ACCEPTS_A_TURN);
}

static bool listen_again(struct front *front)
{
    if (front->spare_fd < 0)
        front->spare_fd = spare_open();
    return front->spare_fd >= 0 &&
           uv_poll_start(&front->listener, UV_READABLE, on_connects) == 0;
}

static void on_sweep(uv_timer_t *timer)
{
    struct front *front = timer->data;

    front_visitors_sweep(front);
    if (front->is_deaf && !front->is_resting && !front->is_stopped)
        front->is_deaf = !listen_again(front);
    if (list_is_empty(&front->visitors) && !front->is_deaf)
        uv_timer_stop(timer);
}

void front_sweep_start(struct front *front)
{
    if (!uv_is_active((uv_handle_t *)&front->sweep))
        uv_timer_start(&front->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct front *front = handle->data;

    if (--front->open_handles == 0)
        free(front);
}

static bool listen_begin(struct front *front)
{
    int fd = front->config.listen_fd;

    if (fd < 0)
        return true;
    /* What is accepted inherits it. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (uv_poll_init(front->config.loop, &front->listener, fd) != 0)
        return false;
    front->open_handles++;
    return uv_poll_start(&front->listener, UV_READABLE, on_connects) == 0;
}

struct front *front_create(const struct front_config *config)
{
    struct front *front = calloc(1, sizeof *front);

    if (!front) {
        if (config->listen_fd >= 0)
            close(config->listen_fd);
        fd_pass_destroy(config->pass);
        return NULL;
    }
    front->config = *config;
    front->spare_fd = spare_open();
    list_init(&front->visitors);
    front->refuser =
        http_refuser_create(config->loop, config->log, config->metrics, config->max_fd);
    uv_timer_init(config->loop, &front->sweep);
    front->sweep.data = front;
    front->listener.data = front;
    front->open_handles = 1;
    if (front->refuser && listen_begin(front) &&
        (!config->pass || fd_pass_start(config->pass, &front_pass_events, front)))
        return front;
    front_destroy(front);
    return NULL;
}

static bool has_listener(const struct front *front)
{
    return uv_handle_get_type((const uv_handle_t *)&front->listener) != UV_UNKNOWN_HANDLE;
}

void front_rest(struct front *front)
{
    if (front->is_stopped || !has_listener(front))
        return;
    front->is_resting = true;
    uv_poll_stop(&front->listener);
}

void front_wake(struct front *front)
{
    if (front->is_stopped || !front->is_resting)
        return;
    front->is_resting = false;
    front->is_deaf = !listen_again(front);
    if (front->is_deaf)
        front_sweep_start(front);
}

void front_leave(struct front *front)
{
    if (front->is_stopped || !has_listener(front) || front->config.listen_fd < 0)
        return;
    front_rest(front);
    /* The kernel would reset who is connected and was not accepted. */
    accept_all(front, LAST_ACCEPTS);
    uv_close((uv_handle_t *)&front->listener, on_handle_closed);
    close(front->config.listen_fd);
    front->config.listen_fd = -1;
}

void front_stop(struct front *front)
{
    if (front->is_stopped)
        return;
    if (front->config.pass)
        fd_pass_stop(front->config.pass);
    front->is_stopped = true;
    uv_timer_stop(&front->sweep);
    if (has_listener(front) && !uv_is_closing((uv_handle_t *)&front->listener))
        uv_close((uv_handle_t *)&front->listener, on_handle_closed);
    if (front->config.listen_fd >= 0)
        close(front->config.listen_fd);
    front_visitors_dismiss(front);
}

void front_destroy(struct front *front)
{
    if (!front)
        return;
    front_stop(front);
    if (front->spare_fd >= 0)
        close(front->spare_fd);
    fd_pass_destroy(front->config.pass);
    http_refuser_destroy(front->refuser);
    uv_close((uv_handle_t *)&front->sweep, on_handle_closed);
}
