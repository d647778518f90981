/* JSON Pointers: see the header. */
#include "proto/json_pointer.h"

static bool holds(const struct json_value *value, const char *at)
{
    return at >= value->text.ptr && at < value->text.ptr + value->text.len;
}

/* RFC 6901 §3: '~' and '/' of a name are written ~0 and ~1. The name stays as it is
 * written in the text, escapes and all. */
static void add_name(struct slice name, struct buf *out)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '~')
            buf_add_text(out, "~0");
        else if (name.ptr[i] == '/')
            buf_add_text(out, "~1");
        else
            buf_add_byte(out, name.ptr[i]);
    }
}

/* Appends the step to the child that holds `at`; false when there is none. */
static bool step_into(struct slice json, const char *at, struct slice *child,
                      struct buf *out)
{
    struct json_cursor cursor = {0};
    struct json_member member;
    struct json_value item;
    uint64_t index = 0;

    while (json_array_next(json, &cursor, &item)) {
        if (holds(&item, at)) {
            buf_add_byte(out, '/');
            buf_add_u64(out, index);
            *child = item.text;
            return true;
        }
        index++;
    }
    while (json_object_next(json, &cursor, &member))
        if (holds(&member.value, at)) {
            buf_add_byte(out, '/');
            add_name(member.key, out);
            *child = member.value.text;
            return true;
        }
    return false;
}

void json_pointer_add(struct slice json, const char *at, struct buf *out)
{
    while (json.ptr != at && step_into(json, at, &json, out))
        ;
}
