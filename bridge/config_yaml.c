/* Reading of YAML: see the header. */
#include "bridge/config_yaml.h"

#include "proto/limits.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A container that is open. */
struct frame {
    struct document_node node;
    struct slice key; /* of a map: whose value comes next; owned */
    struct place key_place;
    bool has_key;
};

struct reader {
    const char *file;
    yaml_parser_t parser;
    struct faults *faults;
    struct frame frames[LIMIT_CONFIG_DEPTH];
    size_t depth;
    struct document_node root;
    bool has_root;
    bool is_broken; /* no tree can come of it */
    bool has_fault;
};

static struct place place_of(const struct reader *reader, const yaml_mark_t *from,
                             const yaml_mark_t *to)
{
    return (struct place){
        .file = reader->file,
        .line = (unsigned)from->line + 1,
        .column = (unsigned)from->column + 1,
        .length = from->line == to->line ? (unsigned)(to->column - from->column) : 0,
    };
}

static struct place event_place(const struct reader *reader, const yaml_event_t *event)
{
    return place_of(reader, &event->start_mark, &event->end_mark);
}

static void complain(struct reader *reader, struct place place, const char *message)
{
    faults_add(reader->faults, place, NULL, "%s", message);
    reader->has_fault = true;
}

static void break_off(struct reader *reader, struct place place, const char *message)
{
    complain(reader, place, message);
    reader->is_broken = true;
}

/* --- what is no part of the subset, and is read as if it were not there */

static void check_extras(struct reader *reader, const yaml_event_t *event,
                         const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        complain(reader, event_place(reader, event), "anchors are not read here");
    if (tag)
        complain(reader, event_place(reader, event), "tags are not read here");
}

/* --- building: a node is whole before its parent gets it */

static struct slice text_of(struct reader *reader, const yaml_event_t *event)
{
    struct slice text = {(const char *)event->data.scalar.value,
                         event->data.scalar.length};
    char *copy = slice_dup(text);

    if (!copy)
        break_off(reader, event_place(reader, event), "out of memory");
    return (struct slice){copy, copy ? text.len : 0};
}

static void *grow(void *items, size_t count, size_t size)
{
    /* By doubling, without a field for it: at each power of two. */
    return count & (count - 1) ? items : realloc(items, (count ? 2 * count : 1) * size);
}

static bool append_item(struct document_node *list, const struct document_node *node)
{
    struct document_node *items = grow(list->items, list->count, sizeof *items);

    if (!items)
        return false;
    list->items = items;
    items[list->count++] = *node;
    return true;
}

static bool append_entry(struct document_node *map, const struct frame *frame,
                         const struct document_node *node)
{
    struct document_entry *entries = grow(map->entries, map->count, sizeof *entries);

    if (!entries)
        return false;
    map->entries = entries;
    entries[map->count++] = (struct document_entry){frame->key, frame->key_place, *node};
    return true;
}

/* Takes `node`. */
static void give(struct reader *reader, struct document_node *node)
{
    if (reader->depth == 0) {
        document_finish(&reader->root);
        reader->root = *node;
        reader->has_root = true;
        return;
    }
    struct frame *frame = &reader->frames[reader->depth - 1];
    bool is_list = frame->node.kind == DOCUMENT_LIST;
    bool is_kept = is_list ? append_item(&frame->node, node)
                           : append_entry(&frame->node, frame, node);
    if (!is_kept) {
        break_off(reader, node->place, "out of memory");
        document_finish(node);
        return;
    }
    if (!is_list) {
        frame->key = (struct slice){0};
        frame->has_key = false;
    }
}

static void begin_container(struct reader *reader, const yaml_event_t *event,
                            enum document_kind kind)
{
    if (reader->depth == LIMIT_CONFIG_DEPTH) {
        break_off(reader, event_place(reader, event), "this is nested too deep");
        return;
    }
    struct place place = event_place(reader, event);
    struct frame *frame = &reader->frames[reader->depth++];
    *frame = (struct frame){
        .node = {.kind = kind, .place = place}
    };
}

static void end_container(struct reader *reader)
{
    struct document_node node = reader->frames[--reader->depth].node;

    give(reader, &node);
}

static bool is_twice(const struct document_node *map, struct slice key)
{
    for (size_t i = 0; i < map->count; i++)
        if (slice_equal(map->entries[i].key, key))
            return true;
    return false;
}

/* A second value for a key is read, told, and kept: its faults are told too. */
static void take_key(struct reader *reader, struct frame *frame,
                     const yaml_event_t *event)
{
    frame->key = text_of(reader, event);
    frame->key_place = event_place(reader, event);
    frame->has_key = true;
    if (is_twice(&frame->node, frame->key))
        complain(reader, frame->key_place, "this key is here a second time");
}

static bool wants_key(const struct reader *reader)
{
    const struct frame *frame = reader->depth ? &reader->frames[reader->depth - 1] : NULL;

    return frame && frame->node.kind == DOCUMENT_MAP && !frame->has_key;
}

static void take_scalar(struct reader *reader, const yaml_event_t *event)
{
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    check_extras(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (wants_key(reader)) {
        take_key(reader, &reader->frames[reader->depth - 1], event);
        return;
    }
    struct document_node node = {
        .kind = DOCUMENT_SCALAR,
        .is_quoted = !is_plain,
        .text = text_of(reader, event),
        .place = event_place(reader, event),
    };
    give(reader, &node);
}

static void take(struct reader *reader, const yaml_event_t *event)
{
    bool is_container = event->type == YAML_SEQUENCE_START_EVENT ||
                        event->type == YAML_MAPPING_START_EVENT;

    if (is_container && wants_key(reader)) {
        break_off(reader, event_place(reader, event), "a key must be a word");
        return;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT: take_scalar(reader, event); break;
    case YAML_SEQUENCE_START_EVENT:
        check_extras(reader, event, event->data.sequence_start.anchor,
                     event->data.sequence_start.tag);
        begin_container(reader, event, DOCUMENT_LIST);
        break;
    case YAML_MAPPING_START_EVENT:
        check_extras(reader, event, event->data.mapping_start.anchor,
                     event->data.mapping_start.tag);
        begin_container(reader, event, DOCUMENT_MAP);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: end_container(reader); break;
    case YAML_ALIAS_EVENT:
        break_off(reader, event_place(reader, event), "aliases are not read here");
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (reader->has_root)
            break_off(reader, event_place(reader, event),
                      "one document is read, and this begins a second one");
        break;
    default: break;
    }
}

static void syntax_fault(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct place place = place_of(reader, &parser->problem_mark, &parser->problem_mark);

    faults_add(reader->faults, place, NULL, "%s%s%s",
               parser->problem ? parser->problem : "this cannot be read",
               parser->context ? " " : "", parser->context ? parser->context : "");
    reader->has_fault = reader->is_broken = true;
}

static void read_all(struct reader *reader)
{
    bool is_end = false;

    while (!is_end && !reader->is_broken) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event)) {
            syntax_fault(reader);
            return;
        }
        is_end = event.type == YAML_STREAM_END_EVENT;
        take(reader, &event);
        yaml_event_delete(&event);
    }
}

static void drop_frames(struct reader *reader)
{
    while (reader->depth > 0) {
        struct frame *frame = &reader->frames[--reader->depth];
        document_finish(&frame->node);
        free((char *)frame->key.ptr);
    }
}

/* An empty text, or one of comments alone, is a map without entries. */
static bool is_empty_text(const struct document_node *root)
{
    return root->kind == DOCUMENT_SCALAR && !root->is_quoted && root->text.len == 0;
}

bool config_yaml_read(const char *file, struct slice text, struct document_node *root,
                      struct faults *faults)
{
    struct reader reader = {.file = file, .faults = faults};
    struct place start = {.file = file, .line = 1, .column = 1};

    *root = (struct document_node){.kind = DOCUMENT_MAP};
    if (text.len > LIMIT_CONFIG_BYTES) {
        faults_add(faults, start, NULL, "the file is larger than 1 MiB");
        return false;
    }
    if (!yaml_parser_initialize(&reader.parser)) {
        faults_add(faults, start, NULL, "out of memory");
        return false;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.ptr,
                                 text.len);
    read_all(&reader);
    yaml_parser_delete(&reader.parser);
    drop_frames(&reader);
    if (reader.is_broken) {
        document_finish(&reader.root);
        return false;
    }
    if (!reader.has_root || is_empty_text(&reader.root)) {
        document_finish(&reader.root);
        reader.root = (struct document_node){.kind = DOCUMENT_MAP};
    }
    *root = reader.root;
    if (root->place.line == 0)
        root->place = start;
    return !reader.has_fault;
}
