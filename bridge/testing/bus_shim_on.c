/* The bad bus of the testing builds: see the header. */
#include "bridge/testing/bus_shim.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"
#include "proto/bus_wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

/* A frame under way, or a copy of one. */
struct passage {
    struct passage *next;
    struct link_message *message;
    int64_t due_us;
};

struct bus_shim {
    struct link link;
    struct bus_plan plan; /* the shim's thread, as `record` */
    FILE *record;
    uv_mutex_t lock;
    uv_cond_t arrived;
    struct passage *first; /* under the lock; by due_us */
};

/* Takes the message. */
static void add_passage(struct bus_shim *shim, struct link_message *message,
                        uint64_t after_ms)
{
    struct passage *passage = malloc(sizeof *passage);
    struct passage **at = &shim->first;

    if (!passage || !message) {
        free(passage);
        link_message_free(message); /* one more loss */
        return;
    }
    *passage = (struct passage){.message = message,
                                .due_us = clock_us() + (int64_t)after_ms * 1000};
    uv_mutex_lock(&shim->lock);
    while (*at && (*at)->due_us <= passage->due_us)
        at = &(*at)->next;
    passage->next = *at;
    *at = passage;
    uv_cond_signal(&shim->arrived);
    uv_mutex_unlock(&shim->lock);
}

/* What was lost and when, so that a test can tell how long its repair took. */
static void record_loss(struct bus_shim *shim, struct slice bytes)
{
    struct bus_frame frame;

    if (!shim->record || bus_frame_decode(bytes, &frame) || frame.span.count == 0)
        return;
    fprintf(shim->record, "%" PRIu64 " %zu %" PRId64 "\n", frame.span.first,
            frame.span.count, clock_us());
    fflush(shim->record);
}

static void run_shim(void *arg)
{
    struct bus_shim *shim = arg;
    struct bus_fate fate;

    while (true) {
        struct link_message *message = link_serve(shim->link);
        bus_fate_draw(&shim->plan, link_message_bytes(message), &fate);
        if (fate.copies == 0)
            record_loss(shim, link_message_bytes(message));
        for (unsigned i = 0; i < fate.copies; i++)
            add_passage(shim, link_message_copy(message), fate.after_ms[i]);
        link_message_free(message);
    }
}

struct bus_shim *bus_shim_start(struct link link)
{
    const struct bus_plan *plan = test_hook_bus_plan();
    struct bus_shim *shim = plan ? calloc(1, sizeof *shim) : NULL;

    if (!shim)
        return NULL;
    shim->link = link;
    shim->plan = *plan;
    if (plan->record[0])
        shim->record = fopen(plan->record, "ae");
    if (uv_mutex_init(&shim->lock) || uv_cond_init(&shim->arrived) ||
        link_thread(run_shim, shim))
        abort();
    return shim;
}

struct link_message *bus_shim_serve(struct bus_shim *shim, struct link link)
{
    if (!shim)
        return link_serve(link);

    uv_mutex_lock(&shim->lock);
    while (!shim->first || shim->first->due_us > clock_us()) {
        if (!shim->first) {
            uv_cond_wait(&shim->arrived, &shim->lock);
            continue;
        }
        int64_t wait_us = shim->first->due_us - clock_us();
        if (wait_us > 0)
            uv_cond_timedwait(&shim->arrived, &shim->lock, (uint64_t)wait_us * 1000);
    }
    struct passage *passage = shim->first;
    shim->first = passage->next;
    uv_mutex_unlock(&shim->lock);

    struct link_message *message = passage->message;
    free(passage);
    return message;
}
