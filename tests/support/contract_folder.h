/* A folder of contracts that is made of texts, for what asks for files by system_files.
 */
#ifndef TESTS_SUPPORT_CONTRACT_FOLDER_H
#define TESTS_SUPPORT_CONTRACT_FOLDER_H

#include "proto/json_document.h"
#include "proto/system.h"

/* Those with an event come first. */
struct contract_text {
    const char *event;
    const char *file;
    const char *text;
};

struct contract_folder {
    const struct contract_text *texts;
    size_t count;
    struct document_node roots[8];
};

static inline void contract_folder_open(struct contract_folder *folder,
                                        const struct contract_text *texts, size_t count)
{
    *folder = (struct contract_folder){.texts = texts, .count = count};
    assert_true(count <= sizeof folder->roots / sizeof *folder->roots);
}

static inline void contract_folder_close(struct contract_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        document_finish(&folder->roots[i]);
}

static inline enum status contract_folder_read(void *ctx, struct slice name,
                                               const struct document_node **root,
                                               struct faults *faults)
{
    struct contract_folder *folder = ctx;

    for (size_t i = 0; i < folder->count; i++) {
        if (!slice_is(name, folder->texts[i].file))
            continue;
        document_finish(&folder->roots[i]);
        *root = &folder->roots[i];
        return json_document_read(folder->texts[i].file, slice_of(folder->texts[i].text),
                                  &folder->roots[i], faults)
                   ? ST_OK
                   : ST_BAD_PAYLOAD;
    }
    return ST_NOT_FOUND;
}

static inline const char *contract_folder_event(void *ctx, size_t index)
{
    const struct contract_folder *folder = ctx;

    return index < folder->count ? folder->texts[index].event : NULL;
}

static inline struct system_files contract_folder_files(struct contract_folder *folder)
{
    return (struct system_files){contract_folder_read, contract_folder_event, folder};
}

#endif
