/* What may stand between the braces of a template: see template_parts.h. */
#include "proto/template_parts.h"

#include "proto/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const hook_names[] = {"body", NULL};
static const char *const conn_names[] = {"id", "ip", "transport", "recovered", NULL};
static const char *const now_names[] = {"iso", "ms", NULL};
static const char *const request_names[] = {"id", NULL};
static const char *const catchup_names[] = {"count", "truncated", "rooms", NULL};
static const char seen_name[] = "last_seen"; /* of a user */

const struct template_source_row template_sources[TEMPLATE_SOURCE_COUNT] = {
    [TEMPLATE_CLAIMS] = {"claims",         NULL,          true,  false},
    [TEMPLATE_USER] = {"user",           NULL,          true,  false},
    [TEMPLATE_AUTH] = {"auth",           NULL,          true,  false},
    [TEMPLATE_PAYLOAD] = {"payload",        NULL,          true,  false},
    [TEMPLATE_BODY] = {"body",           NULL,          true,  false},
    [TEMPLATE_HOOK] = {"hook",           hook_names,    true,  false},
    [TEMPLATE_ARGS] = {"args",           NULL,          true,  false},
    [TEMPLATE_PATH] = {"path",           NULL,          true,  false},
    [TEMPLATE_QUERY] = {"query",          NULL,          true,  false},
    [TEMPLATE_CONN] = {"conn",           conn_names,    false, false},
    [TEMPLATE_EVENT] = {"event",          NULL,          false, false},
    [TEMPLATE_ROOM] = {"room",           NULL,          false, false},
    [TEMPLATE_CODE] = {"code",           NULL,          false, false},
    [TEMPLATE_MESSAGE] = {"message",        NULL,          false, false},
    [TEMPLATE_COUNT] = {"count",          NULL,          false, false},
    [TEMPLATE_NOW] = {"now",            now_names,     false, false},
    [TEMPLATE_UUID] = {"uuid",           NULL,          false, false},
    [TEMPLATE_REQUEST] = {"request",        request_names, false, false},
    [TEMPLATE_CATCHUP] = {"catchup",        catchup_names, true,  true },
    [TEMPLATE_SEEN] = {"user.last_seen", now_names,     false, false},
};

static bool find_source(struct slice name, enum template_source *source)
{
    for (size_t i = 0; i < TEMPLATE_SOURCE_COUNT; i++) {
        if (slice_is(name, template_sources[i].name)) {
            *source = (enum template_source)i;
            return true;
        }
    }
    return false;
}

/* The nearest of the sources that are allowed here. */
static bool bad_source(struct slice name, struct place place, unsigned sources,
                       struct faults *faults)
{
    const char *words[TEMPLATE_SOURCE_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < TEMPLATE_SOURCE_COUNT; i++)
        if (sources & TEMPLATE_BIT(i))
            words[count++] = template_sources[i].name;
    faults_add_word(faults, place, "nothing here is called", name, words, count);
    return false;
}

static bool malformed(struct slice text, struct place place, const char *why,
                      struct faults *faults)
{
    faults_add(faults, place, NULL, "{%.*s}: %s", (int)text.len, text.len ? text.ptr : "",
               why);
    return false;
}

/* Takes "[]" or "[1..]" off the end of a name. False: brackets of another kind. */
static bool read_fan(char *name, bool *has_fan, size_t *first_item)
{
    char *open = strchr(name, '[');
    struct slice number, rest;

    *has_fan = open != NULL;
    if (!open)
        return true;
    struct slice inside = slice_of(open + 1);
    uint64_t first = 0;
    if (inside.len == 0 || inside.ptr[inside.len - 1] != ']')
        return false;
    inside.len--;
    *open = '\0';
    if (inside.len == 0)
        return true;
    if (!slice_cut(inside, '.', &number, &rest) || !slice_is(rest, ".") ||
        !slice_to_u64(number, &first) || first > LIMIT_TEMPLATE_FAN)
        return false;
    *first_item = (size_t)first;
    return true;
}

static bool add_name(struct template_path *path, char *name, bool is_source)
{
    bool has_fan;

    if (!read_fan(name, &has_fan, &path->first_item))
        return false;
    if (!is_source) {
        if (path->count == LIMIT_TEMPLATE_PATH || !*name)
            return false;
        path->names[path->count++] = name;
    }
    if (has_fan && path->fan_at != TEMPLATE_NO_FAN)
        return false;
    if (has_fan)
        path->fan_at = path->count;
    return true;
}

static bool cut_names(struct template_path *path, char **source)
{
    char *save = path->storage;
    bool is_source = true;

    *source = path->storage;
    while (save) {
        char *name = save;
        /* The dots of "[1..]" cut nothing. */
        char *dot = name + strcspn(name, ".[");
        if (*dot == '[')
            dot += strcspn(dot, "]");
        dot += strcspn(dot, ".");
        save = *dot ? dot + 1 : NULL;
        *dot = '\0';
        if (!add_name(path, name, is_source))
            return false;
        is_source = false;
    }
    return true;
}

/* What is known of a user has one piece that no token brings. */
static bool read_seen(struct template_path *path, struct slice text, struct place place,
                      unsigned sources, struct faults *faults)
{
    if (path->source != TEMPLATE_USER || path->count == 0 ||
        strcmp(path->names[0], seen_name) != 0)
        return true;
    if (!(sources & TEMPLATE_BIT(TEMPLATE_SEEN)))
        return malformed(text, place,
                         "only greetings (connect.emit) and presence know it", faults);
    path->source = TEMPLATE_SEEN;
    path->count--;
    memmove(path->names, path->names + 1, (size_t)path->count * sizeof *path->names);
    if (path->count == 0)
        path->names[path->count++] = now_names[0];
    return true;
}

/* Names below a source that has a fixed set of them, or none. */
static bool check_below(const struct template_path *path, struct slice text,
                        struct place place, struct faults *faults)
{
    const struct template_source_row *row = &template_sources[path->source];
    size_t words = 0;

    if (path->fan_at != TEMPLATE_NO_FAN && !row->is_tree)
        return malformed(text, place, "this is one value, it has no items", faults);
    if ((!row->below && row->is_tree) || (path->count == 0 && row->stands_alone))
        return true;
    if (!row->below)
        return path->count == 0 ||
               malformed(text, place, "this is one value, it has no parts", faults);
    while (row->below[words])
        words++;
    for (size_t i = 0; path->count > 0 && i < words; i++)
        if (strcmp(path->names[0], row->below[i]) == 0)
            return path->count == 1 || row->is_tree ||
                   malformed(text, place, "this is one value, it has no parts", faults);
    faults_add_word(faults, place, "there is no",
                    path->count ? slice_of(path->names[0]) : text, row->below, words);
    return false;
}

/* {args} alone names no argument; {path} and {query} have one name. */
static bool check_shape(const struct template_path *path, struct slice text,
                        struct place place, struct faults *faults)
{
    uint64_t index;

    switch (path->source) {
    case TEMPLATE_ARGS:
        if (path->fan_at == 0)
            return true;
        if (path->count == 0 || !slice_to_u64(slice_of(path->names[0]), &index))
            return malformed(text, place, "write args.0 for the first argument", faults);
        return true;
    case TEMPLATE_PATH:
    case TEMPLATE_QUERY:
        if (path->count != 1 || path->fan_at != TEMPLATE_NO_FAN)
            return malformed(text, place, "write one name behind it", faults);
        return true;
    default: return true;
    }
}

bool template_path_read(struct slice text, struct place place, unsigned sources,
                        struct template_path *path, struct faults *faults)
{
    char *source;

    *path = (struct template_path){.fan_at = TEMPLATE_NO_FAN};
    path->text = slice_dup(text);
    path->storage = slice_dup(text);
    if (!path->text || !path->storage)
        return malformed(text, place, "out of memory", faults);
    if (text.len == 0 || memchr(text.ptr, '\0', text.len) || !cut_names(path, &source))
        return malformed(text, place, "write a source and names, like claims.sub",
                         faults);
    if (!find_source(slice_of(source), &path->source) ||
        !(sources & TEMPLATE_BIT(path->source)))
        return bad_source(slice_of(source), place, sources, faults);
    return read_seen(path, text, place, sources, faults) &&
           check_below(path, text, place, faults) &&
           check_shape(path, text, place, faults);
}

void template_path_finish(struct template_path *path)
{
    free(path->text);
    free(path->storage);
    path->text = path->storage = NULL;
}
