/*
 * What is wrong with a configuration: all of it at once, each fault with the place where
 * it stands, so that a user mends a file in one go. Whoever finds a fault adds it and
 * goes on. Pure; any one thread.
 */
#ifndef PROTO_FAULTS_H
#define PROTO_FAULTS_H

#include "proto/buf.h"

/* Where something stands. Zeroed: nowhere in a file. */
struct place {
    const char *file; /* borrowed for the life of what holds the place; NULL: no file */
    unsigned line;    /* from 1 */
    unsigned column;  /* from 1, in bytes */
    unsigned length;  /* of the marked text, 0: one byte */
};

struct fault {
    struct place place;
    char *message; /* one sentence without its end */
    char *hint;    /* what to write instead, or NULL */
};

/* Zeroed: none. Ends with faults_finish. */
struct faults {
    struct fault *items;
    size_t count;
    size_t left_out; /* beyond LIMIT_FAULTS, or out of memory */
};

/* `hint` may be NULL. */
__attribute__((format(printf, 4, 5))) void faults_add(struct faults *faults,
                                                      struct place place,
                                                      const char *hint,
                                                      const char *format, ...);

/* `did you mean "rooms"?` for a word that is none of `words`; as faults_add otherwise. */
void faults_add_word(struct faults *faults, struct place place, const char *what,
                     struct slice word, const char *const *words, size_t count);

bool faults_are_none(const struct faults *faults);

/* By file, line and column; faults of one place keep their order. */
void faults_sort(struct faults *faults);
/* Of the faults at one place of a file only the first stays: others are its echoes.
 * Sorts. */
void faults_drop_echoes(struct faults *faults);

/*
 * Appends one fault as people read it: "FILE:7:1: unknown key …", then the line of
 * `source` (the whole file's text, or empty) with the mark and the hint under it.
 */
void fault_print(const struct fault *fault, struct slice source, struct buf *out);

void faults_finish(struct faults *faults);

#endif
