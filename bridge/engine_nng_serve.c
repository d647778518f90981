/* The answering threads: see the header. */
#include "bridge/engine_nng_serve.h"

#include "bridge/directory_serve.h"
#include "bridge/engine_nng_pages.h"
#include "bridge/engine_nng_past.h"
#include "bridge/engine_nng_published.h"

#include <stdlib.h>

enum {
    RECORD_BYTES = LIMIT_DIRECTORY_BYTES + LIMIT_GATEWAY_ID_BYTES + 16, /* of any put */
};

/*
 * One request at a time: it goes to the loop as the item, and the thread waits. Where
 * events are published, the answer waits for the log.
 */
struct directory_thread {
    struct inbox_item item;
    struct serve_config config;
    struct buf record; /* scratch */
    struct link_message *request;
    struct buf answer;
    enum status status;
    uv_sem_t answered;
    bool has_records; /* of this request: the answer waits until they are written, */
    uv_sem_t written; /* which this says */
    struct published published;
};

/* Loop thread, as all up to refuse_request. */
static void on_kept(void *ctx)
{
    struct directory_thread *self = ctx;

    uv_sem_post(&self->answered);
}

static void keep(void *ctx, const struct directory_request *request,
                 const struct directory_op *op, size_t at)
{
    struct directory_thread *self = ctx;

    published_add(&self->published, request, op, at);
}

void serve_record(struct directory *directory, struct writer *writer, struct slice sid,
                  struct buf *scratch)
{
    struct directory_kept kept;

    buf_clear(scratch);
    scratch->max = RECORD_BYTES;
    if (directory_read(directory, sid, &kept))
        directory_encode_kept(&kept, scratch);
    if (buf_status(scratch))
        writer_lose_record(writer);
    else
        writer_record(writer, EVENT_LOG_SESSION, sid, buf_slice(scratch));
}

static void record(void *ctx, struct slice sid)
{
    struct directory_thread *self = ctx;

    serve_record(self->config.directory, self->config.writer, sid, &self->record);
    self->has_records = true;
}

static void answer_request(struct inbox_item *item)
{
    struct directory_thread *self = (struct directory_thread *)item;
    const struct directory_keeper keeper = {
        keep, self->config.keeps_records ? record : NULL, self};

    self->has_records = false;
    buf_clear(&self->answer);
    self->status =
        directory_serve(self->config.directory, link_message_bytes(self->request),
                        *self->config.now_ms, &keeper, &self->answer);
    if (!self->status)
        self->status = buf_status(&self->answer);
    if (self->has_records)
        writer_await_records(self->config.writer, &self->written);
    published_run(&self->published, &self->answer);
}

/* Loop thread: the engine is closed, and whoever asks will ask the next publisher. */
static void refuse_request(struct inbox_item *item)
{
    struct directory_thread *self = (struct directory_thread *)item;

    self->status = ST_DRAINING;
    self->has_records = false;
    uv_sem_post(&self->answered);
}

static void destroy(struct directory_thread *self)
{
    uv_sem_destroy(&self->answered);
    uv_sem_destroy(&self->written);
    buf_finish(&self->answer);
    buf_finish(&self->record);
    published_finish(&self->published);
    free(self);
}

/* False: the engine is closed. */
static bool serve_one(struct directory_thread *self)
{
    self->request = link_serve(self->config.link);
    atomic_fetch_add(self->config.turn, 1);
    self->item = (struct inbox_item){.run = answer_request, .drop = refuse_request};
    /* Once it is put, `status` is the loop's until it has answered. */
    enum status st = door_put(self->config.door, &self->item);
    if (!st) {
        uv_sem_wait(&self->answered);
        /* What a client is told outlives this process. */
        if (self->has_records)
            uv_sem_wait(&self->written);
        st = self->status;
    }
    if (!st)
        link_send(self->config.link, buf_slice(&self->answer));
    link_message_free(self->request);
    atomic_fetch_add(self->config.turn, 1);
    return st != ST_DRAINING;
}

static void run_directory(void *arg)
{
    while (serve_one(arg))
        ;
    destroy(arg);
}

enum status serve_directory(const struct serve_config *config)
{
    struct directory_thread *self = calloc(1, sizeof *self);

    if (!self)
        return ST_NO_MEMORY;
    self->config = *config;
    self->published = (struct published){
        .directory = config->directory,
        .writer = config->writer,
        .keeps_records = config->keeps_records,
        .on_done = on_kept,
        .ctx = self,
    };
    self->answer.max = LIMIT_DIRECTORY_BYTES + 32 * 1024;
    if (uv_sem_init(&self->answered, 0) || uv_sem_init(&self->written, 0)) {
        free(self);
        return ST_NO_MEMORY;
    }
    if (link_thread(run_directory, self)) {
        destroy(self);
        return ST_NO_MEMORY;
    }
    return ST_OK;
}

/* --- replay --- */

struct replay_thread {
    struct link link;
    struct page_server *pages;
    struct past_server *past;
};

/* A request that makes no sense gets no answer, since whoever sent it is not one of us;
 * nor does one to a log that is lost. */
static void serve_page(struct replay_thread *self, struct slice request)
{
    struct slice answer;

    if (!past_server_answer(self->past, request, &answer) ||
        !page_server_answer(self->pages, request, &answer))
        link_send(self->link, answer);
}

static void run_replay(void *arg)
{
    struct replay_thread *self = arg;

    while (true) {
        struct link_message *request = link_serve(self->link);
        serve_page(self, link_message_bytes(request));
        link_message_free(request);
    }
}

enum status serve_replay(struct link link, struct event_log *log)
{
    struct replay_thread *self = calloc(1, sizeof *self);

    if (!self)
        return ST_NO_MEMORY;
    *self =
        (struct replay_thread){link, page_server_create(log), past_server_create(log)};
    if (!self->pages || !self->past || link_thread(run_replay, self)) {
        page_server_destroy(self->pages);
        past_server_destroy(self->past);
        free(self);
        return ST_NO_MEMORY;
    }
    return ST_OK;
}
