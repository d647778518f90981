/* What a refused client is told: see the header. */
#include "proto/auth_refusal.h"

#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>

enum {
    DATA_SOURCES = TEMPLATE_BIT(TEMPLATE_CODE) | TEMPLATE_BIT(TEMPLATE_MESSAGE) |
                   TEMPLATE_BIT(TEMPLATE_CONN) | TEMPLATE_BIT(TEMPLATE_NOW) |
                   TEMPLATE_BIT(TEMPLATE_UUID),
};

struct auth_refusals {
    char *texts[REFUSAL_COUNT]; /* NULL: ours */
    char *others;               /* "*"; NULL: ours */
    struct template *data;      /* NULL: ours */
};

static char **slot_of(struct auth_refusals *refusals, struct slice cause)
{
    if (slice_is(cause, "*"))
        return &refusals->others;
    for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
        if (slice_is(cause, refusal_reason((enum refusal)i)))
            return &refusals->texts[i];
    return NULL;
}

static void no_such_cause(const struct document_entry *entry, struct faults *faults)
{
    const char *words[REFUSAL_COUNT] = {"*"};

    for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
        words[i] = refusal_reason((enum refusal)i);
    faults_add_word(faults, entry->place, "no such cause of a refusal:", entry->key,
                    words, REFUSAL_COUNT);
}

static void read_text(struct auth_refusals *refusals, const struct document_entry *entry,
                      struct faults *faults)
{
    char **slot = slot_of(refusals, entry->key);

    if (!slot) {
        no_such_cause(entry, faults);
    } else if (entry->value.kind != DOCUMENT_SCALAR || entry->value.text.len == 0) {
        faults_add(faults, entry->value.place, NULL, "a refusal says something: a text");
    } else {
        free(*slot);
        *slot = slice_dup(entry->value.text);
        if (!*slot)
            rule_no_memory(entry->value.place, faults);
    }
}

struct auth_refusals *auth_refusals_compile(const struct document_node *texts,
                                            const struct document_node *data,
                                            struct faults *faults)
{
    struct auth_refusals *refusals = calloc(1, sizeof *refusals);
    size_t faults_before = rule_fault_count(faults);

    if (!refusals) {
        rule_no_memory((struct place){0}, faults);
        return NULL;
    }
    if (rule_map(texts, "refusal is a map: causes and their texts", faults) && texts)
        for (size_t i = 0; i < texts->count; i++)
            read_text(refusals, &texts->entries[i], faults);
    if (data)
        refusals->data = template_of_json(data, DATA_SOURCES, faults);
    if (rule_fault_count(faults) == faults_before)
        return refusals;
    auth_refusals_destroy(refusals);
    return NULL;
}

void auth_refusals_destroy(struct auth_refusals *refusals)
{
    if (!refusals)
        return;
    for (int i = 0; i < REFUSAL_COUNT; i++)
        free(refusals->texts[i]);
    free(refusals->others);
    template_destroy(refusals->data);
    free(refusals);
}

unsigned auth_refusals_uses(const struct auth_refusals *refusals)
{
    return refusals->data ? template_uses(refusals->data) : 0;
}

struct slice auth_refusal_text(const struct auth_refusals *refusals, enum refusal refusal)
{
    if (refusals->texts[refusal])
        return slice_of(refusals->texts[refusal]);
    return slice_of(refusals->others ? refusals->others : refusal_text(refusal));
}

static void add_plain_data(enum refusal refusal, struct slice hint,
                           const struct template_values *values, struct buf *out)
{
    buf_add_text(out, "{\"code\":");
    buf_add_json_string(out, values->code);
    buf_print(out, ",\"reason\":\"%s\",\"hint\":", refusal_reason(refusal));
    buf_add_json_string(out, hint);
    buf_add_byte(out, '}');
}

void auth_refusal_data(const struct auth_refusals *refusals, enum refusal refusal,
                       struct slice hint, const struct template_values *values,
                       struct buf *out)
{
    struct template_failure failure;
    struct buf data = {.max = out->max};

    if (refusals->data && !template_json(refusals->data, values, &data, &failure) &&
        buf_status(&data) == ST_OK)
        buf_add(out, buf_slice(&data));
    else
        add_plain_data(refusal, hint, values, out);
    buf_finish(&data);
}
