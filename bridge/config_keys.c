/* The table of keys, asked: see the header. Its rows are in config_keys_table.c. */
#include "bridge/config_keys.h"

#include <string.h>

bool config_key_is_option(const struct config_key *key)
{
    return key->offset != CONFIG_KEY_NO_OFFSET;
}

bool config_key_is_secret(const struct config_key *key)
{
    return key->type == KEY_SECRET || key->type == KEY_SECRETS;
}

bool config_key_is_text_list(const struct config_key *key)
{
    return key->type >= KEY_TEXTS && key->type <= KEY_KEY_ITEMS;
}

bool config_key_is_scalar(const struct config_key *key)
{
    return key->type <= KEY_SWITCH;
}

bool config_key_is_later(const struct config_key *key)
{
    for (size_t i = 0; i < config_key_count; i++) {
        size_t len = strlen(config_keys[i].path);
        if ((config_keys[i].flags & KEY_LATER) &&
            strncmp(key->path, config_keys[i].path, len) == 0 &&
            (key->path[len] == '\0' || strchr(".[", key->path[len])))
            return true;
    }
    return false;
}

const struct config_key *config_key_option(struct slice path)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_is_option(&config_keys[i]) && slice_is(path, config_keys[i].path))
            return &config_keys[i];
    return NULL;
}

/* The part of a path behind its parent's, with the dot; NULL: it is not below. */
static const char *rest_below(const struct config_key *key,
                              const struct config_key *parent)
{
    size_t len = parent ? strlen(parent->path) : 0;

    if (!parent)
        return key->path;
    if (strncmp(key->path, parent->path, len) != 0 || key->path[len] != '.')
        return NULL;
    return key->path + len + 1;
}

bool config_key_is_below(const struct config_key *key, const struct config_key *parent,
                         const char **name)
{
    *name = rest_below(key, parent);
    return *name && !strpbrk(*name, ".[");
}

const struct config_key *config_key_child(const struct config_key *parent,
                                          struct slice name)
{
    const struct config_key *any = NULL;
    const char *word;

    for (size_t i = 0; i < config_key_count; i++) {
        if (!config_key_is_below(&config_keys[i], parent, &word))
            continue;
        if (slice_is(name, word))
            return &config_keys[i];
        if (strcmp(word, "*") == 0 && !(config_keys[i].flags & KEY_EXACT))
            any = &config_keys[i];
    }
    return any;
}

const struct config_key *config_key_item(const struct config_key *list)
{
    size_t len = strlen(list->path);

    for (size_t i = 0; i < config_key_count; i++)
        if (strncmp(config_keys[i].path, list->path, len) == 0 &&
            strcmp(config_keys[i].path + len, "[]") == 0)
            return &config_keys[i];
    return NULL;
}

bool config_key_has_word(const struct config_key *key, struct slice word, size_t *index,
                         bool *is_later)
{
    for (size_t i = 0; key->words && key->words[i]; i++) {
        *is_later = key->words[i][0] == '~';
        if (!slice_is(word, key->words[i] + *is_later))
            continue;
        *index = i;
        return true;
    }
    return false;
}
