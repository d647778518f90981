/* Telling where a value breaks a contract; only the check includes it. */
#ifndef PROTO_CONTRACT_REPORT_H
#define PROTO_CONTRACT_REPORT_H

#include "proto/contract_parts.h"
#include "proto/json_text.h"

enum {
    CONTRACT_TYPES_BYTES = 100
};

/* Where in the value we are: a chain on the stack, printed only when something is wrong.
 */
struct step {
    const struct step *parent;
    struct slice key; /* raw; of an item: empty */
    size_t index;
};

/* Lends the next error, its detail empty. NULL: the report is full, or there is none. */
struct contract_error *contract_report_add(struct contract_report *report,
                                           const struct step *step, const char *expected);

/* Types as people say them: "a string or null". */
void contract_report_types(unsigned types, char out[CONTRACT_TYPES_BYTES]);

#endif
