/* Where events come from: see the header. */
#include "bench/client/source.h"

#include "cli/dial.h"
#include "cli/http_answer.h"
#include "cli/load_dialect.h"
#include "cli/load_stamp.h"
#include "proto/ws_frame.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RUN = 1,
    OUT_BYTES = 64 << 20,
    READ_BYTES = 64 * 1024,
    BODY_BYTES = 128, /* around the data */
};

void source_open(struct source *source, const struct options *options)
{
    const char *url = options->publisher ? options->publisher : options->control;
    struct dial_address address;
    char error[DIAL_ERROR_BYTES];

    *source = (struct source){.options = options,
                              .rooms = options->rooms.value,
                              .burst = options->burst.value,
                              .out = {.max = OUT_BYTES}};
    if (!url || !dial_parse(url, &address, error))
        give_up("no --publisher and no --control");
    if (source->burst == 0 || source->burst > SOURCE_MAX_BURST)
        give_up("a burst has 1 to %d events", SOURCE_MAX_BURST);
    snprintf(source->host, sizeof source->host, "%.79s", address.authority);
    for (size_t i = 0; i < source->burst; i++) {
        source->answers[i].max = OUT_BYTES;
        /* The limit server has one controller, who speaks for all. */
        source->fds[i] =
            i > 0 && !options->publisher ? source->fds[0] : dial_open(&address, error);
        if (source->fds[i] < 0)
            give_up("%s", error);
    }
}

void source_close(struct source *source)
{
    for (size_t i = 0; i < source->burst; i++) {
        if (i == 0 || source->options->publisher)
            close(source->fds[i]);
        buf_finish(&source->answers[i]);
    }
    buf_finish(&source->out);
}

/* A stamp, and as many more characters as `bytes` asks for. */
static void add_text(struct buf *out, const struct load_stamp *stamp, size_t bytes)
{
    char text[LOAD_STAMP_BYTES];

    load_stamp_write(text, stamp);
    buf_add(out, (struct slice){text, sizeof text});
    for (size_t i = sizeof text; i < bytes; i++)
        buf_add_byte(out, 'x');
}

static void encode_publish(const struct source *source, const struct load_stamp *stamp,
                           struct buf *out)
{
    size_t bytes = source->options->bytes.value;
    struct buf body = {.max = bytes + LOAD_STAMP_BYTES + BODY_BYTES};
    char name[LOAD_ROOM_BYTES];

    load_room_name(name, stamp->lane / source->burst);
    buf_print(&body, "{\"room\":\"%s\",\"event\":\"load\",\"data\":\"", name);
    add_text(&body, stamp, bytes);
    buf_add_text(&body, "\"}");
    buf_print(out,
              "POST /broadcast HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
              "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
              source->host, source->options->key, body.len);
    buf_add(out, buf_slice(&body));
    buf_finish(&body);
}

/* An order to the limit server: the length, and the frame that goes to all. */
static void encode_order(const struct source *source, const struct load_stamp *stamp,
                         struct buf *out)
{
    size_t bytes = source->options->bytes.value;
    size_t len = bytes > LOAD_STAMP_BYTES ? bytes : LOAD_STAMP_BYTES;
    char header[WS_HEADER_BYTES];
    size_t header_len = ws_frame_header(header, WS_OP_TEXT, len);

    for (size_t i = 0; i < 4; i++)
        buf_add_byte(out, (char)((header_len + len) >> 8 * i));
    buf_add(out, (struct slice){header, header_len});
    add_text(out, stamp, bytes);
}

void source_ring(struct source *source, uint64_t due_us)
{
    size_t room = source->rung % source->rooms;
    uint64_t seq = source->rung / source->rooms;
    bool is_product = source->options->publisher != NULL;

    for (size_t i = 0; i < source->burst; i++) {
        struct load_stamp stamp = {RUN, room * source->burst + i, seq, due_us};
        buf_clear(&source->out);
        if (is_product)
            encode_publish(source, &stamp, &source->out);
        else
            encode_order(source, &stamp, &source->out);
        if (buf_status(&source->out) ||
            dial_write(source->fds[i], buf_slice(&source->out)))
            give_up("an event cannot be sent");
        source->unanswered[i] += is_product;
    }
    source->rung++;
}

static void take_answers(struct buf *answers, uint64_t *unanswered)
{
    while (*unanswered > 0 && answers->len > 0) {
        struct slice bytes = buf_slice(answers);
        struct http_answer answer;
        enum status st = http_answer_read(bytes, false, &answer);
        if (st == ST_AGAIN)
            return;
        if (st || answer.status != 202)
            give_up("a publish is answered with %d: %.*s", answer.status,
                    (int)slice_first(bytes, 200).len, bytes.ptr);
        buf_consume(answers, (size_t)(answer.body.ptr + answer.body.len - bytes.ptr));
        (*unanswered)--;
    }
}

static void settle_one(int fd, struct buf *answers, uint64_t *unanswered, bool waits)
{
    while (*unanswered > 0) {
        char *room = buf_reserve(answers, READ_BYTES);
        ssize_t n = room ? recv(fd, room, READ_BYTES, waits ? 0 : MSG_DONTWAIT) : 0;
        if (n < 0 && !waits)
            return;
        if (n <= 0)
            give_up("the publisher hung up");
        buf_grew(answers, (size_t)n);
        take_answers(answers, unanswered);
    }
}

void source_settle(struct source *source, bool waits)
{
    for (size_t i = 0; i < source->burst; i++)
        settle_one(source->fds[i], &source->answers[i], &source->unanswered[i], waits);
}
