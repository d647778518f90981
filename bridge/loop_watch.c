/* A thread beside a loop: see the header. */
#include "bridge/loop_watch.h"

#include <stdlib.h>

struct loop_watch {
    struct loop_watch_config config;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t wake;
    bool is_over; /* under the lock */
};

/* False: it was woken, to end. */
static bool sleep_once(struct loop_watch *watch)
{
    uv_mutex_lock(&watch->lock);
    if (!watch->is_over)
        uv_cond_timedwait(&watch->wake, &watch->lock,
                          watch->config.look_ms * UINT64_C(1000000));
    bool goes_on = !watch->is_over;
    uv_mutex_unlock(&watch->lock);
    return goes_on;
}

static void run(void *arg)
{
    struct loop_watch *watch = arg;
    const _Atomic uint64_t *beats = &watch->config.lag->beats;
    uint64_t seen = 0;
    unsigned still = 0;

    while (sleep_once(watch)) {
        uint64_t now = atomic_load_explicit(beats, memory_order_relaxed);
        still = now == seen ? still + 1 : 0;
        seen = now;
        if (still == watch->config.looks)
            watch->config.on_stuck(watch->config.ctx);
    }
}

struct loop_watch *loop_watch_create(const struct loop_watch_config *config)
{
    struct loop_watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return NULL;
    watch->config = *config;
    if (uv_mutex_init(&watch->lock) || uv_cond_init(&watch->wake) ||
        uv_thread_create(&watch->thread, run, watch)) {
        free(watch); /* nothing but the memory is held by the first two here */
        return NULL;
    }
    return watch;
}

void loop_watch_destroy(struct loop_watch *watch)
{
    if (!watch)
        return;
    uv_mutex_lock(&watch->lock);
    watch->is_over = true;
    uv_cond_signal(&watch->wake);
    uv_mutex_unlock(&watch->lock);
    uv_thread_join(&watch->thread);
    uv_cond_destroy(&watch->wake);
    uv_mutex_destroy(&watch->lock);
    free(watch);
}
