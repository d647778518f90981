/* Rendering of templates: see template.h. */
#include "proto/room_name.h"
#include "proto/template_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    WORD_BYTES = 64
};

/* What a placeholder stands for. */
enum found_kind {
    FOUND_NOTHING,
    FOUND_JSON, /* `text` is a raw JSON value */
    FOUND_TEXT  /* `text` is plain */
};

struct found {
    enum found_kind kind;
    struct slice text;
    char word[WORD_BYTES]; /* where a number or a time is written */
};

/* --- finding */

static struct json_value step(struct slice json, const char *name)
{
    struct json_cursor cursor = {0};
    struct json_value item;
    uint64_t index;

    if (json.len == 0 || json.ptr[0] != '[')
        return json_object_find(json, name);
    if (!slice_to_u64(slice_of(name), &index))
        return (struct json_value){0};
    while (json_array_next(json, &cursor, &item))
        if (index-- == 0)
            return item;
    return (struct json_value){0};
}

/* What names[from…to-1] lead to. Empty: nothing. */
static struct slice walk(struct slice json, const struct template_path *path, int from,
                         int to)
{
    for (int i = from; i < to && json.len > 0; i++)
        json = step(json, path->names[i]).text;
    return json;
}

static struct slice nth_argument(struct slice args, const char *index)
{
    struct json_cursor cursor = {0};
    struct json_value item;
    uint64_t n = 0;

    slice_to_u64(slice_of(index), &n);
    while (json_list_next(args, &cursor, &item))
        if (n-- == 0)
            return item.text;
    return (struct slice){0};
}

/* The JSON that a path goes on below. */
static struct slice tree_of(const struct template_path *path,
                            const struct template_values *values, int *first_name)
{
    *first_name = 0;
    switch (path->source) {
    case TEMPLATE_CLAIMS: return values->claims;
    case TEMPLATE_USER: return values->user;
    case TEMPLATE_AUTH: return values->auth;
    case TEMPLATE_PAYLOAD: return values->payload;
    case TEMPLATE_BODY: return values->body;
    case TEMPLATE_CATCHUP: return values->catchup;
    case TEMPLATE_HOOK: *first_name = 1; return values->hook;
    case TEMPLATE_ARGS:
        *first_name = 1;
        return nth_argument(values->args, path->names[0]);
    default: return (struct slice){0};
    }
}

static void found_json(struct found *found, struct slice json)
{
    if (json.len == 0)
        return;
    found->kind = FOUND_JSON;
    found->text = json;
}

static void found_text(struct found *found, struct slice text)
{
    if (!text.ptr)
        return;
    found->kind = FOUND_TEXT;
    found->text = text;
}

static void found_number(struct found *found, uint64_t number)
{
    int len = snprintf(found->word, sizeof found->word, "%" PRIu64, number);

    found_json(found, (struct slice){found->word, (size_t)len});
}

/* The Gregorian date of a day since 1970, counted in years that begin in March. */
static void date_of(int64_t day, int64_t *year, int64_t *month, int64_t *mday)
{
    int64_t shifted = day + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t months = (5 * of_year + 2) / 153;

    *mday = of_year - (153 * months + 2) / 5 + 1;
    *month = months < 10 ? months + 3 : months - 9;
    *year = years + era * 400 + (*month <= 2);
}

static void found_time(struct found *found, int64_t now_ms)
{
    int64_t year, month, mday;
    int64_t ms_of_day = now_ms % 86400000;
    int64_t second = ms_of_day / 1000;

    date_of(now_ms / 86400000, &year, &month, &mday);
    int len = snprintf(found->word, sizeof found->word,
                       "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64
                       ":%02" PRId64 ":%02" PRId64 ".%03" PRId64 "Z",
                       year, month, mday, second / 3600, second / 60 % 60, second % 60,
                       ms_of_day % 1000);
    found_text(found, (struct slice){found->word, (size_t)len});
}

static void found_pair(struct found *found, const struct template_pair *pairs,
                       size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(pairs[i].name, name)) {
            found_text(found, pairs[i].value);
            return;
        }
}

static void found_of_connection(struct found *found, const struct template_values *values,
                                const char *name)
{
    if (strcmp(name, "id") == 0)
        found_text(found, values->conn_id);
    else if (strcmp(name, "ip") == 0)
        found_text(found, values->conn_ip);
    else if (strcmp(name, "transport") == 0)
        found_text(found, values->conn_transport);
    else
        found_json(found, values->conn_recovered ? SLICE("true") : SLICE("false"));
}

static void found_moment(struct found *found, const char *form, int64_t at_ms)
{
    if (strcmp(form, "iso") == 0)
        found_time(found, at_ms);
    else
        found_number(found, (uint64_t)at_ms);
}

static void find(const struct template_path *path, const struct template_values *values,
                 struct found *found)
{
    int first;

    found->kind = FOUND_NOTHING;
    switch (path->source) {
    case TEMPLATE_PATH:
        found_pair(found, values->path, values->path_count, path->names[0]);
        break;
    case TEMPLATE_QUERY:
        found_pair(found, values->query, values->query_count, path->names[0]);
        break;
    case TEMPLATE_CONN: found_of_connection(found, values, path->names[0]); break;
    case TEMPLATE_EVENT: found_text(found, values->event); break;
    case TEMPLATE_ROOM: found_text(found, values->room); break;
    case TEMPLATE_CODE: found_text(found, values->code); break;
    case TEMPLATE_MESSAGE: found_text(found, values->message); break;
    case TEMPLATE_UUID: found_text(found, values->uuid); break;
    case TEMPLATE_REQUEST: found_text(found, values->request_id); break;
    case TEMPLATE_COUNT:
        if (values->count_is_unknown)
            found_json(found, SLICE("null"));
        else
            found_number(found, values->count);
        break;
    case TEMPLATE_NOW: found_moment(found, path->names[0], values->now_ms); break;
    case TEMPLATE_SEEN:
        if (values->last_seen_ms > 0)
            found_moment(found, path->names[0], values->last_seen_ms);
        else
            found_json(found, SLICE("null"));
        break;
    default: {
        struct slice tree = tree_of(path, values, &first);
        found_json(found, walk(tree, path, first, path->count));
    }
    }
}

/* --- fanning out: the items that a path leads to, one after the other */

struct fan {
    const struct template_path *path;
    struct slice array; /* with brackets, or the arguments without */
    struct json_cursor cursor;
    size_t skip;
    bool is_list;
};

/* False: there is no array. */
static bool fan_begin(struct fan *fan, const struct template_path *path,
                      const struct template_values *values)
{
    int first;

    *fan = (struct fan){.path = path, .skip = path->first_item};
    fan->is_list = path->source == TEMPLATE_ARGS && path->fan_at == 0;
    if (fan->is_list) {
        fan->array = values->args;
        return true;
    }
    struct slice tree = tree_of(path, values, &first);
    fan->array = walk(tree, path, first, path->fan_at);
    return fan->array.len > 0 && fan->array.ptr[0] == '[';
}

/* False: no more items. `item` is empty when the rest of the path leads nowhere. */
static bool fan_next(struct fan *fan, struct slice *item)
{
    struct json_value value;

    do {
        if (!(fan->is_list ? json_list_next(fan->array, &fan->cursor, &value)
                           : json_array_next(fan->array, &fan->cursor, &value)))
            return false;
    } while (fan->skip > 0 && fan->skip-- > 0);
    *item = walk(value.text, fan->path, fan->path->fan_at, fan->path->count);
    return true;
}

/* --- writing */

static enum status fail(struct template_failure *failure,
                        const struct template_path *path, const char *reason)
{
    failure->placeholder = slice_of(path->text);
    failure->reason = reason;
    return ST_BAD_PAYLOAD;
}

static bool is_scalar_json(struct slice json)
{
    return json.ptr[0] != '{' && json.ptr[0] != '[' && json.ptr[0] != 'n';
}

static bool is_string_json(struct slice json)
{
    return json.len >= 2 && json.ptr[0] == '"';
}

/* Into a JSON string that is open. */
static void write_escaped(const struct found *found, struct buf *out)
{
    size_t from = out->len;

    if (found->kind == FOUND_JSON) {
        bool is_string = is_string_json(found->text);
        buf_add(out, is_string ? (struct slice){found->text.ptr + 1, found->text.len - 2}
                               : found->text);
        return;
    }
    buf_add_json_string(out, found->text);
    if (buf_status(out))
        return;
    /* Without its quotes: the string that it goes into has its own. */
    memmove(out->ptr + from, out->ptr + from + 1, out->len - from - 2);
    out->len -= 2;
}

static void write_plain(const struct found *found, struct buf *out)
{
    if (found->kind != FOUND_JSON || !is_string_json(found->text)) {
        buf_add(out, found->text);
        return;
    }
    char *room = buf_reserve(out, found->text.len);
    if (!room)
        return;
    struct slice text = json_string_decode(found->text, room);
    if (text.ptr != room)
        memcpy(room, text.ptr, text.len);
    buf_grew(out, text.len);
}

static void write_value(const struct found *found, struct buf *out)
{
    if (found->kind == FOUND_JSON)
        buf_add(out, found->text);
    else
        buf_add_json_string(out, found->text);
}

static enum status write_spread(const struct template_path *path,
                                const struct template_values *values, struct buf *out,
                                struct template_failure *failure)
{
    struct fan fan;
    struct slice item;
    bool is_first = true;

    if (!fan_begin(&fan, path, values))
        return fail(failure, path, "is missing or no list");
    while (fan_next(&fan, &item)) {
        if (item.len == 0)
            return fail(failure, path, "is missing in one of the items");
        if (!is_first)
            buf_add_byte(out, ',');
        buf_add(out, item);
        is_first = false;
    }
    return ST_OK;
}

/* A comma waits until an item follows; an empty spread has none. */
static void write_comma(struct buf *out, bool *is_due)
{
    if (*is_due && out->len > 0 && out->ptr[out->len - 1] != '[')
        buf_add_byte(out, ',');
    *is_due = false;
}

static enum status write_json_piece(const struct piece *piece,
                                    const struct template_values *values, struct buf *out,
                                    struct template_failure *failure)
{
    struct found found;

    if (piece->kind == PIECE_LITERAL) {
        buf_add(out, (struct slice){piece->literal, piece->literal_len});
        return ST_OK;
    }
    find(&piece->path, values, &found);
    if (found.kind == FOUND_NOTHING)
        return fail(failure, &piece->path, "is missing");
    if (piece->kind == PIECE_VALUE) {
        write_value(&found, out);
        return ST_OK;
    }
    if (found.kind == FOUND_JSON && !is_scalar_json(found.text))
        return fail(failure, &piece->path, "is no text");
    write_escaped(&found, out);
    return ST_OK;
}

static bool has_items(const struct template_path *path,
                      const struct template_values *values)
{
    struct fan fan;
    struct slice item;

    return !fan_begin(&fan, path, values) || fan_next(&fan, &item);
}

enum status template_json(const struct template *template,
                          const struct template_values *values, struct buf *out,
                          struct template_failure *failure)
{
    bool is_comma_due = false;

    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->pieces[i];
        enum status st = ST_OK;
        switch (piece->kind) {
        case PIECE_COMMA: is_comma_due = true; break;
        case PIECE_END: is_comma_due = false; break;
        case PIECE_SPREAD:
            if (has_items(&piece->path, values))
                write_comma(out, &is_comma_due);
            st = write_spread(&piece->path, values, out, failure);
            break;
        default:
            write_comma(out, &is_comma_due);
            st = write_json_piece(piece, values, out, failure);
        }
        if (st)
            return st;
    }
    return buf_status(out);
}

/* One scalar into a text. */
static enum status write_text_piece(const struct template_path *path,
                                    const struct found *found, struct buf *out,
                                    struct template_failure *failure)
{
    if (found->kind == FOUND_NOTHING)
        return fail(failure, path, "is missing");
    if (found->kind == FOUND_JSON && !is_scalar_json(found->text))
        return fail(failure, path, "is no text");
    write_plain(found, out);
    return ST_OK;
}

enum status template_text(const struct template *template,
                          const struct template_values *values, struct buf *out,
                          struct template_failure *failure)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->pieces[i];
        struct found found;
        if (piece->kind == PIECE_LITERAL) {
            buf_add(out, (struct slice){piece->literal, piece->literal_len});
            continue;
        }
        find(&piece->path, values, &found);
        enum status st = write_text_piece(&piece->path, &found, out, failure);
        if (st)
            return st;
    }
    return buf_status(out);
}

/* --- rooms */

/* "user:{…}" names a user, whose id may be any text; in a pattern it could be a `*`. */
static bool is_user_template(const struct template *template)
{
    return template->is_name != room_pattern_is_valid && template->count == 2 &&
           template->pieces[0].kind == PIECE_LITERAL &&
           template->pieces[0].literal_len == 5 &&
           memcmp(template->pieces[0].literal, "user:", 5) == 0;
}

/* What was written from `from` on stands for one gap: is it fit for it? */
static bool gap_is_fit(const struct template *template, struct slice written)
{
    bool is_whole = template->count == 1;

    if (is_whole)
        return true; /* judged as a whole */
    if (is_user_template(template))
        return user_id_is_valid(written);
    /* A piece of a segment is one, as long as it brings no separator. */
    return written.len > 0 && !memchr(written.ptr, ':', written.len) &&
           room_name_is_valid(written);
}

/* true and false are words, not names. */
static bool is_no_name(const struct found *found)
{
    return found->kind == FOUND_JSON && !is_string_json(found->text) &&
           (found->text.ptr[0] == 't' || found->text.ptr[0] == 'f');
}

/* One gap of a name. */
static enum status write_gap(const struct template *template, const struct piece *piece,
                             const struct found *found, struct buf *out,
                             struct template_failure *failure)
{
    size_t from = out->len;
    enum status st = write_text_piece(&piece->path, found, out, failure);

    if (!st)
        st = buf_status(out);
    if (st)
        return st;
    if (is_no_name(found) || !gap_is_fit(template, slice_from(buf_slice(out), from)))
        return fail(failure, &piece->path, "is not one segment of a room's name");
    return ST_OK;
}

/* One name; `item` stands for the piece that fans out. */
static enum status write_room(const struct template *template,
                              const struct template_values *values, struct slice item,
                              struct buf *out, struct template_failure *failure)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->pieces[i];
        struct found found = {0};
        if (piece->kind == PIECE_LITERAL) {
            buf_add(out, (struct slice){piece->literal, piece->literal_len});
            continue;
        }
        if (piece->path.fan_at != TEMPLATE_NO_FAN)
            found_json(&found, item);
        else
            find(&piece->path, values, &found);
        enum status st = write_gap(template, piece, &found, out, failure);
        if (st)
            return st;
    }
    return buf_status(out);
}

static enum status give_room(const struct template *template, struct buf *scratch,
                             template_room_fn *visit, void *ctx,
                             struct template_failure *failure)
{
    struct slice name = buf_slice(scratch);

    if (!template->is_name(name)) {
        const struct piece *last = &template->pieces[template->count - 1];
        if (last->kind == PIECE_LITERAL)
            last = &template->pieces[0];
        return fail(failure, &last->path, "makes no name of a room");
    }
    return visit(ctx, name);
}

static const struct template_path *fan_of(const struct template *template)
{
    for (size_t i = 0; i < template->count; i++)
        if (template->pieces[i].kind != PIECE_LITERAL &&
            template->pieces[i].path.fan_at != TEMPLATE_NO_FAN)
            return &template->pieces[i].path;
    return NULL;
}

enum status template_rooms(const struct template *template,
                           const struct template_values *values, struct buf *scratch,
                           template_room_fn *visit, void *ctx,
                           struct template_failure *failure)
{
    const struct template_path *path = fan_of(template);
    struct slice item = {0};
    struct fan fan;
    size_t rooms = 0;

    if (path && !fan_begin(&fan, path, values))
        return fail(failure, path, "is missing or no list");
    while (path ? fan_next(&fan, &item) : rooms == 0) {
        if (rooms++ == LIMIT_TEMPLATE_FAN)
            return fail(failure, path, "has too many items");
        buf_clear(scratch);
        enum status st = write_room(template, values, item, scratch, failure);
        if (!st)
            st = give_room(template, scratch, visit, ctx, failure);
        if (st)
            return st;
    }
    return ST_OK;
}

static bool is_known(const struct piece *piece)
{
    return piece->kind == PIECE_LITERAL || piece->path.source == TEMPLATE_CLAIMS ||
           piece->path.source == TEMPLATE_USER;
}

/* A gap whose value is not known is a `*`. */
static enum status write_form(const struct template *template,
                              const struct template_values *values, struct buf *out)
{
    struct template_failure failure;

    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->pieces[i];
        enum status st = ST_OK;
        struct found found;
        if (piece->kind == PIECE_LITERAL) {
            buf_add(out, (struct slice){piece->literal, piece->literal_len});
        } else if (!is_known(piece)) {
            buf_add_byte(out, '*');
        } else {
            find(&piece->path, values, &found);
            st = write_gap(template, piece, &found, out, &failure);
        }
        if (st)
            return st;
    }
    return buf_status(out);
}

bool template_could_give(const struct template *template,
                         const struct template_values *values, struct slice name,
                         struct buf *scratch)
{
    bool is_whole = template->count == 1;

    if (is_whole && !is_known(&template->pieces[0]))
        return template->is_name(name);
    buf_clear(scratch);
    if (write_form(template, values, scratch))
        return false;
    /* A claim that is a whole name may have a `*` of its own, which is no gap. */
    return is_whole ? slice_equal(buf_slice(scratch), name)
                    : room_form_fits(buf_slice(scratch), name);
}
