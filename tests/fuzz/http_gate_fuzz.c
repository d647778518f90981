/*
 * Whatever the bytes: the raw feed ends, and a head that it lets through also passes the
 * field-list feed, with the same decisions.
 */
#include "proto/http_gate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct http_head *head)
{
    char *out = malloc(head->target.len + 1);
    struct slice value;
    size_t len;

    if (!out)
        abort();
    http_percent_decode(head->query, true, out, &len);
    if (!http_percent_decode(head->path, false, out, &len))
        abort();
    http_query_find(head->query, "sid", &value);
    http_cookie_find(http_head_field(head, "Cookie"), "token", &value);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head raw, list;
    const char *reason = NULL;
    enum status st =
        http_gate_raw((struct slice){(const char *)data, size}, &raw, &reason);

    if (st != ST_OK) {
        if (st != ST_AGAIN && !reason)
            abort();
        return 0;
    }
    if (raw.head_bytes > size || raw.head_bytes > LIMIT_HTTP_HEAD_BYTES)
        abort();
    look_up(&raw);

    list = raw;
    st = http_gate_fields(slice_of(http_method_name(raw.method)),
                          raw.minor ? SLICE("HTTP/1.1") : SLICE("HTTP/1.0"), &list,
                          &reason);
    if (st || list.is_websocket != raw.is_websocket || list.length != raw.length ||
        list.keeps_alive != raw.keeps_alive || list.is_chunked != raw.is_chunked)
        abort();
    return 0;
}
