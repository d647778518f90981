/* Named rates: see the header. */
#include "proto/rate_rules.h"

#include "proto/limits.h"
#include "proto/rule_node.h"

#include <stdlib.h>

struct rate_rules {
    struct rate_rule *rows;
    const char **names; /* of the rows, for suggestions */
    size_t count;
    size_t per_socket;
};

static const char *const per_words[] = {"socket", "user", "ip"};
static const char *const then_words[] = {"ack", "drop", "disconnect", "warn"};

static void read_rate(struct rate_rule *row, const struct document_node *node,
                      struct place place, struct faults *faults)
{
    const char *reason = "is so many in a while: 10/5s";

    if (!node)
        faults_add(faults, place, NULL, "a rate needs rate: so many in a while, 10/5s");
    else if (node->kind != DOCUMENT_SCALAR ||
             token_rate_parse(node->text, &row->rate, &reason))
        faults_add(faults, node->place, NULL, "rate %s", reason);
}

static void read_choice(int *choice, const struct document_node *node, const char *what,
                        const char *const *words, size_t count, struct faults *faults)
{
    int at = node ? rule_word(node, what, words, count, faults) : 0;

    *choice = at < 0 ? 0 : at;
}

static void compile_row(struct rate_rules *rules, const struct document_entry *entry,
                        struct faults *faults)
{
    const struct document_node *node = &entry->value;
    struct rate_rule *row = &rules->rows[rules->count];
    char *name = slice_dup(entry->key);
    int per, then;

    row->name = (struct slice){name, name ? entry->key.len : 0};
    rules->names[rules->count] = name;
    row->index = rules->count++;
    if (!name)
        rule_no_memory(entry->place, faults);
    if (node->kind != DOCUMENT_MAP) {
        faults_add(faults, node->place, NULL,
                   "a rate is a map: {rate: 10/5s, per: socket, then: ack}");
        return;
    }
    read_rate(row, document_find(node, "rate"), entry->place, faults);
    read_choice(&per, document_find(node, "per"), "per", per_words,
                sizeof per_words / sizeof *per_words, faults);
    read_choice(&then, document_find(node, "then"), "then", then_words,
                sizeof then_words / sizeof *then_words, faults);
    row->per = (enum rate_per)per;
    row->then = (enum rate_then)then;
    if (row->per == RATE_PER_SOCKET)
        row->index = rules->per_socket++;
}

struct rate_rules *rate_rules_compile(const struct document_node *rates,
                                      struct faults *faults)
{
    struct rate_rules *rules = calloc(1, sizeof *rules);
    size_t before = rule_fault_count(faults);
    bool is_map = rule_map(rates, "rates is a map: a name to its rate", faults);
    size_t count = rates && is_map ? rates->count : 0;

    if (count > LIMIT_RATES)
        faults_add(faults, rates->place, NULL, "there are at most %d rates", LIMIT_RATES);

    if (rules) {
        rules->rows = calloc(count + 1, sizeof *rules->rows);
        rules->names = calloc(count + 1, sizeof *rules->names);
    }
    if (!rules || !rules->rows || !rules->names)
        rule_no_memory((struct place){0}, faults);
    else
        for (size_t i = 0; i < count; i++)
            compile_row(rules, &rates->entries[i], faults);
    if (rule_fault_count(faults) == before)
        return rules;
    rate_rules_destroy(rules);
    return NULL;
}

void rate_rules_destroy(struct rate_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++)
        free((char *)rules->rows[i].name.ptr);
    free(rules->rows);
    free(rules->names);
    free(rules);
}

const struct rate_rule *rate_rules_find(const struct rate_rules *rules,
                                        const struct document_node *name,
                                        struct faults *faults)
{
    int at = rule_word(name, "limit is one of limits.rates; it", rules->names,
                       rules->count, faults);

    return at < 0 ? NULL : &rules->rows[at];
}

size_t rate_rules_per_socket(const struct rate_rules *rules)
{
    return rules->per_socket;
}
