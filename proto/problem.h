/*
 * Error bodies: application/problem+json (RFC 9457). The order of the keys is fixed:
 * type, title, status, code, detail, hint, instance, errors.
 */
#ifndef PROTO_PROBLEM_H
#define PROTO_PROBLEM_H

#include "proto/buf.h"

enum {
    PROBLEM_MAX_ERRORS = 20, /* later ones are left out */
};

/* One place in the body that is wrong. */
struct problem_error {
    const char *pointer;  /* JSON Pointer; "" is the whole body */
    const char *detail;   /* what is wrong there */
    const char *expected; /* what would be right; NULL or "": left out */
};

/* All pointers are borrowed. */
struct problem {
    enum status status;
    const char *detail;    /* what happened; NULL or "": the title again */
    const char *hint;      /* what to do; NULL or "": a general sentence for the status */
    struct slice instance; /* the request id */
    const struct problem_error *errors;
    size_t error_count; /* 0: no `errors` */
    const char *bare;   /* the whole answer instead, as 400 and text, where a protocol has
                           words of its own; NULL: this document */
};

/* Appends the body; check buf_status. */
void problem_encode(struct buf *out, const struct problem *problem);

#endif
