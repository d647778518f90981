/* A client's side of a WebSocket: see the header. */
#include "cli/load_frame.h"

#include "cli/http_answer.h"

#include <string.h>

enum {
    MASKED = 0x80,
    MASK_BYTES = 4
};

/* The pair of RFC 6455 §1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

void load_frame_add_upgrade(struct buf *out, const char *authority, const char *target)
{
    buf_print(out,
              "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"
              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: " KEY "\r\n\r\n",
              target, authority);
}

enum status load_frame_read_upgrade(struct slice bytes, size_t *head_len,
                                    int *http_status)
{
    struct http_answer answer = {0};
    enum status st = http_answer_read(bytes, false, &answer);

    *http_status = answer.status;
    if (st == ST_AGAIN && answer.status == 0)
        return ST_AGAIN;
    if (st || answer.status != 101 ||
        !slice_is(http_answer_field(&answer, "Sec-WebSocket-Accept"), ACCEPT))
        return ST_BAD_PACKET;
    *head_len = answer.head.len + 2; /* and the empty line */
    return ST_OK;
}

void load_frame_add(struct buf *out, enum ws_opcode opcode, struct slice payload,
                    uint32_t mask)
{
    char header[WS_HEADER_BYTES];
    char key[MASK_BYTES];
    size_t len = ws_frame_header(header, opcode, payload.len);

    memcpy(key, &mask, sizeof key);
    header[1] = (char)(header[1] | MASKED);
    buf_add(out, (struct slice){header, len});
    buf_add(out, (struct slice){key, sizeof key});
    char *at = buf_reserve(out, payload.len);
    if (!at)
        return;
    for (size_t i = 0; i < payload.len; i++)
        at[i] = (char)(payload.ptr[i] ^ key[i % MASK_BYTES]);
    buf_grew(out, payload.len);
}
