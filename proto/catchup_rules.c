/* Catch-up by time: see the header. */
#include "proto/catchup_rules.h"

#include "proto/limits.h"
#include "proto/moment.h"
#include "proto/rule_node.h"

#include <stdlib.h>

enum {
    ASK_SOURCES = TEMPLATE_BIT(TEMPLATE_AUTH) | TEMPLATE_BIT(TEMPLATE_CLAIMS) |
                  TEMPLATE_BIT(TEMPLATE_USER),
    DONE_SOURCES = ASK_SOURCES | TEMPLATE_BIT(TEMPLATE_CATCHUP) |
                   TEMPLATE_BIT(TEMPLATE_CONN) | TEMPLATE_BIT(TEMPLATE_NOW) |
                   TEMPLATE_BIT(TEMPLATE_UUID),
    DEFAULT_PER_ROOM = 50,
    DEFAULT_TOTAL = 500,
    DEFAULT_TTL_MS = 300000,
};

struct catchup_rules {
    struct template *from; /* NULL: nobody can ask */
    enum moment_unit unit;
    struct catchup_limits limits;
    struct emission_list *done;
    bool only_if_cut;
};

const struct catchup_limits catchup_defaults = {DEFAULT_PER_ROOM, DEFAULT_TOTAL,
                                                DEFAULT_TTL_MS, false};

/* --- compiling --- */

/* From `least` on. */
static bool read_count(const struct document_node *node, const char *what, uint64_t least,
                       uint32_t *count, struct faults *faults)
{
    uint64_t value;

    if (!node)
        return true;
    if (node->kind == DOCUMENT_SCALAR && slice_to_u64(node->text, &value) &&
        value >= least && value <= LIMIT_PAST_EVENTS) {
        *count = (uint32_t)value;
        return true;
    }
    faults_add(faults, node->place, NULL, "%s must be a whole number from %d to %d", what,
               (int)least, LIMIT_PAST_EVENTS);
    return false;
}

static void read_from(struct catchup_rules *rules, const struct document_node *map,
                      struct faults *faults)
{
    const struct document_node *from = document_find(map, "from");

    if (!from) {
        faults_add(faults, map->place, NULL,
                   "catchup needs from: where a client says when its last event was, for "
                   "instance \"{auth.since}\"");
        return;
    }
    rules->from = template_of_json(from, ASK_SOURCES, faults);
    if (rules->from && template_uses(rules->from) == 0)
        faults_add(faults, from->place, NULL,
                   "catchup.from is the same for every client: \"{auth.since}\" is what "
                   "one sends with its CONNECT");
}

static void read_words(struct catchup_rules *rules, const struct document_node *map,
                       struct faults *faults)
{
    static const char *const units[] = {"auto", "ms", "s", "iso"};
    static const char *const orders[] = {"newest", "oldest"};
    const struct document_node *unit = document_find(map, "unit");
    const struct document_node *order = document_find(map, "order");
    int at;

    if (unit && (at = rule_word(unit, "catchup.unit", units, 4, faults)) >= 0)
        rules->unit = (enum moment_unit)at;
    if (order && (at = rule_word(order, "catchup.order", orders, 2, faults)) >= 0)
        rules->limits.oldest_first = at == 1;
}

/* A client is told that events are missing, whether the file thought of it or not. */
static struct emission_list *default_done(struct faults *faults)
{
    struct document_entry entries[] = {
        {.key = SLICE("event"),   .value = {.text = SLICE("catchup")}  },
        {.key = SLICE("payload"), .value = {.text = SLICE("{catchup}")}},
    };
    const struct document_node row = {
        .kind = DOCUMENT_MAP, .count = 2, .entries = entries};

    return emission_list_compile(&row, "catchup.done", DONE_SOURCES, faults);
}

static void read_map(struct catchup_rules *rules, const struct document_node *map,
                     struct faults *faults)
{
    const struct document_node *done = document_find(map, "done");
    const struct document_node *ttl = document_find(map, "ttl");

    read_from(rules, map, faults);
    read_words(rules, map, faults);
    read_count(document_find(map, "per_room"), "catchup.per_room", 1,
               &rules->limits.per_room, faults);
    read_count(document_find(map, "total"), "catchup.total", 1, &rules->limits.total,
               faults);
    if (ttl)
        rule_duration(ttl, "catchup.ttl", &rules->limits.ttl_ms, faults);
    rules->only_if_cut = !done;
    rules->done = done ? emission_list_compile(done, "catchup.done", DONE_SOURCES, faults)
                       : default_done(faults);
}

struct catchup_rules *catchup_rules_compile(const struct document_node *node,
                                            struct faults *faults)
{
    struct catchup_rules *rules = calloc(1, sizeof *rules);
    size_t faults_before = rule_fault_count(faults);

    if (!rules) {
        rule_no_memory((struct place){0}, faults);
        return NULL;
    }
    rules->limits = catchup_defaults;
    if (node && rule_map(node,
                         "catchup is a map: from, unit, per_room, total, ttl, order, "
                         "done",
                         faults))
        read_map(rules, node, faults);
    if (rule_fault_count(faults) == faults_before)
        return rules;
    catchup_rules_destroy(rules);
    return NULL;
}

void catchup_rules_destroy(struct catchup_rules *rules)
{
    if (!rules)
        return;
    template_destroy(rules->from);
    emission_list_destroy(rules->done);
    free(rules);
}

bool room_history_read(const struct document_node *node, struct room_history *history,
                       struct faults *faults)
{
    const struct document_node *ttl = document_find(node, "ttl");
    const struct document_node *on_join = document_find(node, "on_join");
    size_t faults_before = rule_fault_count(faults);

    *history = (struct room_history){
        .size = DEFAULT_PER_ROOM,
        .ttl_ms = DEFAULT_TTL_MS,
    };
    if (!node || !rule_map(node, "rooms[].history is a map: size, ttl, on_join", faults))
        return !node;
    history->is_set = true;
    read_count(document_find(node, "size"), "history.size", 0, &history->size, faults);
    if (ttl)
        rule_duration(ttl, "history.ttl", &history->ttl_ms, faults);
    if (on_join)
        rule_switch(on_join, "history.on_join", &history->goes_to_join, faults);
    if (history->goes_to_join && history->size == 0)
        faults_add(faults, on_join->place, NULL,
                   "history.on_join: a history of size 0 has nothing to give");
    return rule_fault_count(faults) == faults_before;
}

/* --- asking --- */

unsigned catchup_rules_uses(const struct catchup_rules *rules)
{
    unsigned uses = rules->from ? template_uses(rules->from) : 0;

    return rules->done ? uses | emission_uses(rules->done) : uses;
}

const struct catchup_limits *catchup_rules_limits(const struct catchup_rules *rules)
{
    return &rules->limits;
}

static bool says_nothing(struct slice json)
{
    return json.len == 0 || slice_is(json, "null") || slice_is(json, "\"\"") ||
           slice_is(json, "false");
}

enum catchup_wish catchup_rules_since(const struct catchup_rules *rules,
                                      const struct template_values *values,
                                      struct buf *scratch, int64_t *since_ms)
{
    struct template_failure failure = {0};

    if (!rules->from)
        return CATCHUP_UNASKED;
    buf_clear(scratch);
    if (template_json(rules->from, values, scratch, &failure) || buf_status(scratch) ||
        says_nothing(buf_slice(scratch)))
        return CATCHUP_UNASKED;
    return moment_read(buf_slice(scratch), rules->unit, since_ms) ? CATCHUP_ASKED
                                                                  : CATCHUP_UNREADABLE;
}

const struct emission_list *catchup_rules_done(const struct catchup_rules *rules,
                                               bool *only_if_cut)
{
    *only_if_cut = rules->only_if_cut;
    return rules->done;
}
