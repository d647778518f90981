/* What compiling a contract's keywords shares; nobody else includes it. */
#ifndef PROTO_CONTRACT_KEYWORDS_H
#define PROTO_CONTRACT_KEYWORDS_H

#include "proto/contract_parts.h"

struct contract_builder {
    struct contract *contract;
    const struct document_node *root;
    struct faults *faults;
    bool is_broken;
};

/* Adds a fault at `node`. */
void contract_complain(struct contract_builder *builder, const struct document_node *node,
                       const char *message);

/* Room for one more item, or NULL after a fault. */
void *contract_grown(struct contract_builder *builder, void *items, size_t count,
                     size_t size);

/* The number of the schema that `node` is; the first time it is met it gets one, and will
 * be compiled in its turn. Pointers to schemas end with this call. NO_SCHEMA after a
 * fault. */
int contract_number_of(struct contract_builder *builder,
                       const struct document_node *node);

/* Lends one until the next contract_number_of. */
struct schema *contract_schema_at(struct contract_builder *builder, size_t at);

/* Appends the schema that `node` is to the list at `offset` of the schema at `at`. */
void contract_add_schema(struct contract_builder *builder, size_t at, size_t offset,
                         const struct document_node *node);

/* Reads one keyword of the schema at `at`; an unknown one is a fault. */
void contract_read_keyword(struct contract_builder *builder, size_t at,
                           const struct document_entry *entry);

#endif
