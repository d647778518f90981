/* Answers of the polling transport: see the header. */
#include "client-gw/polling_answer.h"

#include "proto/eio.h"

#include <stdio.h>

enum {
    KEPT_BYTES = 64 * 1024, /* a larger buffer is given back */
    BODY_BYTES = 1 << 30,   /* the outbox has the ceiling that counts */
};

static const struct http_header no_store = {"Cache-Control", "no-store"};

bool polling_answers_init(struct polling_answers *answers, struct metrics *metrics)
{
    *answers = (struct polling_answers){
        .metrics = metrics,
        .gzip = gzip_create(),
        .body.max = BODY_BYTES,
        .packed.max = BODY_BYTES,
    };
    return answers->gzip != NULL;
}

void polling_answers_finish(struct polling_answers *answers)
{
    gzip_destroy(answers->gzip);
    buf_finish(&answers->body);
    buf_finish(&answers->packed);
}

static void forget(struct buf *buf)
{
    if (buf->cap > KEPT_BYTES)
        buf_finish(buf);
    buf_clear(buf);
}

/* A text message is one packet as it is. */
static void add_frame(struct buf *body, const struct frame *frame)
{
    struct frame_cursor cursor = {0};
    struct frame_message message;

    while (frame_next_message(frame, &cursor, &message)) {
        if (message.op == WS_OP_BINARY)
            eio_payload_add_binary(body, message.payload);
        else
            eio_payload_add(body, message.payload);
    }
}

static void take_queue(struct buf *body, struct frame_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++)
        add_frame(body, frame_queue_at(queue, i));
    frame_queue_shift(queue, queue->count);
}

/* GZIP_NONE: it goes as it is. */
static enum gzip_coding pack(struct polling_answers *answers,
                             const struct http_exchange *exchange, size_t least)
{
    const struct http_head *head = http_exchange_request(exchange)->head;

    if (least == 0 || answers->body.len < least)
        return GZIP_NONE;
    enum gzip_coding coding = gzip_choose(http_head_field(head, "Accept-Encoding"));
    buf_clear(&answers->packed);
    if (coding && !gzip_compress(answers->gzip, coding, buf_slice(&answers->body),
                                 &answers->packed))
        coding = GZIP_NONE;
    return coding;
}

/* What is in the body. */
static void reply_packets(struct polling_answers *answers, struct http_exchange *exchange,
                          const struct mount_settings *settings, const char *cookie)
{
    struct http_header headers[3] = {no_store};
    size_t count = 1;

    /* An answer that is not whole would be a gap that nobody sees. */
    if (buf_status(&answers->body)) {
        http_exchange_cut(exchange);
        return;
    }
    enum gzip_coding coding = pack(answers, exchange, settings->compress_polling_bytes);
    if (coding)
        headers[count++] =
            (struct http_header){"Content-Encoding", gzip_coding_name(coding)};
    if (cookie)
        headers[count++] = (struct http_header){"Set-Cookie", cookie};
    const struct http_reply reply = {
        .status = 200,
        .content_type = "text/plain; charset=UTF-8",
        .body = buf_slice(coding ? &answers->packed : &answers->body),
        .headers = headers,
        .header_count = count,
    };
    metrics_add(answers->metrics, METRIC_POLLS, 1);
    http_reply(exchange, &reply);
}

static void answer_packets(struct polling_answers *answers,
                           struct http_exchange *exchange, struct frame_queue *queue,
                           const char *last, const struct mount_settings *settings)
{
    buf_clear(&answers->body);
    if (queue)
        take_queue(&answers->body, queue);
    if (last)
        eio_payload_add(&answers->body, slice_of(last));
    reply_packets(answers, exchange, settings, NULL);
    forget(&answers->body);
    forget(&answers->packed);
}

static void answer_bare(struct http_exchange *exchange, int status)
{
    const struct http_reply reply = {.status = status, .is_peers_fault = true};

    http_reply(exchange, &reply);
}

static void answer_ok(struct http_exchange *exchange)
{
    const struct http_reply reply = {
        .status = 200,
        .content_type = "text/html",
        .body = SLICE("ok"),
        .headers = &no_store,
        .header_count = 1,
    };

    http_reply(exchange, &reply);
}

void polling_answer(struct polling_answers *answers, struct http_exchange *exchange,
                    enum eio_answer answer, struct frame_queue *queue,
                    const struct mount_settings *settings)
{
    switch (answer) {
    case EIO_QUEUE: answer_packets(answers, exchange, queue, NULL, settings); break;
    case EIO_QUEUE_CLOSE: answer_packets(answers, exchange, queue, "1", settings); break;
    case EIO_NOOP_ONLY: answer_packets(answers, exchange, NULL, "6", settings); break;
    case EIO_CLOSE_ONLY: answer_packets(answers, exchange, NULL, "1", settings); break;
    case EIO_NOOP_CLOSE:
        answer_packets(answers, exchange, NULL,
                       "6\x1e"
                       "1",
                       settings);
        break;
    case EIO_POST_OK: answer_ok(exchange); break;
    case EIO_TOO_LARGE: answer_bare(exchange, 413); break;
    case EIO_BAD_REQUEST: polling_refuse(exchange, POLLING_BAD_REQUEST); break;
    case EIO_UNKNOWN_SID: polling_refuse(exchange, POLLING_SID_UNKNOWN); break;
    case EIO_OVERLAP:
    case EIO_NO_ANSWER: answer_bare(exchange, 400); break;
    }
}

void polling_answer_first(struct polling_answers *answers, struct http_exchange *exchange,
                          struct frame_queue *queue,
                          const struct mount_settings *settings, const char *cookie)
{
    buf_clear(&answers->body);
    take_queue(&answers->body, queue);
    reply_packets(answers, exchange, settings, cookie);
    forget(&answers->body);
    forget(&answers->packed);
}

void polling_answer_nothing(struct http_exchange *exchange)
{
    answer_bare(exchange, 500);
}

static const struct {
    int status;
    const char *text;
} errors[] = {
    [POLLING_TRANSPORT_UNKNOWN] = {400, "Transport unknown"           },
    [POLLING_SID_UNKNOWN] = {400, "Session ID unknown"          },
    [POLLING_BAD_METHOD] = {400, "Bad handshake method"        },
    [POLLING_BAD_REQUEST] = {400, "Bad request"                 },
    [POLLING_FORBIDDEN] = {403, "Forbidden"                   },
    [POLLING_VERSION] = {400, "Unsupported protocol version"},
};

const char *polling_error_text(enum polling_error error)
{
    return errors[error].text;
}

void polling_refuse(struct http_exchange *exchange, enum polling_error error)
{
    char body[80];
    int len = snprintf(body, sizeof body, "{\"code\":%d,\"message\":\"%s\"}", (int)error,
                       errors[error].text);
    const struct http_reply reply = {
        .status = errors[error].status,
        .content_type = "application/json",
        .body = {body, (size_t)len},
        .is_peers_fault = true,
    };

    http_reply(exchange, &reply);
}
