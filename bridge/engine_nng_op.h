/*
 * Operations of a gateway on the directory, encoded, in their order. Only
 * engine_nng_sessions.c includes this. Loop thread.
 */
#ifndef BRIDGE_ENGINE_NNG_OP_H
#define BRIDGE_ENGINE_NNG_OP_H

#include "bridge/engine.h"
#include "proto/directory_wire.h"

struct op {
    struct op *next;
    struct buf bytes;
    uint64_t deadline_ms; /* 0: never too late */
    uint64_t incarnation; /* of a publish: under which it was numbered */
    bool is_lease;
    bool is_again;           /* a put of a session that the directory has forgotten */
    bool is_publish;         /* an event */
    bool is_end;             /* of a session: it must be heard of */
    size_t *published_bytes; /* of a publish: what it is counted in */
    enum status status;      /* of one that is ending */
    engine_done_fn *on_done;
    engine_found_fn *on_found;
    engine_kept_fn *on_kept;
    engine_seen_fn *on_seen;
    void *ctx;
};

struct op_list {
    struct op *first;
    struct op **end;
};

void op_list_clear(struct op_list *list);
void op_list_add(struct op_list *list, struct op *op);
/* Gives the first, or NULL. */
struct op *op_list_take(struct op_list *list);
/* Lends the first whose asker has waited too long, or NULL. */
struct op *op_list_late(const struct op_list *list, uint64_t now_ms);
bool op_is_late(const struct op *op, uint64_t now_ms);

/* Whether more than leases is in it. */
bool op_list_says_anything(const struct op_list *list);

/* NULL: out of memory. */
struct op *op_create(void);
void op_destroy(struct op *op);
/* What a waiting operation counts against the ceiling of those that wait. */
size_t op_cost(const struct op *op);

/* Tells whoever asked, if anybody still does. */
void op_end(struct op *op, enum status status);

/* What a result says to whoever asked. */
enum status op_status_of(enum directory_outcome outcome);

#endif
