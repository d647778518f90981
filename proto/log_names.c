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
    "client connected",
    "client disconnected",
    "client refused",
    "room joined",
    "room left",
    "command failed",
    "heartbeat",
    "publish accepted",
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
enum {
    WORDS = sizeof words / sizeof *words
};

struct log_names {
    char *own[WORDS]; /* NULL: as it is */
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

static void compile_row(struct log_names *names, const struct document_entry *row,
                        struct faults *faults)
{
    size_t at = 0;

    while (at < WORDS && !slice_is(row->key, words[at]))
        at++;
    if (at == WORDS) {
        faults_add_word(faults, row->place, "no log line or field is called", row->key,
                        words, WORDS);
        return;
    }
    if (row->value.kind != DOCUMENT_SCALAR || !is_name(row->value.text)) {
        faults_add(faults, row->value.place, NULL,
                   "a name in the log is 1 to %d bytes of text in one line", NAME_BYTES);
        return;
    }
    names->own[at] = slice_dup(row->value.text);
    if (!names->own[at])
        rule_no_memory(row->value.place, faults);
}

struct log_names *log_names_compile(const struct document_node *node,
                                    struct faults *faults)
{
    const struct document_node *rows = document_find(node, "names");
    struct log_names *names = calloc(1, sizeof *names);
    size_t before = rule_fault_count(faults);

    if (!names) {
        rule_no_memory(node ? node->place : (struct place){0}, faults);
        return NULL;
    }
    if (rule_map(rows, "logs.names is a map", faults))
        for (size_t i = 0; rows && i < rows->count; i++)
            compile_row(names, &rows->entries[i], faults);
    if (rule_fault_count(faults) == before)
        return names;
    log_names_destroy(names);
    return NULL;
}

void log_names_destroy(struct log_names *names)
{
    for (size_t i = 0; names && i < WORDS; i++)
        free(names->own[i]);
    free(names);
}

const char *log_names_find(const struct log_names *names, const char *word)
{
    for (size_t i = 0; names && i < WORDS; i++)
        if (names->own[i] && strcmp(words[i], word) == 0)
            return names->own[i];
    return word;
}
