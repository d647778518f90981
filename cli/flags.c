/* Flags of a command: see the header. */
#include "cli/flags.h"

#include "proto/suggest.h"
#include "proto/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One flag as it was given. */
struct given {
    const struct flag *flag;
    char *field;          /* where its value goes */
    struct slice name;    /* without dashes and value */
    const char *attached; /* after '=', or NULL */
};

static void find(const struct flag_set *sets, size_t set_count, struct given *given)
{
    for (size_t s = 0; s < set_count; s++) {
        for (size_t i = 0; i < sets[s].count; i++) {
            const struct flag *flag = &sets[s].flags[i];
            if (!slice_is(given->name, flag->name))
                continue;
            given->flag = flag;
            given->field = (char *)sets[s].target + flag->offset;
            return;
        }
    }
    given->flag = NULL;
}

static bool unknown(const struct flag_set *sets, size_t set_count, struct slice name,
                    char error[FLAG_ERROR_BYTES])
{
    const char *names[FLAG_LIST_MAX];
    size_t count = 0;

    for (size_t s = 0; s < set_count; s++)
        for (size_t i = 0; i < sets[s].count && count < FLAG_LIST_MAX; i++)
            names[count++] = sets[s].flags[i].name;
    const char *nearest = suggest_nearest(name, names, count);
    int len = snprintf(error, FLAG_ERROR_BYTES, "unknown flag --%.*s",
                       (int)slice_first(name, 60).len, name.ptr);
    if (nearest)
        snprintf(error + len, (size_t)(FLAG_ERROR_BYTES - len), ": did you mean --%s?",
                 nearest);
    return false;
}

static bool store(const struct given *given, const char *value,
                  char error[FLAG_ERROR_BYTES])
{
    const struct flag *flag = given->flag;
    struct flag_number *number = (struct flag_number *)given->field;
    struct flag_list *list = (struct flag_list *)given->field;
    const char *reason;

    switch (flag->type) {
    case FLAG_SWITCH: *(bool *)given->field = true; break;
    case FLAG_TEXT: *(const char **)given->field = value; break;
    case FLAG_NUMBER:
        if (!slice_to_u64(slice_of(value), &number->value) || number->value > flag->max) {
            snprintf(error, FLAG_ERROR_BYTES,
                     "--%s needs a number between 0 and %" PRIu64, flag->name, flag->max);
            return false;
        }
        number->is_set = true;
        break;
    case FLAG_DURATION:
        if (units_parse_duration(slice_of(value), (uint64_t *)given->field, &reason)) {
            snprintf(error, FLAG_ERROR_BYTES, "--%s %s", flag->name, reason);
            return false;
        }
        break;
    case FLAG_LIST:
        if (list->count == FLAG_LIST_MAX) {
            snprintf(error, FLAG_ERROR_BYTES, "too many --%s", flag->name);
            return false;
        }
        list->items[list->count++] = value;
        break;
    }
    return true;
}

/* The few that have a letter, too. */
static const struct {
    const char *letter, *flag;
} letters[] = {
    {"-h", "--help"  },
    {"-c", "--config"},
};

static const char *long_form(const char *arg)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (strcmp(arg, letters[i].letter) == 0)
            return letters[i].flag;
    return arg;
}

/* "--port=7410" or "-h" → name and value. */
static struct given split(const char *arg)
{
    struct given given = {0};
    struct slice rest;

    arg = long_form(arg);
    if (slice_cut(slice_of(arg + 2), '=', &given.name, &rest))
        given.attached = arg + 2 + given.name.len + 1;
    return given;
}

static bool is_flag(const char *arg)
{
    return strncmp(long_form(arg), "--", 2) == 0;
}

bool flags_parse(const struct flag_set *sets, size_t set_count, int argc, char **argv,
                 struct flag_list *words, char error[FLAG_ERROR_BYTES])
{
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        if (only_words || !is_flag(argv[i])) {
            if (words->count == FLAG_LIST_MAX) {
                snprintf(error, FLAG_ERROR_BYTES, "too many words");
                return false;
            }
            words->items[words->count++] = argv[i];
            continue;
        }

        struct given given = split(argv[i]);
        const char *value = given.attached;
        find(sets, set_count, &given);
        if (!given.flag)
            return unknown(sets, set_count, given.name, error);
        if (given.flag->type == FLAG_SWITCH && value) {
            snprintf(error, FLAG_ERROR_BYTES, "--%s takes no value", given.flag->name);
            return false;
        }
        if (given.flag->type != FLAG_SWITCH && !value) {
            if (i + 1 == argc) {
                snprintf(error, FLAG_ERROR_BYTES, "--%s needs %s", given.flag->name,
                         given.flag->operand);
                return false;
            }
            value = argv[++i];
        }
        if (!store(&given, value, error))
            return false;
    }
    return true;
}
