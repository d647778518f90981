/* Values of options and where they came from: see the header. */
#include "bridge/options.h"

#include "bridge/front.h"
#include "bridge/options_table.h"
#include "proto/ip_prefix.h"
#include "proto/origin.h"
#include "proto/suggest.h"
#include "proto/token_bucket.h"
#include "proto/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ADDRESS_BYTES = 64 /* more than any that is valid */
};

struct value {
    char *text;
    enum option_source source;
};

struct options {
    struct value values[OPTION_MAX_COUNT]; /* beside the rows of the table */
};

static size_t row_of(struct slice key)
{
    size_t i = 0;

    while (i < option_count && !slice_is(key, option_table[i].key))
        i++;
    return i;
}

struct options *options_create(void)
{
    struct options *options = calloc(1, sizeof *options);

    for (size_t i = 0; options && i < option_count; i++) {
        options->values[i].text = strdup(option_table[i].fallback);
        if (!options->values[i].text) {
            options_destroy(options);
            return NULL;
        }
    }
    return options;
}

void options_destroy(struct options *options)
{
    if (!options)
        return;
    for (size_t i = 0; i < option_count; i++)
        free(options->values[i].text);
    free(options);
}

static enum status bad_unit(const struct option *row, struct slice value,
                            const char *reason, char error[OPTIONS_ERROR_BYTES])
{
    const char *small = row->type == OPTION_DURATION ? "s" : "KiB";
    const char *other = row->type == OPTION_DURATION ? "ms" : "KB";
    uint64_t bare;

    if (slice_to_u64(value, &bare))
        snprintf(error, OPTIONS_ERROR_BYTES,
                 "%s: %" PRIu64 " what? write %" PRIu64 "%s or %" PRIu64 "%s", row->key,
                 bare, bare, small, bare, other);
    else
        snprintf(error, OPTIONS_ERROR_BYTES, "%s %s", row->key, reason);
    return ST_BAD_PAYLOAD;
}

/* "50ms" or "1MiB" or "64", as one would write it for this row. */
static void print_number(const struct option *row, uint64_t number,
                         char out[UNITS_TEXT_BYTES])
{
    if (row->type == OPTION_DURATION)
        units_print_duration(number, out);
    else if (row->type == OPTION_SIZE)
        units_print_size(number, out);
    else
        snprintf(out, UNITS_TEXT_BYTES, "%" PRIu64, number);
}

static enum status read_number(const struct option *row, struct slice value,
                               uint64_t *number, char error[OPTIONS_ERROR_BYTES])
{
    const char *reason = NULL;
    char min[UNITS_TEXT_BYTES], max[UNITS_TEXT_BYTES];

    if (row->type == OPTION_DURATION && units_parse_duration(value, number, &reason))
        return bad_unit(row, value, reason, error);
    if (row->type == OPTION_SIZE && units_parse_size(value, number, &reason))
        return bad_unit(row, value, reason, error);
    if (row->type == OPTION_INT && !slice_to_u64(value, number)) {
        snprintf(error, OPTIONS_ERROR_BYTES, "%s must be a whole number", row->key);
        return ST_BAD_PAYLOAD;
    }
    if (*number >= row->min && *number <= row->max)
        return ST_OK;

    print_number(row, row->min, min);
    print_number(row, row->max, max);
    snprintf(error, OPTIONS_ERROR_BYTES, "%s must lie between %s and %s", row->key, min,
             max);
    return ST_BAD_PAYLOAD;
}

static enum status read_word(const struct option *row, struct slice value, size_t *index,
                             char error[OPTIONS_ERROR_BYTES])
{
    size_t count = 0;

    while (row->words[count] && !slice_is(value, row->words[count]))
        count++;
    *index = count;
    if (row->words[count])
        return ST_OK;

    int len = snprintf(error, OPTIONS_ERROR_BYTES, "%s must be ", row->key);
    for (size_t i = 0; row->words[i] && len < OPTIONS_ERROR_BYTES; i++)
        len += snprintf(error + len, (size_t)(OPTIONS_ERROR_BYTES - len), "%s%s",
                        i == 0 ? "" : (row->words[i + 1] ? ", " : " or "), row->words[i]);
    return ST_BAD_PAYLOAD;
}

static enum status bad_item(const struct option *row, struct slice item,
                            const char *reason, char error[OPTIONS_ERROR_BYTES])
{
    snprintf(error, OPTIONS_ERROR_BYTES, "%s: \"%.*s\" %s", row->key,
             (int)slice_first(item, 100).len, item.ptr ? item.ptr : "", reason);
    return ST_BAD_PAYLOAD;
}

static enum status check_list(const struct option *row, struct slice value,
                              char error[OPTIONS_ERROR_BYTES])
{
    struct origin_list origins;
    struct ip_prefix_list prefixes;
    struct slice bad = {0};
    const char *reason;

    if (row->type == OPTION_ORIGINS)
        return origin_list_parse(value, &origins, &bad, &reason)
                   ? bad_item(row, bad, reason, error)
                   : ST_OK;
    switch (ip_prefix_list_parse(value, &prefixes, &bad)) {
    case ST_OK: return ST_OK;
    case ST_LIMIT: return bad_item(row, bad, "is followed by one too many", error);
    default:
        return bad_item(row, bad, "is no address or prefix: write 10.0.0.0/8", error);
    }
}

static enum status check_rate(const struct option *row, struct slice value,
                              char error[OPTIONS_ERROR_BYTES])
{
    struct token_rate rate;
    const char *reason;
    enum status st = token_rate_parse(value, &rate, &reason);

    if (st)
        snprintf(error, OPTIONS_ERROR_BYTES, "%s %s", row->key, reason);
    return st;
}

static enum status check_text(const struct option *row, struct slice value,
                              char error[OPTIONS_ERROR_BYTES])
{
    char address[ADDRESS_BYTES];

    if (value.len > 0 && memchr(value.ptr, '\0', value.len)) {
        snprintf(error, OPTIONS_ERROR_BYTES, "%s must not have a zero byte", row->key);
        return ST_BAD_PAYLOAD;
    }
    if (row->type != OPTION_ADDRESS)
        return ST_OK;
    snprintf(address, sizeof address, "%.*s", (int)value.len, value.len ? value.ptr : "");
    if (value.len < sizeof address && front_address_is_valid(address))
        return ST_OK;
    snprintf(error, OPTIONS_ERROR_BYTES, "%s must be IP:PORT or [IPv6]:PORT", row->key);
    return ST_BAD_PAYLOAD;
}

static enum status check(const struct option *row, struct slice value,
                         char error[OPTIONS_ERROR_BYTES])
{
    uint64_t number;
    size_t index;

    switch (row->type) {
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_INT: return read_number(row, value, &number, error);
    case OPTION_WORD:
    case OPTION_CHOICE: return read_word(row, value, &index, error);
    case OPTION_ORIGINS:
    case OPTION_PREFIXES: return check_list(row, value, error);
    case OPTION_RATE: return check_rate(row, value, error);
    default: return check_text(row, value, error);
    }
}

static enum status unknown_key(struct slice key, char error[OPTIONS_ERROR_BYTES])
{
    const char *keys[OPTION_MAX_COUNT];

    for (size_t i = 0; i < option_count; i++)
        keys[i] = option_table[i].key;
    const char *nearest = suggest_nearest(key, keys, option_count);
    int len = snprintf(error, OPTIONS_ERROR_BYTES, "unknown key \"%.*s\"",
                       (int)slice_first(key, 100).len, key.ptr ? key.ptr : "");
    if (nearest)
        snprintf(error + len, (size_t)(OPTIONS_ERROR_BYTES - len),
                 ": did you mean \"%s\"?", nearest);
    return ST_NOT_FOUND;
}

enum status options_put(struct options *options, enum option_source source,
                        struct slice key, struct slice text,
                        char error[OPTIONS_ERROR_BYTES])
{
    size_t row = row_of(key);

    if (row == option_count)
        return unknown_key(key, error);
    enum status st = check(&option_table[row], text, error);
    if (st)
        return st;

    struct value *value = &options->values[row];
    if (source < value->source)
        return ST_OK;
    char *copy = slice_dup(text);
    if (!copy) {
        snprintf(error, OPTIONS_ERROR_BYTES, "out of memory");
        return ST_NO_MEMORY;
    }
    free(value->text);
    *value = (struct value){copy, source};
    return ST_OK;
}

bool options_forget(struct options *options, const char *key)
{
    size_t row = row_of(slice_of(key));
    char *text = strdup(option_table[row].fallback);

    if (!text)
        return false;
    free(options->values[row].text);
    options->values[row].text = text;
    options->values[row].source = OPTION_DEFAULT;
    return true;
}

enum status options_put_flag(struct options *options, const char *assignment,
                             char error[OPTIONS_ERROR_BYTES])
{
    struct slice key, value;

    if (!slice_cut(slice_of(assignment), '=', &key, &value)) {
        snprintf(error, OPTIONS_ERROR_BYTES,
                 "--set needs KEY=VALUE, for instance --set gateway.ping_interval=5s");
        return ST_BAD_REQUEST;
    }
    size_t row = row_of(key);
    if (row < option_count && option_table[row].type == OPTION_SECRET) {
        snprintf(error, OPTIONS_ERROR_BYTES,
                 "%s is a secret and everybody can read flags: put it in the "
                 "environment or in a file",
                 option_table[row].key);
        return ST_FORBIDDEN;
    }
    return options_put(options, OPTION_FLAG, key, value, error);
}

void options_resolve(const struct options *options, struct config *config)
{
    char ignored[OPTIONS_ERROR_BYTES];
    char *base = (char *)config;

    /* Every text was checked when it was put, or stands in the table. */
    for (size_t i = 0; i < option_count; i++) {
        const struct option *row = &option_table[i];
        const char *text = options->values[i].text;
        uint64_t number = 0;
        size_t index = 0;

        switch (row->type) {
        case OPTION_DURATION:
        case OPTION_SIZE:
        case OPTION_INT:
            read_number(row, slice_of(text), &number, ignored);
            memcpy(base + row->offset, &number, sizeof number);
            break;
        case OPTION_CHOICE:
            read_word(row, slice_of(text), &index, ignored);
            memcpy(base + row->offset, &(unsigned){(unsigned)index}, sizeof(unsigned));
            break;
        case OPTION_TEXT:
        case OPTION_ADDRESS:
        case OPTION_ORIGINS:
        case OPTION_PREFIXES:
        case OPTION_RATE:
        case OPTION_SECRET:
        case OPTION_WORD: memcpy(base + row->offset, &text, sizeof text); break;
        }
    }
    config->limits.is_connections_set =
        options_source(options, "limits.connections") != OPTION_DEFAULT;
    config->limits.is_per_ip_set =
        options_source(options, "limits.connections_per_ip") != OPTION_DEFAULT;
    config->limits.is_handshakes_set =
        options_source(options, "limits.handshakes") != OPTION_DEFAULT;
}

const char *options_text(const struct options *options, const char *key)
{
    return options->values[row_of(slice_of(key))].text;
}

enum option_source options_source(const struct options *options, const char *key)
{
    return options->values[row_of(slice_of(key))].source;
}
