/*
 * A slice: bytes that somebody else owns. Everything in proto/ reads slices.
 * A zeroed slice is the empty one; `ptr` may then be NULL. Not terminated.
 */
#ifndef PROTO_SLICE_H
#define PROTO_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal, also in static initialisers. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* Lends the bytes of `text`; NULL gives the empty slice. */
struct slice slice_of(const char *text);

/* What is left after the first `n` bytes; empty when there are fewer. */
struct slice slice_from(struct slice s, size_t n);

/* The first `n` bytes, or all of them when there are fewer. */
struct slice slice_first(struct slice s, size_t n);

/* Without blanks and tabs at both ends. */
struct slice slice_trim(struct slice s);

/*
 * Cuts at the first `byte`: `*head` is what stands before it, `*rest` what follows.
 * False when `s` has no such byte; then `*head` is all of `s` and `*rest` is empty.
 */
bool slice_cut(struct slice s, char byte, struct slice *head, struct slice *rest);

bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice s, const char *text);
bool slice_is_nocase(struct slice s, const char *text);
bool slice_starts_with(struct slice s, const char *prefix);

/* For secrets: the time it takes depends on the lengths alone. */
bool slice_equal_secret(struct slice a, struct slice b);

/* Digits only, no sign; false on anything else or on overflow. Empty is false. */
bool slice_to_u64(struct slice s, uint64_t *value);

/* Gives a terminated copy (free), or NULL when out of memory. */
char *slice_dup(struct slice s);

#endif
