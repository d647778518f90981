/* Edit distance: see the header. */
#include "proto/suggest.h"

enum {
    MAX_WORD = 64, /* longer ones are nobody's typing error */
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table are enough for swaps. */
static size_t distance(struct slice a, struct slice b)
{
    size_t rows[3][MAX_WORD + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b.len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = lower(a.ptr[i - 1]), y = lower(b.ptr[j - 1]);
            row[j] = least(above[j - 1] + (x != y), least(above[j], row[j - 1]) + 1);
            bool is_swap =
                i > 1 && j > 1 && x == lower(b.ptr[j - 2]) && y == lower(a.ptr[i - 2]);
            if (is_swap)
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b.len];
}

const char *suggest_nearest(struct slice word, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t best = 0;

    if (word.len == 0 || word.len > MAX_WORD)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct slice candidate = slice_of(words[i]);
        if (candidate.len > MAX_WORD)
            continue;
        size_t longest = word.len > candidate.len ? word.len : candidate.len;
        size_t allowed = longest / 3 > 1 ? longest / 3 : 1;
        size_t edits = distance(word, candidate);
        bool is_near = edits <= allowed && edits < longest;
        if (is_near && (!nearest || edits < best)) {
            nearest = words[i];
            best = edits;
        }
    }
    return nearest;
}
