/* Files of contracts: see the header. */
#include "bridge/contract_files.h"

#include "proto/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".schema.json"

struct contract_files {
    struct contract_source *sources;
    size_t count;
};

static int is_contract(const struct dirent *entry)
{
    struct slice name = slice_of(entry->d_name);

    return entry->d_name[0] != '.' && name.len > sizeof SUFFIX - 1 &&
           slice_is(slice_from(name, name.len - (sizeof SUFFIX - 1)), SUFFIX);
}

/* Gives the text (free); one byte more than a file may have shows that it is too large.
 */
static char *read_text(const char *path, size_t *len, const char **reason)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(LIMIT_CONFIG_BYTES + 1);

    *reason = !file ? strerror(errno) : text ? NULL : "out of memory";
    if (!*reason) {
        *len = fread(text, 1, LIMIT_CONFIG_BYTES + 1, file);
        if (ferror(file))
            *reason = strerror(errno);
        else if (*len > LIMIT_CONFIG_BYTES)
            *reason = "it is larger than 1 MiB";
    }
    if (file)
        fclose(file);
    if (!*reason)
        return text;
    free(text);
    return NULL;
}

static bool read_one(const char *folder, const char *name, struct contract_source *source,
                     struct place place, struct faults *faults)
{
    struct buf path = {.max = LIMIT_CONFIG_BYTES};
    const char *reason = "out of memory";
    size_t len = 0;
    char *text = NULL;

    buf_print(&path, "%s/%s", folder, name);
    buf_add_byte(&path, '\0');
    if (!buf_status(&path))
        text = read_text(path.ptr, &len, &reason);
    if (!text) {
        faults_add(faults, place, NULL, "the contract %s cannot be read: %s", name,
                   reason);
        buf_finish(&path);
        return false;
    }
    source->path = buf_release(&path);
    source->name = slice_of(source->path + strlen(folder) + 1);
    /* Most files are small, and all of them stay. */
    char *fitting = realloc(text, len + 1);
    source->text = (struct slice){fitting ? fitting : text, len};
    return true;
}

static bool read_all(struct contract_files *files, const char *folder,
                     struct dirent **names, size_t count, struct place place,
                     struct faults *faults)
{
    bool is_whole = true;

    if (count > LIMIT_CONTRACT_FILES) {
        faults_add(faults, place, NULL, "this folder has more than %d contracts",
                   LIMIT_CONTRACT_FILES);
        return false;
    }
    files->sources = calloc(count + 1, sizeof *files->sources);
    if (!files->sources) {
        faults_add(faults, place, NULL, "out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (read_one(folder, names[i]->d_name, &files->sources[files->count], place,
                     faults))
            files->count++;
        else
            is_whole = false;
    }
    return is_whole;
}

struct contract_files *contract_files_read(const char *folder, struct place place,
                                           struct faults *faults)
{
    struct contract_files *files = calloc(1, sizeof *files);
    struct dirent **names = NULL;
    int count = files ? scandir(folder, &names, is_contract, alphasort) : -1;
    bool is_whole = false;

    if (!files)
        faults_add(faults, place, NULL, "out of memory");
    else if (count < 0)
        faults_add(faults, place, NULL, "the folder of contracts cannot be read: %s",
                   strerror(errno));
    else
        is_whole = read_all(files, folder, names, (size_t)count, place, faults);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    if (is_whole)
        return files;
    contract_files_destroy(files);
    return NULL;
}

void contract_files_destroy(struct contract_files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->count; i++) {
        free((char *)files->sources[i].path);
        free((char *)files->sources[i].text.ptr);
    }
    free(files->sources);
    free(files);
}

const struct contract_source *contract_files_sources(const struct contract_files *files,
                                                     size_t *count)
{
    *count = files->count;
    return files->sources;
}

struct slice contract_files_text(const struct contract_files *files, const char *path)
{
    for (size_t i = 0; files && i < files->count; i++)
        if (strcmp(files->sources[i].path, path) == 0)
            return files->sources[i].text;
    return (struct slice){0};
}
