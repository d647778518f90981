/* A request link and its thread: see the header. */
#include "bridge/engine_nng_ask.h"

#include "bridge/clock.h"

#include <assert.h>
#include <stdlib.h>

struct asker {
    struct inbox_item item;
    uv_sem_t asked;
    struct link link;
    struct door *door;
    bool is_busy; /* loop thread, as the next two */
    asker_answer_fn *on_answer;
    void *ctx;
    bool has_request; /* as the next two: whoever has the turn: loop, thread, loop */
    struct buf request;
    struct link_message *answer;
    struct buf farewell; /* the thread's, once it is asked */
    uv_mutex_t lock;
    uv_cond_t parting;
    bool has_parted; /* under the lock */
};

static void take_answer(struct inbox_item *item)
{
    struct asker *asker = (struct asker *)item;
    struct link_message *answer = asker->answer;

    asker->answer = NULL;
    asker->is_busy = false;
    buf_finish(&asker->request);
    asker->on_answer(asker->ctx, answer ? link_message_bytes(answer) : (struct slice){0});
    link_message_free(answer);
}

static void drop_answer(struct inbox_item *item)
{
    link_message_free(((struct asker *)item)->answer);
}

static void part(struct asker *asker)
{
    if (!link_send(asker->link, buf_slice(&asker->farewell)))
        link_message_free(link_receive(asker->link));
    uv_mutex_lock(&asker->lock);
    asker->has_parted = true;
    uv_cond_signal(&asker->parting);
    uv_mutex_unlock(&asker->lock);
}

static void run_asker(void *arg)
{
    struct asker *asker = arg;

    while (true) {
        uv_sem_wait(&asker->asked);
        if (!asker->has_request) {
            part(asker);
            return;
        }
        asker->has_request = false;
        asker->answer = NULL;
        if (!link_send(asker->link, buf_slice(&asker->request)))
            asker->answer = link_receive(asker->link);
        asker->item = (struct inbox_item){.run = take_answer, .drop = drop_answer};
        if (door_put(asker->door, &asker->item)) {
            link_message_free(asker->answer);
            return;
        }
    }
}

struct asker *asker_start(struct link link, struct door *door, asker_answer_fn *on_answer,
                          void *ctx)
{
    struct asker *asker = calloc(1, sizeof *asker);

    if (!asker)
        return NULL;
    asker->link = link;
    asker->door = door;
    asker->on_answer = on_answer;
    asker->ctx = ctx;
    if (uv_sem_init(&asker->asked, 0) || uv_mutex_init(&asker->lock) ||
        uv_cond_init(&asker->parting) || link_thread(run_asker, asker)) {
        free(asker);
        return NULL;
    }
    return asker;
}

bool asker_is_busy(const struct asker *asker)
{
    return asker->is_busy;
}

void asker_ask(struct asker *asker, struct buf *request)
{
    assert(!asker->is_busy);
    asker->is_busy = true;
    asker->has_request = true;
    asker->request = *request;
    *request = (struct buf){.max = request->max};
    uv_sem_post(&asker->asked);
}

void asker_part(struct asker *asker, struct buf *request, uint64_t patience_ms)
{
    uint64_t until_ms = clock_ms() + patience_ms;

    asker->farewell = *request;
    *request = (struct buf){.max = request->max};
    uv_sem_post(&asker->asked);
    uv_mutex_lock(&asker->lock);
    for (uint64_t now_ms; !asker->has_parted && (now_ms = clock_ms()) < until_ms;)
        uv_cond_timedwait(&asker->parting, &asker->lock, (until_ms - now_ms) * 1000000);
    uv_mutex_unlock(&asker->lock);
}
