/* The polling transport: see the header. */
#include "client-gw/transport_polling.h"

#include "bridge/peer_limits.h"
#include "client-gw/engineio.h"

#include <assert.h>
#include <stdlib.h>

static struct transport_polling *own(struct transport *transport)
{
    return (struct transport_polling *)transport;
}

/* While the packets of a POST are taken, what they cause waits for the last of them. */
static void flush(struct transport *transport, struct frame_queue *queue)
{
    if (queue->count > 0 && !own(transport)->is_taking)
        engineio_queued(transport->owner);
}

/* Nothing is ever sent past the outbox. */
static void finish_frame(struct transport *transport, struct slice wire, size_t sent)
{
    (void)transport;
    (void)wire;
    (void)sent;
    assert(false);
}

/* What there is to say at the end, Engine.IO says. */
static void end(struct transport *transport, unsigned code, struct slice reason)
{
    (void)transport;
    (void)code;
    (void)reason;
}

static void on_poll_gone(void *ctx)
{
    struct transport_polling *polling = ctx;

    polling->held = NULL;
    engineio_poll_is_gone(polling->base.owner);
}

static void on_written(void *ctx, bool is_whole)
{
    struct transport_polling *polling = ctx;

    polling->written = NULL;
    if (!is_whole)
        engineio_poll_is_lost(polling->base.owner);
}

static void stop_watching(struct transport_polling *polling)
{
    if (polling->written)
        http_exchange_on_written(polling->written, NULL, NULL);
    polling->written = NULL;
}

static void destroy(struct transport *transport)
{
    struct transport_polling *polling = own(transport);

    stop_watching(polling);
    if (polling->held)
        http_exchange_cut(polling->held);
    transport_polling_cut_post(polling);
    transport_polling_drop_probe(polling);
    metrics_add(polling->answers->metrics, METRIC_POLLING, -1);
    free(polling);
}

static const struct transport_ops polling_ops = {
    .name = "polling",
    .flush = flush,
    .finish_frame = finish_frame,
    .drained = flush,
    .close = end,
    .destroy = destroy,
};

struct transport *transport_polling_create(struct polling_answers *answers)
{
    struct transport_polling *polling = calloc(1, sizeof *polling);

    if (!polling)
        return NULL;
    polling->base.ops = &polling_ops;
    polling->base.direct_fd = -1;
    polling->base.is_blocked = true;
    polling->answers = answers;
    metrics_add(answers->metrics, METRIC_POLLING, 1);
    return &polling->base;
}

struct transport_polling *transport_polling_of(struct transport *transport)
{
    return transport->ops == &polling_ops ? own(transport) : NULL;
}

void transport_polling_watch(struct transport_polling *polling,
                             struct http_exchange *exchange)
{
    /* Whoever polls again has read the answer before, or says that it does not matter. */
    stop_watching(polling);
    polling->written = exchange;
    http_exchange_on_written(exchange, on_written, polling);
}

static void on_post_gone(void *ctx)
{
    struct transport_polling *polling = ctx;

    polling->post = NULL;
    engineio_post_is_gone(polling->base.owner);
}

void transport_polling_hold(struct transport_polling *polling,
                            struct http_exchange *exchange)
{
    polling->held = exchange;
    http_exchange_takes_long(exchange);
    http_exchange_on_gone(exchange, on_poll_gone, polling);
}

void transport_polling_read(struct transport_polling *polling,
                            struct http_exchange *exchange)
{
    polling->post = exchange;
    http_exchange_on_gone(exchange, on_post_gone, polling);
}

void transport_polling_answer_held(struct transport_polling *polling,
                                   enum eio_answer answer, struct frame_queue *queue,
                                   const struct mount_settings *settings)
{
    struct http_exchange *held = polling->held;

    polling->held = NULL;
    transport_polling_watch(polling, held);
    polling_answer(polling->answers, held, answer, queue, settings);
}

void transport_polling_answer_post(struct transport_polling *polling,
                                   enum eio_answer answer,
                                   const struct mount_settings *settings)
{
    struct http_exchange *post = polling->post;

    polling->post = NULL;
    polling_answer(polling->answers, post, answer, NULL, settings);
}

void transport_polling_cut_post(struct transport_polling *polling)
{
    struct http_exchange *post = polling->post;

    polling->post = NULL;
    if (post)
        http_exchange_cut(post);
}

void transport_polling_say(struct transport_polling *polling, struct slice text)
{
    const struct frame_limits limits = {.bytes = 1024, .frames = 1};
    struct frame *frame = frame_create(WS_OP_TEXT, text);
    struct frame_queue queue = {0};

    if (frame && !frame_queue_push(&queue, &limits, frame))
        polling->probe->ops->flush(polling->probe, &queue);
    frame_queue_finish(&queue);
    frame_drop(frame);
}

void transport_polling_drop_probe(struct transport_polling *polling)
{
    struct transport *probe = polling->probe;

    if (!probe)
        return;
    polling->probe = NULL;
    peer_guest_leave(polling->probe_guest);
    polling->probe_guest = NULL;
    probe->owner = NULL;
    probe->ops->close(probe, 0, (struct slice){0});
}
