/* Polling clients of a load: see the header. */
#include "cli/load_poller.h"

#include "cli/http_answer.h"
#include "proto/eio.h"

#include <string.h>

void load_poller_finish(struct load_poller *poller)
{
    buf_finish(&poller->pending);
    *poller = (struct load_poller){0};
}

void load_poller_say(struct load_poller *poller, struct slice packet)
{
    poller->pending.max = LIMIT_CLIENT_MESSAGE_BYTES;
    eio_payload_add(&poller->pending, packet);
}

void load_poller_ask(struct load_poller *poller, const char *authority,
                     const char *target, struct buf *out)
{
    poller->is_posting = poller->pending.len > 0;
    buf_print(out, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\n",
              poller->is_posting ? "POST" : "GET", target, poller->sid[0] ? "&sid=" : "",
              poller->sid, authority);
    if (poller->is_posting)
        buf_print(out,
                  "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n",
                  poller->pending.len);
    buf_add_text(out, "\r\n");
    buf_add(out, buf_slice(&poller->pending));
    buf_finish(&poller->pending);
}

/* "0{"sid":"…", as the server writes it. */
static void take_sid(struct load_poller *poller, struct slice packets)
{
    static const char before[] = "0{\"sid\":\"";
    struct slice sid, rest;

    if (poller->sid[0] || !slice_starts_with(packets, before))
        return;
    slice_cut(slice_from(packets, strlen(before)), '"', &sid, &rest);
    if (sid.len >= sizeof poller->sid)
        return;
    memcpy(poller->sid, sid.ptr, sid.len);
    poller->sid[sid.len] = '\0';
}

enum status load_poller_take(struct load_poller *poller, struct slice bytes,
                             struct slice *packets, struct slice *rest, int *status)
{
    struct http_answer answer;
    enum status st = http_answer_read(bytes, false, &answer);

    *status = 0;
    if (st)
        return st == ST_AGAIN ? ST_AGAIN : ST_BAD_PACKET;
    *status = answer.status;
    if (answer.status != 200)
        return ST_BAD_PACKET;
    *packets = poller->is_posting ? slice_first(answer.body, 0) : answer.body;
    *rest = slice_from(bytes, (size_t)(answer.body.ptr - bytes.ptr) + answer.body.len);
    take_sid(poller, *packets);
    return poller->sid[0] ? ST_OK : ST_BAD_PACKET;
}
