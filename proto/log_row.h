/*
 * What makes a row of the durable log trustworthy: a checksum over all of it, bound to
 * its place (epoch, seq, the row before it). A row that was moved, cut, changed or left
 * from another epoch is not taken for an event. Pure.
 */
#ifndef PROTO_LOG_ROW_H
#define PROTO_LOG_ROW_H

#include "proto/slice.h"

struct log_row {
    uint64_t epoch, seq;
    uint64_t prev;      /* seq of the row before it; between them only volatile events */
    uint64_t at_ms;     /* when it was kept */
    struct slice bytes; /* the envelope; empty: a volatile event that was the last one */
};

uint64_t log_row_checksum(const struct log_row *row);

/* The same for the small rows beside the events (keys, sessions); `table` tells them
 * apart. */
uint64_t log_note_checksum(uint64_t table, struct slice name, uint64_t at_ms,
                           struct slice bytes);

#endif
