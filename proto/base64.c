/* Base64: see the header. */
#include "proto/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum {
    NONE = 0xff, /* no character of base64 */
    GROUP = 4    /* characters, for three bytes */
};

/* The six bits of each character from '+' to 'z'. */
static const uint8_t values[] = {
    62,   NONE, NONE, NONE, 63,   52,   53, 54, 55, 56, 57, 58, 59, 60, 61, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
    10,   11,   12,   13,   14,   15,   16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    NONE, NONE, NONE, NONE, NONE, NONE, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
    36,   37,   38,   39,   40,   41,   42, 43, 44, 45, 46, 47, 48, 49, 50, 51};

static unsigned value_of(char c)
{
    unsigned at = (unsigned char)c - (unsigned)'+';

    return at < sizeof values ? values[at] : NONE;
}

size_t base64_text_len(size_t bytes)
{
    return (bytes + 2) / 3 * GROUP;
}

static uint32_t byte_at(struct slice bytes, size_t i)
{
    return i < bytes.len ? (unsigned char)bytes.ptr[i] : 0;
}

void base64_encode(struct slice bytes, struct buf *out)
{
    size_t len = base64_text_len(bytes.len);
    char *at = buf_reserve(out, len);

    if (!at)
        return;
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t bits =
            byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = i + 1 < bytes.len ? alphabet[bits >> 6 & 63] : '=';
        *at++ = i + 2 < bytes.len ? alphabet[bits & 63] : '=';
    }
    buf_grew(out, len);
}

static struct slice without_padding(struct slice text)
{
    for (int i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    return text;
}

bool base64_measure(struct slice text, size_t *bytes)
{
    struct slice plain = without_padding(text);
    bool is_padded = plain.len < text.len;

    if (plain.len % GROUP == 1 || (is_padded && text.len % GROUP != 0))
        return false;
    for (size_t i = 0; i < plain.len; i++)
        if (value_of(plain.ptr[i]) == NONE)
            return false;
    *bytes = plain.len / GROUP * 3 + plain.len % GROUP * 3 / GROUP;
    return true;
}

void base64_decode(struct slice text, char *out)
{
    struct slice plain = without_padding(text);
    uint32_t bits = 0;
    unsigned held = 0;

    for (size_t i = 0; i < plain.len; i++) {
        bits = bits << 6 | value_of(plain.ptr[i]);
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        *out++ = (char)(bits >> held);
    }
}
