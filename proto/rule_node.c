/* Readers that several tables share: see the header. */
#include "proto/rule_node.h"

#include "proto/limits.h"
#include "proto/sio.h"
#include "proto/units.h"

#include <stdio.h>

int rule_word(const struct document_node *node, const char *what,
              const char *const *words, size_t count, struct faults *faults)
{
    char sentence[80];

    for (size_t i = 0; node->kind == DOCUMENT_SCALAR && i < count; i++)
        if (slice_is(node->text, words[i]))
            return (int)i;
    if (node->kind != DOCUMENT_SCALAR) {
        faults_add(faults, node->place, NULL, "%s is one word", what);
        return -1;
    }
    snprintf(sentence, sizeof sentence, "%s cannot be", what);
    faults_add_word(faults, node->place, sentence, node->text, words, count);
    return -1;
}

bool rule_switch(const struct document_node *node, const char *what, bool *value,
                 struct faults *faults)
{
    static const char *const words[] = {"true", "on", "false", "off"};
    int at = rule_word(node, what, words, sizeof words / sizeof *words, faults);

    *value = at == 0 || at == 1;
    return at >= 0;
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

static const char *name_fault(const struct document_node *node)
{
    if (node->kind != DOCUMENT_SCALAR || node->text.len == 0)
        return "must be the name of an event";
    if (node->text.len > LIMIT_EVENT_NAME_BYTES)
        return "is longer than 128 bytes";
    if (has_control(node->text))
        return "has a control character";
    if (event_name_is_reserved(node->text))
        return "is a name that the protocol keeps for itself";
    return NULL;
}

char *rule_event_name(const struct document_node *node, const char *what,
                      struct faults *faults)
{
    const char *fault = name_fault(node);
    char *name = fault ? NULL : slice_dup(node->text);

    if (fault)
        faults_add(faults, node->place, NULL, "%s %s", what, fault);
    else if (!name)
        rule_no_memory(node->place, faults);
    return name;
}

bool rule_duration(const struct document_node *node, const char *what, uint64_t *ms,
                   struct faults *faults)
{
    const char *reason = "is a duration: 250ms, 25s, 5m or 1h";

    if (node->kind == DOCUMENT_SCALAR &&
        units_parse_duration(node->text, ms, &reason) == ST_OK && *ms > 0)
        return true;
    faults_add(faults, node->place, NULL, "%s %s", what, reason);
    return false;
}

bool rule_map(const struct document_node *node, const char *what, struct faults *faults)
{
    if (!node || node->kind == DOCUMENT_MAP)
        return true;
    faults_add(faults, node->place, NULL, "%s", what);
    return false;
}

void rule_no_memory(struct place place, struct faults *faults)
{
    faults_add(faults, place, NULL, "out of memory");
}

size_t rule_fault_count(const struct faults *faults)
{
    return faults->count + faults->left_out;
}
