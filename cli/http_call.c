/* One request: see the header. */
#include "cli/http_call.h"

#include "bridge/clock.h"

#include <stdio.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 * 1024
};

void http_call_encode(struct buf *out, struct slice host, const char *path,
                      struct slice bearer, struct slice body)
{
    buf_print(out, "POST %s HTTP/1.1\r\nHost: ", path);
    buf_add(out, host);
    buf_add_text(out, "\r\nConnection: close\r\nContent-Type: application/json\r\n");
    if (bearer.len > 0) {
        buf_add_text(out, "Authorization: Bearer ");
        buf_add(out, bearer);
        buf_add_text(out, "\r\n");
    }
    buf_print(out, "Content-Length: %zu\r\n\r\n", body.len);
    buf_add(out, body);
}

static enum status read_answer(int fd, struct buf *memory, struct http_answer *answer)
{
    uint64_t deadline = clock_ms() + DIAL_TIMEOUT_MS;

    for (;;) {
        size_t got;
        char *room = buf_reserve(memory, READ_BYTES);
        if (!room)
            return buf_status(memory);
        enum status st = dial_read(fd, room, READ_BYTES, deadline, &got);
        if (st)
            return st;
        buf_grew(memory, got);
        st = http_answer_read(buf_slice(memory), got == 0, answer);
        if (st != ST_AGAIN)
            return st;
    }
}

/* Takes `request`. */
static enum status ask(const struct dial_address *address, struct buf *request,
                       struct buf *memory, struct http_answer *answer,
                       char error[DIAL_ERROR_BYTES])
{
    int fd = dial_open(address, error);

    if (fd < 0) {
        buf_finish(request);
        return ST_UNAVAILABLE;
    }
    *memory = (struct buf){.max = HTTP_CALL_ANSWER_BYTES};
    enum status st = buf_status(request);
    /* A server may refuse and close before it has read all: its answer counts. */
    if (!st && dial_write(fd, buf_slice(request)) && dial_wait(fd, clock_ms()))
        st = ST_UNAVAILABLE;
    if (!st)
        st = read_answer(fd, memory, answer);
    if (st)
        snprintf(error, DIAL_ERROR_BYTES, "%s at %s",
                 st == ST_TIMEOUT       ? "no answer in time"
                 : st == ST_UNAVAILABLE ? "the connection was lost"
                 : st == ST_BAD_REQUEST ? "this is no Sidecast server"
                                        : status_title(st),
                 address->authority);
    buf_finish(request);
    close(fd);
    return st;
}

enum status http_call(const struct dial_address *address, const char *path,
                      struct slice bearer, struct slice body, struct buf *memory,
                      struct http_answer *answer, char error[DIAL_ERROR_BYTES])
{
    struct buf request = {.max = body.len + LIMIT_HTTP_HEAD_BYTES};

    http_call_encode(&request, slice_of(address->authority), path, bearer, body);
    return ask(address, &request, memory, answer, error);
}

enum status http_fetch(const struct dial_address *address, const char *path,
                       struct buf *memory, struct http_answer *answer,
                       char error[DIAL_ERROR_BYTES])
{
    struct buf request = {.max = LIMIT_HTTP_HEAD_BYTES};

    buf_print(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path,
              address->authority);
    return ask(address, &request, memory, answer, error);
}
