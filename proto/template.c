/* Compiling of templates: see the header. */
#include "proto/template_parts.h"

#include "proto/room_name.h"

#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): as deep as a document, at most LIMIT_CONFIG_DEPTH. */

/* What is built, and what it may draw from. */
struct builder {
    struct template *template;
    unsigned sources;
    struct faults *faults;
    struct buf literal; /* not yet a piece */
    bool is_broken;
};

static void break_off(struct builder *builder, struct place place, const char *why)
{
    if (!builder->is_broken)
        faults_add(builder->faults, place, NULL, "%s", why);
    builder->is_broken = true;
}

static struct piece *add_piece(struct builder *builder, struct place place,
                               enum piece_kind kind)
{
    struct template *template = builder->template;

    if (template->count == LIMIT_TEMPLATE_PIECES) {
        break_off(builder, place, "this template has too many parts");
        return NULL;
    }
    struct piece *pieces =
        realloc(template->pieces, (template->count + 1) * sizeof *pieces);
    if (!pieces) {
        break_off(builder, place, "out of memory");
        return NULL;
    }
    template->pieces = pieces;
    pieces[template->count] = (struct piece){.kind = kind};
    return &pieces[template->count++];
}

static void end_literal(struct builder *builder, struct place place)
{
    struct piece *piece;

    if (buf_status(&builder->literal))
        break_off(builder, place, "out of memory");
    if (builder->literal.len == 0 || builder->is_broken)
        return;
    piece = add_piece(builder, place, PIECE_LITERAL);
    if (!piece)
        return;
    piece->literal_len = builder->literal.len;
    piece->literal = buf_release(&builder->literal);
}

static void add_mark(struct builder *builder, struct place place, enum piece_kind kind)
{
    end_literal(builder, place);
    if (!builder->is_broken)
        add_piece(builder, place, kind);
}

static void add_placeholder(struct builder *builder, struct slice inside,
                            struct place place, enum piece_kind kind)
{
    struct template_path path;

    end_literal(builder, place);
    if (!template_path_read(inside, place, builder->sources, &path, builder->faults)) {
        template_path_finish(&path);
        builder->is_broken = true;
        return;
    }
    builder->template->uses |= TEMPLATE_BIT(path.source);
    struct piece *piece = builder->is_broken ? NULL : add_piece(builder, place, kind);
    if (piece)
        piece->path = path;
    else
        template_path_finish(&path);
}

/* The text between the braces when `text` is exactly one placeholder. */
static bool is_one_placeholder(struct slice text, struct slice *inside)
{
    if (text.len < 2 || text.ptr[0] != '{' || text.ptr[1] == '{')
        return false;
    *inside = (struct slice){text.ptr + 1, text.len - 2};
    return memchr(text.ptr, '}', text.len) == text.ptr + text.len - 1;
}

static bool fans_out(struct slice inside)
{
    return inside.len > 0 && memchr(inside.ptr, '[', inside.len);
}

/* The fixed bytes of a text, and how they are written into it. */
typedef void add_bytes_fn(struct buf *out, struct slice bytes);

static void add_plain(struct buf *out, struct slice bytes)
{
    buf_add(out, bytes);
}

static void add_escaped(struct buf *out, struct slice bytes)
{
    struct buf quoted = {.max = out->max};

    buf_add_json_string(&quoted, bytes);
    if (!buf_status(&quoted))
        buf_add(out, (struct slice){quoted.ptr + 1, quoted.len - 2});
    else
        out->failure = buf_status(&quoted);
    buf_finish(&quoted);
}

static void add_text(struct builder *builder, struct slice text, struct place place,
                     add_bytes_fn *add)
{
    while (text.len > 0 && !builder->is_broken) {
        const char *open = memchr(text.ptr, '{', text.len);
        size_t plain = open ? (size_t)(open - text.ptr) : text.len;
        add(&builder->literal, slice_first(text, plain));
        text = slice_from(text, plain);
        if (text.len == 0)
            return;
        if (text.len > 1 && text.ptr[1] == '{') {
            add(&builder->literal, SLICE("{"));
            text = slice_from(text, 2);
            continue;
        }
        struct slice inside, rest;
        if (!slice_cut(slice_from(text, 1), '}', &inside, &rest)) {
            break_off(builder, place,
                      "a brace is open: write } behind the name, or {{ for a brace");
            return;
        }
        add_placeholder(builder, inside, place, PIECE_TEXT);
        text = rest;
    }
}

/* --- JSON */

static void add_node(struct builder *builder, const struct document_node *node);

/* In a list, or at the top where arguments are meant, items spread; elsewhere they are an
 * array. */
static void add_scalar(struct builder *builder, const struct document_node *node,
                       bool may_spread)
{
    struct slice inside;

    if (document_is_json_word(node)) {
        buf_add(&builder->literal, node->text);
    } else if (!is_one_placeholder(node->text, &inside)) {
        buf_add_byte(&builder->literal, '"');
        add_text(builder, node->text, node->place, add_escaped);
        buf_add_byte(&builder->literal, '"');
    } else if (!fans_out(inside)) {
        add_placeholder(builder, inside, node->place, PIECE_VALUE);
    } else if (may_spread) {
        add_placeholder(builder, inside, node->place, PIECE_SPREAD);
    } else {
        buf_add_byte(&builder->literal, '[');
        add_placeholder(builder, inside, node->place, PIECE_SPREAD);
        buf_add_byte(&builder->literal, ']');
    }
}

static void add_list(struct builder *builder, const struct document_node *list)
{
    buf_add_byte(&builder->literal, '[');
    for (size_t i = 0; i < list->count; i++) {
        const struct document_node *item = &list->items[i];
        if (i > 0)
            add_mark(builder, item->place, PIECE_COMMA);
        if (item->kind == DOCUMENT_SCALAR)
            add_scalar(builder, item, true);
        else
            add_node(builder, item);
    }
    add_mark(builder, list->place, PIECE_END);
    buf_add_byte(&builder->literal, ']');
}

static void add_map(struct builder *builder, const struct document_node *map)
{
    buf_add_byte(&builder->literal, '{');
    for (size_t i = 0; i < map->count; i++) {
        if (i > 0)
            buf_add_byte(&builder->literal, ',');
        buf_add_json_string(&builder->literal, map->entries[i].key);
        buf_add_byte(&builder->literal, ':');
        add_node(builder, &map->entries[i].value);
    }
    buf_add_byte(&builder->literal, '}');
}

/* As deep as the document, which is at most LIMIT_CONFIG_DEPTH. */
static void add_node(struct builder *builder, const struct document_node *node)
{
    switch (node->kind) {
    case DOCUMENT_SCALAR: add_scalar(builder, node, false); break;
    case DOCUMENT_LIST: add_list(builder, node); break;
    case DOCUMENT_MAP: add_map(builder, node); break;
    }
}

/* --- the three kinds of template */

static bool begin(struct builder *builder, unsigned sources, struct place place,
                  struct faults *faults)
{
    *builder = (struct builder){
        .template = calloc(1, sizeof *builder->template),
        .sources = sources,
        .faults = faults,
        .literal = {.max = LIMIT_CONFIG_BYTES},
    };
    if (!builder->template)
        break_off(builder, place, "out of memory");
    return builder->template != NULL;
}

static struct template *end(struct builder *builder, struct place place)
{
    end_literal(builder, place);
    buf_finish(&builder->literal);
    if (!builder->is_broken)
        return builder->template;
    template_destroy(builder->template);
    return NULL;
}

static bool is_scalar(const struct document_node *node, struct faults *faults)
{
    if (node->kind == DOCUMENT_SCALAR)
        return true;
    faults_add(faults, node->place, NULL, "this must be a text");
    return false;
}

struct template *template_of_json(const struct document_node *node, unsigned sources,
                                  struct faults *faults)
{
    struct builder builder;

    if (!begin(&builder, sources, node->place, faults))
        return NULL;
    if (node->kind == DOCUMENT_SCALAR)
        add_scalar(&builder, node, true);
    else
        add_node(&builder, node);
    return end(&builder, node->place);
}

static struct template *compile_text(const struct document_node *node, unsigned sources,
                                     struct faults *faults)
{
    struct builder builder;

    if (!is_scalar(node, faults) || !begin(&builder, sources, node->place, faults))
        return NULL;
    add_text(&builder, node->text, node->place, add_plain);
    return end(&builder, node->place);
}

static bool is_target(struct slice name)
{
    struct room_key key;

    return room_target_decode(SLICE("/"), name, &key) == ST_OK;
}

/* Is what the fixed parts make with an `x` in every gap a name? */
static bool is_name_with_gaps(const struct template *template)
{
    char name[LIMIT_ROOM_BYTES + 1];
    size_t len = 0;

    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->pieces[i];
        bool is_gap = piece->kind != PIECE_LITERAL;
        size_t n = is_gap ? 1 : piece->literal_len;
        if (len + n > sizeof name)
            return false;
        memcpy(name + len, is_gap ? "x" : piece->literal, n);
        len += n;
    }
    return template->is_name((struct slice){name, len});
}

static size_t fan_count(const struct template *template)
{
    size_t fans = 0;

    for (size_t i = 0; i < template->count; i++)
        if (template->pieces[i].kind != PIECE_LITERAL &&
            template->pieces[i].path.fan_at != TEMPLATE_NO_FAN)
            fans++;
    return fans;
}

/* Gives the template, or NULL when there is a reason why not. */
static struct template *unless(struct template *template, const char *why,
                               struct place place, struct faults *faults)
{
    if (!why)
        return template;
    faults_add(faults, place, NULL, "%s", why);
    template_destroy(template);
    return NULL;
}

struct template *template_of_text(const struct document_node *node, unsigned sources,
                                  struct faults *faults)
{
    struct template *template = compile_text(node, sources, faults);
    const char *why = template && fan_count(template) > 0
                          ? "a text has one value, so nothing in it may fan out"
                          : NULL;

    return unless(template, why, node->place, faults);
}

static struct template *compile_name(const struct document_node *node, unsigned sources,
                                     bool (*is_name)(struct slice name),
                                     struct faults *faults)
{
    struct template *template = compile_text(node, sources, faults);
    const char *why = NULL;

    if (!template)
        return NULL;
    template->is_name = is_name;
    if (!is_name_with_gaps(template))
        why = "a room's name is made of segments like project:7";
    else if (fan_count(template) > 1)
        why = "only one part of a room's name may fan out";
    return unless(template, why, node->place, faults);
}

struct template *template_of_room(const struct document_node *node, unsigned sources,
                                  struct faults *faults)
{
    return compile_name(node, sources, is_target, faults);
}

struct template *template_of_pattern(const struct document_node *node, unsigned sources,
                                     struct faults *faults)
{
    return compile_name(node, sources, room_pattern_is_valid, faults);
}

void template_destroy(struct template *template)
{
    if (!template)
        return;
    for (size_t i = 0; i < template->count; i++) {
        free(template->pieces[i].literal);
        template_path_finish(&template->pieces[i].path);
    }
    free(template->pieces);
    free(template);
}

unsigned template_uses(const struct template *template)
{
    return template->uses;
}

void template_each(const struct template *template, template_visit_fn *visit, void *ctx)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct template_path *path = &template->pieces[i].path;
        if (path->text)
            visit(ctx, path->source, path->names, (size_t)path->count,
                  slice_of(path->text));
    }
}

bool template_fans_out(const struct template *template)
{
    if (template->is_name)
        return fan_count(template) > 0;
    return template->count > 0 && template->pieces[0].kind == PIECE_SPREAD;
}

/* NOLINTEND(misc-no-recursion) */
