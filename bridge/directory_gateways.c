/* Gateways and their leases: see directory.h. */
#include "bridge/directory_tables.h"

#include <stdlib.h>
#include <string.h>

struct directory_gateway *directory_find_gateway(struct directory *directory,
                                                 struct slice id)
{
    struct directory_gateway *gateway = directory->gateways;

    while (gateway && !slice_equal(gateway->id, id))
        gateway = gateway->next;
    return gateway;
}

/* --- sessions that were taken over --- */

static void forget_notices(struct directory_gateway *gateway, size_t count)
{
    for (; count > 0; count--) {
        struct directory_notice *notice = gateway->first_notice;
        gateway->first_notice = notice->next;
        gateway->notice_count--;
        free(notice);
    }
    if (!gateway->first_notice)
        gateway->last_notice = &gateway->first_notice;
}

static void clear_notices(struct directory_gateway *gateway)
{
    forget_notices(gateway, gateway->notice_count);
    gateway->told_count = 0;
    gateway->told_number = 0;
}

void directory_notify(struct directory_gateway *gateway, struct slice sid,
                      uint64_t generation)
{
    struct directory_notice *notice = NULL;

    /* Beyond that a ghost stays until it writes, or its client's silence ends it. */
    if (gateway->notice_count < LIMIT_DIRECTORY_PARKED)
        notice = malloc(sizeof *notice + sid.len);
    if (!notice)
        return;
    *notice = (struct directory_notice){
        .generation = generation,
        .sid = {memcpy(notice + 1, sid.ptr, sid.len), sid.len},
    };
    *gateway->last_notice = notice;
    gateway->last_notice = &notice->next;
    gateway->notice_count++;
}

size_t directory_moved(struct directory_gateway *gateway, uint64_t number, size_t max,
                       directory_moved_fn *visit, void *ctx)
{
    /* The same request again gets the same answer: which one arrives is not known. */
    if (gateway->told_number != number) {
        forget_notices(gateway, gateway->told_count);
        gateway->told_number = number;
        gateway->told_count = gateway->notice_count < max ? gateway->notice_count : max;
    }
    const struct directory_notice *notice = gateway->first_notice;
    for (size_t i = 0; i < gateway->told_count; i++, notice = notice->next)
        visit(ctx, notice->sid, notice->generation);
    return gateway->told_count;
}

/* --- leases --- */

void directory_gateway_destroy(struct directory_gateway *gateway)
{
    clear_notices(gateway);
    free(gateway);
}

static struct directory_gateway *add_gateway(struct directory *directory, struct slice id)
{
    if (directory->gateway_count == LIMIT_GATEWAYS || id.len > LIMIT_GATEWAY_ID_BYTES)
        return NULL;
    struct directory_gateway *gateway = calloc(1, sizeof *gateway + id.len);
    if (!gateway)
        return NULL;
    gateway->id = (struct slice){memcpy(gateway + 1, id.ptr, id.len), id.len};
    gateway->last_notice = &gateway->first_notice;
    gateway->next = directory->gateways;
    directory->gateways = gateway;
    directory->gateway_count++;
    return gateway;
}

static uint64_t new_meeting(struct directory *directory)
{
    if (++directory->last_meeting == 0)
        directory->last_meeting++;
    return directory->last_meeting;
}

enum directory_meeting directory_contact(struct directory *directory, struct slice id,
                                         uint64_t incarnation, uint64_t now_ms,
                                         struct directory_gateway **out)
{
    struct directory_gateway *gateway = directory_find_gateway(directory, id);

    *out = gateway;
    if (gateway && gateway->incarnation == incarnation) {
        gateway->heard_ms = now_ms;
        return MEETING_KNOWN;
    }
    if (gateway && gateway->incarnation > incarnation)
        return MEETING_FENCED;
    if (gateway) {
        directory_park_all(directory, gateway, now_ms);
        clear_notices(gateway);
    }
    if (!gateway)
        gateway = add_gateway(directory, id);
    *out = gateway;
    if (!gateway)
        return MEETING_FULL;
    gateway->incarnation = incarnation;
    gateway->last_number = 0;
    gateway->meeting = new_meeting(directory);
    gateway->refused_number = 0;
    gateway->heard_ms = now_ms;
    gateway->lease = (struct directory_lease){0};
    directory_take_past(directory, gateway);
    return MEETING_NEW;
}

bool directory_is_in_order(struct directory_gateway *gateway, uint64_t number)
{
    if (number < gateway->last_number)
        return false;
    gateway->last_number = number;
    return true;
}

uint64_t directory_meeting(const struct directory_gateway *gateway)
{
    return gateway->meeting;
}

void directory_renew(struct directory_gateway *gateway,
                     const struct directory_lease *lease)
{
    gateway->lease = *lease;
}

void directory_leave(struct directory *directory, struct directory_gateway *gateway,
                     uint64_t now_ms)
{
    directory_park_all(directory, gateway, now_ms);
    gateway->lease.is_settled = true;
    gateway->heard_ms = now_ms - DIRECTORY_LEASE_MS - 1; /* its lease is over */
}

void directory_expire(struct directory *directory, uint64_t now_ms)
{
    struct directory_gateway **link = &directory->gateways;

    directory_expire_parked(directory, now_ms);
    while (*link) {
        struct directory_gateway *gateway = *link;
        if (now_ms - gateway->heard_ms <= DIRECTORY_LEASE_MS) {
            link = &gateway->next;
            continue;
        }
        directory_park_all(directory, gateway, now_ms);
        directory_become_past(directory, gateway);
        *link = gateway->next;
        directory->gateway_count--;
        directory_gateway_destroy(gateway);
    }
}

void directory_gateways(struct directory *directory, uint64_t now_ms,
                        engine_gateway_fn *visit, void *ctx)
{
    struct directory_gateway *gateway = directory->gateways;

    for (; gateway; gateway = gateway->next) {
        struct engine_gateway seen = {
            .id = gateway->id,
            .pid = gateway->lease.pid,
            .is_ready = gateway->lease.is_ready &&
                        now_ms - gateway->heard_ms < DIRECTORY_SILENT_MS,
            .lag_ms = now_ms - gateway->heard_ms,
            .counters = gateway->lease.counters,
        };
        visit(ctx, &seen);
    }
}
