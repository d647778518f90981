/* Which events of a gateway are known, and which could not be kept: see directory.h. */
#include "bridge/directory_tables.h"

#include <stdlib.h>
#include <string.h>

bool directory_is_new_event(struct directory_gateway *gateway, uint64_t serial)
{
    if (serial <= gateway->published.last_serial)
        return false;
    gateway->published.last_serial = serial;
    return true;
}

static struct directory_gateway *find(struct directory *directory, struct slice id,
                                      uint64_t incarnation)
{
    struct directory_gateway *gateway = directory_find_gateway(directory, id);

    return gateway && gateway->incarnation == incarnation ? gateway : NULL;
}

static struct directory_past *find_past(struct directory *directory, struct slice id,
                                        uint64_t incarnation)
{
    struct list_node *node = directory->past.next;

    for (; node != &directory->past; node = node->next) {
        struct directory_past *past = (struct directory_past *)node;
        /* As in bridge/list.h: what was freed has left the ring.
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        if (past->published.incarnation == incarnation && slice_equal(past->id, id))
            return past;
    }
    return NULL;
}

/* What an answer before this one refused has been heard, or it comes again first. */
static void refuse(struct directory_published *published, uint64_t serial, bool is_first)
{
    if (is_first || serial < published->first_refused)
        published->first_refused = serial;
    if (is_first || serial > published->last_refused)
        published->last_refused = serial;
}

static void refuse_past(struct directory_past *past, uint64_t serial)
{
    refuse(&past->published, serial, !past->has_refused);
    past->has_refused = true;
}

void directory_refuse(struct directory *directory, struct slice id, uint64_t incarnation,
                      uint64_t serial)
{
    struct directory_gateway *gateway = find(directory, id, incarnation);
    struct directory_past *past = find_past(directory, id, incarnation);

    if (gateway) {
        refuse(&gateway->published, serial,
               gateway->refused_number != gateway->last_number);
        gateway->refused_number = gateway->last_number;
    } else if (past) {
        refuse_past(past, serial);
    }
}

bool directory_is_refused(struct directory_gateway *gateway, uint64_t serial)
{
    const struct directory_published *published = &gateway->published;
    bool is_refused = published->first_refused != 0 &&
                      serial >= published->first_refused &&
                      serial <= published->last_refused;

    if (is_refused)
        gateway->refused_number = gateway->last_number;
    return is_refused;
}

const struct directory_published *
directory_published(struct directory *directory, struct slice id, uint64_t incarnation)
{
    const struct directory_gateway *gateway = find(directory, id, incarnation);
    const struct directory_past *past = find_past(directory, id, incarnation);

    if (gateway)
        return &gateway->published;
    return past ? &past->published : NULL;
}

/* --- of before the gateway was met --- */

static void forget(struct directory *directory, struct directory_past *past)
{
    list_remove(&past->node);
    directory->past_count--;
    free(past);
}

void directory_restore_published(struct directory *directory, struct slice id,
                                 const struct directory_published *published)
{
    struct directory_past *past = NULL;

    if (published->last_serial > 0)
        past = malloc(sizeof *past + id.len);
    if (!past)
        return;
    *past = (struct directory_past){
        .published = *published,
        .id = {memcpy(past + 1, id.ptr, id.len), id.len},
    };
    list_append(&directory->past, &past->node);
    if (++directory->past_count > LIMIT_GATEWAYS)
        forget(directory, (struct directory_past *)list_first(&directory->past));
}

void directory_become_past(struct directory *directory,
                           const struct directory_gateway *gateway)
{
    directory_restore_published(directory, gateway->id, &gateway->published);

    struct directory_past *past = find_past(directory, gateway->id, gateway->incarnation);
    if (past)
        past->has_refused = gateway->refused_number == gateway->last_number;
}

void directory_take_past(struct directory *directory, struct directory_gateway *gateway)
{
    struct list_node *node = directory->past.next;

    gateway->published = (struct directory_published){0};
    while (node != &directory->past) {
        struct directory_past *past = (struct directory_past *)node;
        node = node->next;
        if (!slice_equal(past->id, gateway->id))
            continue;
        if (past->published.incarnation == gateway->incarnation)
            gateway->published = past->published;
        forget(directory, past);
    }
    gateway->published.incarnation = gateway->incarnation;
}

void directory_forget_past(struct directory *directory)
{
    while (!list_is_empty(&directory->past))
        forget(directory, (struct directory_past *)list_first(&directory->past));
}
