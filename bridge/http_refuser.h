/*
 * Refusals that are written straight to a socket, beside any HTTP library: by the front
 * before a parser has seen the connection, by the http_server while a body is still
 * coming in. The socket is then closed so that the peer can read them: what it still
 * sends is drained for a bounded time, since closing over unread bytes would reset the
 * connection and take the answer with it. Loop thread only.
 */
#ifndef BRIDGE_HTTP_REFUSER_H
#define BRIDGE_HTTP_REFUSER_H

#include "bridge/logger.h"
#include "bridge/metrics.h"
#include "proto/problem.h"

#include <uv.h>

struct http_refuser;

/* Everything is borrowed. */
struct http_refusal {
    struct problem problem; /* instance: the request id */
    const char *allow;      /* for 405; NULL: whatever we know */
    const char *peer_ip;
    bool omits_body; /* the request is a HEAD */
};

/* Gives a refuser (http_refuser_destroy), or NULL. Keeps `log` and `metrics`. No
 * descriptor from `max_fd` on lingers; 0: all may. */
struct http_refuser *http_refuser_create(uv_loop_t *loop, const struct logger *log,
                                         struct metrics *metrics, unsigned max_fd);
/* Closes what lingers; memory goes when the loop has run the handles out. */
void http_refuser_destroy(struct http_refuser *refuser);

/* Takes `fd`, on which no handle is left: answers, logs, and closes it in a while. */
void http_refuser_answer(struct http_refuser *refuser, int fd,
                         const struct http_refusal *refusal);
/* Takes `fd` and closes it before it returns: only what has come already is drained. */
void http_refuser_answer_at_once(struct http_refuser *refuser, int fd,
                                 const struct http_refusal *refusal);
/* Takes `fd`: the same with an answer in words of somebody else, of which it logs
 * nothing. */
void http_refuser_answer_with(struct http_refuser *refuser, int fd, struct slice wire);
/* Answers and logs, but leaves `fd` to its owner, who closes it now: nothing is drained.
 */
void http_refuser_send(struct http_refuser *refuser, int fd,
                       const struct http_refusal *refusal);

/* A line that a request caused. A flood has a quota: what it withholds is counted, and
 * the count is logged. */
void http_refuser_log(struct http_refuser *refuser, enum log_level level,
                      const char *message, const struct log_field *fields, size_t count);

/* The header that a status asks for beside the body, or NULL: "Retry-After", of 1 to 5 s
 * at random. */
const char *http_refusal_header(enum status status, const char *allow,
                                const char **value);

#endif
