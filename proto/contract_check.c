/*
 * Checking a value against a contract: see contract.h. The value is walked as bytes. A
 * check within a check goes one level deeper, which CONTRACT_MAX_DEPTH bounds, whatever
 * schema and value do together.
 */
#include "proto/contract_parts.h"

#include "proto/json_equal.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): run->depth bounds it. */

/* Where in the value we are: a chain on the stack, printed only when something is wrong.
 */
struct step {
    const struct step *parent;
    struct slice key; /* raw; of an item: empty */
    size_t index;
};

struct run {
    const struct contract *contract;
    struct contract_report *report; /* NULL: nobody wants to know why */
    unsigned depth;
};

static bool holds(struct run *run, int number, const struct json_value *value,
                  const struct step *step);

/* --- telling */

static void print_key(struct slice raw, struct buf *out)
{
    char memory[CONTRACT_POINTER_BYTES];
    struct slice key = raw.len < sizeof memory ? json_key_decode(raw, memory) : raw;

    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == '~')
            buf_add_text(out, "~0");
        else if (key.ptr[i] == '/')
            buf_add_text(out, "~1");
        else
            buf_add_byte(out, key.ptr[i]);
    }
}

static void print_pointer(const struct step *step, char out[CONTRACT_POINTER_BYTES])
{
    const struct step *chain[CONTRACT_MAX_DEPTH];
    struct buf text = {.max = CONTRACT_POINTER_BYTES - 1};
    size_t count = 0;

    for (; step && count < CONTRACT_MAX_DEPTH; step = step->parent)
        chain[count++] = step;
    while (count-- > 0) {
        buf_add_byte(&text, '/');
        if (chain[count]->key.ptr)
            print_key(chain[count]->key, &text);
        else
            buf_add_u64(&text, chain[count]->index);
    }
    memcpy(out, text.len ? text.ptr : "", text.len);
    out[text.len] = '\0';
    buf_finish(&text);
}

__attribute__((format(printf, 4, 5))) static bool breaks(struct run *run,
                                                         const struct step *step,
                                                         const char *expected,
                                                         const char *format, ...)
{
    struct contract_report *report = run->report;
    va_list args;

    if (!report || report->count == CONTRACT_MAX_ERRORS)
        return false;
    struct contract_error *error = &report->errors[report->count++];
    va_start(args, format);
    vsnprintf(error->detail, sizeof error->detail, format, args);
    va_end(args);
    snprintf(error->expected, sizeof error->expected, "%s", expected);
    print_pointer(step, error->pointer);
    return false;
}

/* Whether a schema holds, without a word when it does not. */
static bool holds_silently(struct run *run, int number, const struct json_value *value)
{
    struct run quiet = {.contract = run->contract, .depth = run->depth};

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

static const char *const type_words[] = {"null",          "a boolean", "an object",
                                         "an array",      "a number",  "a string",
                                         "a whole number"};

static void print_types(unsigned types, char out[100])
{
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < sizeof type_words / sizeof *type_words; i++)
        if (types & 1u << i)
            len += (size_t)snprintf(out + len, 100 - len, "%s%s", len ? " or " : "",
                                    type_words[i]);
}

static bool type_holds(struct run *run, const struct schema *schema,
                       const struct json_value *value, const struct step *step)
{
    unsigned is = schema->types ? types_of(value) : 0;
    char wanted[100], found[100];

    if (schema->types == 0 || schema->types & is)
        return true;
    print_types(schema->types, wanted);
    print_types(is & ~(unsigned)TYPE_INTEGER, found);
    return breaks(run, step, "type", "must be %s, is %s", wanted, found);
}

static bool value_holds(struct run *run, const struct schema *schema,
                        const struct json_value *value, const struct step *step)
{
    if (schema->value_count == 0)
        return true;
    for (size_t i = 0; i < schema->value_count; i++)
        if (json_equal_values(value->text, slice_of(schema->values[i])))
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
                                  struct slice raw)
{
    char *memory = NULL;

    if (raw.len > 0 && memchr(raw.ptr, '\\', raw.len)) {
        memory = malloc(raw.len);
        if (!memory)
            return PATTERN_TOO_COSTLY;
        raw = json_key_decode(raw, memory);
    }
    enum pattern_verdict verdict = contract_pattern_match(pattern, raw);
    free(memory);
    return verdict;
}

static bool string_holds(struct run *run, const struct schema *schema,
                         const struct json_value *value, const struct step *step)
{
    struct slice raw = {value->text.ptr + 1, value->text.len - 2};
    bool has_length = schema->min_length > 0 || schema->max_length < UINT64_MAX;
    uint64_t length = has_length ? length_of(raw) : 0;
    bool good = true;

    if (length < schema->min_length)
        good = breaks(run, step, "minLength", "must have at least %" PRIu64 " characters",
                      schema->min_length);
    if (length > schema->max_length)
        good = breaks(run, step, "maxLength", "must have at most %" PRIu64 " characters",
                      schema->max_length);
    if (!schema->pattern)
        return good;
    switch (match(schema->pattern, raw)) {
    case PATTERN_MATCHES: return good;
    case PATTERN_DIFFERS:
        return breaks(run, step, "pattern", "does not match the pattern");
    default: return breaks(run, step, "pattern", "takes too long to match the pattern");
    }
}

/* --- arrays */

static bool is_there_before(struct slice array, size_t index, struct slice wanted)
{
    struct json_cursor cursor = {0};
    struct json_value item;

    for (size_t i = 0; i < index && json_array_next(array, &cursor, &item); i++)
        if (json_equal_values(item.text, wanted))
            return true;
    return false;
}

/* The schema of the nth item. */
static int item_schema(const struct schema *schema, size_t index)
{
    if (!schema->is_tuple)
        return schema->items;
    return index < schema->tuple.count ? schema->tuple.items[index]
                                       : schema->additional_items;
}

static bool array_holds(struct run *run, const struct schema *schema,
                        const struct json_value *value, const struct step *step)
{
    bool contains = schema->contains == NO_SCHEMA;
    struct json_cursor cursor = {0};
    struct json_value item;
    size_t count = 0;
    bool good = true;

    for (; json_array_next(value->text, &cursor, &item); count++) {
        struct step below = {step, {0}, count};
        int number = item_schema(schema, count);
        if (number != NO_SCHEMA && !holds(run, number, &item, &below))
            good = false;
        if (schema->is_unique && is_there_before(value->text, count, item.text))
            good = breaks(run, &below, "uniqueItems", "is there a second time");
        contains = contains || holds_silently(run, schema->contains, &item);
    }
    if (!contains)
        good = breaks(run, step, "contains", "has no item of the kind that it must have");
    if (count < schema->min_items)
        good = breaks(run, step, "minItems", "must have at least %" PRIu64 " items",
                      schema->min_items);
    if (count > schema->max_items)
        good = breaks(run, step, "maxItems", "must have at most %" PRIu64 " items",
                      schema->max_items);
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
    for (size_t i = 0; i < schema->pattern_count; i++) {
        const struct schema_pattern_property *pattern = &schema->pattern_properties[i];
        enum pattern_verdict verdict = contract_pattern_match(pattern->pattern, key);
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

static bool dependency_holds(struct run *run, const struct schema_dependency *row,
                             const struct json_value *value, const struct step *step)
{
    bool good = true;

    if (json_object_find(value->text, row->name).type == JSON_GATE_NONE)
        return true;
    for (size_t i = 0; i < row->needed_count; i++)
        if (json_object_find(value->text, row->needed[i]).type == JSON_GATE_NONE)
            good = breaks(run, step, "dependencies", "lacks \"%s\", which \"%s\" needs",
                          row->needed[i], row->name);
    if (row->schema != NO_SCHEMA && !holds(run, row->schema, value, step))
        good = false;
    return good;
}

/* Every member, its key decoded. */
static bool members_hold(struct run *run, const struct schema *schema,
                         const struct json_value *value, const struct step *step,
                         struct seen *seen, uint64_t *count)
{
    struct json_cursor cursor = {0};
    struct json_member member;
    bool good = true;

    for (*count = 0; json_object_next(value->text, &cursor, &member); ++*count) {
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

    if (!required_hold(run, schema, &seen, step))
        good = false;
    for (size_t i = 0; i < schema->dependency_count; i++)
        if (!dependency_holds(run, &schema->dependencies[i], value, step))
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

static size_t count_that_hold(struct run *run, const struct schema_list *list,
                              const struct json_value *value)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
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

    for (size_t i = 0; i < schema->all_of.count; i++)
        if (!holds(run, schema->all_of.items[i], value, step))
            good = false;
    if (schema->any_of.count > 0 && count_that_hold(run, &schema->any_of, value) == 0)
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
    run->depth++;
    /* A wrong type says it all; the rest would only repeat it. */
    bool good = type_holds(run, schema, value, step);
    if (good) {
        good = value_holds(run, schema, value, step);
        if (!kind_holds(run, schema, value, step))
            good = false;
        if (!combination_holds(run, schema, value, step))
            good = false;
    }
    run->depth--;
    return good;
}

bool contract_holds(const struct contract *contract, struct slice json,
                    struct contract_report *report)
{
    struct json_cursor cursor = {0};
    struct json_value value;
    struct run run = {.contract = contract, .report = report};

    report->count = 0;
    return json_list_next(json, &cursor, &value) && holds(&run, 0, &value, NULL);
}

/* NOLINTEND(misc-no-recursion) */
