/* Names of rooms, patterns and targets: see the header. */
#include "proto/room_name.h"

#include "proto/limits.h"
#include "proto/utf8.h"

#include <string.h>

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_segment_byte(char c)
{
    return is_alphanumeric(c) || (c != '\0' && strchr("_.@+=|~-", c));
}

static bool segment_is_valid(struct slice segment)
{
    if (segment.len == 0 || segment.len > LIMIT_ROOM_SEGMENT_BYTES)
        return false;
    for (size_t i = 0; i < segment.len; i++) {
        if (!is_segment_byte(segment.ptr[i]))
            return false;
    }
    return true;
}

bool room_name_is_valid(struct slice name)
{
    struct slice segment;
    bool has_more;

    if (name.len > LIMIT_ROOM_BYTES)
        return false;
    do {
        has_more = slice_cut(name, ':', &segment, &name);
        if (!segment_is_valid(segment))
            return false;
    } while (has_more);
    return true;
}

bool user_id_is_valid(struct slice id)
{
    return id.len > 0 && id.len <= LIMIT_USER_BYTES && utf8_is_plain(id);
}

bool socket_sid_is_valid(struct slice sid)
{
    if (sid.len != LIMIT_SIO_SID_BYTES)
        return false;
    for (size_t i = 0; i < sid.len; i++) {
        if (!is_alphanumeric(sid.ptr[i]) && sid.ptr[i] != '_' && sid.ptr[i] != '-')
            return false;
    }
    return true;
}

bool namespace_is_valid(struct slice nsp)
{
    return nsp.len > 0 && nsp.len <= LIMIT_NAMESPACE_BYTES && nsp.ptr[0] == '/' &&
           !memchr(nsp.ptr, ',', nsp.len) && !memchr(nsp.ptr, '?', nsp.len) &&
           utf8_is_plain(nsp);
}

enum status room_target_decode(struct slice nsp, struct slice text, struct room_key *key)
{
    static const char user_prefix[] = "user:";
    struct room_key found = {.nsp = nsp, .kind = ROOM_NAMED, .name = text};
    bool is_valid;

    if (slice_is(text, "*")) {
        found.kind = ROOM_ALL;
        found.name = (struct slice){0};
        is_valid = true;
    } else if (slice_starts_with(text, user_prefix)) {
        found.kind = ROOM_USER;
        found.name = slice_from(text, sizeof user_prefix - 1);
        is_valid = user_id_is_valid(found.name);
    } else {
        is_valid = room_name_is_valid(text);
    }
    if (!is_valid)
        return ST_BAD_TARGET;

    *key = found;
    return ST_OK;
}

bool room_key_equal(const struct room_key *a, const struct room_key *b)
{
    return a->kind == b->kind && slice_equal(a->name, b->name) &&
           slice_equal(a->nsp, b->nsp);
}

bool room_pattern_is_valid(struct slice pattern)
{
    struct slice segment;
    bool has_more;

    if (pattern.len > LIMIT_ROOM_BYTES)
        return false;
    do {
        has_more = slice_cut(pattern, ':', &segment, &pattern);
        bool is_wild = slice_is(segment, "*") || (slice_is(segment, "**") && !has_more);
        if (!is_wild && !segment_is_valid(segment))
            return false;
    } while (has_more);
    return true;
}

bool room_pattern_matches(struct slice pattern, struct slice name)
{
    struct slice wanted, segment;
    bool pattern_goes_on, name_goes_on;

    if (!room_name_is_valid(name))
        return false;
    do {
        pattern_goes_on = slice_cut(pattern, ':', &wanted, &pattern);
        if (!pattern_goes_on && slice_is(wanted, "**"))
            return true;
        name_goes_on = slice_cut(name, ':', &segment, &name);
        if (!slice_is(wanted, "*") && !slice_equal(wanted, segment))
            return false;
    } while (pattern_goes_on && name_goes_on);
    return !pattern_goes_on && !name_goes_on;
}

bool room_form_fits(struct slice form, struct slice name)
{
    const size_t none = SIZE_MAX;
    size_t f = 0, n = 0, star = none, taken = 0; /* behind the last gap: form, name */

    while (n < name.len || f < form.len) {
        if (f < form.len && n < name.len && form.ptr[f] == '*' && name.ptr[n] != ':') {
            star = ++f;
            taken = ++n;
        } else if (f < form.len && n < name.len && form.ptr[f] == name.ptr[n]) {
            f++;
            n++;
        } else if (star != none && taken < name.len && name.ptr[taken] != ':') {
            /* The gap takes one byte more. */
            f = star;
            n = ++taken;
        } else {
            return false;
        }
    }
    return room_name_is_valid(name);
}
