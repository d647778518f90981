/*
 * What a route matches: a method and a path in which segments may be parameters,
 * "POST /rooms/:room/events". A parameter stands for one segment that is not empty; all
 * else is compared byte by byte, as it was sent. Pure.
 */
#ifndef PROTO_ROUTE_PATH_H
#define PROTO_ROUTE_PATH_H

#include "proto/document.h"
#include "proto/http_gate.h"
#include "proto/template.h"

enum {
    ROUTE_PATH_BYTES = 256,
    ROUTE_PATH_SEGMENTS = 16,
};

struct route_path {
    enum http_method method;
    char text[ROUTE_PATH_BYTES + 1]; /* the path, as written; the segments lie in it */
    size_t count;
    struct route_segment {
        size_t at, len;
        bool is_parameter; /* at, len: of its name */
    } segments[ROUTE_PATH_SEGMENTS];
};

/* Borrows `match`, the scalar "METHOD /path". False: one fault was added. */
bool route_path_read(const struct document_node *match, struct route_path *path,
                     struct faults *faults);

/* Whether a request's raw path is one of these, whatever its method. */
bool route_path_matches(const struct route_path *path, struct slice raw);

/*
 * The parameters of a path that matches, decoded: `out` gets ROUTE_PATH_SEGMENTS pairs at
 * most, `*count` says how many. Names are lent by `path`, values by `memory`, which has
 * room for raw.len bytes. False: a malformed escape, or no UTF-8.
 */
bool route_path_values(const struct route_path *path, struct slice raw, char *memory,
                       struct template_pair out[ROUTE_PATH_SEGMENTS], size_t *count);

bool route_path_has_parameters(const struct route_path *path);
bool route_path_has_parameter(const struct route_path *path, const char *name);

/*
 * Below 0: `a` goes first where both match, for its first segment of another kind is a
 * fixed one. 0: they match the same paths, or none in common.
 */
int route_path_compare(const struct route_path *a, const struct route_path *b);
/* Method and path: everything that one takes, the other takes, too. */
bool route_path_is_same(const struct route_path *a, const struct route_path *b);

#endif
