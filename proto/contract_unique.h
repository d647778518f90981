/* `uniqueItems`: which item of a list is there a second time. */
#ifndef PROTO_CONTRACT_UNIQUE_H
#define PROTO_CONTRACT_UNIQUE_H

#include "proto/slice.h"
#include "proto/status.h"
#include "proto/steps.h"

/*
 * Borrows `array`, which has `count` items. `*repeat` is the index of the first that was
 * there before; `count`: none was, or the steps are spent. Each item is looked up by its
 * hash: a list of many costs no more per item than one of few. ST_NO_MEMORY is possible.
 */
enum status contract_unique_repeat(struct slice array, size_t count, struct steps *steps,
                                   size_t *repeat);

#endif
