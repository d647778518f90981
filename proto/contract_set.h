/*
 * The contracts of a folder, each under the name of its file: `agent_update.schema.json`
 * is the contract of the event `agent_update`. In a file's name `:`, `/` and `%` of the
 * event's are written %3A, %2F and %25. Compiled when the configuration is loaded,
 * constant afterwards. Reading the folder is bridge/contract_files' work.
 */
#ifndef PROTO_CONTRACT_SET_H
#define PROTO_CONTRACT_SET_H

#include "proto/contract.h"

/* One file. All borrowed; `path` names it in faults and must live as long as these. */
struct contract_source {
    const char *path;
    struct slice name; /* "agent_update.schema.json" */
    struct slice text;
};

struct contract_set;

/* Gives a set (contract_set_destroy), or NULL after the faults of all files were added.
 */
struct contract_set *contract_set_compile(const struct contract_source *sources,
                                          size_t count, struct faults *faults);
void contract_set_destroy(struct contract_set *set);

/* By the name of its file. Lent by the set; NULL: there is none, or `set` is NULL. */
const struct contract *contract_set_find(const struct contract_set *set,
                                         struct slice file);
/* The same file as it was read, for who makes other things of it. */
const struct document_node *contract_set_schema(const struct contract_set *set,
                                                struct slice file);

/* The names of all files, in their order; lent by the set. */
const char *const *contract_set_files(const struct contract_set *set, size_t *count);

/* Appends the name of the file that is an event's without being named. */
void contract_file_of(struct slice event, struct buf *out);
/* The event whose file this is, appended; false when it is no such name. */
bool contract_file_event(struct slice file, struct buf *out);

#endif
