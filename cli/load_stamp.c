/* Stamps: see the header. */
#include "cli/load_stamp.h"

#include <string.h>

enum {
    MARK = sizeof LOAD_STAMP_MARK - 1,
    RUN_DIGITS = 4,
    LANE_DIGITS = 6,
    SEQ_DIGITS = 10,
    DUE_DIGITS = 16
};

static char *put(char *out, uint64_t value, size_t digits, char end)
{
    for (size_t i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    out[digits] = end;
    return out + digits + 1;
}

void load_stamp_write(char out[LOAD_STAMP_BYTES], const struct load_stamp *stamp)
{
    memcpy(out, LOAD_STAMP_MARK, MARK);
    out += MARK;
    out = put(out, stamp->run, RUN_DIGITS, '.');
    out = put(out, stamp->lane, LANE_DIGITS, '.');
    out = put(out, stamp->seq, SEQ_DIGITS, '.');
    put(out, stamp->due_us, DUE_DIGITS, '~');
}

/* Moves `*text` past the number and the character that ends it. */
static bool get(const char **text, size_t digits, char end, uint64_t *value)
{
    const char *at = *text;
    uint64_t number = 0;

    for (size_t i = 0; i < digits; i++) {
        unsigned digit = (unsigned char)at[i] - (unsigned)'0';
        if (digit > 9)
            return false;
        number = number * 10 + digit;
    }
    *value = number;
    *text = at + digits + 1;
    return at[digits] == end;
}

static bool read_at(struct slice text, size_t offset, struct load_stamp *stamp)
{
    const char *at = text.ptr + offset;
    uint64_t run, lane;

    if (offset > text.len || text.len - offset < LOAD_STAMP_BYTES ||
        memcmp(at, LOAD_STAMP_MARK, MARK) != 0)
        return false;
    at += MARK;
    if (!get(&at, RUN_DIGITS, '.', &run) || !get(&at, LANE_DIGITS, '.', &lane) ||
        !get(&at, SEQ_DIGITS, '.', &stamp->seq) ||
        !get(&at, DUE_DIGITS, '~', &stamp->due_us))
        return false;
    stamp->run = (unsigned)run;
    stamp->lane = (size_t)lane;
    return true;
}

bool load_stamp_find(struct slice text, size_t *hint, struct load_stamp *stamp)
{
    if (text.len < LOAD_STAMP_BYTES)
        return false;
    if (read_at(text, *hint, stamp))
        return true;
    const char *found = memmem(text.ptr, text.len, LOAD_STAMP_MARK, MARK);
    if (!found || !read_at(text, (size_t)(found - text.ptr), stamp))
        return false;
    *hint = (size_t)(found - text.ptr);
    return true;
}
