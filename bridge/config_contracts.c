/* The folder of contracts: see the header. */
#include "bridge/config_contracts.h"

#include "bridge/config_read.h"
#include "proto/json_document.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char suffix[] = ".schema.json";

struct contract_file {
    char *path;
    char *event; /* whose it is; NULL: only named by the configuration */
    struct slice text;
    struct document_node root;
    bool is_read, is_good;
};

struct config_contracts {
    char *folder;
    struct contract_file **files; /* by name; those of the folder first */
    size_t count, in_folder;
};

/* "task%3Adone.schema.json" → "task:done"; NULL: out of memory, or no such name. */
static char *event_of(const char *name)
{
    size_t len = strlen(name);
    char *event =
        len > sizeof suffix - 1 && strcmp(name + len - (sizeof suffix - 1), suffix) == 0
            ? strdup(name)
            : NULL;
    size_t out = 0;

    for (size_t i = 0; event && i < len - (sizeof suffix - 1); i++) {
        bool is_colon = strncasecmp(name + i, "%3A", 3) == 0;
        bool is_slash = strncasecmp(name + i, "%2F", 3) == 0;
        event[out++] = is_colon ? ':' : (is_slash ? '/' : name[i]);
        i += is_colon || is_slash ? 2 : 0;
    }
    if (event)
        event[out] = '\0';
    return event;
}

static void destroy_file(struct contract_file *file)
{
    if (!file)
        return;
    document_finish(&file->root);
    free((char *)file->text.ptr);
    free(file->event);
    free(file->path);
    free(file);
}

/* Gives NULL when out of memory. */
static struct contract_file *add_file(struct config_contracts *contracts,
                                      struct slice name)
{
    struct contract_file *file = calloc(1, sizeof *file);
    void *files =
        realloc(contracts->files, (contracts->count + 1) * sizeof *contracts->files);
    bool is_relative = name.len > 0 && name.ptr[0] != '/';

    if (files)
        contracts->files = files;
    if (!files || !file ||
        asprintf(&file->path, "%s%s%.*s", is_relative ? contracts->folder : "",
                 is_relative ? "/" : "", (int)name.len, name.len ? name.ptr : "") < 0) {
        free(file);
        return NULL;
    }
    contracts->files[contracts->count++] = file;
    return file;
}

static bool list_folder(struct config_contracts *contracts)
{
    struct dirent **names = NULL;
    int count = scandir(contracts->folder, &names, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char *event = event_of(names[i]->d_name);
        struct contract_file *file =
            event ? add_file(contracts, slice_of(names[i]->d_name)) : NULL;
        if (file)
            file->event = event;
        else
            free(event);
        free(names[i]);
    }
    free(names);
    contracts->in_folder = contracts->count;
    return count >= 0;
}

struct config_contracts *config_contracts_open(const char *folder, struct place place,
                                               struct faults *faults)
{
    struct config_contracts *contracts = calloc(1, sizeof *contracts);

    if (contracts)
        contracts->folder = strdup(folder);
    if (!contracts || !contracts->folder) {
        faults_add(faults, place, NULL, "out of memory");
        config_contracts_close(contracts);
        return NULL;
    }
    if (folder[0] && !list_folder(contracts)) {
        faults_add(faults, place, NULL, "contracts: cannot read the folder %.150s: %s",
                   folder, strerror(errno));
        config_contracts_close(contracts);
        return NULL;
    }
    return contracts;
}

void config_contracts_close(struct config_contracts *contracts)
{
    if (!contracts)
        return;
    for (size_t i = 0; i < contracts->count; i++)
        destroy_file(contracts->files[i]);
    free(contracts->files);
    free(contracts->folder);
    free(contracts);
}

/* --- what the compilation asks */

static struct contract_file *find_file(const struct config_contracts *contracts,
                                       struct slice name)
{
    for (size_t i = 0; i < contracts->count; i++) {
        const char *path = contracts->files[i]->path;
        const char *last = strrchr(path, '/');
        if (slice_is(name, path) || slice_is(name, last ? last + 1 : path))
            return contracts->files[i];
    }
    return NULL;
}

static enum status read_file(struct contract_file *file, struct faults *faults)
{
    struct place place = {.file = file->path};
    const char *reason;
    enum status st = config_read(file->path, &file->text, &reason);

    file->is_read = true;
    if (st == ST_NOT_FOUND)
        return st;
    if (st) {
        faults_add(faults, place, NULL, "cannot be read: %s", reason);
        return ST_BAD_PAYLOAD;
    }
    file->is_good = json_document_read(file->path, file->text, &file->root, faults);
    return file->is_good ? ST_OK : ST_BAD_PAYLOAD;
}

static enum status read_contract(void *ctx, struct slice name,
                                 const struct document_node **root, struct faults *faults)
{
    struct config_contracts *contracts = ctx;
    struct contract_file *file = find_file(contracts, name);
    enum status st = ST_OK;

    *root = NULL;
    if (!file)
        file = add_file(contracts, name);
    if (!file)
        return ST_NOT_FOUND;
    if (!file->is_read)
        st = read_file(file, faults);
    if (!st && !file->is_good)
        /* What is wrong with it was told the first time. */
        st = file->text.ptr ? ST_BAD_PAYLOAD : ST_NOT_FOUND;
    if (!st)
        *root = &file->root;
    return st;
}

static const char *event_name(void *ctx, size_t index)
{
    const struct config_contracts *contracts = ctx;

    return index < contracts->in_folder ? contracts->files[index]->event : NULL;
}

struct system_files config_contracts_files(struct config_contracts *contracts)
{
    return (struct system_files){
        .read_contract = read_contract,
        .event_name = event_name,
        .ctx = contracts,
    };
}

struct slice config_contracts_source(const struct config_contracts *contracts,
                                     const char *file)
{
    for (size_t i = 0; contracts && i < contracts->count; i++)
        if (strcmp(contracts->files[i]->path, file) == 0)
            return contracts->files[i]->text;
    return (struct slice){0};
}
