/* Values and their types: see the header. */
#include "bridge/config_value.h"

#include "bridge/front.h"
#include "proto/ip_prefix.h"
#include "proto/origin.h"
#include "proto/token_bucket.h"
#include "proto/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ADDRESS_BYTES = 64, /* more than any that is valid */
    SHOWN_BYTES = 100,  /* of a value, in a sentence */
    NAME_BYTES = 64,
};

/* A value on trial. */
struct trial {
    const struct config_key *key;
    const char *name;
    struct slice text;
    char *error;
};

static enum status bad_unit(const struct trial *trial, const char *reason)
{
    bool is_time = trial->key->type == KEY_DURATION;
    const char *small = is_time ? "s" : "KiB";
    const char *other = is_time ? "ms" : "KB";
    uint64_t bare;

    if (slice_to_u64(trial->text, &bare))
        snprintf(trial->error, CONFIG_ERROR_BYTES,
                 "%s: %" PRIu64 " what? write %" PRIu64 "%s or %" PRIu64 "%s",
                 trial->name, bare, bare, small, bare, other);
    else
        snprintf(trial->error, CONFIG_ERROR_BYTES, "%s %s", trial->name, reason);
    return ST_BAD_PAYLOAD;
}

void config_value_print(const struct config_key *key, uint64_t number, char *out,
                        size_t size)
{
    char text[UNITS_TEXT_BYTES];

    if (key->type == KEY_DURATION)
        units_print_duration(number, text);
    else if (key->type == KEY_SIZE)
        units_print_size(number, text);
    else
        snprintf(text, sizeof text, "%" PRIu64, number);
    snprintf(out, size, "%s", text);
}

static enum status read_number(const struct trial *trial, uint64_t *number)
{
    const struct config_key *key = trial->key;
    const char *reason = NULL;
    char min[UNITS_TEXT_BYTES], max[UNITS_TEXT_BYTES];

    if (key->type == KEY_DURATION && units_parse_duration(trial->text, number, &reason))
        return bad_unit(trial, reason);
    if (key->type == KEY_SIZE && units_parse_size(trial->text, number, &reason))
        return bad_unit(trial, reason);
    if (key->type == KEY_INT && !slice_to_u64(trial->text, number)) {
        snprintf(trial->error, CONFIG_ERROR_BYTES, "%s must be a whole number",
                 trial->name);
        return ST_BAD_PAYLOAD;
    }
    if (*number >= key->min && *number <= key->max)
        return ST_OK;

    config_value_print(key, key->min, min, sizeof min);
    config_value_print(key, key->max, max, sizeof max);
    snprintf(trial->error, CONFIG_ERROR_BYTES, "%s must lie between %s and %s",
             trial->name, min, max);
    return ST_BAD_PAYLOAD;
}

static const char *const switch_words[] = {"off", "on", "false", "true"};

static bool read_switch(struct slice text, unsigned *value)
{
    for (unsigned i = 0; i < 4; i++)
        if (slice_is(text, switch_words[i])) {
            *value = i & 1;
            return true;
        }
    return false;
}

/* "must be a, b or c": the words that are built. In a list it is said of which item. */
static enum status bad_word(const struct trial *trial, struct slice word)
{
    const char *const *words = trial->key->words;
    bool is_item = trial->key->type == KEY_WORDS;
    const char *last = NULL;
    size_t shown = 0;
    int len =
        is_item ? snprintf(trial->error, CONFIG_ERROR_BYTES, "%s: \"%.*s\" is none of ",
                           trial->name, (int)slice_first(word, SHOWN_BYTES).len, word.ptr)
                : snprintf(trial->error, CONFIG_ERROR_BYTES, "%s must be ", trial->name);

    for (size_t i = 0; words[i]; i++)
        last = words[i][0] == '~' ? last : words[i];
    for (size_t i = 0; words[i] && len < CONFIG_ERROR_BYTES; i++) {
        if (words[i][0] == '~')
            continue;
        const char *glue = words[i] == last ? (is_item ? " and " : " or ") : ", ";
        len += snprintf(trial->error + len, (size_t)(CONFIG_ERROR_BYTES - len), "%s%s",
                        shown++ == 0 ? "" : glue, words[i]);
    }
    return ST_BAD_PAYLOAD;
}

static enum status check_word(const struct trial *trial, struct slice word)
{
    size_t index;
    bool is_later = false;

    if (!config_key_has_word(trial->key, word, &index, &is_later))
        return bad_word(trial, word);
    if (!is_later)
        return ST_OK;
    snprintf(trial->error, CONFIG_ERROR_BYTES, "%s: %.*s is not built yet", trial->name,
             (int)word.len, word.ptr);
    return ST_BAD_PAYLOAD;
}

static enum status check_switch(const struct trial *trial)
{
    unsigned value;

    if (read_switch(trial->text, &value))
        return ST_OK;
    snprintf(trial->error, CONFIG_ERROR_BYTES, "%s must be on or off", trial->name);
    return ST_BAD_PAYLOAD;
}

static enum status check_words(const struct trial *trial)
{
    struct slice rest = trial->text, word;
    enum status st = ST_OK;

    while (!st && rest.len > 0) {
        slice_cut(rest, ',', &word, &rest);
        st = check_word(trial, slice_trim(word));
    }
    return st;
}

static enum status bad_item(const struct trial *trial, struct slice item,
                            const char *reason)
{
    snprintf(trial->error, CONFIG_ERROR_BYTES, "%s: \"%.*s\" %s", trial->name,
             (int)slice_first(item, SHOWN_BYTES).len, item.ptr ? item.ptr : "", reason);
    return ST_BAD_PAYLOAD;
}

static enum status check_origins(const struct trial *trial)
{
    struct origin_list origins;
    struct slice bad = {0};
    const char *reason;

    return origin_list_parse(trial->text, &origins, &bad, &reason)
               ? bad_item(trial, bad, reason)
               : ST_OK;
}

static enum status check_prefixes(const struct trial *trial)
{
    struct ip_prefix_list prefixes;
    struct slice bad = {0};

    switch (ip_prefix_list_parse(trial->text, &prefixes, &bad)) {
    case ST_OK: return ST_OK;
    case ST_LIMIT: return bad_item(trial, bad, "is followed by one too many");
    default: return bad_item(trial, bad, "is no address or prefix: write 10.0.0.0/8");
    }
}

static enum status check_rate(const struct trial *trial)
{
    struct token_rate rate;
    const char *reason;
    enum status st = token_rate_parse(trial->text, &rate, &reason);

    if (st)
        snprintf(trial->error, CONFIG_ERROR_BYTES, "%s %s", trial->name, reason);
    return st;
}

static enum status check_address(const struct trial *trial)
{
    char address[ADDRESS_BYTES];
    struct slice text = trial->text;
    size_t index;
    bool is_later = false;

    if (config_key_has_word(trial->key, text, &index, &is_later))
        return check_word(trial, text);
    snprintf(address, sizeof address, "%.*s", (int)slice_first(text, sizeof address).len,
             text.len ? text.ptr : "");
    if (text.len < sizeof address && front_address_is_valid(address))
        return ST_OK;
    snprintf(trial->error, CONFIG_ERROR_BYTES, "%s must be IP:PORT or [IPv6]:PORT",
             trial->name);
    return ST_BAD_PAYLOAD;
}

static enum status check_name(const struct trial *trial)
{
    bool is_good = trial->text.len <= NAME_BYTES;

    for (size_t i = 0; i < trial->text.len && is_good; i++)
        is_good = isalnum((unsigned char)trial->text.ptr[i]) ||
                  memchr("-_.", trial->text.ptr[i], 3);
    if (is_good)
        return ST_OK;
    snprintf(trial->error, CONFIG_ERROR_BYTES,
             "%s must be at most %d letters, digits, '-', '_' and '.'", trial->name,
             NAME_BYTES);
    return ST_BAD_PAYLOAD;
}

static enum status check_text(const struct trial *trial)
{
    if (trial->text.len == 0 || !memchr(trial->text.ptr, '\0', trial->text.len))
        return ST_OK;
    snprintf(trial->error, CONFIG_ERROR_BYTES, "%s must not have a zero byte",
             trial->name);
    return ST_BAD_PAYLOAD;
}

/* NOLINTBEGIN(readability-non-const-parameter): it is written through `trial`. */
enum status config_value_check(const struct config_key *key, const char *name,
                               struct slice text, char error[CONFIG_ERROR_BYTES])
{
    const struct trial trial = {key, name, text, error};
    uint64_t number = 0;
    enum status st = check_text(&trial);

    if (st)
        return st;
    switch (key->type) {
    case KEY_DURATION:
    case KEY_SIZE:
    case KEY_INT: return read_number(&trial, &number);
    case KEY_WORD:
    case KEY_CHOICE: return check_word(&trial, text);
    case KEY_WORDS: return check_words(&trial);
    case KEY_SWITCH: return check_switch(&trial);
    case KEY_ORIGINS: return check_origins(&trial);
    case KEY_PREFIXES: return check_prefixes(&trial);
    case KEY_RATE: return check_rate(&trial);
    case KEY_NAME: return check_name(&trial);
    case KEY_ADDRESS: return check_address(&trial);
    default: return ST_OK;
    }
}
/* NOLINTEND(readability-non-const-parameter) */

void config_value_store(const struct config_key *key, const char *text,
                        struct config *config)
{
    char ignored[CONFIG_ERROR_BYTES];
    const struct trial trial = {key, key->path, slice_of(text), ignored};
    char *place = (char *)config + key->offset;
    uint64_t number = 0;
    unsigned choice = 0;
    size_t index = 0;
    bool is_later;

    switch (key->type) {
    case KEY_DURATION:
    case KEY_SIZE:
    case KEY_INT:
        read_number(&trial, &number);
        memcpy(place, &number, sizeof number);
        break;
    case KEY_CHOICE:
        config_key_has_word(key, trial.text, &index, &is_later);
        choice = (unsigned)index;
        memcpy(place, &choice, sizeof choice);
        break;
    case KEY_SWITCH:
        read_switch(trial.text, &choice);
        memcpy(place, &choice, sizeof choice);
        break;
    default: memcpy(place, &text, sizeof text); break;
    }
}
