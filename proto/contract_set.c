/* Contracts by file: see the header. */
#include "proto/contract_set.h"

#include "proto/ident.h"
#include "proto/json_document.h"
#include "proto/limits.h"

#include <stdlib.h>
#include <string.h>

#define SUFFIX ".schema.json"

struct contract_set {
    const char **files;
    struct document_node *schemas;
    struct contract **contracts;
    size_t count;
};

static bool compile_one(struct contract_set *set, const struct contract_source *source,
                        struct faults *faults)
{
    size_t at = set->count++;

    set->files[at] = slice_dup(source->name);
    if (!set->files[at]) {
        faults_add(faults, (struct place){.file = source->path}, NULL, "out of memory");
        return false;
    }
    if (!json_document_read(source->path, source->text, &set->schemas[at], faults))
        return false;
    set->contracts[at] = contract_compile(&set->schemas[at], faults);
    return set->contracts[at] != NULL;
}

struct contract_set *contract_set_compile(const struct contract_source *sources,
                                          size_t count, struct faults *faults)
{
    struct contract_set *set = calloc(1, sizeof *set);
    size_t room = count > 0 ? count : 1;
    bool is_whole = true;

    if (set) {
        set->files = calloc(room, sizeof *set->files);
        set->schemas = calloc(room, sizeof *set->schemas);
        set->contracts = calloc(room, sizeof *set->contracts);
    }
    if (!set || !set->files || !set->schemas || !set->contracts) {
        faults_add(faults, (struct place){0}, NULL, "out of memory");
        contract_set_destroy(set);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        is_whole &= compile_one(set, &sources[i], faults);
    if (is_whole)
        return set;
    contract_set_destroy(set);
    return NULL;
}

void contract_set_destroy(struct contract_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        free((char *)set->files[i]);
        document_finish(&set->schemas[i]);
        contract_destroy(set->contracts[i]);
    }
    free(set->files);
    free(set->schemas);
    free(set->contracts);
    free(set);
}

/* Where a file is, or the count. Asked when a configuration is loaded only. */
static size_t find(const struct contract_set *set, struct slice file)
{
    size_t at = 0;

    while (at < set->count && !slice_is(file, set->files[at]))
        at++;
    return at;
}

const struct contract *contract_set_find(const struct contract_set *set,
                                         struct slice file)
{
    size_t at = set ? find(set, file) : 0;

    return set && at < set->count ? set->contracts[at] : NULL;
}

const struct document_node *contract_set_schema(const struct contract_set *set,
                                                struct slice file)
{
    size_t at = set ? find(set, file) : 0;

    return set && at < set->count ? &set->schemas[at] : NULL;
}

const char *const *contract_set_files(const struct contract_set *set, size_t *count)
{
    *count = set ? set->count : 0;
    return set ? set->files : NULL;
}

/* --- names */

void contract_file_of(struct slice event, struct buf *out)
{
    for (size_t i = 0; i < event.len; i++) {
        switch (event.ptr[i]) {
        case ':': buf_add_text(out, "%3A"); break;
        case '/': buf_add_text(out, "%2F"); break;
        case '%': buf_add_text(out, "%25"); break;
        default: buf_add_byte(out, event.ptr[i]);
        }
    }
    buf_add_text(out, SUFFIX);
}

bool contract_file_event(struct slice file, struct buf *out)
{
    size_t suffix = sizeof SUFFIX - 1;

    if (file.len <= suffix || !slice_is(slice_from(file, file.len - suffix), SUFFIX))
        return false;
    file.len -= suffix;
    while (file.len > 0) {
        uint8_t byte = (uint8_t)file.ptr[0];
        size_t used = 1;
        if (byte == '%') {
            struct slice hex = slice_first(slice_from(file, 1), 2);
            if (!ident_hex_decode(hex, &byte, 1))
                return false;
            used = 3;
        }
        buf_add_byte(out, (char)byte);
        file = slice_from(file, used);
    }
    return true;
}
