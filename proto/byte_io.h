/*
 * Numbers and names as bytes, little endian without alignment: what the messages between
 * our own processes are made of. A reader remembers that it ran short and gives zeroes
 * from then on, so a decoder is a straight line with one check at its end.
 */
#ifndef PROTO_BYTE_IO_H
#define PROTO_BYTE_IO_H

#include "proto/buf.h"

void byte_put_u8(struct buf *out, unsigned value);
void byte_put_u16(struct buf *out, size_t value);
void byte_put_u32(struct buf *out, size_t value);
void byte_put_u64(struct buf *out, uint64_t value);
/* u16 length, bytes. A longer name fails the buffer with ST_TOO_LARGE. */
void byte_put_name(struct buf *out, struct slice name);
/* u32 length, bytes. */
void byte_put_block(struct buf *out, struct slice block);

struct byte_reader {
    struct slice rest;
    bool is_short;
};

unsigned byte_get_u8(struct byte_reader *in);
unsigned byte_get_u16(struct byte_reader *in);
uint32_t byte_get_u32(struct byte_reader *in);
uint64_t byte_get_u64(struct byte_reader *in);
/* Lend from what is read. */
struct slice byte_get_bytes(struct byte_reader *in, size_t n);
struct slice byte_get_name(struct byte_reader *in);
struct slice byte_get_block(struct byte_reader *in);

/* ST_OK when everything was there and nothing follows, else ST_BAD_PACKET. */
enum status byte_reader_end(const struct byte_reader *in);

#endif
