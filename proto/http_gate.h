/*
 * The gate for HTTP/1.1 heads (RFC 9112): what may reach a parser behind us, and what the
 * front decides from. Two feeds, one set of rules: the raw bytes of a connection's first
 * head, and the field list that the parser made of a later one. Pure; nothing is copied.
 *
 * Refused: bare LF, NUL and control bytes, obs-fold, blank before a colon, no or several
 * Host (HTTP/1.0 may have none), several or malformed Content-Length, Content-Length
 * beside Transfer-Encoding, a Transfer-Encoding other than exactly `chunked`, targets
 * that are not in origin-form, more than LIMIT_HTTP_FIELDS fields, heads over
 * LIMIT_HTTP_HEAD_BYTES.
 */
#ifndef PROTO_HTTP_GATE_H
#define PROTO_HTTP_GATE_H

#include "proto/http_query.h"
#include "proto/limits.h"
#include "proto/slice.h"
#include "proto/status.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_PATCH,
    HTTP_OPTIONS,
};

struct http_field {
    struct slice name;
    struct slice value; /* trimmed */
};

/* A head that has passed. All slices are lent by the feed. */
struct http_head {
    enum http_method method;
    struct slice target; /* raw, as sent: "/a%20b?x=1" */
    struct slice path;   /* raw, before '?' */
    struct slice query;  /* raw, after '?' */
    int minor;           /* of HTTP/1.minor: 0 or 1 */
    bool has_length;
    bool is_chunked;
    uint64_t length;
    bool keeps_alive;
    bool is_websocket; /* a complete RFC 6455 §4.1 request: GET, 1.1, upgrade, version 13,
                          key, no body */
    size_t head_bytes; /* raw feed: length including the empty line */
    size_t field_count;
    struct http_field
        fields[LIMIT_HTTP_FIELDS]; /* last: a user may clear all before it */
};

/*
 * Raw feed. ST_AGAIN: no empty line yet, within the limit and nothing wrong so far; a
 * head that is wrong is refused as soon as the wrong byte or line is there. Only ST_OK
 * makes `head` good. On a refusal `*reason` is a string literal that says what is wrong.
 * A request that asks for `Upgrade: websocket` but is no complete one is refused:
 * ST_UPGRADE_NEEDED with a wrong version, ST_BAD_REQUEST otherwise. Other Upgrade values
 * (h2c) are ignored: it is then a plain request. A POST without a length passes: whether
 * that is a 411 is the route's business.
 */
enum status http_gate_raw(struct slice bytes, struct http_head *head,
                          const char **reason);

/*
 * Field-list feed: the caller has filled target, fields and field_count; the rest is
 * derived and checked by the same rules. A field_count above LIMIT_HTTP_FIELDS says that
 * there were more than fit: refused.
 */
enum status http_gate_fields(struct slice method, struct slice version,
                             struct http_head *head, const char **reason);

/* The value of the field called `name` (any case); empty when absent. */
struct slice http_head_field(const struct http_head *head, const char *name);
/* True when the comma list of the field contains `token` (any case). */
bool http_head_has_token(const struct http_head *head, const char *name,
                         const char *token);

const char *http_method_name(enum http_method method);

#endif
