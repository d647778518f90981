/*
 * A configuration text as a tree of maps, lists and scalars, each with its place. Types
 * are not decided here: whoever reads a scalar knows what it should be, so that `no`
 * stays "no" where a text is asked for. Built by bridge/config_yaml; constant afterwards.
 * Every text and array is the node's own.
 */
#ifndef PROTO_DOCUMENT_H
#define PROTO_DOCUMENT_H

#include "proto/faults.h"

enum document_kind {
    DOCUMENT_SCALAR,
    DOCUMENT_LIST,
    DOCUMENT_MAP
};

struct document_entry;

struct document_node {
    enum document_kind kind;
    bool is_quoted;     /* a scalar that cannot be meant as a number, true or null */
    struct slice text;  /* scalar */
    struct place place; /* of the value */
    size_t count;       /* of items or entries */
    struct document_node *items;    /* list */
    struct document_entry *entries; /* map, in the order of the file */
};

struct document_entry {
    struct slice key;
    struct place place; /* of the key */
    struct document_node value;
};

/* Lends the value of `key`, or NULL; also for NULL and for what is no map. */
const struct document_node *document_find(const struct document_node *map,
                                          const char *key);

/* Whether a plain scalar is a JSON number, true, false or null: copied as it stands. */
bool document_is_json_word(const struct document_node *scalar);

/* Frees what hangs on a node, not the node itself. Nodes are at most LIMIT_CONFIG_DEPTH
 * deep. */
void document_finish(struct document_node *node);

#endif
