/* Faults of a configuration: see the header. */
#include "proto/faults.h"

#include "proto/limits.h"
#include "proto/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_BYTES = 320,
    MARK_BYTES_MAX = 60 /* longer texts are marked at their beginning */
};

static bool keep(struct faults *faults, struct fault *fault)
{
    if (!fault->message || faults->count == LIMIT_FAULTS)
        return false;
    struct fault *items =
        realloc(faults->items, (faults->count + 1) * sizeof *faults->items);
    if (!items)
        return false;
    faults->items = items;
    items[faults->count++] = *fault;
    return true;
}

void faults_add(struct faults *faults, struct place place, const char *hint,
                const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    struct fault fault = {place, strdup(message), hint ? strdup(hint) : NULL};
    if (!keep(faults, &fault)) {
        free(fault.message);
        free(fault.hint);
        faults->left_out++;
    }
}

void faults_add_word(struct faults *faults, struct place place, const char *what,
                     struct slice word, const char *const *words, size_t count)
{
    const char *nearest = suggest_nearest(word, words, count);
    char hint[MESSAGE_BYTES];

    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    faults_add(faults, place, nearest ? hint : NULL, "%s \"%.*s\"", what,
               (int)(word.len < MARK_BYTES_MAX ? word.len : MARK_BYTES_MAX),
               word.len ? word.ptr : "");
}

bool faults_are_none(const struct faults *faults)
{
    return faults->count == 0 && faults->left_out == 0;
}

static int compare_places(const struct place *a, const struct place *b)
{
    int files = strcmp(a->file ? a->file : "", b->file ? b->file : "");

    if (files != 0)
        return files;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

/* Few, and mostly in order: by insertion, which keeps equal ones as they are. */
void faults_sort(struct faults *faults)
{
    for (size_t i = 1; i < faults->count; i++) {
        struct fault fault = faults->items[i];
        size_t at = i;
        for (; at > 0 && compare_places(&faults->items[at - 1].place, &fault.place) > 0;
             at--)
            faults->items[at] = faults->items[at - 1];
        faults->items[at] = fault;
    }
}

static void drop(struct fault *fault)
{
    free(fault->message);
    free(fault->hint);
}

void faults_drop_echoes(struct faults *faults)
{
    size_t kept = 0;

    faults_sort(faults);
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->items[i];
        bool is_echo = kept > 0 && fault->place.line > 0 &&
                       compare_places(&faults->items[kept - 1].place, &fault->place) == 0;
        if (is_echo)
            drop(fault);
        else
            faults->items[kept++] = *fault;
    }
    faults->count = kept;
}

/* The nth line of a text, without its end. */
static struct slice line_of(struct slice source, unsigned line)
{
    struct slice head = {0};

    for (unsigned i = 0; i < line; i++)
        if (!slice_cut(source, '\n', &head, &source) && i + 1 < line)
            return (struct slice){0};
    if (head.len > 0 && head.ptr[head.len - 1] == '\r')
        head.len--;
    return head;
}

static void print_mark(const struct fault *fault, struct slice line, struct buf *out)
{
    const struct place *place = &fault->place;
    size_t length = place->length ? place->length : 1;

    if (length > MARK_BYTES_MAX)
        length = MARK_BYTES_MAX;
    buf_print(out, "%5u | %.*s\n      | ", place->line, (int)line.len, line.ptr);
    /* Tabs stay tabs, so that the mark stands under what it marks. */
    for (unsigned i = 0; i + 1 < place->column; i++)
        buf_add_byte(out, i < line.len && line.ptr[i] == '\t' ? '\t' : ' ');
    for (size_t i = 0; i < length; i++)
        buf_add_byte(out, '^');
    if (fault->hint)
        buf_print(out, " %s", fault->hint);
    buf_add_byte(out, '\n');
}

void fault_print(const struct fault *fault, struct slice source, struct buf *out)
{
    const struct place *place = &fault->place;
    struct slice line = line_of(source, place->line);

    if (place->file && place->line)
        buf_print(out, "%s:%u:%u: ", place->file, place->line, place->column);
    else if (place->file)
        buf_print(out, "%s: ", place->file);
    buf_add_text(out, fault->message);
    if (line.len == 0 && fault->hint)
        buf_print(out, ": %s", fault->hint);
    buf_add_byte(out, '\n');
    if (line.len > 0)
        print_mark(fault, line, out);
}

void faults_finish(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        drop(&faults->items[i]);
    free(faults->items);
    *faults = (struct faults){0};
}
