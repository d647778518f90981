/* Rules of rooms: see the header. */
#include "proto/room_rules.h"

#include "proto/claim_rules.h"
#include "proto/limits.h"
#include "proto/room_name.h"
#include "proto/rule_node.h"
#include "proto/template.h"

#include <stdlib.h>
#include <string.h>

struct room_rule {
    struct template *pattern;
    struct slice text; /* of the pattern, as written; for its rank */
    enum room_allow allow;
    struct claim_rules *require;
    bool has_require;
    enum room_publish publish;
    struct claim_rules *publish_require; /* NULL: asks for no claims */
    bool is_hidden;
    char *any; /* the pattern, for whomever it is */
    uint64_t max_members;
    struct room_history history;
};

struct room_rules {
    struct room_rule *rows; /* the most specific first */
    size_t count;
    bool hides_some;
    bool gives_on_join;
};

static const char *const allow_words[] = {"token", "any", "none", "claim"};
static const char *const publish_words[] = {"any", "members", "none"};
enum {
    ALLOW_WORDS = sizeof allow_words / sizeof *allow_words,
    PUBLISH_WORDS = sizeof publish_words / sizeof *publish_words,
};

/* --- rank: segment by segment, a name before `*` before `**` */

static int rank_of(struct slice segment)
{
    if (slice_is(segment, "**"))
        return 2;
    return slice_is(segment, "*") ? 1 : 0;
}

/* Below 0: `a` is the more specific one. A shorter one counts as if it went on with
 * names: an order has to hold among patterns that never match the same room, too. */
static int compare_patterns(struct slice a, struct slice b)
{
    bool a_goes_on, b_goes_on;
    int difference;

    do {
        struct slice x, y;
        a_goes_on = slice_cut(a, ':', &x, &a);
        b_goes_on = slice_cut(b, ':', &y, &b);
        difference = rank_of(x) - rank_of(y);
    } while (difference == 0 && (a_goes_on || b_goes_on));
    return difference;
}

/* Few, and sorted once: by insertion, so that equal ones stay in the order of the file.
 */
static void sort_rows(struct room_rules *rules)
{
    for (size_t i = 1; i < rules->count; i++) {
        struct room_rule row = rules->rows[i];
        size_t at = i;
        for (; at > 0 && compare_patterns(rules->rows[at - 1].text, row.text) > 0; at--)
            rules->rows[at] = rules->rows[at - 1];
        rules->rows[at] = row;
    }
}

/* --- compiling */

static bool read_allow(struct room_rule *row, const struct document_node *node,
                       struct faults *faults)
{
    const struct document_node *allow = document_find(node, "allow");

    if (!allow)
        return true; /* the token decides */
    int at = rule_word(allow, "allow", allow_words, ALLOW_WORDS, faults);
    if (at >= 0)
        row->allow = (enum room_allow)at;
    return at >= 0;
}

static bool read_publish(struct room_rule *row, const struct document_node *node,
                         struct faults *faults)
{
    const struct document_node *publish = document_find(node, "publish");
    int at;

    if (!publish)
        return true; /* the command decides */
    if (publish->kind == DOCUMENT_MAP) {
        row->publish = ROOM_PUBLISH_CLAIM;
        row->publish_require = claim_rules_compile(publish, faults);
        return row->publish_require != NULL;
    }
    at = rule_word(publish, "publish", publish_words, PUBLISH_WORDS, faults);
    if (at >= 0)
        row->publish = (enum room_publish)at;
    return at >= 0;
}

/* A segment with a placeholder becomes `*`. */
static char *pattern_for_whomever(struct slice text)
{
    struct buf out = {.max = text.len + 2};
    struct slice segment;
    bool goes_on;

    do {
        goes_on = slice_cut(text, ':', &segment, &text);
        bool has_placeholder = segment.len > 0 && memchr(segment.ptr, '{', segment.len);
        buf_add(&out, has_placeholder ? SLICE("*") : segment);
        if (goes_on)
            buf_add_byte(&out, ':');
    } while (goes_on);
    buf_add_byte(&out, '\0');
    if (!buf_status(&out))
        return buf_release(&out);
    buf_finish(&out);
    return NULL;
}

static bool read_hidden(struct room_rule *row, const struct document_node *node,
                        struct faults *faults)
{
    const struct document_node *hidden = document_find(node, "hidden");

    if (hidden && !rule_switch(hidden, "hidden", &row->is_hidden, faults))
        return false;
    row->any = row->pattern ? pattern_for_whomever(row->text) : NULL;
    return row->any != NULL;
}

static bool read_max_members(struct room_rule *row, const struct document_node *node,
                             struct faults *faults)
{
    const struct document_node *max = document_find(node, "max_members");

    if (!max)
        return true;
    if (max->kind == DOCUMENT_SCALAR && slice_to_u64(max->text, &row->max_members) &&
        row->max_members > 0)
        return true;
    faults_add(faults, max->place, NULL, "max_members must be a whole number from 1 on");
    return false;
}

static bool read_pattern(struct room_rule *row, const struct document_node *node,
                         struct faults *faults)
{
    const struct document_node *match = document_find(node, "match");
    char *text;

    if (!match) {
        faults_add(faults, node->place, NULL, "a row of rooms needs match: a pattern");
        return false;
    }
    row->pattern = template_of_pattern(match, TEMPLATE_BIT(TEMPLATE_CLAIMS), faults);
    text = slice_dup(match->text);
    row->text = (struct slice){text, text ? match->text.len : 0};
    return row->pattern && text;
}

/* All faults of a row, not the first. */
static bool compile_row(struct room_rule *row, const struct document_node *node,
                        struct faults *faults)
{
    const struct document_node *require = document_find(node, "require");

    if (node->kind != DOCUMENT_MAP) {
        faults_add(faults, node->place, NULL, "a row of rooms is a map: match, allow, …");
        return false;
    }
    bool is_good = read_pattern(row, node, faults);
    is_good &= read_allow(row, node, faults);
    is_good &= read_publish(row, node, faults);
    is_good &= read_hidden(row, node, faults);
    is_good &= read_max_members(row, node, faults);
    is_good &= room_history_read(document_find(node, "history"), &row->history, faults);
    row->require = claim_rules_compile(require, faults);
    row->has_require = require != NULL;
    if (row->allow == ROOM_ALLOW_CLAIM && !require) {
        faults_add(faults, node->place, NULL, "allow: claim needs require: the claims");
        return false;
    }
    return is_good && row->require;
}

struct room_rules *room_rules_compile(const struct document_node *node,
                                      struct faults *faults)
{
    struct room_rules *rules = calloc(1, sizeof *rules);
    size_t faults_before = faults->count + faults->left_out;
    size_t count = node && node->kind == DOCUMENT_LIST ? node->count : 0;

    if (node && node->kind != DOCUMENT_LIST)
        faults_add(faults, node->place, NULL, "rooms is a list of rows");
    if (rules)
        rules->rows = calloc(count ? count : 1, sizeof *rules->rows);
    if (!rules || !rules->rows)
        faults_add(faults, (struct place){0}, NULL, "out of memory");
    for (size_t i = 0; rules && rules->rows && i < count; i++) {
        rules->count++;
        compile_row(&rules->rows[i], &node->items[i], faults);
        rules->hides_some |= rules->rows[i].is_hidden;
        rules->gives_on_join |= rules->rows[i].history.goes_to_join;
    }
    if (rules && faults->count + faults->left_out == faults_before) {
        sort_rows(rules);
        return rules;
    }
    room_rules_destroy(rules);
    return NULL;
}

void room_rules_destroy(struct room_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++) {
        template_destroy(rules->rows[i].pattern);
        claim_rules_destroy(rules->rows[i].require);
        claim_rules_destroy(rules->rows[i].publish_require);
        free(rules->rows[i].any);
        free((char *)rules->rows[i].text.ptr);
    }
    free(rules->rows);
    free(rules);
}

/* --- asking */

struct question {
    struct slice name;
    bool matches;
};

static enum status ask(void *ctx, struct slice pattern)
{
    struct question *question = ctx;

    if (room_pattern_matches(pattern, question->name))
        question->matches = true;
    return ST_OK;
}

/* A claim that is missing, or fits in no name, makes a pattern that matches nothing. */
static bool row_matches(const struct room_rule *row, const struct template_values *values,
                        struct slice name, struct buf *scratch)
{
    struct template_failure failure;
    struct question question = {.name = name};

    if (template_rooms(row->pattern, values, scratch, ask, &question, &failure))
        return false;
    return question.matches;
}

const struct room_rule *room_rules_find(const struct room_rules *rules,
                                        struct slice claims, struct slice name,
                                        struct buf *scratch)
{
    struct template_values values = {.claims = claims};

    for (size_t i = 0; i < rules->count; i++)
        if (row_matches(&rules->rows[i], &values, name, scratch))
            return &rules->rows[i];
    return NULL;
}

unsigned room_rules_uses(const struct room_rules *rules)
{
    unsigned uses = 0;

    for (size_t i = 0; i < rules->count; i++) {
        uses |= template_uses(rules->rows[i].pattern);
        if (rules->rows[i].has_require || rules->rows[i].publish_require)
            uses |= TEMPLATE_BIT(TEMPLATE_CLAIMS);
    }
    return uses;
}

enum room_allow room_rule_allow(const struct room_rule *rule)
{
    return rule->allow;
}

bool room_rule_requires_met(const struct room_rule *rule, struct slice claims,
                            const char **failed)
{
    return claim_rules_hold(rule->require, claims, failed);
}

enum room_publish room_rule_publish(const struct room_rule *rule)
{
    return rule->publish;
}

bool room_rule_publish_met(const struct room_rule *rule, struct slice claims)
{
    const char *failed;

    return !rule->publish_require ||
           claim_rules_hold(rule->publish_require, claims, &failed);
}

bool room_rules_hide(const struct room_rules *rules, struct slice name)
{
    for (size_t i = 0; rules->hides_some && i < rules->count; i++)
        if (room_pattern_matches(slice_of(rules->rows[i].any), name))
            return rules->rows[i].is_hidden;
    return false;
}

const struct room_history *room_rule_history(const struct room_rule *rule)
{
    return &rule->history;
}

bool room_rules_give_on_join(const struct room_rules *rules)
{
    return rules->gives_on_join;
}

uint64_t room_rule_max_members(const struct room_rule *rule)
{
    return rule->max_members;
}
