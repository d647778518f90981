/*
 * Contracts: what the payload of an event must look like, as a JSON Schema (draft-07; the
 * subset is listed in docs/contracts.md). Compiled when the configuration is loaded,
 * where an unknown keyword or a reference to another file is a fault; checked once per
 * publish or command, on the payload's own bytes, without building a tree, within
 * LIMIT_CONTRACT_STEPS: a value that needs more does not hold ("budget").
 */
#ifndef PROTO_CONTRACT_H
#define PROTO_CONTRACT_H

#include "proto/document.h"

enum {
    CONTRACT_MAX_ERRORS = 16,
    CONTRACT_POINTER_BYTES = 200,
    CONTRACT_DETAIL_BYTES = 160
};

struct contract;

/* Borrows `schema`. Gives a contract (contract_destroy), or NULL after at least one fault
 * was added. */
struct contract *contract_compile(const struct document_node *schema,
                                  struct faults *faults);
void contract_destroy(struct contract *contract);

/* Where a value breaks the contract, and how. */
struct contract_error {
    char pointer[CONTRACT_POINTER_BYTES]; /* JSON Pointer below the checked value */
    char detail[CONTRACT_DETAIL_BYTES];   /* "must be at least 3, is 2" */
    char expected[40];                    /* the keyword: "minimum" */
};

struct contract_report {
    struct contract_error errors[CONTRACT_MAX_ERRORS];
    size_t count; /* of errors; more are not told */
};

/* Borrows `json`, which has passed the gate. False: `report` says why. Any thread. */
bool contract_holds(const struct contract *contract, struct slice json,
                    struct contract_report *report);

#endif
