/*
 * Checking a value against a contract: see contract.h. The value is walked as bytes. A
 * check within a check goes one level deeper, which CONTRACT_MAX_DEPTH bounds, and takes
 * from the steps of the whole, whatever schema and value do together. Once they are
 * spent nothing holds and nothing else is told.
 */
#include "proto/contract_parts.h"

#include "proto/contract_report.h"
#include "proto/contract_unique.h"

#include "proto/json_equal.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): run->depth bounds it. */

struct run {
    const struct contract *contract;
    struct contract_report *report; /* NULL: nobody wants to know why */
    struct steps *steps;            /* of the whole check */
    unsigned depth;
    bool has_given_up;
};

static bool holds(struct run *run, int number, const struct json_value *value,
                  const struct step *step);

/* --- telling */

__attribute__((format(printf, 4, 5))) static bool breaks(struct run *run,
                                                         const struct step *step,
                                                         const char *expected,
                                                         const char *format, ...)
{
    bool is_spent = run->steps->left == 0;
    struct contract_error *error =
        is_spent ? NULL : contract_report_add(run->report, step, expected);
    va_list args;

    if (!error)
        return false;
    va_start(args, format);
    vsnprintf(error->detail, sizeof error->detail, format, args);
    va_end(args);
    return false;
}

/* The steps are spent: told once, at the innermost value that was worked on. */
static bool gives_up(struct run *run, const struct step *step)
{
    struct contract_error *error =
        run->has_given_up ? NULL : contract_report_add(run->report, step, "budget");

    run->has_given_up = true;
    if (error)
        snprintf(error->detail, sizeof error->detail, "takes too long to check");
    return false;
}

/* Is there nothing more to find out? */
static bool is_decided(const struct run *run, bool good)
{
    return run->steps->left == 0 ||
           (!good && (!run->report || run->report->count == CONTRACT_MAX_ERRORS));
}

/* Whether a schema holds, without a word when it does not. */
static bool holds_silently(struct run *run, int number, const struct json_value *value)
{
    struct run quiet = {
        .contract = run->contract, .steps = run->steps, .depth = run->depth};

    return holds(&quiet, number, value, NULL);
}

/* --- type and value */

static bool is_integer(struct slice number)
{
    double value = json_equal_number(number);

    return value == floor(value) && !isinf(value);
}

static unsigned types_of(const struct json_value *value)
{
    switch (value->type) {
    case JSON_GATE_NULL: return TYPE_NULL;
    case JSON_GATE_TRUE:
    case JSON_GATE_FALSE: return TYPE_BOOLEAN;
    case JSON_GATE_OBJECT: return TYPE_OBJECT;
    case JSON_GATE_ARRAY: return TYPE_ARRAY;
    case JSON_GATE_STRING: return TYPE_STRING;
    default: return TYPE_NUMBER | (is_integer(value->text) ? TYPE_INTEGER : 0);
    }
}

static bool type_holds(struct run *run, const struct schema *schema,
                       const struct json_value *value, const struct step *step)
{
    bool is_any_number = value->type == JSON_GATE_NUMBER && schema->types & TYPE_NUMBER;
    char wanted[CONTRACT_TYPES_BYTES], found[CONTRACT_TYPES_BYTES];

    if (schema->types == 0 || is_any_number)
        return true;
    unsigned is = types_of(value);
    if (schema->types & is)
        return true;
    if (!run->report)
        return false;
    contract_report_types(schema->types, wanted);
    contract_report_types(is & ~(unsigned)TYPE_INTEGER, found);
    return breaks(run, step, "type", "must be %s, is %s", wanted, found);
}

static bool value_holds(struct run *run, const struct schema *schema,
                        const struct json_value *value, const struct step *step)
{
    if (schema->value_count == 0)
        return true;
    for (size_t i = 0; i < schema->value_count; i++)
        if (json_equal_values(value->text, slice_of(schema->values[i]), run->steps))
            return true;
    if (schema->is_const)
        return breaks(run, step, "const", "must be %s", schema->values[0]);
    return breaks(run, step, "enum", "must be one of the %zu listed values, like %s",
                  schema->value_count, schema->values[0]);
}

/* --- numbers and strings */

static bool is_multiple(double value, double of)
{
    double quotient = value / of;

    return !isinf(quotient) && quotient == trunc(quotient);
}

static bool number_holds(struct run *run, const struct schema *schema,
                         const struct json_value *value, const struct step *step)
{
    double number = schema->bounds ? json_equal_number(value->text) : 0;
    bool good = true;

    if (schema->bounds & BOUND_MINIMUM && number < schema->minimum)
        good = breaks(run, step, "minimum", "must be at least %g", schema->minimum);
    if (schema->bounds & BOUND_MAXIMUM && number > schema->maximum)
        good = breaks(run, step, "maximum", "must be at most %g", schema->maximum);
    if (schema->bounds & BOUND_ABOVE && number <= schema->above)
        good =
            breaks(run, step, "exclusiveMinimum", "must be more than %g", schema->above);
    if (schema->bounds & BOUND_BELOW && number >= schema->below)
        good =
            breaks(run, step, "exclusiveMaximum", "must be less than %g", schema->below);
    if (schema->bounds & BOUND_MULTIPLE && !is_multiple(number, schema->multiple))
        good =
            breaks(run, step, "multipleOf", "must be a multiple of %g", schema->multiple);
    return good;
}

static bool is_low_surrogate(const char *escape, const char *end)
{
    return end - escape >= 6 && escape[0] == '\\' && escape[1] == 'u' &&
           (escape[2] | 0x20) == 'd' && strchr("cdefCDEF", escape[3]);
}

static bool is_high_surrogate(const char *escape, const char *end)
{
    return end - escape >= 6 && (escape[2] | 0x20) == 'd' && strchr("89abAB", escape[3]);
}

/* Characters of a raw string's content: code points, as the schema counts them. */
static uint64_t length_of(struct slice raw)
{
    const char *at = raw.ptr, *end = raw.ptr + raw.len;
    uint64_t count = 0;

    while (at < end) {
        if (*at == '\\' && end - at > 1 && at[1] == 'u') {
            bool is_pair = is_high_surrogate(at, end) && is_low_surrogate(at + 6, end);
            at += is_pair ? 12 : 6;
            count++;
        } else if (*at == '\\') {
            at += 2;
            count++;
        } else {
            count += ((unsigned char)*at & 0xc0) != 0x80;
            at++;
        }
    }
    return count;
}

static enum pattern_verdict match(const struct contract_pattern *pattern,
                                  struct slice raw, struct steps *steps)
{
    char *memory = NULL;

    if (raw.len > 0 && memchr(raw.ptr, '\\', raw.len)) {
        memory = malloc(raw.len);
        if (!memory)
            return PATTERN_TOO_COSTLY;
        raw = json_key_decode(raw, memory);
    }
    enum pattern_verdict verdict = contract_pattern_match(pattern, raw, steps);
    free(memory);
    return verdict;
}

static bool string_holds(struct run *run, const struct schema *schema,
                         const struct json_value *value, const struct step *step)
{
    struct slice raw = {value->text.ptr + 1, value->text.len - 2};
    bool has_length = schema->min_length > 0 || schema->max_length < UINT64_MAX;
    bool good = !has_length || steps_take(run->steps, raw.len);
    uint64_t length = has_length && good ? length_of(raw) : 0;

    if (length < schema->min_length)
        good = breaks(run, step, "minLength", "must have at least %" PRIu64 " characters",
                      schema->min_length);
    if (length > schema->max_length)
        good = breaks(run, step, "maxLength", "must have at most %" PRIu64 " characters",
                      schema->max_length);
    if (!schema->pattern)
        return good;
    switch (match(schema->pattern, raw, run->steps)) {
    case PATTERN_MATCHES: return good;
    case PATTERN_DIFFERS:
        return breaks(run, step, "pattern", "does not match the pattern");
    default: return breaks(run, step, "pattern", "takes too long to match the pattern");
    }
}

/* --- arrays */

/* json_array_next, for its price. */
static bool next_item(struct run *run, struct slice array, struct json_cursor *cursor,
                      struct json_value *item)
{
    size_t before = cursor->at;
    bool has_item = json_array_next(array, cursor, item);

    return steps_take(run->steps, (has_item ? cursor->at : array.len) - before) &&
           has_item;
}

/* The schema of the nth item. */
static int item_schema(const struct schema *schema, size_t index)
{
    if (!schema->is_tuple)
        return schema->items;
    return index < schema->tuple.count ? schema->tuple.items[index]
                                       : schema->additional_items;
}

static bool unique_holds(struct run *run, struct slice array, size_t count,
                         const struct step *step)
{
    size_t repeat;

    if (contract_unique_repeat(array, count, run->steps, &repeat))
        return breaks(run, step, "memory", "cannot be checked now");
    struct step below = {step, {0}, repeat};
    return repeat == count ||
           breaks(run, &below, "uniqueItems", "is there a second time");
}

/* All but how many there are. */
static bool items_hold(struct run *run, const struct schema *schema, struct slice array,
                       const struct step *step, size_t *count)
{
    bool contains = schema->contains == NO_SCHEMA;
    struct json_cursor cursor = {0};
    struct json_value item;
    bool good = true;

    for (; !is_decided(run, good) && next_item(run, array, &cursor, &item); ++*count) {
        struct step below = {step, {0}, *count};
        int number = item_schema(schema, *count);
        if (*count == schema->max_items) {
            ++*count;
            return breaks(run, step, "maxItems", "must have at most %" PRIu64 " items",
                          schema->max_items);
        }
        if (number != NO_SCHEMA && !holds(run, number, &item, &below))
            good = false;
        contains = contains || holds_silently(run, schema->contains, &item);
    }
    if (is_decided(run, good))
        return false;
    if (!contains)
        good = breaks(run, step, "contains", "has no item of the kind that it must have");
    return good;
}

static bool array_holds(struct run *run, const struct schema *schema,
                        const struct json_value *value, const struct step *step)
{
    size_t count = 0;
    bool good = items_hold(run, schema, value->text, step, &count);

    if (is_decided(run, good) || count > schema->max_items)
        return false;
    if (schema->is_unique && !unique_holds(run, value->text, count, step))
        good = false;
    if (count < schema->min_items)
        good = breaks(run, step, "minItems", "must have at least %" PRIu64 " items",
                      schema->min_items);
    return good;
}

/* --- objects */

struct seen {
    uint64_t bits[CONTRACT_MAX_PROPERTIES / 64]; /* beside the rows of `properties` */
};

static const struct schema_property *find_property(const struct schema *schema,
                                                   struct slice key)
{
    for (size_t i = 0; i < schema->property_count; i++) {
        const struct schema_property *row = &schema->properties[i];
        if (row->name_len == key.len &&
            (key.len == 0 || memcmp(row->name, key.ptr, key.len) == 0))
            return row;
    }
    return NULL;
}

/* One member against what its name asks for. */
static bool member_holds(struct run *run, const struct schema *schema,
                         const struct json_member *member, struct slice key,
                         struct seen *seen, const struct step *step)
{
    const struct schema_property *row = find_property(schema, key);
    bool is_named = row && row->schema != NO_SCHEMA;
    bool good = true;

    if (row) {
        size_t at = (size_t)(row - schema->properties);
        seen->bits[at / 64] |= UINT64_C(1) << at % 64;
    }
    if (is_named)
        good = holds(run, row->schema, &member->value, step);
    for (size_t i = 0; i < schema->pattern_count && !is_decided(run, good); i++) {
        const struct schema_pattern_property *pattern = &schema->pattern_properties[i];
        enum pattern_verdict verdict =
            contract_pattern_match(pattern->pattern, key, run->steps);
        if (verdict == PATTERN_DIFFERS)
            continue;
        is_named = true;
        if (verdict == PATTERN_TOO_COSTLY)
            good = breaks(run, step, "patternProperties",
                          "has a name that takes too long to match");
        else if (!holds(run, pattern->schema, &member->value, step))
            good = false;
    }
    if (is_named || schema->additional_properties == NO_SCHEMA)
        return good;
    if (run->contract->schemas[schema->additional_properties].is_never)
        return breaks(run, step, "additionalProperties", "is not known here");
    return holds(run, schema->additional_properties, &member->value, step) && good;
}

static bool name_holds(struct run *run, const struct schema *schema, struct slice raw_key,
                       const struct step *step)
{
    /* The key with its quotes is a JSON string. */
    struct json_value name = {
        JSON_GATE_STRING, {raw_key.ptr - 1, raw_key.len + 2}
    };

    return schema->property_names == NO_SCHEMA ||
           holds_silently(run, schema->property_names, &name) ||
           breaks(run, step, "propertyNames", "has a name that is not allowed");
}

static bool required_hold(struct run *run, const struct schema *schema,
                          const struct seen *seen, const struct step *step)
{
    bool good = true;

    for (size_t i = 0; i < schema->property_count; i++)
        if (schema->properties[i].is_required &&
            !(seen->bits[i / 64] & UINT64_C(1) << i % 64))
            good =
                breaks(run, step, "required", "lacks \"%s\"", schema->properties[i].name);
    return good;
}

/* json_object_find, for its price. */
static struct json_value find(struct run *run, struct slice object, const char *key)
{
    return steps_take(run->steps, object.len) ? json_object_find(object, key)
                                              : (struct json_value){0};
}

static bool dependency_holds(struct run *run, const struct schema_dependency *row,
                             const struct json_value *value, const struct step *step)
{
    bool good = true;

    if (find(run, value->text, row->name).type == JSON_GATE_NONE)
        return true;
    for (size_t i = 0; i < row->needed_count; i++)
        if (find(run, value->text, row->needed[i]).type == JSON_GATE_NONE)
            good = breaks(run, step, "dependencies", "lacks \"%s\", which \"%s\" needs",
                          row->needed[i], row->name);
    if (row->schema != NO_SCHEMA && !holds(run, row->schema, value, step))
        good = false;
    return good;
}

/* json_object_next, for its price: the walk, and the search for the name. */
static bool next_member(struct run *run, const struct schema *schema, struct slice object,
                        struct json_cursor *cursor, struct json_member *member)
{
    size_t before = cursor->at;
    bool has_member = json_object_next(object, cursor, member);
    size_t walked = (has_member ? cursor->at : object.len) - before;

    return steps_take(run->steps, walked + schema->property_count) && has_member;
}

/* Every member, its key decoded. */
static bool members_hold(struct run *run, const struct schema *schema,
                         const struct json_value *value, const struct step *step,
                         struct seen *seen, uint64_t *count)
{
    struct json_cursor cursor = {0};
    struct json_member member;
    bool good = true;

    for (*count = 0; !is_decided(run, good) &&
                     next_member(run, schema, value->text, &cursor, &member);
         ++*count) {
        struct step below = {step, member.key, 0};
        bool has_escape = member.key.len && memchr(member.key.ptr, '\\', member.key.len);
        char *memory = has_escape ? malloc(member.key.len) : NULL;
        if (has_escape && !memory)
            return breaks(run, step, "memory", "cannot be checked now");
        struct slice key = has_escape ? json_key_decode(member.key, memory) : member.key;
        if (!member_holds(run, schema, &member, key, seen, &below) |
            !name_holds(run, schema, member.key, &below))
            good = false;
        free(memory);
    }
    return good;
}

static bool object_holds(struct run *run, const struct schema *schema,
                         const struct json_value *value, const struct step *step)
{
    struct seen seen = {0};
    uint64_t count;
    bool good = members_hold(run, schema, value, step, &seen, &count);

    if (is_decided(run, good))
        return false;
    if (!required_hold(run, schema, &seen, step))
        good = false;
    for (size_t i = 0; i < schema->dependency_count; i++)
        if (!is_decided(run, good) &&
            !dependency_holds(run, &schema->dependencies[i], value, step))
            good = false;
    if (count < schema->min_properties)
        good =
            breaks(run, step, "minProperties",
                   "must have at least %" PRIu64 " properties", schema->min_properties);
    if (count > schema->max_properties)
        good = breaks(run, step, "maxProperties",
                      "must have at most %" PRIu64 " properties", schema->max_properties);
    return good;
}

/* --- schemas of schemas */

/* Does one of them hold? */
static bool any_holds(struct run *run, const struct schema_list *list,
                      const struct json_value *value)
{
    for (size_t i = 0; i < list->count; i++)
        if (holds_silently(run, list->items[i], value))
            return true;
    return false;
}

/* How many do; where nobody wants to know, no more than it takes to see that one is not
 * the only one. */
static size_t count_that_hold(struct run *run, const struct schema_list *list,
                              const struct json_value *value)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count && (run->report || count < 2); i++)
        count += holds_silently(run, list->items[i], value);
    return count;
}

static bool choice_holds(struct run *run, const struct schema *schema,
                         const struct json_value *value, const struct step *step)
{
    bool good = true;

    if (schema->if_ == NO_SCHEMA)
        return true;
    int branch = holds_silently(run, schema->if_, value) ? schema->then_ : schema->else_;
    if (branch != NO_SCHEMA && !holds(run, branch, value, step))
        good = false;
    return good;
}

static bool combination_holds(struct run *run, const struct schema *schema,
                              const struct json_value *value, const struct step *step)
{
    bool good = choice_holds(run, schema, value, step);

    for (size_t i = 0; i < schema->all_of.count && !is_decided(run, good); i++)
        if (!holds(run, schema->all_of.items[i], value, step))
            good = false;
    if (is_decided(run, good))
        return false;
    if (schema->any_of.count > 0 && !any_holds(run, &schema->any_of, value))
        good = breaks(run, step, "anyOf", "is none of the allowed kinds");
    if (schema->one_of.count > 0) {
        size_t count = count_that_hold(run, &schema->one_of, value);
        if (count != 1)
            good = breaks(run, step, "oneOf", "must be one of the allowed kinds, is %zu",
                          count);
    }
    if (schema->not_ != NO_SCHEMA && holds_silently(run, schema->not_, value))
        good = breaks(run, step, "not", "is of a kind that is not allowed");
    return good;
}

static bool kind_holds(struct run *run, const struct schema *schema,
                       const struct json_value *value, const struct step *step)
{
    switch (value->type) {
    case JSON_GATE_NUMBER: return number_holds(run, schema, value, step);
    case JSON_GATE_STRING: return string_holds(run, schema, value, step);
    case JSON_GATE_ARRAY: return array_holds(run, schema, value, step);
    case JSON_GATE_OBJECT: return object_holds(run, schema, value, step);
    default: return true;
    }
}

static bool holds(struct run *run, int number, const struct json_value *value,
                  const struct step *step)
{
    const struct schema *schema = &run->contract->schemas[number];

    while (schema->ref != NO_SCHEMA)
        schema = &run->contract->schemas[schema->ref];
    if (schema->is_never)
        return breaks(run, step, "false", "must not be here");
    if (run->depth == CONTRACT_MAX_DEPTH)
        return breaks(run, step, "depth", "is nested too deep");
    if (!steps_take(run->steps, 0))
        return gives_up(run, step);
    run->depth++;
    /* A wrong type says it all; the rest would only repeat it. */
    bool good = type_holds(run, schema, value, step);
    if (good) {
        good = value_holds(run, schema, value, step);
        if (!is_decided(run, good) && !kind_holds(run, schema, value, step))
            good = false;
        if (!is_decided(run, good) && !combination_holds(run, schema, value, step))
            good = false;
    }
    run->depth--;
    return run->steps->left > 0 ? good : gives_up(run, step);
}

bool contract_holds(const struct contract *contract, struct slice json,
                    struct contract_report *report)
{
    struct json_cursor cursor = {0};
    struct json_value value;
    struct steps steps = {LIMIT_CONTRACT_STEPS +
                          (uint64_t)LIMIT_CONTRACT_STEPS_PER_BYTE * json.len};
    struct run run = {.contract = contract, .report = report, .steps = &steps};

    report->count = 0;
    return json_list_next(json, &cursor, &value) && holds(&run, 0, &value, NULL);
}

/* NOLINTEND(misc-no-recursion) */
