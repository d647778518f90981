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

    if (!url || !dial_parse(url, &address, error))
        give_up("no --publisher and no --control");
    *source = (struct source){.options = options,
                              .rooms = options->rooms.value,
                              .out = {.max = OUT_BYTES},
                              .in = {.max = OUT_BYTES}};
    snprintf(source->host, sizeof source->host, "%.79s", address.authority);
    source->fd = dial_open(&address, error);
    if (source->fd < 0)
        give_up("%s", error);
}

void source_close(struct source *source)
{
    close(source->fd);
    buf_finish(&source->out);
    buf_finish(&source->in);
}

/* A stamp, and as many more characters as `bytes` asks for. */
static void add_text(struct buf *out, size_t room, uint64_t seq, uint64_t due_us,
                     size_t bytes)
{
    struct load_stamp stamp = {RUN, room, seq, due_us};
    char text[LOAD_STAMP_BYTES];

    load_stamp_write(text, &stamp);
    buf_add(out, (struct slice){text, sizeof text});
    for (size_t i = sizeof text; i < bytes; i++)
        buf_add_byte(out, 'x');
}

void source_encode_publish(struct buf *out, const char *host, const char *key,
                           size_t room, uint64_t seq, uint64_t due_us, size_t bytes)
{
    struct buf body = {.max = bytes + LOAD_STAMP_BYTES + BODY_BYTES};
    char name[LOAD_ROOM_BYTES];

    load_room_name(name, room);
    buf_print(&body, "{\"room\":\"%s\",\"event\":\"load\",\"data\":\"", name);
    add_text(&body, room, seq, due_us, bytes);
    buf_add_text(&body, "\"}");
    buf_print(out,
              "POST /broadcast HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
              "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
              host, key, body.len);
    buf_add(out, buf_slice(&body));
    buf_finish(&body);
}

/* An order to the limit server: the length, and the frame that goes to all. */
static void encode_order(struct buf *out, uint64_t seq, uint64_t due_us, size_t bytes)
{
    size_t len = bytes > LOAD_STAMP_BYTES ? bytes : LOAD_STAMP_BYTES;
    char header[WS_HEADER_BYTES];
    size_t header_len = ws_frame_header(header, WS_OP_TEXT, len);

    for (size_t i = 0; i < 4; i++)
        buf_add_byte(out, (char)((header_len + len) >> 8 * i));
    buf_add(out, (struct slice){header, header_len});
    add_text(out, 0, seq, due_us, bytes);
}

void source_ring(struct source *source, size_t count, uint64_t due_us)
{
    const struct options *options = source->options;
    size_t bytes = options->bytes.value;

    buf_clear(&source->out);
    for (size_t i = 0; i < count; i++, source->rung++) {
        size_t room = source->rung % source->rooms;
        uint64_t seq = source->rung / source->rooms;
        if (options->publisher)
            source_encode_publish(&source->out, source->host, options->key, room, seq,
                                  due_us, bytes);
        else
            encode_order(&source->out, seq, due_us, bytes);
    }
    if (buf_status(&source->out) || dial_write(source->fd, buf_slice(&source->out)))
        give_up("an event cannot be sent");
    source->unanswered += options->publisher ? count : 0;
}

static void take_answers(struct source *source)
{
    while (source->unanswered > 0 && source->in.len > 0) {
        struct slice bytes = buf_slice(&source->in);
        struct http_answer answer;
        enum status st = http_answer_read(bytes, false, &answer);
        if (st == ST_AGAIN)
            return;
        if (st || answer.status != 202)
            give_up("a publish is answered with %d: %.200s", answer.status, bytes.ptr);
        buf_consume(&source->in, (size_t)(answer.body.ptr + answer.body.len - bytes.ptr));
        source->unanswered--;
    }
}

void source_settle(struct source *source, bool waits)
{
    while (source->unanswered > 0) {
        char *room = buf_reserve(&source->in, READ_BYTES);
        ssize_t n =
            room ? recv(source->fd, room, READ_BYTES, waits ? 0 : MSG_DONTWAIT) : 0;
        if (n < 0 && !waits)
            return;
        if (n <= 0)
            give_up("the publisher hung up");
        buf_grew(&source->in, (size_t)n);
        take_answers(source);
    }
}
