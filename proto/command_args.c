/* The fields of a command's first argument: see the header. */
#include "proto/command_args.h"

#include "proto/json_text.h"
#include "proto/limits.h"
#include "proto/room_name.h"
#include "proto/rule_node.h"

#include <stdio.h>
#include <stdlib.h>

enum field_type {
    FIELD_ID,
    FIELD_STRING,
    FIELD_INT,
    FIELD_OBJECT,
    FIELD_CONTRACT
};

struct field {
    char *name;
    enum field_type type;
    struct contract *contract; /* FIELD_CONTRACT */
};

struct command_args {
    struct field *fields;
    size_t count;
};

static const char *const type_words[] = {"id", "string", "int", "object"};

static const char *const wanted[] = {
    [FIELD_ID] = "must be a string or an integer that is one segment of a room's name",
    [FIELD_STRING] = "must be a string",
    [FIELD_INT] = "must be an integer",
    [FIELD_OBJECT] = "must be an object",
};

static void compile_field(struct field *field, const struct document_entry *entry,
                          struct faults *faults)
{
    field->name = slice_dup(entry->key);
    if (!field->name)
        rule_no_memory(entry->place, faults);
    if (entry->value.kind == DOCUMENT_MAP) {
        field->type = FIELD_CONTRACT;
        field->contract = contract_compile(&entry->value, faults);
        return;
    }
    int at = rule_word(&entry->value, "the type of an argument", type_words,
                       sizeof type_words / sizeof *type_words, faults);
    field->type = at < 0 ? FIELD_ID : (enum field_type)at;
}

struct command_args *command_args_compile(const struct document_node *node,
                                          struct faults *faults)
{
    struct command_args *args = calloc(1, sizeof *args);
    size_t before = rule_fault_count(faults);

    if (args)
        args->fields = calloc(node->count + 1, sizeof *args->fields);
    if (!args || !args->fields)
        rule_no_memory(node->place, faults);
    for (size_t i = 0; args && args->fields && i < node->count; i++)
        compile_field(&args->fields[args->count++], &node->entries[i], faults);
    if (rule_fault_count(faults) == before)
        return args;
    command_args_destroy(args);
    return NULL;
}

void command_args_destroy(struct command_args *args)
{
    if (!args)
        return;
    for (size_t i = 0; i < args->count; i++) {
        free(args->fields[i].name);
        contract_destroy(args->fields[i].contract);
    }
    free(args->fields);
    free(args);
}

static bool is_integer(struct slice number)
{
    size_t first = number.len > 0 && number.ptr[0] == '-';

    for (size_t i = first; i < number.len; i++)
        if (number.ptr[i] < '0' || number.ptr[i] > '9')
            return false;
    return true;
}

/* One segment: a name without a separator. */
static bool is_segment(struct slice text)
{
    char memory[LIMIT_ROOM_SEGMENT_BYTES * 6 + 2];
    struct slice before, after;

    if (text.len > sizeof memory)
        return false;
    struct slice name = json_string_decode(text, memory);
    return room_name_is_valid(name) && !slice_cut(name, ':', &before, &after);
}

static bool is_id(const struct json_value *value)
{
    if (value->type == JSON_GATE_NUMBER)
        return is_integer(value->text);
    return value->type == JSON_GATE_STRING && is_segment(value->text);
}

static bool has_type(const struct json_value *value, enum field_type type)
{
    switch (type) {
    case FIELD_ID: return is_id(value);
    case FIELD_STRING: return value->type == JSON_GATE_STRING;
    case FIELD_INT: return value->type == JSON_GATE_NUMBER && is_integer(value->text);
    case FIELD_OBJECT: return value->type == JSON_GATE_OBJECT;
    case FIELD_CONTRACT: break;
    }
    return false;
}

static bool keeps_contract(const struct field *field, struct slice json,
                           char why[COMMAND_ARGS_WHY_BYTES])
{
    struct contract_report report;

    if (contract_holds(field->contract, json, &report))
        return true;
    if (report.count == 0)
        snprintf(why, COMMAND_ARGS_WHY_BYTES, "\"%.100s\" is not accepted", field->name);
    else
        snprintf(why, COMMAND_ARGS_WHY_BYTES, "\"%.100s%s\" %s", field->name,
                 report.errors[0].pointer, report.errors[0].detail);
    return false;
}

static bool field_holds(const struct field *field, struct slice object,
                        char why[COMMAND_ARGS_WHY_BYTES])
{
    struct json_value value = json_object_find(object, field->name);

    if (value.type == JSON_GATE_NONE) {
        snprintf(why, COMMAND_ARGS_WHY_BYTES, "\"%.100s\" is missing", field->name);
        return false;
    }
    if (field->type == FIELD_CONTRACT)
        return keeps_contract(field, value.text, why);
    if (has_type(&value, field->type))
        return true;
    snprintf(why, COMMAND_ARGS_WHY_BYTES, "\"%.100s\" %s", field->name,
             wanted[field->type]);
    return false;
}

bool command_args_hold(const struct command_args *args, struct slice list,
                       char why[COMMAND_ARGS_WHY_BYTES])
{
    struct json_cursor cursor = {0};
    struct json_value first = {0};

    if (!json_list_next(list, &cursor, &first) || first.type != JSON_GATE_OBJECT) {
        snprintf(why, COMMAND_ARGS_WHY_BYTES, "the first argument must be an object");
        return false;
    }
    for (size_t i = 0; i < args->count; i++)
        if (!field_holds(&args->fields[i], first.text, why))
            return false;
    return true;
}
