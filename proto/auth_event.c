/* Authentication by an event: see the header. */
#include "proto/auth_event.h"

#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_TIMEOUT_MS = 10000,
    TEXT_BYTES = 1024, /* of a value that must match */
    OK_SOURCES = TEMPLATE_BIT(TEMPLATE_CLAIMS) | TEMPLATE_BIT(TEMPLATE_USER) |
                 TEMPLATE_BIT(TEMPLATE_CONN) | TEMPLATE_BIT(TEMPLATE_NOW) |
                 TEMPLATE_BIT(TEMPLATE_UUID),
    ERROR_SOURCES = TEMPLATE_BIT(TEMPLATE_CODE) | TEMPLATE_BIT(TEMPLATE_MESSAGE) |
                    TEMPLATE_BIT(TEMPLATE_CONN) | TEMPLATE_BIT(TEMPLATE_NOW) |
                    TEMPLATE_BIT(TEMPLATE_UUID),
};

/* {claims.id: "{args.0.userId}"}: both sides, as texts. */
struct match_row {
    char *name;
    struct template *claim, *value;
};

struct auth_event {
    char *name;
    struct template *token;
    struct match_row *rows;
    size_t count;
    uint64_t timeout_ms;
    struct emission_list *ok, *error;
};

/* --- compiling */

/* "claims.id" stands for {claims.id}. */
static struct template *claim_of(const struct document_entry *entry,
                                 struct faults *faults)
{
    char text[LIMIT_ROOM_BYTES + 3];
    struct document_node node = {.kind = DOCUMENT_SCALAR, .place = entry->place};

    if (entry->key.len > LIMIT_ROOM_BYTES || !slice_starts_with(entry->key, "claims.")) {
        faults_add(faults, entry->place, "claims.id: \"{args.0.userId}\"",
                   "match names a claim: claims.NAME");
        return NULL;
    }
    int len = snprintf(text, sizeof text, "{%.*s}", (int)entry->key.len, entry->key.ptr);
    node.text = (struct slice){text, (size_t)len};
    return template_of_text(&node, TEMPLATE_BIT(TEMPLATE_CLAIMS), faults);
}

static void read_match(struct auth_event *event, const struct document_node *match,
                       struct faults *faults)
{
    if (!rule_map(match, "match is a map: claims.NAME and what it must be", faults) ||
        !match)
        return;
    event->rows = calloc(match->count + 1, sizeof *event->rows);
    if (!event->rows)
        rule_no_memory(match->place, faults);
    for (size_t i = 0; event->rows && i < match->count; i++) {
        struct match_row *row = &event->rows[event->count++];
        const struct document_entry *entry = &match->entries[i];
        row->name = slice_dup(slice_from(entry->key, strlen("claims.")));
        row->claim = claim_of(entry, faults);
        row->value = template_of_text(&entry->value, TEMPLATE_BIT(TEMPLATE_ARGS), faults);
        if (!row->name)
            rule_no_memory(entry->place, faults);
    }
}

static void read_name(struct auth_event *event, const struct document_node *node,
                      struct faults *faults)
{
    const struct document_node *name = document_find(node, "name");

    if (name)
        event->name = rule_event_name(name, "auth.event.name", faults);
    else
        faults_add(faults, node->place, NULL, "auth.event needs name: the event");
}

static void read_token(struct auth_event *event, const struct document_node *node,
                       struct faults *faults)
{
    const struct document_node by_default = {
        .kind = DOCUMENT_SCALAR, .place = node->place, .text = SLICE("{args.0.token}")};
    const struct document_node *token = document_find(node, "token");

    event->token = template_of_text(token ? token : &by_default,
                                    TEMPLATE_BIT(TEMPLATE_ARGS), faults);
}

struct auth_event *auth_event_compile(const struct document_node *node,
                                      struct faults *faults)
{
    struct auth_event *event = calloc(1, sizeof *event);
    size_t faults_before = rule_fault_count(faults);
    const struct document_node *timeout = document_find(node, "timeout");

    if (!event) {
        rule_no_memory(node->place, faults);
        return NULL;
    }
    if (!rule_map(node, "event is a map: name, token, match, …", faults)) {
        free(event);
        return NULL;
    }
    event->timeout_ms = DEFAULT_TIMEOUT_MS;
    read_name(event, node, faults);
    read_token(event, node, faults);
    read_match(event, document_find(node, "match"), faults);
    if (timeout)
        rule_duration(timeout, "auth.event.timeout", &event->timeout_ms, faults);
    event->ok = emission_list_compile(document_find(node, "ok"), "auth.event.ok",
                                      OK_SOURCES, faults);
    event->error = emission_list_compile(document_find(node, "error"), "auth.event.error",
                                         ERROR_SOURCES, faults);
    if (rule_fault_count(faults) == faults_before)
        return event;
    auth_event_destroy(event);
    return NULL;
}

void auth_event_destroy(struct auth_event *event)
{
    if (!event)
        return;
    for (size_t i = 0; i < event->count; i++) {
        free(event->rows[i].name);
        template_destroy(event->rows[i].claim);
        template_destroy(event->rows[i].value);
    }
    free(event->rows);
    free(event->name);
    template_destroy(event->token);
    emission_list_destroy(event->ok);
    emission_list_destroy(event->error);
    free(event);
}

/* --- asking */

unsigned auth_event_uses(const struct auth_event *event)
{
    unsigned uses = emission_uses(event->ok) | emission_uses(event->error);

    return event->count > 0 ? uses | TEMPLATE_BIT(TEMPLATE_CLAIMS) : uses;
}

bool auth_event_is(const struct auth_event *event, struct slice name)
{
    return slice_is(name, event->name);
}

uint64_t auth_event_timeout_ms(const struct auth_event *event)
{
    return event->timeout_ms;
}

const struct emission_list *auth_event_ok(const struct auth_event *event)
{
    return event->ok;
}

const struct emission_list *auth_event_error(const struct auth_event *event)
{
    return event->error;
}

enum status auth_event_token(const struct auth_event *event, struct slice args,
                             struct buf *out)
{
    struct template_values values = {.args = args};
    struct template_failure failure;
    enum status st = template_text(event->token, &values, out, &failure);

    return st ? st : buf_status(out);
}

static bool row_matches(const struct match_row *row, const struct template_values *values)
{
    struct buf claim = {.max = TEXT_BYTES}, value = {.max = TEXT_BYTES};
    struct template_failure failure;
    bool matches = !template_text(row->claim, values, &claim, &failure) &&
                   !template_text(row->value, values, &value, &failure) &&
                   !buf_status(&claim) && !buf_status(&value) &&
                   slice_equal(buf_slice(&claim), buf_slice(&value));

    buf_finish(&claim);
    buf_finish(&value);
    return matches;
}

bool auth_event_matches(const struct auth_event *event, struct slice claims,
                        struct slice args, const char **failed)
{
    const struct template_values values = {.claims = claims, .args = args};

    for (size_t i = 0; i < event->count; i++) {
        if (!row_matches(&event->rows[i], &values)) {
            *failed = event->rows[i].name;
            return false;
        }
    }
    return true;
}
