/* A request link and its thread: see the header. */
#include "bridge/engine_nng_ask.h"

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
    struct buf request; /* whoever has the turn: loop, thread, loop */
    struct link_message *answer;
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

static void run_asker(void *arg)
{
    struct asker *asker = arg;

    while (true) {
        uv_sem_wait(&asker->asked);
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
    if (uv_sem_init(&asker->asked, 0) || link_thread(run_asker, asker)) {
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
    asker->request = *request;
    *request = (struct buf){.max = request->max};
    uv_sem_post(&asker->asked);
}
