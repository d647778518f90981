/* Bounded buffers: see the header. */
#include "proto/buf.h"

#include "proto/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CAP = 256,
};

char *buf_reserve(struct buf *buf, size_t n)
{
    if (buf->failure)
        return NULL;
    if (n > buf->max - buf->len) {
        buf->failure = ST_TOO_LARGE;
        return NULL;
    }
    if (!buf->ptr || n > buf->cap - buf->len) {
        size_t cap = buf->cap ? buf->cap : FIRST_CAP;
        while (cap < buf->len + n)
            cap *= 2;
        if (cap > buf->max)
            cap = buf->max;
        char *grown = realloc(buf->ptr, cap);
        if (!grown) {
            buf->failure = ST_NO_MEMORY;
            return NULL;
        }
        buf->ptr = grown;
        buf->cap = cap;
    }
    return buf->ptr + buf->len;
}

void buf_grew(struct buf *buf, size_t n)
{
    buf->len += n;
}

void buf_add(struct buf *buf, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    char *to = buf_reserve(buf, bytes.len);
    if (!to)
        return;
    memcpy(to, bytes.ptr, bytes.len);
    buf_grew(buf, bytes.len);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, slice_of(text));
}

void buf_add_byte(struct buf *buf, char byte)
{
    buf_add(buf, (struct slice){&byte, 1});
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_add(buf, (struct slice){digits + at, sizeof digits - at});
}

void buf_print(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need < 0) {
        buf->failure = buf->failure ? buf->failure : ST_INTERNAL;
        return;
    }

    /* One byte more than what stays: the terminator that vsnprintf insists on. */
    char *to = buf_reserve(buf, (size_t)need + 1);
    if (!to)
        return;
    va_start(args, format);
    vsnprintf(to, (size_t)need + 1, format, args);
    va_end(args);
    buf_grew(buf, (size_t)need);
}

static void add_escaped(struct buf *buf, unsigned char c)
{
    switch (c) {
    case '"': buf_add_text(buf, "\\\""); break;
    case '\\': buf_add_text(buf, "\\\\"); break;
    case '\n': buf_add_text(buf, "\\n"); break;
    case '\r': buf_add_text(buf, "\\r"); break;
    case '\t': buf_add_text(buf, "\\t"); break;
    default: buf_print(buf, "\\u%04x", c); break;
    }
}

void buf_add_json_string(struct buf *buf, struct slice text)
{
    buf_add_byte(buf, '"');
    while (text.len > 0) {
        size_t plain = 0;
        while (plain < text.len) {
            unsigned char c = (unsigned char)text.ptr[plain];
            if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f)
                break;
            plain++;
        }
        buf_add(buf, slice_first(text, plain));
        text = slice_from(text, plain);
        if (text.len == 0)
            break;

        unsigned char c = (unsigned char)text.ptr[0];
        size_t whole = c < 0x80 ? 1 : utf8_sequence(text);
        if (whole == 0) {
            buf_add_text(buf, "\xef\xbf\xbd");
            whole = 1;
        } else if (whole == 1) {
            add_escaped(buf, c);
        } else {
            buf_add(buf, slice_first(text, whole));
        }
        text = slice_from(text, whole);
    }
    buf_add_byte(buf, '"');
}

struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->ptr, buf->len};
}

enum status buf_status(const struct buf *buf)
{
    return buf->failure;
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failure = ST_OK;
}

void buf_consume(struct buf *buf, size_t n)
{
    if (n >= buf->len) {
        buf->len = 0;
        return;
    }
    memmove(buf->ptr, buf->ptr + n, buf->len - n);
    buf->len -= n;
}

char *buf_release(struct buf *buf)
{
    char *memory = buf->ptr;
    *buf = (struct buf){.max = buf->max};
    return memory;
}

void buf_finish(struct buf *buf)
{
    if (!buf)
        return;
    free(buf->ptr);
    *buf = (struct buf){.max = buf->max};
}
