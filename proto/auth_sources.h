/*
 * Where a client's token may be, in order: `from: [auth.token, header, query.token,
 * cookie.NAME, subprotocol]`, and `strip`, what is taken off its front. The first source
 * that has one decides, good or bad. Pure, and constant once compiled.
 */
#ifndef PROTO_AUTH_SOURCES_H
#define PROTO_AUTH_SOURCES_H

#include "proto/buf.h"
#include "proto/document.h"

struct auth_sources;

/* Borrows `from`, a list, or NULL for auth.token, subprotocol, header, query.token, and
 * `strip`, a text, or NULL. Gives sources (auth_sources_destroy), or NULL after at least
 * one fault was added. */
struct auth_sources *auth_sources_compile(const struct document_node *from,
                                          const struct document_node *strip,
                                          struct faults *faults);
void auth_sources_destroy(struct auth_sources *sources);

/* What a request head brings along; all as it was sent, all may be empty. */
struct auth_handshake {
    struct slice authorization; /* "Bearer …" */
    struct slice cookie;
    struct slice query;
    struct slice subprotocols; /* "sidecast.v1, token.…" */
};

/* A token and how early its source stands. Zeroed: none. */
struct auth_found {
    struct slice token;
    size_t rank;
};

/* The first token of a handshake. Lends from it or from `memory`, which is emptied. */
struct auth_found auth_sources_in_handshake(const struct auth_sources *sources,
                                            const struct auth_handshake *handshake,
                                            struct buf *memory);

/*
 * The token of a CONNECT: `auth` is its payload, JSON that has passed the gate, or empty;
 * `given` is what a dialect has in a field of its own and counts as auth.token; `carried`
 * is what the handshake brought. Lends as above; empty: none.
 */
struct slice auth_sources_in_connect(const struct auth_sources *sources,
                                     struct slice given, struct slice auth,
                                     const struct auth_found *carried,
                                     struct buf *memory);

/* Without what `strip` says, in any case, and blanks around it. Lends. */
struct slice auth_sources_strip(const struct auth_sources *sources, struct slice token);

#endif
