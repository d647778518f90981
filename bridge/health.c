/* /livez and /readyz: see the header. */
#include "bridge/health.h"

static void answer(struct http_exchange *exchange, int status, const char *text)
{
    struct http_reply reply = {
        .status = status,
        .content_type = "text/plain; charset=utf-8",
        .body = slice_of(text),
    };

    http_reply(exchange, &reply);
}

void health_answer_live(struct http_exchange *exchange)
{
    answer(exchange, 200, "ok");
}

void health_answer_ready(struct http_exchange *exchange, bool is_ready)
{
    answer(exchange, is_ready ? 200 : 503, is_ready ? "ready" : "not ready");
}
