/* Operations on the directory: see the header. */
#include "bridge/engine_nng_op.h"

#include <stdlib.h>

void op_list_clear(struct op_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

void op_list_add(struct op_list *list, struct op *op)
{
    op->next = NULL;
    *list->end = op;
    list->end = &op->next;
}

struct op *op_list_take(struct op_list *list)
{
    struct op *op = list->first;

    if (op) {
        list->first = op->next;
        if (!list->first)
            op_list_clear(list);
    }
    return op;
}

bool op_is_late(const struct op *op, uint64_t now_ms)
{
    return op->deadline_ms != 0 && now_ms >= op->deadline_ms;
}

struct op *op_list_late(const struct op_list *list, uint64_t now_ms)
{
    struct op *op = list->first;

    while (op && !op_is_late(op, now_ms))
        op = op->next;
    return op;
}

void op_destroy(struct op *op)
{
    if (op->published_bytes)
        *op->published_bytes -= op->bytes.len;
    buf_finish(&op->bytes);
    free(op);
}

/*
 * What a waiting operation counts against the ceiling: most are small. What is put again
 * has a ceiling of its own, the number of sessions: if it counted, a gateway that has
 * more of them than fit would start over for ever. So have events.
 */
size_t op_cost(const struct op *op)
{
    return op->is_again || op->is_publish ? 0 : sizeof *op + op->bytes.cap;
}

bool op_list_says_anything(const struct op_list *list)
{
    const struct op *op = list->first;

    while (op && op->is_lease)
        op = op->next;
    return op != NULL;
}

struct op *op_create(void)
{
    struct op *op = calloc(1, sizeof *op);

    if (op)
        op->bytes.max = LIMIT_DIRECTORY_BYTES;
    return op;
}

void op_end(struct op *op, enum status status)
{
    static const struct position nowhere;

    if (op->on_done)
        op->on_done(op->ctx, status);
    if (op->on_found)
        op->on_found(op->ctx, status, NULL, (struct slice){0});
    if (op->on_kept)
        op->on_kept(op->ctx, status, &nowhere);
    if (op->on_seen)
        op->on_seen(op->ctx, 0);
}

enum status op_status_of(enum directory_outcome outcome)
{
    switch (outcome) {
    case OUTCOME_OK: return ST_OK;
    case OUTCOME_NOT_FOUND: return ST_NOT_FOUND;
    case OUTCOME_ELSEWHERE: return ST_CONFLICT;
    case OUTCOME_EXPIRED: return ST_TIMEOUT;
    case OUTCOME_FULL:
    case OUTCOME_LATER:
    case OUTCOME_COUNT: break;
    }
    return ST_UNAVAILABLE;
}
