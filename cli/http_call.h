/* One blocking request to a server of ours, over plain HTTP/1.1: a POST of JSON, or a
 * GET. Any thread. */
#ifndef CLI_HTTP_CALL_H
#define CLI_HTTP_CALL_H

#include "cli/dial.h"
#include "cli/http_answer.h"
#include "proto/limits.h"

enum {
    HTTP_CALL_ANSWER_BYTES = 1024 * 1024
};

/*
 * The whole request, ready to be written; the connection ends with its answer. `bearer`
 * may be empty. The caller checks buf_status.
 */
void http_call_encode(struct buf *out, struct slice host, const char *path,
                      struct slice bearer, struct slice body);

/*
 * Borrows everything; `answer` is lent by `memory` (buf_finish). ST_UNAVAILABLE and
 * ST_TIMEOUT: no answer, and `error` is a sentence.
 */
enum status http_call(const struct dial_address *address, const char *path,
                      struct slice bearer, struct slice body, struct buf *memory,
                      struct http_answer *answer, char error[DIAL_ERROR_BYTES]);

/* The same for a GET of `path`, which needs no credential. */
enum status http_fetch(const struct dial_address *address, const char *path,
                       struct buf *memory, struct http_answer *answer,
                       char error[DIAL_ERROR_BYTES]);

#endif
