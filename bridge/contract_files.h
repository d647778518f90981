/*
 * The files of a folder of contracts: every `*.schema.json`, in the order of their names.
 * They are compiled by proto/contract_set; the texts stay here so that faults can show
 * their lines. Any thread.
 */
#ifndef BRIDGE_CONTRACT_FILES_H
#define BRIDGE_CONTRACT_FILES_H

#include "proto/contract_set.h"

struct contract_files;

/*
 * `place` is where the configuration names the folder. Gives the files
 * (contract_files_destroy), which must live as long as faults and contracts made of them,
 * or NULL after at least one fault was added.
 */
struct contract_files *contract_files_read(const char *folder, struct place place,
                                           struct faults *faults);
void contract_files_destroy(struct contract_files *files);

/* Lent by the files. */
const struct contract_source *contract_files_sources(const struct contract_files *files,
                                                     size_t *count);

/* The text of the file that a fault's place names; empty when it is none of these. */
struct slice contract_files_text(const struct contract_files *files, const char *path);

#endif
