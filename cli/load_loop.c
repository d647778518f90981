/* The loop of a load: see the header. */
#include "cli/load_loop.h"

#include "bridge/clock.h"
#include "cli/load_link.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    EVENTS = 512,
    SECOND_US = 1000000
};

bool load_loop_open(struct load_loop *loop, int stop_fd)
{
    struct epoll_event timer = {.events = EPOLLIN}, stop = {.events = EPOLLIN};

    *loop = (struct load_loop){
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
        .stop_fd = stop_fd,
        .scratch = malloc(LOAD_SCRATCH_BYTES),
    };
    if (loop->epoll < 0 || loop->timer < 0 || !loop->scratch)
        return false;
    timer.data.ptr = &loop->timer;
    stop.data.ptr = &loop->stop_fd;
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->timer, &timer) == 0 &&
           (stop_fd < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, stop_fd, &stop) == 0);
}

void load_loop_close(struct load_loop *loop)
{
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->timer >= 0)
        close(loop->timer);
    free(loop->scratch);
    *loop = (struct load_loop){.epoll = -1, .timer = -1, .stop_fd = -1};
}

static void set_timer(struct load_loop *loop, uint64_t wake_us)
{
    struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)(wake_us / SECOND_US),
                     .tv_nsec = (long)(wake_us % SECOND_US) * 1000},
    };

    if (loop->wake_us == wake_us)
        return;
    loop->wake_us = wake_us;
    timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void take(struct load_loop *loop, const struct epoll_event *event)
{
    struct load_link *link = event->data.ptr;

    if (event->data.ptr == &loop->timer) {
        uint64_t times;
        loop->wake_us = 0;
        if (read(loop->timer, &times, sizeof times) < 0)
            return;
    } else if (event->data.ptr == &loop->stop_fd) {
        loop->is_stopped = true;
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->stop_fd, NULL);
    } else if (link->fd >= 0) {
        link->on_ready(link, event->events);
    }
}

void load_loop_step(struct load_loop *loop, uint64_t wake_us)
{
    struct epoll_event events[EVENTS];
    bool is_late = wake_us <= (uint64_t)clock_us();

    if (!is_late)
        set_timer(loop, wake_us);
    int count = epoll_wait(loop->epoll, events, EVENTS, is_late ? 0 : -1);
    for (int i = 0; i < count; i++)
        take(loop, &events[i]);
}
