/*
 * Templates: a JSON value, a text or the name of a room with places to be filled in:
 * "{claims.sub}", "{args.0.village_id}", "{now.iso}". Compiled when the configuration is
 * loaded, where every mistake is found; rendered per command or publish, never per
 * delivery. "{{" is a brace. No expressions.
 *
 * A value that is exactly one placeholder keeps its JSON type. "x[]" fans out: in a list
 * to its items, in a room to several rooms. A missing value fails the rendering. What
 * goes into the name of a room must be one segment of it; only a template that is one
 * placeholder as a whole may bring a name with separators.
 */
#ifndef PROTO_TEMPLATE_H
#define PROTO_TEMPLATE_H

#include "proto/document.h"
#include "proto/json_text.h"

/* Where a placeholder may take its value from; one bit each says what a place allows. */
enum template_source {
    TEMPLATE_CLAIMS, /* JSON: any path below */
    TEMPLATE_USER,
    TEMPLATE_AUTH, /* what the client sent with CONNECT */
    TEMPLATE_PAYLOAD,
    TEMPLATE_BODY,
    TEMPLATE_HOOK, /* {hook.body…} */
    TEMPLATE_ARGS, /* {args.0.x}, {args[]}, {args[1..]} */
    TEMPLATE_PATH, /* names and texts: {path.room} */
    TEMPLATE_QUERY,
    TEMPLATE_CONN, /* one text each: {conn.id} {conn.ip} {conn.transport} {conn.recovered}
                    */
    TEMPLATE_EVENT,
    TEMPLATE_ROOM,
    TEMPLATE_CODE,
    TEMPLATE_MESSAGE,
    TEMPLATE_COUNT,
    TEMPLATE_NOW,     /* {now.iso} {now.ms} */
    TEMPLATE_UUID,    /* {uuid} */
    TEMPLATE_REQUEST, /* {request.id} */
    TEMPLATE_CATCHUP, /* JSON: {catchup.count} {catchup.truncated} {catchup.rooms[]} */
    TEMPLATE_SEEN,    /* {user.last_seen} {user.last_seen.iso} {user.last_seen.ms} */
    TEMPLATE_SOURCE_COUNT
};

#define TEMPLATE_BIT(source) (1u << (source))

/* A name and its text: a path parameter, a query parameter. */
struct template_pair {
    struct slice name, value;
};

/*
 * What a rendering may draw from; all borrowed. JSON texts have passed the gate. What is
 * empty is missing; only what template_uses names need be filled in.
 */
struct template_values {
    struct slice claims, user, auth, payload, body, hook, catchup; /* raw JSON values */
    struct slice args; /* raw JSON values, comma-separated, without brackets */
    const struct template_pair *path;
    size_t path_count;
    const struct template_pair *query;
    size_t query_count;
    struct slice conn_id, conn_ip, conn_transport;
    bool conn_recovered;
    struct slice event, room, code, message, uuid, request_id;
    uint64_t count;
    bool count_is_unknown; /* {count} is null */
    int64_t now_ms;        /* wall clock, for now.iso and now.ms */
    int64_t last_seen_ms;  /* the same; 0: {user.last_seen} is null */
};

struct template;

/*
 * A JSON value. Borrows `node`; `sources` are the allowed bits. Gives a template
 * (template_destroy), or NULL after at least one fault was added (out of memory too).
 */
struct template *template_of_json(const struct document_node *node, unsigned sources,
                                  struct faults *faults);
/* A text: a message, an event's name, a room. `node` must be a scalar. */
struct template *template_of_text(const struct document_node *node, unsigned sources,
                                  struct faults *faults);
/* The same for the name of a room, whose fixed parts must be one ("user:{claims.sub}" is
 * the user's own kind). */
struct template *template_of_room(const struct document_node *node, unsigned sources,
                                  struct faults *faults);
/* The same for a pattern, in which `*` and `**` may stand for segments. */
struct template *template_of_pattern(const struct document_node *node, unsigned sources,
                                     struct faults *faults);
void template_destroy(struct template *template);

/* The bits of the sources that it draws from. */
unsigned template_uses(const struct template *template);
/* Calls `visit` with each placeholder: its source, the names below it, and all of it as
 * written, without braces. All lent. */
typedef void template_visit_fn(void *ctx, enum template_source source,
                               const char *const *names, size_t count, struct slice text);
void template_each(const struct template *template, template_visit_fn *visit, void *ctx);
/* Whether a rendering may give more, or fewer, than one: arguments, or rooms. */
bool template_fans_out(const struct template *template);

/* Why a rendering failed: the placeholder, as written, without braces. Lent by the
 * template. */
struct template_failure {
    struct slice placeholder;
    const char *reason; /* "is missing", "is not one segment of a room's name" … */
};

/*
 * Appends JSON. One that fans out at its top appends the items with commas between them,
 * as arguments are passed on. ST_BAD_PAYLOAD: `failure` says why, and `out` is to be
 * thrown away.
 */
enum status template_json(const struct template *template,
                          const struct template_values *values, struct buf *out,
                          struct template_failure *failure);

/* Appends plain text: strings unquoted, numbers and true or false as they are written. */
enum status template_text(const struct template *template,
                          const struct template_values *values, struct buf *out,
                          struct template_failure *failure);

/*
 * Calls `visit` once per room, whose name has the grammar of room_target_decode's texts
 * (or of a pattern); `name` is lent for the call. At most LIMIT_TEMPLATE_FAN rooms; ends
 * at the first status that is not ST_OK, which it gives back. `scratch` is used for the
 * names.
 */
typedef enum status template_room_fn(void *ctx, struct slice name);
enum status template_rooms(const struct template *template,
                           const struct template_values *values, struct buf *scratch,
                           template_room_fn *visit, void *ctx,
                           struct template_failure *failure);

/* Whether the claims and the user of `values` and, for all else, some values could make
 * this name of a room. For a template that does not fan out. */
bool template_could_give(const struct template *template,
                         const struct template_values *values, struct slice name,
                         struct buf *scratch);

#endif
