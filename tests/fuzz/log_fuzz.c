/*
 * What a damaged database may give the durable log: a row of events, keys, or marks, as
 * the first byte says. Whatever it is, what is read lies within it, in order, and comes
 * out of an encoder as it went in.
 */
#include "proto/log_key.h"
#include "proto/log_marks.h"
#include "proto/log_row.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    KINDS = 3,
    PREV = 1000,
    COVERED = 64, /* seqs of the row */
    EPOCH = 7,
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_equal(const struct buf *again, struct slice bytes)
{
    check(!buf_status(again) && again->len == bytes.len);
    check(bytes.len == 0 || memcmp(again->ptr, bytes.ptr, bytes.len) == 0);
}

static void read_row(struct slice bytes)
{
    const struct log_row row = {EPOCH, PREV, PREV + COVERED, 1234, bytes};
    struct log_row_walk walk;
    struct buf again = {.max = bytes.len + 1};
    uint64_t before = PREV;
    bool is_sound = true;
    enum status st;

    log_row_begin(&walk, &row);
    while (!(st = log_row_next(&walk))) {
        check(walk.seq > before && walk.seq <= PREV + COVERED);
        check(walk.bytes.len == 0 ||
              (walk.bytes.ptr > bytes.ptr &&
               walk.bytes.ptr + walk.bytes.len + walk.rest.len == bytes.ptr + bytes.len));
        before = walk.seq;
        is_sound = is_sound && log_row_is_sound(&walk);
        log_row_add(&again, EPOCH, PREV, walk.seq, walk.bytes);
    }
    check(st == ST_NOT_FOUND || st == ST_BAD_PACKET);
    if (st == ST_NOT_FOUND && is_sound)
        check_equal(&again, bytes);
    buf_finish(&again);
}

static void read_keys(struct slice bytes)
{
    struct slice rest = bytes;
    struct buf again = {.max = bytes.len + 1};
    struct position position;
    struct log_key key;

    while (log_key_decode(&rest, &key, &position) == ST_OK)
        log_key_encode(&key, &position, &again);
    check_equal(&again, slice_first(bytes, bytes.len - rest.len));
    buf_finish(&again);
}

static void read_marks(struct slice bytes)
{
    struct buf again = {.max = bytes.len + 1};
    struct log_marks marks;
    uint64_t hash, seq;

    if (log_marks_decode(bytes, &marks))
        return;
    log_marks_encode(&marks, &again);
    while (log_marks_next(&marks, &hash, &seq))
        log_mark_add(&again, hash, seq);
    check_equal(&again, bytes);
    buf_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[KINDS])(struct slice) = {read_row, read_keys, read_marks};
    struct slice bytes = slice_from((struct slice){(const char *)data, size}, 1);

    if (size > 0)
        readers[data[0] % KINDS](bytes);
    return 0;
}
