/* Mounts: see the header. */
#include "proto/mount_rules.h"

#include "proto/limits.h"
#include "proto/rule_node.h"
#include "proto/units.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const dialect_words[MOUNT_DIALECT_COUNT] = {"socketio", "native",
                                                               "echo"};
static const char *const transport_words[] = {"websocket",
                                              "polling"}; /* bits, in order */

/* A path without the slash at its end, and whose it is. */
struct mount_path {
    char *text;
    size_t len;
    size_t mount;
};

struct mount_rules {
    struct mount_rule *mounts;
    size_t count;
    struct mount_path *paths;
    size_t path_count;
};

/* --- paths --- */

static struct slice without_slash(struct slice path)
{
    if (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    return path;
}

static const char *path_fault(struct slice path)
{
    if (path.len == 0 || path.ptr[0] != '/')
        return "begins with a slash";
    if (path.len > LIMIT_MOUNT_PATH_BYTES)
        return "has at most 128 bytes";
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] <= ' ' || path.ptr[i] > '~' || strchr("?#%\\*", path.ptr[i]))
            return "is of printable ASCII, without ? # % * and backslash";
    return NULL;
}

static bool is_taken(const struct mount_rules *rules, struct slice path)
{
    for (size_t i = 0; i < rules->path_count; i++)
        if (slice_equal(path, (struct slice){rules->paths[i].text, rules->paths[i].len}))
            return true;
    return false;
}

static void add_path(struct mount_rules *rules, struct slice path, struct place place,
                     struct faults *faults)
{
    struct slice kept = without_slash(path);

    if (is_taken(rules, kept)) {
        faults_add(faults, place, NULL, "there is a mount at %.*s already", (int)path.len,
                   path.ptr);
        return;
    }
    struct mount_path *grown =
        realloc(rules->paths, (rules->path_count + 1) * sizeof *rules->paths);
    char *text = slice_dup(kept);
    if (grown)
        rules->paths = grown;
    if (!grown || !text) {
        free(text);
        rule_no_memory(place, faults);
        return;
    }
    rules->paths[rules->path_count++] = (struct mount_path){text, kept.len, rules->count};
}

static void read_path(struct mount_rules *rules, const struct document_node *node,
                      struct faults *faults)
{
    const char *fault = node->kind == DOCUMENT_SCALAR ? path_fault(node->text)
                                                      : "is one text, or a list of them";

    if (fault)
        faults_add(faults, node->place, NULL, "path %s: /socket.io/", fault);
    else
        add_path(rules, node->text, node->place, faults);
}

static void read_paths(struct mount_rules *rules, const struct document_node *mount,
                       struct faults *faults)
{
    const struct document_node *node = document_find(mount, "path");
    bool is_list = node && node->kind == DOCUMENT_LIST;

    if (!node || (is_list && node->count == 0)) {
        faults_add(faults, node ? node->place : mount->place, NULL,
                   "a mount needs a path: /socket.io/");
        return;
    }
    if (!is_list)
        read_path(rules, node, faults);
    for (size_t i = 0; is_list && i < node->count; i++)
        read_path(rules, &node->items[i], faults);
}

/* --- settings --- */

static void read_duration(const struct document_node *mount, const char *key,
                          uint64_t *ms, struct faults *faults)
{
    const struct document_node *node = document_find(mount, key);

    if (node)
        rule_duration(node, key, ms, faults);
}

static void read_size(const struct document_node *mount, const char *key, uint64_t *bytes,
                      struct faults *faults)
{
    const struct document_node *node = document_find(mount, key);
    const char *reason = "is a size: 64KiB or 1MB";

    if (!node)
        return;
    if (node->kind != DOCUMENT_SCALAR ||
        units_parse_size(node->text, bytes, &reason) != ST_OK)
        faults_add(faults, node->place, NULL, "%s %s", key, reason);
    else if (*bytes == 0 || *bytes > LIMIT_CLIENT_MESSAGE_BYTES)
        faults_add(faults, node->place, NULL, "%s must lie between 1B and 1MB", key);
}

static void read_transport(struct mount_settings *own, const struct document_node *node,
                           struct faults *faults)
{
    int at = rule_word(node, "transports", transport_words,
                       sizeof transport_words / sizeof *transport_words, faults);

    if (at >= 0)
        own->transports |= 1u << at;
}

static void read_transports(struct mount_settings *own, const struct document_node *node,
                            struct faults *faults)
{
    bool is_list = node && node->kind == DOCUMENT_LIST;

    if (is_list && node->count == 0)
        faults_add(faults, node->place, NULL,
                   "transports needs at least one of websocket and polling");
    for (size_t i = 0; is_list && i < node->count; i++)
        read_transport(own, &node->items[i], faults);
    if (node && !is_list)
        read_transport(own, node, faults);
}

static void read_compress(struct mount_rule *rule, const struct document_node *node,
                          struct faults *faults)
{
    const struct document_node *polling = document_find(node, "polling");
    const char *reason = "is a size: 1KiB";
    uint64_t *least = &rule->own.compress_polling_bytes;

    if (!polling)
        return;
    rule->says_compress = true;
    if (polling->kind != DOCUMENT_SCALAR ||
        units_parse_size(polling->text, least, &reason) != ST_OK)
        faults_add(faults, polling->place, NULL, "compress.polling %s", reason);
    else if (*least > LIMIT_COMPRESS_FROM_BYTES)
        faults_add(faults, polling->place, NULL,
                   "compress.polling must be at most 1MiB; 0B: none");
}

bool mount_cookie_is_valid(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.ptr[i]) && !memchr("-_.", name.ptr[i], 3))
            return false;
    return name.len <= LIMIT_COOKIE_NAME_BYTES;
}

static void read_cookie(struct mount_rule *rule, const struct document_node *node,
                        struct faults *faults)
{
    if (!node)
        return;
    rule->says_cookie = true;
    if (node->kind != DOCUMENT_SCALAR || !mount_cookie_is_valid(node->text))
        faults_add(faults, node->place, NULL,
                   "cookie must be at most %d letters, digits, '-', '_' and '.'",
                   LIMIT_COOKIE_NAME_BYTES);
    else
        memcpy(rule->own.cookie, node->text.ptr, node->text.len);
}

static void read_settings(struct mount_rule *rule, const struct document_node *mount,
                          struct faults *faults)
{
    const struct document_node *upgrades = document_find(mount, "upgrades");
    struct mount_settings *own = &rule->own;

    read_duration(mount, "ping_interval", &own->ping_interval_ms, faults);
    read_duration(mount, "ping_timeout", &own->ping_timeout_ms, faults);
    read_duration(mount, "upgrade_timeout", &own->upgrade_timeout_ms, faults);
    read_duration(mount, "connect_timeout", &own->connect_timeout_ms, faults);
    read_size(mount, "max_message_size", &own->max_message_bytes, faults);
    read_transports(own, document_find(mount, "transports"), faults);
    if (document_find(mount, "compress"))
        read_compress(rule, document_find(mount, "compress"), faults);
    read_cookie(rule, document_find(mount, "cookie"), faults);
    if (upgrades)
        rule->says_upgrades =
            rule_switch(upgrades, "upgrades", &own->may_upgrade, faults);
}

static void read_dialect(struct mount_rule *rule, const struct document_node *mount,
                         struct faults *faults)
{
    const struct document_node *node = document_find(mount, "dialect");
    int at = node ? rule_word(node, "dialect", dialect_words, MOUNT_DIALECT_COUNT, faults)
                  : MOUNT_SOCKETIO;
    unsigned transports;

    rule->dialect = at < 0 ? MOUNT_SOCKETIO : (enum mount_dialect)at;
    transports = rule->own.transports;
    if (at == MOUNT_NATIVE && transports && !(transports & MOUNT_WEBSOCKET))
        faults_add(faults, document_find(mount, "transports")->place, NULL,
                   "the native dialect is spoken over websocket alone");
}

/* --- the table --- */

static void compile_mount(struct mount_rules *rules, const struct document_node *node,
                          struct faults *faults)
{
    struct mount_rule *rule = &rules->mounts[rules->count];

    if (node->kind != DOCUMENT_MAP) {
        faults_add(faults, node->place, NULL,
                   "a mount is a map: {path: /socket.io/, dialect: socketio}");
        return;
    }
    read_paths(rules, node, faults);
    read_settings(rule, node, faults);
    read_dialect(rule, node, faults);
    rules->count++;
}

static void compile_list(struct mount_rules *rules, const struct document_node *list,
                         struct faults *faults)
{
    if (list->kind != DOCUMENT_LIST || list->count == 0) {
        faults_add(
            faults, list->place, NULL,
            "mounts is a list: [{path: /socket.io/}, {path: /ws, dialect: native}]");
        return;
    }
    if (list->count > LIMIT_MOUNTS) {
        faults_add(faults, list->place, NULL, "there are at most %d mounts",
                   LIMIT_MOUNTS);
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        compile_mount(rules, &list->items[i], faults);
}

static void add_default(struct mount_rules *rules, const char *path,
                        enum mount_dialect dialect, struct faults *faults)
{
    rules->mounts[rules->count].dialect = dialect;
    add_path(rules, slice_of(path), (struct place){0}, faults);
    rules->count++;
}

struct mount_rules *mount_rules_compile(const struct document_node *node,
                                        struct faults *faults)
{
    struct mount_rules *rules = calloc(1, sizeof *rules);
    size_t before = rule_fault_count(faults);

    if (rules)
        rules->mounts = calloc(LIMIT_MOUNTS, sizeof *rules->mounts);
    if (!rules || !rules->mounts) {
        rule_no_memory((struct place){0}, faults);
    } else if (node) {
        compile_list(rules, node, faults);
    } else {
        add_default(rules, "/socket.io/", MOUNT_SOCKETIO, faults);
        add_default(rules, "/ws", MOUNT_NATIVE, faults);
    }
    if (rule_fault_count(faults) == before)
        return rules;
    mount_rules_destroy(rules);
    return NULL;
}

void mount_rules_destroy(struct mount_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->path_count; i++)
        free(rules->paths[i].text);
    free(rules->paths);
    free(rules->mounts);
    free(rules);
}

size_t mount_rules_count(const struct mount_rules *rules)
{
    return rules->count;
}

const struct mount_rule *mount_rules_at(const struct mount_rules *rules, size_t index)
{
    return &rules->mounts[index];
}

static bool covers(const struct mount_rules *rules, const struct mount_path *mount,
                   struct slice path)
{
    struct slice below = slice_from(path, mount->len);

    if (path.len < mount->len || memcmp(path.ptr, mount->text, mount->len) != 0)
        return false;
    if (below.len == 0 || slice_is(below, "/"))
        return true;
    return below.ptr[0] == '/' && rules->mounts[mount->mount].dialect != MOUNT_NATIVE;
}

bool mount_rules_find(const struct mount_rules *rules, struct slice path, size_t *index)
{
    const struct mount_path *longest = NULL;

    for (size_t i = 0; i < rules->path_count; i++) {
        const struct mount_path *mount = &rules->paths[i];
        if (covers(rules, mount, path) && (!longest || mount->len > longest->len))
            longest = mount;
    }
    if (longest)
        *index = longest->mount;
    return longest != NULL;
}

static uint64_t either(uint64_t own, uint64_t fallback)
{
    return own > 0 ? own : fallback;
}

struct mount_settings mount_rule_settle(const struct mount_rule *rule,
                                        const struct mount_settings *defaults)
{
    const struct mount_settings *own = &rule->own;
    struct mount_settings settled = {
        .ping_interval_ms = either(own->ping_interval_ms, defaults->ping_interval_ms),
        .ping_timeout_ms = either(own->ping_timeout_ms, defaults->ping_timeout_ms),
        .upgrade_timeout_ms =
            either(own->upgrade_timeout_ms, defaults->upgrade_timeout_ms),
        .connect_timeout_ms =
            either(own->connect_timeout_ms, defaults->connect_timeout_ms),
        .max_message_bytes = either(own->max_message_bytes, defaults->max_message_bytes),
        .transports = own->transports ? own->transports : defaults->transports,
        .may_upgrade = rule->says_upgrades ? own->may_upgrade : defaults->may_upgrade,
        .compress_polling_bytes = rule->says_compress ? own->compress_polling_bytes
                                                      : defaults->compress_polling_bytes,
    };
    memcpy(settled.cookie, rule->says_cookie ? own->cookie : defaults->cookie,
           sizeof settled.cookie);
    return settled;
}

unsigned mount_transports_parse(struct slice words)
{
    unsigned transports = 0;
    struct slice word;

    while (words.len > 0) {
        slice_cut(words, ',', &word, &words);
        for (size_t i = 0; i < sizeof transport_words / sizeof *transport_words; i++)
            if (slice_is(slice_trim(word), transport_words[i]))
                transports |= 1u << i;
    }
    return transports;
}
