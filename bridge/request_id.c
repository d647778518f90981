/* Ids of requests: see the header. */
#include "bridge/request_id.h"

#include <string.h>

enum {
    MADE_CHARS = 20,
};

static bool is_well_formed(struct slice id)
{
    if (id.len == 0 || id.len > LIMIT_REQUEST_ID_BYTES)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!is_word)
            return false;
    }
    return true;
}

/* False: the caller has sent none, or one that is not well-formed. */
static bool take_sent(const struct http_head *head, char out[REQUEST_ID_SIZE])
{
    if (!head)
        return false;
    struct slice id = http_head_field(head, "X-Request-Id");
    if (!is_well_formed(id))
        return false;
    memcpy(out, id.ptr, id.len);
    out[id.len] = '\0';
    return true;
}

void request_id_choose(const struct http_head *head, char out[REQUEST_ID_SIZE])
{
    if (!take_sent(head, out))
        random_text(out, MADE_CHARS);
}

void request_id_draw(struct random_stock *stock, const struct http_head *head,
                     char out[REQUEST_ID_SIZE])
{
    if (!take_sent(head, out))
        random_stock_text(stock, out, MADE_CHARS);
}
