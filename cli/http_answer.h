/*
 * The answer to an HTTP/1.1 request, as a client of our own servers reads it: one status,
 * a few fields, a body with a length or chunked or up to the end. Bytes in, values out.
 */
#ifndef CLI_HTTP_ANSWER_H
#define CLI_HTTP_ANSWER_H

#include "proto/buf.h"

struct http_answer {
    int status;
    struct slice head; /* the status line and the fields */
    struct slice body;
};

/*
 * Lends from `bytes`. ST_AGAIN: more is needed, and there may be more (`has_ended` says
 * that there is not). ST_BAD_REQUEST: this is no answer. Interim answers (1xx other than
 * 101) and chunked bodies are refused: our servers send neither to a request that does
 * not ask for them.
 */
enum status http_answer_read(struct slice bytes, bool has_ended,
                             struct http_answer *answer);

/* The value of the field called `name` (any case); empty when absent. */
struct slice http_answer_field(const struct http_answer *answer, const char *name);

#endif
