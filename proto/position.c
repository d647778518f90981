/* Positions as text: see the header. */
#include "proto/position.h"

#include <string.h>

enum {
    EPOCH_CHARS = 8,
    SEQ_BASE = 36,
    SEQ_CHARS = 13, /* 2^64-1 in base 36 */
};

_Static_assert(EPOCH_CHARS + 1 + SEQ_CHARS <= LIMIT_POSITION_BYTES, "a position fits");

static const char epoch_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char seq_alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";

void epoch_print(uint64_t epoch, char out[9])
{
    for (int i = EPOCH_CHARS - 1; i >= 0; i--) {
        out[i] = epoch_alphabet[epoch & 63];
        epoch >>= 6;
    }
    out[EPOCH_CHARS] = '\0';
}

size_t position_print(const struct position *position, char out[LIMIT_POSITION_BYTES + 1])
{
    char digits[SEQ_CHARS];
    size_t first = sizeof digits;
    uint64_t seq = position->seq;

    do {
        digits[--first] = seq_alphabet[seq % SEQ_BASE];
        seq /= SEQ_BASE;
    } while (seq > 0);

    epoch_print(position->epoch, out);
    out[EPOCH_CHARS] = '-';
    size_t len = EPOCH_CHARS + 1 + (sizeof digits - first);
    memcpy(out + EPOCH_CHARS + 1, digits + first, sizeof digits - first);
    out[len] = '\0';
    return len;
}

static bool parse_epoch(struct slice text, uint64_t *epoch)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(epoch_alphabet, text.ptr[i], sizeof epoch_alphabet - 1);
        if (!at)
            return false;
        bits = bits << 6 | (uint64_t)(at - epoch_alphabet);
    }
    *epoch = bits;
    return true;
}

static bool parse_seq(struct slice text, uint64_t *seq)
{
    uint64_t sum = 0;

    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(seq_alphabet, text.ptr[i], SEQ_BASE);
        if (!at)
            return false;
        uint64_t digit = (uint64_t)(at - seq_alphabet);
        if (sum > (UINT64_MAX - digit) / SEQ_BASE)
            return false;
        sum = sum * SEQ_BASE + digit;
    }
    *seq = sum;
    return true;
}

enum status position_parse(struct slice text, struct position *position)
{
    struct position found;

    /* The epoch may hold a '-' itself: the parts stand at fixed places. */
    if (text.len < EPOCH_CHARS + 2 || text.len > LIMIT_POSITION_BYTES ||
        text.ptr[EPOCH_CHARS] != '-')
        return ST_BAD_REQUEST;
    if (!parse_epoch(slice_first(text, EPOCH_CHARS), &found.epoch) ||
        !parse_seq(slice_from(text, EPOCH_CHARS + 1), &found.seq))
        return ST_BAD_REQUEST;

    *position = found;
    return ST_OK;
}
