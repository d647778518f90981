/* The catalog of events and one publish: see the header. */
#include "publisher-api/catalog.h"

#include "bridge/clock.h"
#include "bridge/random.h"
#include "proto/namespace_rules.h"

void catalog_use(struct catalog *catalog, struct system *system)
{
    struct system *before = catalog->system;

    catalog->system = system ? system_share(system) : NULL;
    catalog->events = NULL;
    if (system && !event_rules_are_none(system->events))
        catalog->events = system->events;
    system_release(before);
}

void catalog_finish(struct catalog *catalog)
{
    event_publish_finish(&catalog->shape);
    system_release(catalog->system);
}

/* A row may name keys, and scopes. */
static bool may_publish(const struct event_rule *rule, const struct caller *caller)
{
    if (!event_rule_is_restricted(rule))
        return true;
    if (caller->key && event_rule_names_publisher(rule, slice_of(caller->key->name)))
        return true;
    return (caller->scopes & API_SCOPE_PUBLISH &&
            event_rule_names_publisher(rule, SLICE("publish"))) ||
           (caller->scopes & API_SCOPE_ADMIN &&
            event_rule_names_publisher(rule, SLICE("admin")));
}

/* What goes to another name of a namespace goes to the namespace. */
static void set_namespace(const struct catalog *catalog, struct publish_request *request)
{
    const struct namespace_rule *rule =
        catalog->system
            ? namespace_rules_find(catalog->system->namespaces, request->envelope.nsp)
            : NULL;

    if (rule)
        request->envelope.nsp = rule->real->name;
}

static void set_moment(struct catalog *catalog, struct slice request_id)
{
    catalog->moment =
        (struct event_moment){.now_ms = clock_wall_ms(), .request_id = request_id};
    if (!event_rule_uses_uuid(catalog->shape.rule))
        return;
    uint8_t fresh[IDENT_UUID_RANDOM_BYTES];
    random_bytes(fresh, sizeof fresh);
    ident_uuid(fresh, catalog->uuid);
    catalog->moment.uuid = (struct slice){catalog->uuid, IDENT_UUID_BYTES};
}

enum status catalog_apply(struct catalog *catalog, struct publish_request *request,
                          const struct caller *caller, struct slice request_id,
                          struct publish_fault *fault)
{
    struct event_publish *shape = &catalog->shape;

    set_namespace(catalog, request);
    if (!catalog->events)
        return ST_OK;
    enum status st = event_publish_begin(shape, catalog->events, request, fault);
    if (st)
        return st;
    if (!may_publish(shape->rule, caller))
        return ST_FORBIDDEN;
    set_moment(catalog, request_id);
    return event_publish_check(shape, request, &catalog->moment, fault);
}

enum status catalog_shape(struct catalog *catalog, struct publish_request *request,
                          struct publish_fault *fault)
{
    if (!catalog->events)
        return ST_OK;
    return event_publish_shape(&catalog->shape, request, &catalog->moment, fault);
}

const struct event_rule *catalog_rule(const struct catalog *catalog)
{
    return catalog->events ? catalog->shape.rule : NULL;
}
