/*
 * What the tables of a configuration read alike: a word out of few, a switch, the name of
 * an event, a duration. Each adds its own fault. Pure.
 */
#ifndef PROTO_RULE_NODE_H
#define PROTO_RULE_NODE_H

#include "proto/document.h"

/* The index of the scalar's word in `words`, or -1 after a fault: "`what` is none of …".
 */
int rule_word(const struct document_node *node, const char *what,
              const char *const *words, size_t count, struct faults *faults);

/* true, on, false or off. */
bool rule_switch(const struct document_node *node, const char *what, bool *value,
                 struct faults *faults);

/* A name that either side may emit: 1–128 bytes, no control characters, not reserved.
 * Gives a copy (free), or NULL after a fault. */
char *rule_event_name(const struct document_node *node, const char *what,
                      struct faults *faults);

/* From 1 ms on. */
bool rule_duration(const struct document_node *node, const char *what, uint64_t *ms,
                   struct faults *faults);

/* Adds a fault unless the node is a map; an absent one (NULL) is fine. */
bool rule_map(const struct document_node *node, const char *what, struct faults *faults);

void rule_no_memory(struct place place, struct faults *faults);

/* How many faults there are by now, those that were left out too. */
size_t rule_fault_count(const struct faults *faults);

#endif
