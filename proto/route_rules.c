/* The table of routes: see the header. */
#include "proto/route_rules_parts.h"

#include "proto/rule_node.h"

#include <stdlib.h>

enum {
    MAX_ROUTES = 256
};

struct route_rules {
    struct route_rule *rows; /* where several match, the first one goes */
    size_t count;
};

/* What the publisher serves by itself. Its own way to publish may be shaped anew, so that
 * a system keeps the path that it knows; what watches over the process may not. A route
 * with parameters takes none of them: they are the more fixed. */
static const struct {
    const char *path;
    bool may_be_taken;
} built_in[] = {
    {"/broadcast",  true },
    {"/v1/publish", true },
    {"/livez",      false},
    {"/healthz",    false},
    {"/readyz",     false},
    {"/metrics",    false},
};
static const char own_paths[] = "/v1/"; /* what begins so, too */

static bool is_built_in(struct slice path, bool *may_be_taken)
{
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++) {
        *may_be_taken = built_in[i].may_be_taken;
        if (slice_is(path, built_in[i].path))
            return true;
    }
    *may_be_taken = false;
    return slice_starts_with(path, own_paths);
}

/* --- among each other */

static void check_built_in(const struct route_rule *rule, struct faults *faults)
{
    struct slice path = slice_of(rule->path.text);
    bool may_be_taken;

    if (!is_built_in(path, &may_be_taken) ||
        (may_be_taken && rule->path.method == HTTP_POST))
        return;
    if (slice_starts_with(path, own_paths))
        faults_add(faults, rule->place, NULL,
                   "match: paths below /v1/ are the server's own");
    else
        faults_add(faults, rule->place, NULL, "match: the server needs %s itself",
                   rule->path.text);
}

static void check_others(const struct route_rules *rules, size_t at,
                         struct faults *faults)
{
    const struct route_rule *rule = &rules->rows[at];

    for (size_t i = 0; i < at; i++) {
        const struct route_rule *other = &rules->rows[i];
        if (other->path.count == 0 || !route_path_is_same(&rule->path, &other->path))
            continue;
        faults_add(faults, rule->place, NULL,
                   "match: the route in line %u takes the same requests",
                   other->place.line);
        return;
    }
}

/* By insertion, so that equals stay in the order of the file. */
static void sort_rows(struct route_rules *rules)
{
    for (size_t i = 1; i < rules->count; i++) {
        struct route_rule row = rules->rows[i];
        size_t at = i;
        for (; at > 0 && route_path_compare(&rules->rows[at - 1].path, &row.path) > 0;
             at--)
            rules->rows[at] = rules->rows[at - 1];
        rules->rows[at] = row;
    }
}

/* --- compiling */

static void check_target(const struct document_node *root, const struct route_rule *rule,
                         struct faults *faults)
{
    bool has_target = rule->room_count > 0 || rule->to_all || rule->users;

    if (rule->act != ROUTE_PUBLISH || has_target || document_find(root, "events") ||
        document_find(root, "contracts"))
        return;
    faults_add(faults, rule->place, "to: project:{path.id}",
               "this route says neither to nor users, and there is no catalog of events "
               "that does");
}

static void read_rows(struct route_rules *rules, const struct document_node *root,
                      const struct document_node *list, struct faults *faults)
{
    for (size_t i = 0; i < list->count; i++) {
        struct route_rule *rule = &rules->rows[rules->count++];
        size_t before = rule_fault_count(faults);
        route_row_read(&list->items[i], rule, faults);
        if (rule->path.count > 0) {
            check_built_in(rule, faults);
            check_others(rules, i, faults);
        }
        if (rule_fault_count(faults) == before)
            check_target(root, rule, faults);
    }
}

struct route_rules *route_rules_compile(const struct document_node *root,
                                        struct faults *faults)
{
    const struct document_node *list = document_find(root, "routes");
    struct route_rules *rules = calloc(1, sizeof *rules);
    size_t before = rule_fault_count(faults);
    bool is_list = list && list->kind == DOCUMENT_LIST;

    if (list && !is_list)
        faults_add(faults, list->place, NULL, "routes is a list");
    if (is_list && list->count > MAX_ROUTES)
        faults_add(faults, list->place, NULL, "at most 256 routes were expected");
    if (rules && is_list && list->count <= MAX_ROUTES)
        rules->rows = calloc(list->count ? list->count : 1, sizeof *rules->rows);
    if (!rules || (is_list && list->count <= MAX_ROUTES && !rules->rows))
        rule_no_memory(list ? list->place : (struct place){0}, faults);
    if (rules && rules->rows)
        read_rows(rules, root, list, faults);
    if (!rules || rule_fault_count(faults) != before) {
        route_rules_destroy(rules);
        return NULL;
    }
    sort_rows(rules);
    return rules;
}

void route_rules_destroy(struct route_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++)
        route_rule_finish(&rules->rows[i]);
    free(rules->rows);
    free(rules);
}

/* --- asking */

size_t route_rules_count(const struct route_rules *rules)
{
    return rules->count;
}

const struct route_rule *route_rules_at(const struct route_rules *rules, size_t n)
{
    return &rules->rows[n];
}

static bool takes(const struct route_rule *rule, struct slice path, bool is_own)
{
    return route_path_matches(&rule->path, path) &&
           !(is_own && route_path_has_parameters(&rule->path));
}

bool route_rules_have_path(const struct route_rules *rules, struct slice path)
{
    bool may_be_taken, is_own = is_built_in(path, &may_be_taken);

    for (size_t i = 0; i < rules->count; i++)
        if (takes(&rules->rows[i], path, is_own))
            return true;
    return false;
}

const struct route_rule *route_rules_find(const struct route_rules *rules,
                                          enum http_method method, struct slice path,
                                          enum status *verdict)
{
    bool may_be_taken, is_own = rules->count > 0 && is_built_in(path, &may_be_taken);

    *verdict = ST_NOT_FOUND;
    method = method == HTTP_HEAD ? HTTP_GET : method;
    for (size_t i = 0; i < rules->count; i++) {
        const struct route_rule *rule = &rules->rows[i];
        if (!takes(rule, path, is_own))
            continue;
        if (rule->path.method == method) {
            *verdict = ST_OK;
            return rule;
        }
        *verdict = ST_METHOD;
    }
    return NULL;
}
