/* Who may join what: see the header. */
#include "proto/access.h"

#include "proto/auth_rules.h"
#include "proto/connect_rules.h"
#include "proto/limits.h"
#include "proto/namespace_rules.h"
#include "proto/room_rules.h"

static bool is_granted(const struct claims *claims, struct slice room)
{
    for (size_t i = 0; i < claims_room_count(claims); i++) {
        if (room_pattern_matches(claims_room(claims, i), room))
            return true;
    }
    return false;
}

static bool is_user(const struct claims *claims, struct slice user)
{
    return user.len > 0 && slice_equal(claims_user(claims), user);
}

static const struct room_rule *rule_of(const struct system *system,
                                       const struct claims *claims, struct slice room,
                                       struct buf *scratch)
{
    return room_rules_find(system->rooms, claims_json(claims), room, scratch);
}

static bool may_join_named(const struct system *system, const struct claims *claims,
                           struct slice room, struct buf *scratch)
{
    const struct room_rule *rule = rule_of(system, claims, room, scratch);
    const char *failed;

    if (!rule)
        return is_granted(claims, room);
    if (!room_rule_requires_met(rule, claims_json(claims), &failed))
        return false;
    switch (room_rule_allow(rule)) {
    case ROOM_ALLOW_TOKEN: return is_granted(claims, room);
    case ROOM_ALLOW_ANY:
    case ROOM_ALLOW_CLAIM: return true;
    case ROOM_ALLOW_NONE: break;
    }
    return false;
}

bool access_may_join(const struct system *system, const struct claims *claims,
                     const struct room_key *key, struct buf *scratch)
{
    switch (key->kind) {
    case ROOM_ALL: return true;
    case ROOM_USER: return claims && is_user(claims, key->name);
    case ROOM_NAMED: return claims && may_join_named(system, claims, key->name, scratch);
    case ROOM_SOCKET:
    case ROOM_KIND_COUNT: break;
    }
    return false;
}

struct search {
    struct slice room;
    bool is_found;
};

static enum status search_room(void *ctx, struct slice name)
{
    struct search *search = ctx;

    if (slice_equal(name, search->room))
        search->is_found = true;
    return ST_OK;
}

/* What cannot be rendered for these claims puts nobody anywhere. */
static bool is_put_into(const struct system *system, const struct template_values *values,
                        struct slice room, struct buf *scratch)
{
    struct search search = {.room = room};
    struct template_failure failure;

    return !connect_rules_rooms(system->connect, values, scratch, search_room, &search,
                                &failure) &&
           search.is_found;
}

/* By a command that works in the room's namespace. */
static bool is_let_in(const struct system *system, const struct template_values *values,
                      const struct room_key *key, struct buf *scratch)
{
    for (size_t i = 0; i < command_rules_count(system->commands); i++) {
        const struct command_rule *rule = command_rules_at(system->commands, i);
        if (command_rule_leads_into(rule, values, key->name, scratch) &&
            namespace_rules_allow(system->namespaces, key->nsp, rule))
            return true;
    }
    return false;
}

bool access_may_stay(const struct system *system, const struct claims *claims,
                     const struct room_key *key, struct buf *scratch)
{
    struct buf memory = {.max = LIMIT_CONFIG_BYTES};
    struct template_values values = {0};
    bool may = access_may_join(system, claims, key, scratch);

    if (may || key->kind != ROOM_NAMED || !claims)
        return may;
    access_values(system, claims, &memory, &values);
    may = is_put_into(system, &values, key->name, scratch) ||
          is_let_in(system, &values, key, scratch);
    buf_finish(&memory);
    return may;
}

bool access_may_publish(const struct system *system, const struct claims *claims,
                        const struct room_key *key, bool is_member, struct buf *scratch)
{
    const struct room_rule *rule = NULL;

    if (key->kind == ROOM_NAMED)
        rule = rule_of(system, claims, key->name, scratch);
    switch (rule ? room_rule_publish(rule) : ROOM_PUBLISH_ANY) {
    case ROOM_PUBLISH_ANY: return true;
    case ROOM_PUBLISH_MEMBERS: return is_member;
    case ROOM_PUBLISH_CLAIM: return room_rule_publish_met(rule, claims_json(claims));
    case ROOM_PUBLISH_NONE: break;
    }
    return false;
}

bool access_is_hidden(const struct system *system, enum room_kind kind, struct slice name)
{
    return kind == ROOM_NAMED && room_rules_hide(system->rooms, name);
}

uint64_t access_max_members(const struct system *system, const struct claims *claims,
                            const struct room_key *key, struct buf *scratch)
{
    const struct room_rule *rule = NULL;

    if (key->kind == ROOM_NAMED)
        rule = rule_of(system, claims, key->name, scratch);
    return rule ? room_rule_max_members(rule) : 0;
}

const struct room_history *access_history(const struct system *system,
                                          const struct claims *claims,
                                          const struct room_key *key, struct buf *scratch)
{
    const struct room_rule *rule = NULL;

    if (key->kind == ROOM_NAMED)
        rule = rule_of(system, claims, key->name, scratch);
    return rule && room_rule_history(rule)->is_set ? room_rule_history(rule) : NULL;
}

void access_values(const struct system *system, const struct claims *claims,
                   struct buf *memory, struct template_values *values)
{
    values->claims = claims_json(claims);
    if (!(system->client_uses & TEMPLATE_BIT(TEMPLATE_USER)))
        return;
    buf_clear(memory);
    if (auth_rules_user(system->auth, claims_json(claims), claims_user(claims), memory) ==
        ST_OK)
        values->user = buf_slice(memory);
}
