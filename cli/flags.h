/*
 * Flags of a command: a table of rows that say where in the command's own struct a value
 * goes. `--name value`, `--name=value`; `--` ends them; anything else is a word.
 */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLAG_LIST_MAX = 64,
    FLAG_ERROR_BYTES = 240
};

enum flag_type {
    FLAG_SWITCH, /* bool */
    FLAG_TEXT,   /* const char * */
    FLAG_NUMBER, /* struct flag_number */
    FLAG_DURATION /* uint64_t, milliseconds */,
    FLAG_LIST /* struct flag_list: may be repeated */
};

struct flag_number {
    bool is_set;
    uint64_t value;
};

struct flag_list {
    const char *items[FLAG_LIST_MAX];
    size_t count;
};

struct flag {
    const char *name; /* without the dashes */
    enum flag_type type;
    const char *operand; /* "N"; NULL for a switch */
    const char *doc;
    size_t offset; /* in the struct that the set belongs to */
    uint64_t max;  /* FLAG_NUMBER */
};

/* A table and the struct that it fills. */
struct flag_set {
    const struct flag *flags;
    size_t count;
    void *target;
};

/*
 * Reads argv[0..argc). Texts are borrowed from argv; words go to `words`. False: `error`
 * is one line without line end.
 */
bool flags_parse(const struct flag_set *sets, size_t set_count, int argc, char **argv,
                 struct flag_list *words, char error[FLAG_ERROR_BYTES]);

#endif
