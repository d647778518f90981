/* A system's own words in log lines: see the header. */
#include "proto/log_names.h"

#include "proto/rule_node.h"
#include "proto/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 128
};

/* Lines that a system may call otherwise, then their fields. docs/configuration.md lists
 * them. */
static const char *const words[] = {
    /* lines */
    "client connected",
    "client disconnected",
    "client refused",
    "room joined",
    "room left",
    "command failed",
    "heartbeat",
    "publish accepted",
    "publish refused by contract",
    "ready",
    "stopping",
    "stopped",
    /* fields */
    "sid",
    "user",
    "transport",
    "namespace",
    "request_id",
    "reason",
    "room",
    "rooms",
    "event",
    "id",
    "code",
    "round_trip_ms",
    "hint",
    "command",
    "caller",
};
/* The processes that write them. */
static const char *const parts[] = {"publisher", "gateway", "serve"};
enum {
    LINES = 12, /* of the words */
    WORDS = sizeof words / sizeof *words,
    PARTS = sizeof parts / sizeof *parts,
};

struct log_names {
    char *own[WORDS];              /* NULL: as it is */
    char *in_front[LINES + PARTS]; /* NULL: nothing of its own */
};

static bool is_name(struct slice text)
{
    if (text.len == 0 || text.len > NAME_BYTES || !utf8_is_valid(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return false;
    return true;
}

static size_t find(struct slice word, const char *const *list, size_t count)
{
    size_t at = 0;

    while (at < count && !slice_is(word, list[at]))
        at++;
    return at;
}

/* Gives a copy (free), or NULL after a fault. */
static char *copy_name(const struct document_node *node, struct faults *faults)
{
    char *copy = NULL;

    if (node->kind != DOCUMENT_SCALAR || !is_name(node->text))
        faults_add(faults, node->place, NULL,
                   "a name in the log is 1 to %d bytes of text in one line", NAME_BYTES);
    else if (!(copy = slice_dup(node->text)))
        rule_no_memory(node->place, faults);
    return copy;
}

/* What stands in braces is a field of some line. */
static void check_fields(struct slice name, struct place place, struct faults *faults)
{
    struct slice text, field;

    while (log_names_cut(&name, &text, &field))
        if (find(field, words + LINES, WORDS - LINES) == WORDS - LINES)
            faults_add_word(faults, place, "no field of a log line is called", field,
                            words + LINES, WORDS - LINES);
}

static void compile_name(struct log_names *names, const struct document_entry *row,
                         struct faults *faults)
{
    size_t at = find(row->key, words, WORDS);

    if (at == WORDS) {
        faults_add_word(faults, row->place, "no log line or field is called", row->key,
                        words, WORDS);
        return;
    }
    names->own[at] = copy_name(&row->value, faults);
    if (at < LINES && names->own[at])
        check_fields(slice_of(names->own[at]), row->value.place, faults);
}

static void compile_prefix(struct log_names *names, const struct document_entry *row,
                           struct faults *faults)
{
    const char *all[LINES + PARTS];

    for (size_t i = 0; i < LINES + PARTS; i++)
        all[i] = i < LINES ? words[i] : parts[i - LINES];
    size_t at = find(row->key, all, LINES + PARTS);
    if (at == LINES + PARTS)
        faults_add_word(faults, row->place, "no log line or process is called", row->key,
                        all, LINES + PARTS);
    else
        names->in_front[at] = copy_name(&row->value, faults);
}

struct log_names *log_names_compile(const struct document_node *node,
                                    struct faults *faults)
{
    const struct document_node *rows = document_find(node, "names");
    const struct document_node *prefixes = document_find(node, "prefixes");
    struct log_names *names = calloc(1, sizeof *names);
    size_t before = rule_fault_count(faults);

    if (!names) {
        rule_no_memory(node ? node->place : (struct place){0}, faults);
        return NULL;
    }
    if (rule_map(rows, "logs.names is a map", faults))
        for (size_t i = 0; rows && i < rows->count; i++)
            compile_name(names, &rows->entries[i], faults);
    if (rule_map(prefixes, "logs.prefixes is a map", faults))
        for (size_t i = 0; prefixes && i < prefixes->count; i++)
            compile_prefix(names, &prefixes->entries[i], faults);
    if (rule_fault_count(faults) == before)
        return names;
    log_names_destroy(names);
    return NULL;
}

void log_names_destroy(struct log_names *names)
{
    for (size_t i = 0; names && i < WORDS; i++)
        free(names->own[i]);
    for (size_t i = 0; names && i < LINES + PARTS; i++)
        free(names->in_front[i]);
    free(names);
}

const char *log_names_find(const struct log_names *names, const char *word)
{
    for (size_t i = 0; names && i < WORDS; i++)
        if (names->own[i] && strcmp(words[i], word) == 0)
            return names->own[i];
    return word;
}

const char *log_names_prefix(const struct log_names *names, const char *line,
                             const char *part)
{
    size_t at = find(slice_of(line), words, LINES);
    size_t of_part = LINES + find(slice_of(part), parts, PARTS);

    if (names && at < LINES && names->in_front[at])
        return names->in_front[at];
    if (names && of_part < LINES + PARTS && names->in_front[of_part])
        return names->in_front[of_part];
    return "";
}

bool log_names_cut(struct slice *name, struct slice *text, struct slice *field)
{
    struct slice rest;

    if (slice_cut(*name, '{', text, &rest) && slice_cut(rest, '}', field, name))
        return true;
    *text = *name;
    *name = *field = (struct slice){0};
    return false;
}

bool log_names_shows(const char *name, const char *field)
{
    struct slice rest = slice_of(name), text, shown;

    while (log_names_cut(&rest, &text, &shown))
        if (slice_is(shown, field))
            return true;
    return false;
}
