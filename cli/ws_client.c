/* A WebSocket client: see the header. */
#include "cli/ws_client.h"

#include "bridge/clock.h"
#include "bridge/digest.h"
#include "bridge/random.h"
#include "cli/http_answer.h"
#include "proto/limits.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 * 1024,
    KEY_BYTES = 16,
    KEY_TEXT = 24 + 1,
    ACCEPT_TEXT = 28 + 1,
    MASK_BYTES = 4,
    MASKED = 0x80,
};

static void base64(const unsigned char *bytes, size_t len, char *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        unsigned three = (unsigned)bytes[i] << 16 |
                         (i + 1 < len ? (unsigned)bytes[i + 1] << 8 : 0) |
                         (i + 2 < len ? bytes[i + 2] : 0);
        *out++ = digits[three >> 18];
        *out++ = digits[three >> 12 & 63];
        *out++ = i + 1 < len ? digits[three >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[three & 63] : '=';
    }
    *out = '\0';
}

/* RFC 6455 §4.2.2: what the server must answer to our key. */
static void accept_for(const char *key, char out[ACCEPT_TEXT])
{
    unsigned char digest[DIGEST_SHA1_BYTES];
    char text[KEY_TEXT + 40];

    snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    digest_sha1(slice_of(text), digest);
    base64(digest, sizeof digest, out);
}

static enum status read_head(int fd, struct buf *input, struct http_answer *answer)
{
    uint64_t deadline = clock_ms() + DIAL_TIMEOUT_MS;

    for (;;) {
        size_t got;
        char *room = buf_reserve(input, READ_BYTES);
        if (!room)
            return buf_status(input);
        enum status st = dial_read(fd, room, READ_BYTES, deadline, &got);
        if (st)
            return st;
        buf_grew(input, got);
        st = http_answer_read(buf_slice(input), got == 0, answer);
        if (st != ST_AGAIN)
            return st == ST_BAD_REQUEST ? ST_BAD_PACKET : st;
    }
}

static enum status shake_hands(struct ws_client *client,
                               const struct dial_address *address, const char *path,
                               char error[DIAL_ERROR_BYTES])
{
    unsigned char nonce[KEY_BYTES];
    char key[KEY_TEXT], expected[ACCEPT_TEXT], request[1024];
    struct buf input = {.max = LIMIT_CLIENT_MESSAGE_BYTES};
    struct http_answer answer = {0};

    random_bytes(nonce, sizeof nonce);
    base64(nonce, sizeof nonce, key);
    accept_for(key, expected);
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: %s\r\n\r\n",
                       path, address->authority, key);
    enum status st = dial_write(client->fd, (struct slice){request, (size_t)len});
    if (!st)
        st = read_head(client->fd, &input, &answer);
    if (!st && (answer.status != 101 ||
                !slice_is(http_answer_field(&answer, "Sec-WebSocket-Accept"), expected)))
        st = ST_BAD_PACKET;
    if (st == ST_BAD_PACKET && answer.status)
        snprintf(error, DIAL_ERROR_BYTES, "%s answered %d instead of a WebSocket on %s",
                 address->authority, answer.status, path);
    else if (st)
        snprintf(error, DIAL_ERROR_BYTES, "%s at %s",
                 st == ST_TIMEOUT ? "no answer in time" : "the connection was lost",
                 address->authority);
    else
        ws_reader_feed(&client->reader, answer.body); /* frames that came along */
    buf_finish(&input);
    return st;
}

enum status ws_client_open(struct ws_client *client, const struct dial_address *address,
                           const char *path, char error[DIAL_ERROR_BYTES])
{
    ws_reader_init(&client->reader);
    client->fd = dial_open(address, error);
    return client->fd < 0 ? ST_UNAVAILABLE : shake_hands(client, address, path, error);
}

void ws_client_close(struct ws_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    ws_reader_finish(&client->reader);
}

enum status ws_client_send(struct ws_client *client, enum ws_opcode opcode,
                           struct slice data)
{
    char header[WS_HEADER_BYTES], mask[MASK_BYTES];
    struct buf frame = {.max = data.len + WS_HEADER_BYTES + MASK_BYTES};
    size_t len = ws_frame_header(header, opcode, data.len);

    random_bytes(mask, sizeof mask);
    header[1] = (char)(header[1] | MASKED);
    buf_add(&frame, (struct slice){header, len});
    buf_add(&frame, (struct slice){mask, sizeof mask});
    for (size_t i = 0; i < data.len; i++)
        buf_add_byte(&frame, (char)(data.ptr[i] ^ mask[i % MASK_BYTES]));
    enum status st = buf_status(&frame);
    if (!st)
        st = dial_write(client->fd, buf_slice(&frame));
    buf_finish(&frame);
    return st;
}

/* A peer that lost its power, or its network, says no end. */
static enum status read_some(const struct ws_client *client, uint64_t deadline_ms,
                             char bytes[READ_BYTES], size_t *got)
{
    uint64_t gone_ms = clock_ms() + client->silence_ms;
    bool is_gone_first = client->silence_ms && (!deadline_ms || gone_ms < deadline_ms);
    enum status st = dial_read(client->fd, bytes, READ_BYTES,
                               is_gone_first ? gone_ms : deadline_ms, got);

    return st == ST_TIMEOUT && is_gone_first ? ST_UNAVAILABLE : st;
}

enum status ws_client_read(struct ws_client *client, uint64_t deadline_ms,
                           struct ws_message *message)
{
    char bytes[READ_BYTES];

    for (;;) {
        size_t got;
        enum status st = ws_reader_next(&client->reader, message);
        if (!st && message->opcode == WS_OP_PING)
            st = ws_client_send(client, WS_OP_PONG, message->data);
        else if (!st && message->opcode != WS_OP_PONG)
            return ST_OK;
        if (st != ST_AGAIN) {
            if (st)
                return st;
            continue;
        }
        st = read_some(client, deadline_ms, bytes, &got);
        if (st)
            return st;
        if (got == 0)
            return ST_UNAVAILABLE;
        ws_reader_feed(&client->reader, (struct slice){bytes, got});
    }
}
