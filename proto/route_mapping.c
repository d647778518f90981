/* Requests of a system's own shape: see the header. */
#include "proto/route_mapping.h"

#include "proto/limits.h"
#include "proto/route_rules_parts.h"
#include "proto/rule_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- where things come from */

/* As a part of a JSON Pointer (RFC 6901 §3). */
static void add_pointer_part(struct buf *out, struct slice name)
{
    buf_add_byte(out, '/');
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '~' || c == '/')
            buf_add_text(out, c == '~' ? "~0" : "~1");
        else
            buf_add_byte(out, c);
    }
}

/* "{body.a.b[]}" is all that stands at /a/b. False: it is something else. */
static bool body_pointer(struct slice text, struct buf *out)
{
    struct slice name, rest;

    if (text.len < 6 || !slice_starts_with(text, "{body") ||
        memchr(text.ptr, '}', text.len) != text.ptr + text.len - 1)
        return false;
    text = (struct slice){text.ptr + 1, text.len - 2};
    if (text.len > 2 && slice_is(slice_from(text, text.len - 2), "[]"))
        text.len -= 2;
    if (memchr(text.ptr, '[', text.len))
        return false;
    slice_cut(text, '.', &name, &rest);
    while (rest.len > 0) {
        slice_cut(rest, '.', &name, &rest);
        add_pointer_part(out, name);
    }
    return true;
}

static bool add_origin(struct route_rule *rule, struct slice made, struct slice body)
{
    struct route_origin *origins =
        realloc(rule->origins, (rule->origin_count + 1) * sizeof *origins);

    if (!origins)
        return false;
    rule->origins = origins;
    origins[rule->origin_count] = (struct route_origin){slice_dup(made), slice_dup(body)};
    rule->origin_count++;
    return origins[rule->origin_count - 1].made && origins[rule->origin_count - 1].body;
}

/* The members of an object, or one value; what lies deeper is told by the object. */
static bool read_origin(const struct document_node *node, struct slice made,
                        struct route_rule *rule)
{
    struct buf body = {.max = LIMIT_CONFIG_BYTES};
    bool is_good = true;

    if (node->kind == DOCUMENT_SCALAR && body_pointer(node->text, &body))
        is_good = !buf_status(&body) && add_origin(rule, made, buf_slice(&body));
    buf_finish(&body);
    return is_good;
}

void route_origins_read(const struct document_node *node, const char *made,
                        struct route_rule *rule, struct faults *faults)
{
    bool is_good = read_origin(node, slice_of(made), rule);

    for (size_t i = 0; node->kind == DOCUMENT_MAP && is_good && i < node->count; i++) {
        struct buf member = {.max = LIMIT_CONFIG_BYTES};
        buf_add_text(&member, made);
        add_pointer_part(&member, node->entries[i].key);
        is_good = !buf_status(&member) &&
                  read_origin(&node->entries[i].value, buf_slice(&member), rule);
        buf_finish(&member);
    }
    if (!is_good)
        rule_no_memory(node->place, faults);
}

void route_pointer(const struct route_rule *rule, const char *made, char *out,
                   size_t size)
{
    size_t longest = 0;

    out[0] = '\0';
    for (size_t i = 0; i < rule->origin_count; i++) {
        const struct route_origin *origin = &rule->origins[i];
        size_t len = strlen(origin->made);
        bool leads = strncmp(made, origin->made, len) == 0 &&
                     (made[len] == '/' || made[len] == '\0');
        if (!leads || len <= longest)
            continue;
        longest = len;
        snprintf(out, size, "%s%s", origin->body, made + len);
    }
}

/* --- a publish */

static enum status refuse(struct publish_fault *fault, enum status status,
                          const struct template_failure *failure)
{
    struct buf pointer = {.ptr = fault->pointer,
                          .cap = sizeof fault->pointer,
                          .max = sizeof fault->pointer};
    struct buf whole = {.max = LIMIT_CONFIG_BYTES};

    if (status == ST_TOO_LARGE)
        snprintf(fault->detail, sizeof fault->detail,
                 "the event that this route makes of it is too large");
    if (status != ST_BAD_PAYLOAD && status != ST_BAD_TARGET)
        return status;
    buf_print(&whole, "{%.*s}", (int)failure->placeholder.len, failure->placeholder.ptr);
    if (buf_status(&whole) || !body_pointer(buf_slice(&whole), &pointer))
        buf_clear(&pointer);
    buf_add_byte(&pointer, '\0');
    if (buf_status(&pointer))
        fault->pointer[0] = '\0';
    buf_finish(&whole);
    if (failure->placeholder.len == 0)
        snprintf(fault->detail, sizeof fault->detail, "%s", failure->reason);
    else
        snprintf(fault->detail, sizeof fault->detail, "{%.*s} %s",
                 (int)failure->placeholder.len, failure->placeholder.ptr,
                 failure->reason);
    snprintf(fault->expected, sizeof fault->expected, "%s",
             "a value that this route makes an event of");
    return status;
}

struct room_list {
    struct buf *out;
    struct template_failure *failure;
    bool is_begun;
    bool is_spelled; /* by the request */
};

/* To everybody only where the file says so itself. */
static enum status add_room(void *ctx, struct slice name)
{
    struct room_list *list = ctx;

    if (list->is_spelled && slice_is(name, "*")) {
        list->failure->reason = "a request may name a room, and not everybody";
        return ST_BAD_TARGET;
    }
    if (list->is_begun)
        buf_add_byte(list->out, ',');
    list->is_begun = true;
    buf_add_json_string(list->out, name);
    return buf_status(list->out);
}

static enum status map_rooms(const struct route_rule *rule,
                             const struct template_values *values, struct buf *out,
                             struct template_failure *failure)
{
    struct buf scratch = {.max = LIMIT_ROOM_BYTES + LIMIT_USER_BYTES};
    struct room_list list = {.out = out, .failure = failure};
    enum status st = ST_OK;

    buf_add_text(out, ",\"rooms\":[");
    for (size_t i = 0; !st && i < rule->room_count; i++) {
        list.is_spelled = template_uses(rule->rooms[i]) != 0;
        st = template_rooms(rule->rooms[i], values, &scratch, add_room, &list, failure);
    }
    buf_add_byte(out, ']');
    buf_finish(&scratch);
    return st == ST_BAD_PAYLOAD ? ST_BAD_TARGET : st;
}

/* One user, or the list that a placeholder stands for, or items one by one. */
static enum status map_users(const struct route_rule *rule,
                             const struct template_values *values, struct buf *out,
                             struct template_failure *failure)
{
    struct buf users = {.max = LIMIT_PUBLISH_BYTES};
    enum status st = template_json(rule->users, values, &users, failure);
    bool is_list =
        !template_fans_out(rule->users) && users.len > 0 && users.ptr[0] == '[';

    buf_add_text(out, is_list ? ",\"users\":" : ",\"users\":[");
    buf_add(out, buf_slice(&users));
    if (!is_list)
        buf_add_byte(out, ']');
    buf_finish(&users);
    return st == ST_BAD_PAYLOAD ? ST_BAD_TARGET : st;
}

enum status route_map(const struct route_rule *rule, const struct template_values *values,
                      struct buf *out, struct publish_fault *fault)
{
    struct template_failure failure = {0};

    buf_add_text(out, "{\"event\":");
    enum status st = template_json(rule->event, values, out, &failure);

    if (!st && rule->payload) {
        buf_add_text(out, ",\"data\":");
        st = template_json(rule->payload, values, out, &failure);
    }
    if (!st && rule->to_all)
        buf_add_text(out, ",\"all\":true");
    else if (!st && rule->users)
        st = map_users(rule, values, out, &failure);
    else if (!st && rule->room_count > 0)
        st = map_rooms(rule, values, out, &failure);
    buf_add_byte(out, '}');
    st = st ? st : buf_status(out);
    return st ? refuse(fault, st, &failure) : ST_OK;
}
