/*
 * The folder of contracts: one JSON file per event, "<event>.schema.json" with ":" and
 * "/" written %3A and %2F. Files stay in memory until the end, for the places of faults.
 * Any one thread.
 */
#ifndef BRIDGE_CONFIG_CONTRACTS_H
#define BRIDGE_CONFIG_CONTRACTS_H

#include "proto/system.h"

struct config_contracts;

/*
 * Gives the folder's list (config_contracts_close), or NULL after a fault at `place`. An
 * empty `folder` is one without files.
 */
struct config_contracts *config_contracts_open(const char *folder, struct place place,
                                               struct faults *faults);
void config_contracts_close(struct config_contracts *contracts);

/* What system_compile asks for; lends. */
struct system_files config_contracts_files(struct config_contracts *contracts);
/* Lends the text of a file that was read, or nothing. */
struct slice config_contracts_source(const struct config_contracts *contracts,
                                     const char *file);

#endif
