/*
 * Reads a configuration text: a strict subset of YAML, of which JSON is a part. One
 * document of maps, lists and scalars; no anchors, aliases or tags, no key twice, no key
 * that is not a scalar. What a plain scalar means is the reader's business (see
 * proto/document.h). The one home of libyaml. Any thread.
 */
#ifndef BRIDGE_CONFIG_YAML_H
#define BRIDGE_CONFIG_YAML_H

#include "proto/document.h"

/*
 * Borrows `text`; keeps `file`, its name in places, as long as the tree and the faults
 * live. True gives `*root` (document_finish; a map without entries when the text is
 * empty). False: at least one fault was added; what could be read is given all the same
 * when it is a whole tree, so that more can be found in one go (root->place.line is then
 * not 0).
 */
bool config_yaml_read(const char *file, struct slice text, struct document_node *root,
                      struct faults *faults);

#endif
