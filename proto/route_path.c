/* Methods and paths of routes: see the header. */
#include "proto/route_path.h"

#include "proto/utf8.h"

#include <string.h>

static const enum http_method methods[] = {HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH,
                                           HTTP_DELETE};
enum {
    METHODS = sizeof methods / sizeof *methods,
    PARAMETER_BYTES = 64,
};

static bool refuse(const struct document_node *match, struct faults *faults,
                   const char *why)
{
    faults_add(faults, match->place, "POST /rooms/:room/events", "match: %s", why);
    return false;
}

static bool read_method(const struct document_node *match, struct slice word,
                        struct route_path *path, struct faults *faults)
{
    const char *words[METHODS];

    for (size_t i = 0; i < METHODS; i++) {
        words[i] = http_method_name(methods[i]);
        path->method = methods[i];
        if (slice_is(word, words[i]))
            return true;
    }
    faults_add_word(faults, match->place, "no route has the method", word, words,
                    METHODS);
    return false;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

/* What RFC 3986 §3.3 lets stand in a segment, but for escapes, and for what would be a
 * parameter or a wildcard elsewhere. */
static bool is_fixed_byte(char c)
{
    return is_name_byte(c) || (c && strchr("-.~!$&'(),;=@+", c));
}

static bool all_bytes(struct slice text, bool (*is_fit)(char c))
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_fit(text.ptr[i]))
            return false;
    return true;
}

static struct slice segment_of(const struct route_path *path, size_t i)
{
    return (struct slice){path->text + path->segments[i].at, path->segments[i].len};
}

/* NULL, or why the segment that begins at `at` can be none. */
static const char *add_segment(struct route_path *path, size_t at, size_t len)
{
    bool is_parameter = len > 0 && path->text[at] == ':';
    struct slice text = {path->text + at + is_parameter, len - is_parameter};

    if (path->count == ROUTE_PATH_SEGMENTS)
        return "a path has at most 16 segments";
    if (is_parameter &&
        (text.len == 0 || text.len > PARAMETER_BYTES || !all_bytes(text, is_name_byte)))
        return "a parameter is a colon and a name of letters, digits and _";
    if (!is_parameter && memchr(text.ptr, '*', text.len))
        return "there are no wildcards: write :name for one segment";
    if (!is_parameter && !all_bytes(text, is_fixed_byte))
        return "a segment has letters, digits and -._~!$&'(),;=@+ only";
    for (size_t i = 0; is_parameter && i < path->count; i++)
        if (path->segments[i].is_parameter && slice_equal(segment_of(path, i), text))
            return "two parameters have the same name";
    path->segments[path->count++] =
        (struct route_segment){(size_t)(text.ptr - path->text), text.len, is_parameter};
    return NULL;
}

static const char *cut_segments(struct route_path *path, size_t len)
{
    const char *why = NULL;
    size_t from = 1;

    for (size_t i = 1; !why && i <= len; i++) {
        if (i < len && path->text[i] != '/')
            continue;
        why = add_segment(path, from, i - from);
        from = i + 1;
    }
    return why;
}

bool route_path_read(const struct document_node *match, struct route_path *path,
                     struct faults *faults)
{
    struct slice word, text;

    *path = (struct route_path){.method = HTTP_GET};
    if (match->kind != DOCUMENT_SCALAR || !slice_cut(match->text, ' ', &word, &text))
        return refuse(match, faults, "a method and a path are expected");
    if (!read_method(match, word, path, faults))
        return false;
    text = slice_trim(text);
    if (text.len == 0 || text.ptr[0] != '/')
        return refuse(match, faults, "the path begins with /");
    if (text.len > ROUTE_PATH_BYTES)
        return refuse(match, faults, "a path has at most 256 bytes");
    memcpy(path->text, text.ptr, text.len);
    const char *why = cut_segments(path, text.len);
    return why ? refuse(match, faults, why) : true;
}

/* The next segment of a raw path; false: there is none. */
static bool next_segment(struct slice *raw, struct slice *segment)
{
    if (raw->len == 0 || raw->ptr[0] != '/')
        return false;
    struct slice rest = slice_from(*raw, 1);
    const char *end = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
    *segment = slice_first(rest, end ? (size_t)(end - rest.ptr) : rest.len);
    *raw = slice_from(rest, segment->len);
    return true;
}

bool route_path_matches(const struct route_path *path, struct slice raw)
{
    struct slice segment;
    size_t i = 0;

    for (; next_segment(&raw, &segment); i++) {
        if (i == path->count)
            return false;
        bool fits = path->segments[i].is_parameter
                        ? segment.len > 0
                        : slice_equal(segment, segment_of(path, i));
        if (!fits)
            return false;
    }
    return i == path->count && raw.len == 0;
}

bool route_path_values(const struct route_path *path, struct slice raw, char *memory,
                       struct template_pair out[ROUTE_PATH_SEGMENTS], size_t *count)
{
    struct slice segment;

    *count = 0;
    for (size_t i = 0; i < path->count && next_segment(&raw, &segment); i++) {
        size_t len = 0;
        if (!path->segments[i].is_parameter)
            continue;
        if (!http_percent_decode(segment, false, memory, &len) ||
            !utf8_is_valid((struct slice){memory, len}))
            return false;
        out[(*count)++] = (struct template_pair){
            segment_of(path, i), {memory, len}
        };
        memory += len;
    }
    return true;
}

bool route_path_has_parameters(const struct route_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        if (path->segments[i].is_parameter)
            return true;
    return false;
}

bool route_path_has_parameter(const struct route_path *path, const char *name)
{
    for (size_t i = 0; i < path->count; i++)
        if (path->segments[i].is_parameter && slice_is(segment_of(path, i), name))
            return true;
    return false;
}

int route_path_compare(const struct route_path *a, const struct route_path *b)
{
    /* Beyond its end a path counts as fixed: an order must hold among all of them. The
     * segments that are not there are zeroed. */
    for (size_t i = 0; i < a->count || i < b->count; i++) {
        int difference = (int)a->segments[i].is_parameter - b->segments[i].is_parameter;
        if (difference != 0)
            return difference;
    }
    return 0;
}

bool route_path_is_same(const struct route_path *a, const struct route_path *b)
{
    if (a->method != b->method || a->count != b->count || route_path_compare(a, b) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!a->segments[i].is_parameter &&
            !slice_equal(segment_of(a, i), segment_of(b, i)))
            return false;
    return true;
}
