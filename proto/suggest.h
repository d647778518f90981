/* The word that was probably meant: for messages like `did you mean "rooms"?`. */
#ifndef PROTO_SUGGEST_H
#define PROTO_SUGGEST_H

#include "proto/slice.h"

/*
 * The nearest of `words` by edit distance (insert, delete, replace, swap two neighbours),
 * any case; the first of equally near ones. NULL when none is near: more than a third of
 * the letters, and more than one, would have to change. Lends from `words`.
 */
const char *suggest_nearest(struct slice word, const char *const *words, size_t count);

#endif
