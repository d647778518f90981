/* One row of the table of routes: see route_rules.h. */
#include "proto/route_rules_parts.h"

#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>

/* What a publish may be made of, and what its answer may show. */
enum {
    PUBLISH_SOURCES = TEMPLATE_BIT(TEMPLATE_BODY) | TEMPLATE_BIT(TEMPLATE_PATH) |
                      TEMPLATE_BIT(TEMPLATE_QUERY) | TEMPLATE_BIT(TEMPLATE_CLAIMS) |
                      TEMPLATE_BIT(TEMPLATE_NOW) | TEMPLATE_BIT(TEMPLATE_UUID) |
                      TEMPLATE_BIT(TEMPLATE_REQUEST),
    ERROR_SOURCES = TEMPLATE_BIT(TEMPLATE_CODE) | TEMPLATE_BIT(TEMPLATE_MESSAGE) |
                    TEMPLATE_BIT(TEMPLATE_NOW) | TEMPLATE_BIT(TEMPLATE_UUID) |
                    TEMPLATE_BIT(TEMPLATE_REQUEST),
    FIGURES_SOURCES = TEMPLATE_BIT(TEMPLATE_PAYLOAD) | TEMPLATE_BIT(TEMPLATE_PATH) |
                      TEMPLATE_BIT(TEMPLATE_QUERY) | TEMPLATE_BIT(TEMPLATE_CLAIMS) |
                      TEMPLATE_BIT(TEMPLATE_NOW) | TEMPLATE_BIT(TEMPLATE_UUID) |
                      TEMPLATE_BIT(TEMPLATE_REQUEST),
    ANSWER_SOURCES = PUBLISH_SOURCES | TEMPLATE_BIT(TEMPLATE_PAYLOAD) |
                     TEMPLATE_BIT(TEMPLATE_EVENT) | TEMPLATE_BIT(TEMPLATE_COUNT),
};

static const char *const acts[] = {"publish", "stats", "health"};

/* --- who may */

/* `role` is short for a claim of that name. */
static void read_token(const struct document_node *node, struct route_rule *rule,
                       struct faults *faults)
{
    static const char *const words[] = {"jwt", "role"};
    const struct document_node *jwt = document_find(node, "jwt");
    const struct document_node *role = document_find(node, "role");
    struct document_entry rows[1 + 64];
    struct document_node require = {.kind = DOCUMENT_MAP, .entries = rows};
    bool is_wanted = true;

    for (size_t i = 0; i < node->count; i++)
        if (!slice_is(node->entries[i].key, words[0]) &&
            !slice_is(node->entries[i].key, words[1]))
            faults_add_word(faults, node->entries[i].place, "auth has no",
                            node->entries[i].key, words, 2);
    if (jwt && jwt->kind == DOCUMENT_MAP && jwt->count <= 64) {
        for (size_t i = 0; i < jwt->count; i++)
            rows[require.count++] = jwt->entries[i];
    } else if (jwt && rule_switch(jwt, "auth.jwt", &is_wanted, faults) && !is_wanted) {
        faults_add(faults, jwt->place, NULL, "auth.jwt is on, or a map of claims");
    }
    if (role)
        rows[require.count++] =
            (struct document_entry){SLICE("role"), role->place, *role};
    rule->auth = ROUTE_AUTH_JWT;
    rule->require = claim_rules_compile(&require, faults);
}

static void read_auth(const struct document_node *node, struct route_rule *rule,
                      struct faults *faults)
{
    static const char *const words[] = {"key", "none"};

    rule->auth = rule->act == ROUTE_HEALTH ? ROUTE_AUTH_NONE : ROUTE_AUTH_KEY;
    rule->auth_place = node ? node->place : rule->place;
    if (node && node->kind == DOCUMENT_MAP && node->count > 0) {
        read_token(node, rule, faults);
        return;
    }
    if (node && node->kind != DOCUMENT_SCALAR) {
        faults_add(faults, node->place, "auth: {jwt: {role: admin}}",
                   "auth is key, none or a map: jwt, role");
        return;
    }
    int at = node ? rule_word(node, "auth", words, 2, faults) : -1;
    if (at >= 0)
        rule->auth = at == 0 ? ROUTE_AUTH_KEY : ROUTE_AUTH_NONE;
    rule->require = claim_rules_compile(NULL, faults);
}

/* A placeholder stands only for what this route's requests have. */
static unsigned of_auth(const struct route_rule *rule, unsigned sources)
{
    unsigned claims = TEMPLATE_BIT(TEMPLATE_CLAIMS);
    unsigned body = TEMPLATE_BIT(TEMPLATE_BODY);

    sources &= rule->auth == ROUTE_AUTH_JWT ? ~0u : ~claims;
    return rule->path.method == HTTP_GET ? sources & ~body : sources;
}

/* --- what is published */

static struct template *checked(struct template *template,
                                const struct document_node *node, struct route_rule *rule,
                                struct faults *faults)
{
    if (template)
        route_names_check(node, template, rule, faults);
    return template;
}

static void add_room(const struct document_node *node, struct route_rule *rule,
                     struct faults *faults)
{
    struct template *room =
        template_of_room(node, of_auth(rule, PUBLISH_SOURCES), faults);

    if (!checked(room, node, rule, faults))
        return;
    rule->uses |= template_uses(room);
    rule->rooms[rule->room_count++] = room;
}

static void read_rooms(const struct document_node *node, struct route_rule *rule,
                       struct faults *faults)
{
    bool is_list = node && node->kind == DOCUMENT_LIST;
    size_t count = is_list ? node->count : 1;

    if (!node)
        return;
    if (node->kind == DOCUMENT_SCALAR && slice_is(node->text, "all")) {
        rule->to_all = true;
        return;
    }
    if (count == 0 || count > LIMIT_TARGETS) {
        faults_add(faults, node->place, NULL, "from 1 to 1,000 rooms were expected");
        return;
    }
    rule->rooms = calloc(count, sizeof *rule->rooms);
    if (!rule->rooms) {
        rule_no_memory(node->place, faults);
        return;
    }
    for (size_t i = 0; i < count; i++)
        add_room(is_list ? &node->items[i] : node, rule, faults);
    if (!is_list)
        route_origins_read(node, "/rooms", rule, faults);
}

static void read_users(const struct document_node *node, struct route_rule *rule,
                       struct faults *faults)
{
    if (!node)
        return;
    if (node->kind == DOCUMENT_MAP) {
        faults_add(faults, node->place, "users: \"{body.userIds[]}\"",
                   "users is one user, or a list of them");
        return;
    }
    rule->users = checked(template_of_json(node, of_auth(rule, PUBLISH_SOURCES), faults),
                          node, rule, faults);
    if (rule->users)
        rule->uses |= template_uses(rule->users);
    route_origins_read(node, "/users", rule, faults);
}

static void read_event(const struct document_node *node, const struct document_node *row,
                       struct route_rule *rule, struct faults *faults)
{
    if (!node) {
        faults_add(faults, row->place, "event: notification",
                   "a route that publishes needs event");
        return;
    }
    /* As JSON: a number that came for a name stays one, and is refused as such. */
    struct document_node name = *node;
    name.is_quoted = true;
    if (node->kind != DOCUMENT_SCALAR) {
        faults_add(faults, node->place, NULL, "event is one name");
        return;
    }
    rule->event = checked(template_of_json(&name, of_auth(rule, PUBLISH_SOURCES), faults),
                          node, rule, faults);
    if (!rule->event)
        return;
    if (template_fans_out(rule->event))
        faults_add(faults, node->place, NULL, "event is one name: nothing may fan out");
    rule->uses |= template_uses(rule->event);
    if (template_uses(rule->event) == 0)
        free(rule_event_name(node, "event", faults));
    route_origins_read(node, "/event", rule, faults);
}

static void read_payload(const struct document_node *node, struct route_rule *rule,
                         struct faults *faults)
{
    if (!node)
        return;
    rule->payload =
        checked(template_of_json(node, of_auth(rule, PUBLISH_SOURCES), faults), node,
                rule, faults);
    if (!rule->payload)
        return;
    if (template_fans_out(rule->payload))
        faults_add(faults, node->place, NULL,
                   "a payload is one value: write a list around what fans out");
    rule->uses |= template_uses(rule->payload);
    route_origins_read(node, "/data", rule, faults);
}

static void read_publish(const struct document_node *row, struct route_rule *rule,
                         struct faults *faults)
{
    const struct document_node *to = document_find(row, "to");
    const struct document_node *users = document_find(row, "users");

    if (rule->path.count > 0 && rule->path.method == HTTP_GET)
        faults_add(faults, rule->place, NULL,
                   "match: what publishes is no GET, which every page and every preview "
                   "may send");
    if (to && users)
        faults_add(faults, users->place, NULL, "to and users exclude each other");
    read_rooms(to, rule, faults);
    read_users(users, rule, faults);
    read_event(document_find(row, "event"), row, rule, faults);
    read_payload(document_find(row, "payload"), rule, faults);
}

/* --- what is answered */

static void refuse_publish_keys(const struct document_node *row, struct faults *faults)
{
    static const char *const keys[] = {"to", "users", "event", "payload"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct document_node *node = document_find(row, keys[i]);
        if (node)
            faults_add(faults, node->place, NULL,
                       "%s is for routes that publish: this one does not", keys[i]);
    }
}

static void read_reply(const struct document_node *reply, struct route_rule *rule,
                       struct faults *faults)
{
    const struct document_node *ok = document_find(reply, "ok");
    const struct document_node *error = document_find(reply, "error");
    unsigned sources = rule->act == ROUTE_PUBLISH ? ANSWER_SOURCES : FIGURES_SOURCES;

    if (!rule_map(reply, "reply is a map: ok, error", faults))
        return;
    if (ok)
        rule->reply_ok = checked(template_of_json(ok, of_auth(rule, sources), faults), ok,
                                 rule, faults);
    if (error)
        rule->reply_error = template_of_json(error, ERROR_SOURCES, faults);
    if ((rule->reply_ok && template_fans_out(rule->reply_ok)) ||
        (rule->reply_error && template_fans_out(rule->reply_error)))
        faults_add(faults, reply->place, NULL,
                   "an answer is one value: write a list around what fans out");
    if (rule->reply_ok)
        rule->reply_uses = template_uses(rule->reply_ok);
}

static void read_status(const struct document_node *node, struct route_rule *rule,
                        struct faults *faults)
{
    uint64_t status = 0;

    if (!node)
        return;
    if (node->kind == DOCUMENT_SCALAR && slice_to_u64(node->text, &status) &&
        status >= 200 && status <= 299 && status != 204 && status != 205)
        rule->status = (int)status;
    else
        faults_add(faults, node->place, NULL,
                   "status is from 200 to 299, and one that has a body");
}

void route_row_read(const struct document_node *row, struct route_rule *rule,
                    struct faults *faults)
{
    const struct document_node *match = document_find(row, "match");
    const struct document_node *act = document_find(row, "do");

    rule->place = match ? match->place : row->place;
    if (row->kind != DOCUMENT_MAP || !match || !act) {
        faults_add(faults, row->place, NULL, "a row of routes needs match and do");
        return;
    }
    if (!route_path_read(match, &rule->path, faults))
        rule->path.count = 0;
    int at = rule_word(act, "do", acts, sizeof acts / sizeof *acts, faults);
    if (at < 0)
        return;
    rule->act = (enum route_act)at;
    read_auth(document_find(row, "auth"), rule, faults);
    if (rule->act == ROUTE_PUBLISH)
        read_publish(row, rule, faults);
    else
        refuse_publish_keys(row, faults);
    if (rule->act != ROUTE_PUBLISH && rule->path.count > 0 &&
        rule->path.method != HTTP_GET)
        faults_add(faults, rule->place, NULL, "match: %s is asked by GET", acts[at]);
    read_reply(document_find(row, "reply"), rule, faults);
    read_status(document_find(row, "status"), rule, faults);
}

void route_rule_finish(struct route_rule *rule)
{
    claim_rules_destroy(rule->require);
    for (size_t i = 0; i < rule->room_count; i++)
        template_destroy(rule->rooms[i]);
    free(rule->rooms);
    template_destroy(rule->users);
    template_destroy(rule->event);
    template_destroy(rule->payload);
    template_destroy(rule->reply_ok);
    template_destroy(rule->reply_error);
    for (size_t i = 0; i < rule->origin_count; i++) {
        free(rule->origins[i].made);
        free(rule->origins[i].body);
    }
    free(rule->origins);
}
