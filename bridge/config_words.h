/* What an unknown key of a configuration was probably meant to be. Pure. */
#ifndef BRIDGE_CONFIG_WORDS_H
#define BRIDGE_CONFIG_WORDS_H

#include "bridge/config_keys.h"
#include "proto/faults.h"

/*
 * Adds the fault for a key that is not below `parent` (NULL: the top), with the nearest
 * word there, our word for what another server calls so, or where the key belongs.
 */
void config_words_unknown(const struct config_key *parent, struct slice word,
                          struct place place, struct faults *faults);

#endif
