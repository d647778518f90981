/* What compiling and rendering of templates share; nobody else includes it. */
#ifndef PROTO_TEMPLATE_PARTS_H
#define PROTO_TEMPLATE_PARTS_H

#include "proto/limits.h"
#include "proto/template.h"

enum {
    TEMPLATE_NO_FAN = -1
};

/* "args.0.rooms[].id": a source, names below it, and the one that is fanned out. */
struct template_path {
    char *text;    /* as written, without braces */
    char *storage; /* the same, cut into `names` */
    enum template_source source;
    const char *names[LIMIT_TEMPLATE_PATH];
    int count;
    int fan_at;        /* the items of what names[0…fan_at-1] lead to */
    size_t first_item; /* {args[1..]}: from this one on */
};

enum piece_kind {
    PIECE_LITERAL,
    PIECE_VALUE,  /* a JSON value as it is */
    PIECE_TEXT,   /* a scalar inside a string or a text */
    PIECE_SPREAD, /* the items of an array, with commas between them */
    PIECE_COMMA,  /* before the next item, when there is one */
    PIECE_END     /* of a list: no comma stays behind */
};

struct piece {
    enum piece_kind kind;
    char *literal;
    size_t literal_len;
    struct template_path path;
};

/* A template is a flat program: rendering walks it once. */
struct template
{
    struct piece *pieces;
    size_t count;
    unsigned uses;
    bool (*is_name)(struct slice name); /* the grammar of what a room gives */
};

/* Which of the sources is followed by names, and which; for compiling. */
struct template_source_row {
    const char *name;
    const char *const *below; /* NULL: anything, or nothing (see is_tree) */
    bool is_tree;             /* names may follow */
    bool stands_alone;        /* also without one of those below */
};
extern const struct template_source_row template_sources[TEMPLATE_SOURCE_COUNT];

/* Reads what stands between the braces. False: one fault was added. */
bool template_path_read(struct slice text, struct place place, unsigned sources,
                        struct template_path *path, struct faults *faults);
void template_path_finish(struct template_path *path);

#endif
