/* Somebody who asks whether a server lives: see the header. */
#include "bench/client/prober.h"

#include "bench/client/options.h"
#include "bridge/clock.h"
#include "cli/http_answer.h"

#include <string.h>
#include <sys/epoll.h>

enum {
    PERIOD_US = 5000,
    OPEN_US = 2000000,
};

static void ask(struct prober *prober)
{
    struct buf request = {.max = 1024};

    buf_print(&request, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n",
              prober->peer.authority);
    if (buf_status(&request) ||
        load_link_send(&prober->link, buf_slice(&request), prober->loop->epoll))
        give_up("%s hung up", prober->peer.authority);
    buf_finish(&request);
    prober->is_asking = true;
}

static void take_answer(struct prober *prober, struct slice bytes)
{
    struct http_answer answer;
    enum status st = http_answer_read(bytes, false, &answer);

    if (st == ST_AGAIN) {
        if (load_link_keep(&prober->link, bytes))
            give_up("the answer of %s is too large", prober->peer.authority);
        return;
    }
    if (st || answer.status != 200 || !prober->is_asking)
        give_up("%s does not say that it lives: %.*s", prober->peer.authority,
                (int)slice_first(bytes, 200).len, bytes.ptr);
    /* Who would have asked meanwhile would have got it no sooner. */
    for (uint64_t now_us = (uint64_t)clock_us(); prober->due_us <= now_us;
         prober->due_us += PERIOD_US)
        load_histogram_add(&prober->answers, now_us - prober->due_us);
    prober->is_asking = false;
    load_link_keep(&prober->link, (struct slice){0});
}

static void on_ready(struct load_link *link, uint32_t events)
{
    struct prober *prober = (struct prober *)link;
    struct slice bytes;

    if (load_link_failure(link))
        give_up("no connection to %s", prober->peer.authority);
    if (load_link_flush(link, prober->loop->epoll))
        give_up("%s hung up", prober->peer.authority);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    enum status st = load_link_receive(link, prober->loop->scratch, &bytes);
    if (!st)
        take_answer(prober, bytes);
    else if (st != ST_AGAIN)
        give_up("%s hung up", prober->peer.authority);
}

void prober_open(struct prober *prober, const char *url, struct load_loop *loop)
{
    char error[DIAL_ERROR_BYTES];
    uint64_t end_us = (uint64_t)clock_us() + OPEN_US;

    *prober = (struct prober){
        .link = {.fd = -1, .on_ready = on_ready},
          .loop = loop
    };
    if (!load_peer_find(url, &prober->peer, error))
        give_up("%s", error);
    if (load_link_open(&prober->link, &prober->peer, 0, loop->epoll))
        give_up("no connection to %s", prober->peer.authority);
    /* A connection that has said nothing is let go when many others come. */
    prober->due_us = (uint64_t)clock_us();
    ask(prober);
    while (prober->is_asking && (uint64_t)clock_us() < end_us)
        load_loop_step(loop, end_us);
    if (prober->is_asking)
        give_up("no answer from %s", prober->peer.authority);
}

void prober_close(struct prober *prober)
{
    load_link_close(&prober->link);
}

void prober_start(struct prober *prober, uint64_t now_us)
{
    prober->answers = (struct load_histogram){0};
    prober->due_us = now_us;
}

void prober_run(struct prober *prober, uint64_t now_us)
{
    if (!prober->is_asking && now_us >= prober->due_us)
        ask(prober);
}
