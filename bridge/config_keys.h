/*
 * The table of all keys of a configuration: the only source of what reads the file, the
 * environment and --set, of the defaults, of docs/configuration.md and of the schema for
 * editors. A path names a key; "*" in it is any name ("commands.*.do"), "[]" any item
 * ("rooms[].match"). Constant, any thread.
 */
#ifndef BRIDGE_CONFIG_KEYS_H
#define BRIDGE_CONFIG_KEYS_H

#include "bridge/config.h"
#include "proto/slice.h"

enum key_type {
    /* One text each. As an option: what struct config has for it. */
    KEY_DURATION, /* uint64_t, milliseconds */
    KEY_SIZE,     /* uint64_t, bytes */
    KEY_INT,      /* uint64_t */
    KEY_TEXT,     /* const char * */
    KEY_NAME,     /* const char *, of letters, digits and "-_."; 64 bytes at most */
    KEY_PATH,     /* const char *; in the file it starts at the file's folder */
    KEY_ADDRESS,  /* const char *, to listen on; or one of `words` */
    KEY_RATE,     /* const char *, "5000/s": proto/token_bucket */
    KEY_SECRET,   /* const char *; never shown, never a flag; KEY_file names a file */
    KEY_WORD,     /* const char *, one of `words` */
    KEY_CHOICE,   /* an enum: the index into `words` */
    KEY_SWITCH,   /* enum config_switch: on, off, true, false */

    /* Lists in the file, const char * separated by commas elsewhere. */
    KEY_TEXTS,
    KEY_ORIGINS,  /* proto/origin */
    KEY_PREFIXES, /* proto/ip_prefix */
    KEY_SECRETS,
    KEY_WORDS,     /* each one of `words` */
    KEY_KEY_ITEMS, /* KID:ALG:FILE each, or maps of kid, alg and file */

    /* Only in the file: what they mean is for the part of the system that reads them. */
    KEY_MAP,      /* of the keys below it */
    KEY_LIST,     /* of items as the row "…[]" says */
    KEY_TEMPLATE, /* any JSON with placeholders: proto/template */
    KEY_TEXT_TEMPLATE,
    KEY_ROOM_TEMPLATE,
    KEY_PATTERN,  /* of rooms */
    KEY_EVENT,    /* an event's name */
    KEY_CONTRACT, /* a JSON Schema, or the name of its file */
    KEY_ANY
};

enum {
    KEY_RELOADS = 1, /* SIGHUP brings a new value in */
    KEY_LATER = 2,   /* belongs to a part that is not built: refused by name */
    KEY_EXACT = 4    /* the "*" at the end of its path is a name like others */
};

struct config_key {
    const char *path;
    enum key_type type;
    const char *fallback;     /* the default as one would write it; NULL: none */
    size_t offset;            /* of an option in struct config */
    uint64_t min, max;        /* numbers */
    const char *const *words; /* NULL ends them; "~word" is one that is not built yet */
    unsigned flags;
    const char *doc;
};

#define CONFIG_KEY_NO_OFFSET ((size_t)-1)

extern const struct config_key config_keys[];
extern const size_t config_key_count;

enum {
    CONFIG_KEY_MAX_COUNT = 320, /* the table never has more rows */
    CONFIG_KEY_PATH_BYTES = 80  /* the longest path and its terminator */
};

/* An option has one value, which flags and environment may give, too. */
bool config_key_is_option(const struct config_key *key);
bool config_key_is_secret(const struct config_key *key);
/* A list of texts, which is one text outside the file. */
bool config_key_is_text_list(const struct config_key *key);
/* Whether values are one text that config_value can check. */
bool config_key_is_scalar(const struct config_key *key);

/* Whether it, or what it hangs on, is not built yet. */
bool config_key_is_later(const struct config_key *key);

/* The option with this path, or NULL. */
const struct config_key *config_key_option(struct slice path);

/* What `name` is below `parent` (NULL: at the top): the row of this name, or the one of
 * any name; NULL: there is none. */
const struct config_key *config_key_child(const struct config_key *parent,
                                          struct slice name);
/* The row of a list's items, or NULL. */
const struct config_key *config_key_item(const struct config_key *list);

/* Whether `key` stands directly below `parent` (NULL: at the top); then `*name` is its
 * last word, lent by the table. */
bool config_key_is_below(const struct config_key *key, const struct config_key *parent,
                         const char **name);

/* Whether `word` is one of key->words; `*is_later` when it is one that is not built. */
bool config_key_has_word(const struct config_key *key, struct slice word, size_t *index,
                         bool *is_later);

#endif
