/* A compiled contract; compiling and checking share it, nobody else includes it. */
#ifndef PROTO_CONTRACT_PARTS_H
#define PROTO_CONTRACT_PARTS_H

#include "proto/contract.h"
#include "proto/contract_pattern.h"
#include "proto/limits.h"

enum {
    NO_SCHEMA = -1,
    CONTRACT_MAX_SCHEMAS = 2000,
    CONTRACT_MAX_PROPERTIES = 256, /* named in one schema */
    CONTRACT_MAX_DEPTH = 64        /* of checks within checks */
};

/* One bit each: the types that a value may have. */
enum schema_type {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_OBJECT = 4,
    TYPE_ARRAY = 8,
    TYPE_NUMBER = 16,
    TYPE_STRING = 32,
    TYPE_INTEGER = 64 /* a number without a fraction */
};

/* Which of the numbers below are set. */
enum schema_bound {
    BOUND_MINIMUM = 1,
    BOUND_MAXIMUM = 2,
    BOUND_ABOVE = 4, /* exclusiveMinimum */
    BOUND_BELOW = 8,
    BOUND_MULTIPLE = 16
};

/* Schemas are named by their place in the contract's array. */
struct schema_list {
    int *items;
    size_t count;
};

struct schema_property {
    char *name;
    size_t name_len;
    int schema; /* NO_SCHEMA: only required */
    bool is_required;
};

struct schema_pattern_property {
    struct contract_pattern *pattern;
    int schema;
};

/* `name` is there: then so must `needed` be, or `schema` hold. */
struct schema_dependency {
    char *name;
    char **needed;
    size_t needed_count;
    int schema;
};

struct schema {
    const struct document_node *source; /* while compiling */
    bool is_never;                      /* `false` */
    unsigned types;                     /* 0: any */
    char **values;                      /* enum; const is one of them */
    size_t value_count;
    bool is_const;

    unsigned bounds;
    double minimum, maximum, above, below, multiple;
    uint64_t min_length, max_length, min_items, max_items, min_properties, max_properties;
    struct contract_pattern *pattern;

    struct schema_property *properties;
    size_t property_count;
    struct schema_pattern_property *pattern_properties;
    size_t pattern_count;
    struct schema_dependency *dependencies;
    size_t dependency_count;
    int additional_properties, property_names;

    struct schema_list tuple; /* items as a list */
    int items, additional_items, contains;
    bool is_tuple, is_unique;

    struct schema_list all_of, any_of, one_of;
    int not_, if_, then_, else_, ref;
};

struct contract {
    struct schema *schemas;
    size_t count;
};

#endif
