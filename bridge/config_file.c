/* A configuration file: see the header. */
#include "bridge/config_file.h"

#include "bridge/config_bind.h"
#include "bridge/config_contracts.h"
#include "bridge/config_read.h"
#include "bridge/config_yaml.h"
#include "bridge/secret_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usual_path[] = "/etc/sidecast/sidecast.yaml";

struct config_file {
    char *path;   /* absolute; NULL: no file */
    char *folder; /* of it */
    struct slice text;
    struct document_node root;
    struct config_contracts *contracts;
};

const char *config_file_find(const char *flag, char *const *environment)
{
    static const char name[] = "SIDECAST_CONFIG=";

    if (flag)
        return flag;
    for (; *environment; environment++)
        if (strncmp(*environment, name, sizeof name - 1) == 0) {
            const char *path = *environment + sizeof name - 1;
            return path[0] ? path : NULL;
        }
    return access(usual_path, F_OK) == 0 ? usual_path : NULL;
}

/* `folder`: where a relative path begins. */
static bool take_path(struct config_file *file, const char *folder, const char *path)
{
    if (path[0] == '/')
        file->path = strdup(path);
    else if (asprintf(&file->path, "%s/%s", folder, path) < 0)
        file->path = NULL;
    file->folder = file->path ? strdup(file->path) : NULL;
    if (!file->folder)
        return false;
    *strrchr(file->folder, '/') = '\0';
    return true;
}

static void read_document(struct config_file *file, const char *path,
                          struct faults *faults)
{
    struct place place = {.file = file->path};
    const char *reason;

    if (config_read(path, &file->text, &reason))
        faults_add(faults, place, NULL, "cannot be read: %s", reason);
    else
        config_yaml_read(file->path, file->text, &file->root, faults);
}

struct config_file *config_file_open(const char *path, struct faults *faults)
{
    struct config_file *file = calloc(1, sizeof *file);
    char folder[PATH_MAX] = "";

    if (!file)
        return NULL;
    file->root.kind = DOCUMENT_MAP;
    if (!path)
        return file;
    if (path[0] != '/' && !getcwd(folder, sizeof folder)) {
        faults_add(faults, (struct place){0}, NULL,
                   "%s: cannot be read: the working folder: %s", path, strerror(errno));
        return file;
    }
    if (!take_path(file, folder, path)) {
        config_file_close(file);
        return NULL;
    }
    read_document(file, path, faults);
    return file;
}

void config_file_close(struct config_file *file)
{
    if (!file)
        return;
    config_contracts_close(file->contracts);
    document_finish(&file->root);
    free((char *)file->text.ptr);
    free(file->folder);
    free(file->path);
    free(file);
}

const char *config_file_path(const struct config_file *file)
{
    return file->path;
}

const struct document_node *config_file_root(const struct config_file *file)
{
    return &file->root;
}

const struct document_node *config_file_node(const struct config_file *file,
                                             const struct config_key *key)
{
    const struct document_node *node = &file->root;
    struct slice rest = slice_of(key->path), name;
    char word[CONFIG_KEY_PATH_BYTES];

    while (node && rest.len > 0) {
        slice_cut(rest, '.', &name, &rest);
        snprintf(word, sizeof word, "%.*s", (int)name.len, name.ptr);
        node = document_find(node, word);
    }
    return node;
}

void config_file_bind(const struct config_file *file, struct options *options,
                      struct faults *faults)
{
    const struct config_bind_source source = {
        .folder = file->folder ? file->folder : "",
        .read_secret = secret_file_read,
    };

    config_bind(&file->root, &source, options, faults);
}

static struct config_contracts *open_contracts(const struct config_file *file,
                                               struct faults *faults)
{
    const struct document_node *node = document_find(&file->root, "contracts");
    struct slice name =
        node && node->kind == DOCUMENT_SCALAR ? node->text : (struct slice){0};
    bool is_relative = name.len > 0 && name.ptr[0] != '/';
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s%s%.*s", is_relative ? file->folder : "",
             is_relative ? "/" : "", (int)slice_first(name, PATH_MAX).len,
             name.len ? name.ptr : "");
    return config_contracts_open(folder, node ? node->place : file->root.place, faults);
}

struct system *config_file_compile(struct config_file *file, struct faults *faults)
{
    if (!file->contracts)
        file->contracts = open_contracts(file, faults);
    if (!file->contracts)
        return NULL;

    const struct system_files files = config_contracts_files(file->contracts);
    return system_compile(&file->root, &files, faults);
}

struct system_files config_file_files(const struct config_file *file)
{
    return config_contracts_files(file->contracts);
}

static bool is_on_line(const struct document_node *node, unsigned line)
{
    for (size_t i = 0; node->kind == DOCUMENT_LIST && i < node->count; i++)
        if (node->items[i].place.line == line)
            return true;
    return node->place.line == line;
}

/* No message shows a secret, so the line under it must not either. */
static bool shows_secret(const struct config_file *file, unsigned line)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const struct document_node *node =
            config_key_is_option(key) && config_key_is_secret(key)
                ? config_file_node(file, key)
                : NULL;
        if (node && is_on_line(node, line))
            return true;
    }
    return false;
}

struct slice config_file_source(const struct config_file *file, struct place place)
{
    if (!file || !place.file)
        return (struct slice){0};
    if (!file->path || strcmp(place.file, file->path) != 0)
        return config_contracts_source(file->contracts, place.file);
    if (shows_secret(file, place.line))
        return (struct slice){0};
    return file->text;
}

void config_file_print(const struct config_file *file, struct faults *faults,
                       struct buf *out)
{
    faults_drop_echoes(faults);
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        if (!fault->place.file)
            buf_add_text(out, "sidecast: ");
        fault_print(fault, config_file_source(file, fault->place), out);
    }
}
