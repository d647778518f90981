/*
 * A row of the durable log: the events of one commit, or some of them, and what makes
 * them trustworthy. The row has a checksum over its head, each event one over its bytes,
 * and all are bound to their place (epoch, seq, the row before). What was moved, cut,
 * changed or left from another epoch is not taken for an event. Pure.
 *
 * An event in a row is: u32 by how much its seq is above `prev`, u32 length, u64
 * checksum, bytes. Seqs that the row covers and does not have were volatile.
 */
#ifndef PROTO_LOG_ROW_H
#define PROTO_LOG_ROW_H

#include "proto/buf.h"

enum {
    LOG_ROW_BYTES = 8192, /* a row that has so many takes no other event */
    LOG_ROW_EVENT_BYTES = 16,
};

struct log_row {
    uint64_t epoch;
    uint64_t prev;  /* it covers the seqs after this one, the last of the row before it */
    uint64_t seq;   /* up to this one */
    uint64_t at_ms; /* when it was kept */
    struct slice body;
};

/* Of all but the events. */
uint64_t log_row_checksum(const struct log_row *row);

/* The next event of a row that begins after `prev`. */
void log_row_add(struct buf *body, uint64_t epoch, uint64_t prev, uint64_t seq,
                 struct slice bytes);

/* Goes from event to event. */
struct log_row_walk {
    const struct log_row *row; /* keeps while it goes on */
    struct slice rest;
    uint64_t seq; /* of the event where it stands */
    uint64_t sum;
    struct slice bytes;
};
void log_row_begin(struct log_row_walk *walk, const struct log_row *row);
/* ST_NOT_FOUND: there are no more. ST_BAD_PACKET: this is no row. */
enum status log_row_next(struct log_row_walk *walk);
/* Whether the event where it stands is what was kept there. */
bool log_row_is_sound(const struct log_row_walk *walk);

/* The checksum of the small rows beside the events (keys, sessions); `table` tells them
 * apart. */
uint64_t log_note_checksum(uint64_t table, struct slice name, uint64_t at_ms,
                           struct slice bytes);

#endif
