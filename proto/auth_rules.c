/* Rules of authentication: see the header. */
#include "proto/auth_rules.h"

#include "proto/claim_rules.h"
#include "proto/room_name.h"
#include "proto/rule_node.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FROM_CLAIMS = TEMPLATE_BIT(TEMPLATE_CLAIMS),
    END_SOURCES = FROM_CLAIMS | TEMPLATE_BIT(TEMPLATE_USER) |
                  TEMPLATE_BIT(TEMPLATE_CONN) | TEMPLATE_BIT(TEMPLATE_CODE) |
                  TEMPLATE_BIT(TEMPLATE_MESSAGE) | TEMPLATE_BIT(TEMPLATE_NOW) |
                  TEMPLATE_BIT(TEMPLATE_UUID),
    DATA_BYTES = 64 * 1024,
    HINT_BYTES = 160,
};

/* One piece of `data`: its name with its quotes, and its value. */
struct auth_datum {
    char *key_json;
    struct template *value;
};

struct auth_rules {
    enum auth_mode mode;
    struct auth_sources *sources;
    struct claim_rules *require;
    bool has_require;
    struct template *user; /* NULL: sub */
    struct auth_datum *data;
    size_t data_count;
    struct auth_refusals *refusals;
    struct auth_event *event; /* NULL unless AUTH_EVENT */
    enum auth_end end;
    struct emission_list *end_emits;
    uint64_t every_ms, warn_ms;
};

static const char *const mode_words[] = {"handshake", "event", "none"};
static const char *const end_words[] = {"disconnect", "close", "none"};
enum {
    MODE_WORDS = sizeof mode_words / sizeof *mode_words,
    END_WORDS = sizeof end_words / sizeof *end_words
};

/* --- compiling */

static void read_mode(struct auth_rules *rules, const struct document_node *node,
                      struct faults *faults)
{
    const struct document_node *mode = document_find(node, "mode");
    const struct document_node *event = document_find(node, "event");
    int at = mode ? rule_word(mode, "auth.mode", mode_words, MODE_WORDS, faults)
                  : AUTH_HANDSHAKE;

    if (at < 0)
        return;
    rules->mode = (enum auth_mode)at;
    if (event)
        rules->event = auth_event_compile(event, faults);
    if (event && rules->mode != AUTH_EVENT)
        faults_add(faults, event->place, "mode: event",
                   "auth.event is read with mode: event only");
    if (!event && rules->mode == AUTH_EVENT)
        faults_add(faults, mode->place, NULL, "mode: event needs auth.event: its name");
}

static void read_user(struct auth_rules *rules, const struct document_node *user,
                      struct faults *faults)
{
    if (!user || (user->kind == DOCUMENT_SCALAR && slice_is(user->text, "{claims.sub}")))
        return;
    rules->user = template_of_text(user, FROM_CLAIMS, faults);
}

static void read_datum(struct auth_datum *datum, const struct document_entry *entry,
                       struct faults *faults)
{
    struct buf key = {.max = DATA_BYTES};

    if (slice_is(entry->key, "id"))
        faults_add(faults, entry->place, NULL, "{user.id} is what auth.user says");
    if (slice_is(entry->key, "last_seen"))
        faults_add(faults, entry->place, NULL,
                   "{user.last_seen} is what presence.last_seen keeps");
    buf_add_json_string(&key, entry->key);
    buf_add_byte(&key, '\0');
    if (buf_status(&key) == ST_OK)
        datum->key_json = buf_release(&key);
    else
        rule_no_memory(entry->place, faults);
    buf_finish(&key);
    datum->value = template_of_json(&entry->value, FROM_CLAIMS, faults);
}

static void read_data(struct auth_rules *rules, const struct document_node *data,
                      struct faults *faults)
{
    if (!rule_map(data, "auth.data is a map: names and templates", faults) || !data)
        return;
    rules->data = calloc(data->count + 1, sizeof *rules->data);
    if (!rules->data)
        rule_no_memory(data->place, faults);
    for (size_t i = 0; rules->data && i < data->count; i++)
        read_datum(&rules->data[rules->data_count++], &data->entries[i], faults);
}

static void read_duration(const struct document_node *node, const char *what,
                          uint64_t *ms, struct faults *faults)
{
    if (node)
        rule_duration(node, what, ms, faults);
}

static void read_expiry(struct auth_rules *rules, const struct document_node *expiry,
                        struct faults *faults)
{
    const struct document_node *then = document_find(expiry, "then");

    rule_map(expiry, "auth.expiry is a map: every, warn, emit, then", faults);
    read_duration(document_find(expiry, "every"), "auth.expiry.every", &rules->every_ms,
                  faults);
    read_duration(document_find(expiry, "warn"), "auth.expiry.warn", &rules->warn_ms,
                  faults);
    rules->end_emits = emission_list_compile(document_find(expiry, "emit"),
                                             "auth.expiry.emit", END_SOURCES, faults);
    if (then) {
        int at = rule_word(then, "auth.expiry.then", end_words, END_WORDS, faults);
        rules->end = at < 0 ? AUTH_END_DISCONNECT : (enum auth_end)at;
    }
}

struct auth_rules *auth_rules_compile(const struct document_node *node,
                                      struct faults *faults)
{
    struct auth_rules *rules = calloc(1, sizeof *rules);
    size_t faults_before = rule_fault_count(faults);
    const struct document_node *require = document_find(node, "require");

    if (!rules) {
        rule_no_memory((struct place){0}, faults);
        return NULL;
    }
    rule_map(node, "auth is a map: mode, from, jwt, …", faults);
    read_mode(rules, node, faults);
    rules->sources = auth_sources_compile(document_find(node, "from"),
                                          document_find(node, "strip"), faults);
    rules->require = claim_rules_compile(require, faults);
    rules->has_require = require != NULL;
    read_user(rules, document_find(node, "user"), faults);
    read_data(rules, document_find(node, "data"), faults);
    rules->refusals = auth_refusals_compile(document_find(node, "refusal"),
                                            document_find(node, "refusal_data"), faults);
    read_expiry(rules, document_find(node, "expiry"), faults);
    if (rule_fault_count(faults) == faults_before)
        return rules;
    auth_rules_destroy(rules);
    return NULL;
}

void auth_rules_destroy(struct auth_rules *rules)
{
    if (!rules)
        return;
    auth_sources_destroy(rules->sources);
    claim_rules_destroy(rules->require);
    template_destroy(rules->user);
    for (size_t i = 0; i < rules->data_count; i++) {
        free(rules->data[i].key_json);
        template_destroy(rules->data[i].value);
    }
    free(rules->data);
    auth_refusals_destroy(rules->refusals);
    auth_event_destroy(rules->event);
    emission_list_destroy(rules->end_emits);
    free(rules);
}

/* --- asking */

enum auth_mode auth_rules_mode(const struct auth_rules *rules)
{
    return rules->mode;
}

const struct auth_sources *auth_rules_sources(const struct auth_rules *rules)
{
    return rules->sources;
}

const struct auth_refusals *auth_rules_refusals(const struct auth_rules *rules)
{
    return rules->refusals;
}

const struct auth_event *auth_rules_event(const struct auth_rules *rules)
{
    return rules->event;
}

enum auth_end auth_rules_end(const struct auth_rules *rules)
{
    return rules->end;
}

const struct emission_list *auth_rules_end_emits(const struct auth_rules *rules)
{
    return rules->end_emits;
}

uint64_t auth_rules_every_ms(const struct auth_rules *rules)
{
    return rules->every_ms;
}

uint64_t auth_rules_warn_ms(const struct auth_rules *rules)
{
    return rules->warn_ms;
}

unsigned auth_rules_uses(const struct auth_rules *rules)
{
    unsigned uses = emission_uses(rules->end_emits) | auth_refusals_uses(rules->refusals);

    if (rules->event)
        uses |= auth_event_uses(rules->event);
    for (size_t i = 0; i < rules->data_count; i++)
        uses |= template_uses(rules->data[i].value);
    return rules->has_require || rules->user ? uses | FROM_CLAIMS : uses;
}

bool auth_rules_has_user(const struct auth_rules *rules)
{
    return rules->user != NULL;
}

static enum refusal lacks(const struct template_failure *failure, char hint[160])
{
    snprintf(hint, HINT_BYTES, "The token's {%.*s} %s.",
             (int)slice_first(failure->placeholder, 60).len, failure->placeholder.ptr,
             failure->reason);
    return REFUSAL_INVALID;
}

static enum refusal check_require(const struct auth_rules *rules, struct slice claims,
                                  char hint[160])
{
    const char *failed = "";

    if (claim_rules_hold(rules->require, claims, &failed))
        return REFUSAL_NONE;
    snprintf(hint, HINT_BYTES,
             "The token's claim \"%.60s\" is not what this server asks for.", failed);
    return slice_is(slice_of(failed), "active") ? REFUSAL_INACTIVE : REFUSAL_FORBIDDEN;
}

static enum refusal make_user(const struct auth_rules *rules,
                              const struct template_values *values, struct buf *user,
                              char hint[160])
{
    struct template_failure failure;

    if (!rules->user)
        return REFUSAL_NONE;
    if (template_text(rules->user, values, user, &failure))
        return lacks(&failure, hint);
    if (buf_status(user) == ST_OK && user_id_is_valid(buf_slice(user)))
        return REFUSAL_NONE;
    snprintf(hint, HINT_BYTES,
             "The token's claims make no user id: 1 to %d bytes without "
             "control characters.",
             LIMIT_USER_BYTES);
    return REFUSAL_INVALID;
}

static enum status add_data(const struct auth_rules *rules,
                            const struct template_values *values, struct buf *out,
                            struct template_failure *failure)
{
    enum status st = ST_OK;

    for (size_t i = 0; !st && i < rules->data_count; i++) {
        buf_add_byte(out, ',');
        buf_add_text(out, rules->data[i].key_json);
        buf_add_byte(out, ':');
        st = template_json(rules->data[i].value, values, out, failure);
    }
    return st;
}

enum refusal auth_rules_accept(const struct auth_rules *rules, struct slice claims,
                               struct buf *user, char hint[160])
{
    const struct template_values values = {.claims = claims};
    struct buf data = {.max = DATA_BYTES};
    struct template_failure failure;
    enum refusal refusal = check_require(rules, claims, hint);

    if (!refusal)
        refusal = make_user(rules, &values, user, hint);
    if (!refusal && add_data(rules, &values, &data, &failure))
        refusal = lacks(&failure, hint);
    buf_finish(&data);
    return refusal;
}

enum status auth_rules_user(const struct auth_rules *rules, struct slice claims,
                            struct slice user, struct buf *out)
{
    const struct template_values values = {.claims = claims};
    struct template_failure failure;

    if (user.len == 0) {
        buf_add_text(out, "{\"id\":null}"); /* nobody */
        return buf_status(out);
    }
    buf_add_text(out, "{\"id\":");
    buf_add_json_string(out, user);
    enum status st = add_data(rules, &values, out, &failure);
    buf_add_byte(out, '}');
    return st ? st : buf_status(out);
}
