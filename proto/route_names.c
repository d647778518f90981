/* The names that a route's templates draw from: see route_rules_parts.h. */
#include "proto/limits.h"
#include "proto/route_rules_parts.h"

#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as a document, at most LIMIT_CONFIG_DEPTH. */

/* What {payload} has in an answer: the result of the action. */
static const char *const publish_names[] = {"id",         "position", "durability",
                                            "recipients", "complete", "duplicate",
                                            "rooms",      "users"};
static const char *const figure_names[] = {"version",        "uptime_ms",
                                           "uptime_seconds", "epoch",
                                           "position",       "connections",
                                           "users",          "rooms",
                                           "memberships",    "connections_per_user",
                                           "published",      "deliveries",
                                           "dropped",        "gateways",
                                           "complete",       "transports",
                                           "sessions",       "sessions_per_user",
                                           "ready"};
static const char *const transport_names[] = {"websocket", "polling"};
static const char *const user_names[] = {"online", "offline"};
enum {
    PUBLISH_NAMES = sizeof publish_names / sizeof *publish_names,
    FIGURE_NAMES = sizeof figure_names / sizeof *figure_names,
    TRANSPORT_NAMES = sizeof transport_names / sizeof *transport_names,
    USER_NAMES = sizeof user_names / sizeof *user_names,
};

struct checking {
    const struct document_node *node;
    struct route_rule *rule;
    struct faults *faults;
};

static bool has_text(struct slice text, struct slice wanted)
{
    return memmem(text.ptr, text.len, wanted.ptr, wanted.len) != NULL;
}

/* The scalar in which a placeholder stands. */
static const struct document_node *find_scalar(const struct document_node *node,
                                               struct slice placeholder)
{
    const struct document_node *found = NULL;

    if (node->kind == DOCUMENT_SCALAR)
        return node->text.len > 0 && has_text(node->text, placeholder) ? node : NULL;
    for (size_t i = 0; !found && i < node->count; i++)
        found = find_scalar(node->kind == DOCUMENT_LIST ? &node->items[i]
                                                        : &node->entries[i].value,
                            placeholder);
    return found;
}

static struct place place_of(const struct checking *checking, struct slice text)
{
    const struct document_node *scalar = find_scalar(checking->node, text);

    return scalar ? scalar->place : checking->node->place;
}

static void check_parameter(const struct checking *checking, const char *name,
                            struct slice text)
{
    const struct route_path *path = &checking->rule->path;
    const char *words[ROUTE_PATH_SEGMENTS];
    char copies[ROUTE_PATH_BYTES + ROUTE_PATH_SEGMENTS + 1];
    size_t count = 0, at = 0;

    if (path->count == 0 || route_path_has_parameter(path, name))
        return;
    for (size_t i = 0; i < path->count; i++) {
        if (!path->segments[i].is_parameter)
            continue;
        words[count++] = copies + at;
        memcpy(copies + at, path->text + path->segments[i].at, path->segments[i].len);
        at += path->segments[i].len;
        copies[at++] = '\0';
    }
    faults_add_word(checking->faults, place_of(checking, text),
                    "the path of match has no parameter", slice_of(name), words, count);
}

static bool is_word(const char *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, words[i]) == 0)
            return true;
    return false;
}

static void check_word(const struct checking *checking, const char *name,
                       const char *const *words, size_t count, struct slice text)
{
    if (!is_word(name, words, count))
        faults_add_word(checking->faults, place_of(checking, text),
                        "the result of this route has no", slice_of(name), words, count);
}

static void check_result(const struct checking *checking, const char *const *names,
                         size_t count, struct slice text)
{
    struct route_rule *rule = checking->rule;
    bool publishes = rule->act == ROUTE_PUBLISH;

    if (count == 0)
        return;
    if (!publishes) {
        /* Only what is asked whether it is ready says so. */
        check_word(checking, names[0], figure_names,
                   FIGURE_NAMES - (rule->act == ROUTE_STATS), text);
    } else {
        check_word(checking, names[0], publish_names, PUBLISH_NAMES, text);
    }
    if (publishes && strcmp(names[0], "users") == 0) {
        rule->counts_users = true;
        if (!rule->users)
            faults_add(checking->faults, place_of(checking, text), NULL,
                       "{%.*s}: only a route with users counts them", (int)text.len,
                       text.ptr);
        if (count > 1)
            check_word(checking, names[1], user_names, USER_NAMES, text);
    } else if (!publishes && strcmp(names[0], "transports") == 0) {
        if (count > 1)
            check_word(checking, names[1], transport_names, TRANSPORT_NAMES, text);
    } else if (count > 1) {
        faults_add(checking->faults, place_of(checking, text), NULL,
                   "{%.*s}: this is one value, it has no parts", (int)text.len, text.ptr);
    }
}

static void check(void *ctx, enum template_source source, const char *const *names,
                  size_t count, struct slice text)
{
    const struct checking *checking = ctx;

    if (source == TEMPLATE_PATH)
        check_parameter(checking, names[0], text);
    else if (source == TEMPLATE_PAYLOAD)
        check_result(checking, names, count, text);
}

void route_names_check(const struct document_node *node, const struct template *template,
                       struct route_rule *rule, struct faults *faults)
{
    struct checking checking = {node, rule, faults};

    template_each(template, check, &checking);
}

/* NOLINTEND(misc-no-recursion) */
