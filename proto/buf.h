/*
 * A buffer that grows to a ceiling. A failed append is remembered and makes the later
 * ones do nothing, so an encoder is a straight line with one check (buf_status) at its
 * end. Start with {.max = LIMIT_…}; a zeroed buffer holds nothing.
 */
#ifndef PROTO_BUF_H
#define PROTO_BUF_H

#include "proto/slice.h"
#include "proto/status.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max;          /* never holds more bytes than this */
    enum status failure; /* ST_OK, ST_TOO_LARGE or ST_NO_MEMORY */
};

void buf_add(struct buf *buf, struct slice bytes);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_byte(struct buf *buf, char byte);
void buf_add_u64(struct buf *buf, uint64_t value); /* decimal */
__attribute__((format(printf, 2, 3))) void buf_print(struct buf *buf, const char *format,
                                                     ...);

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_add_json_string(struct buf *buf, struct slice text);

/* Makes room for `n` more bytes and lends where they go; NULL on failure. buf_grew takes
 * them in. */
char *buf_reserve(struct buf *buf, size_t n);
void buf_grew(struct buf *buf, size_t n);

/* Lends the content until the next append. */
struct slice buf_slice(const struct buf *buf);
enum status buf_status(const struct buf *buf);

/* Forgets content and failure, keeps the memory. */
void buf_clear(struct buf *buf);
/* Drops the first `n` bytes. */
void buf_consume(struct buf *buf, size_t n);
/* Gives the memory (free) and leaves an empty buffer with the same ceiling. */
char *buf_release(struct buf *buf);
void buf_finish(struct buf *buf);

#endif
