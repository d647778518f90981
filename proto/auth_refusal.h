/*
 * What a client is told whose CONNECT is refused: a text by cause (`refusal`), and data
 * beside it (`refusal_data`). A cause without a text of its own gets that of "*", else
 * ours. Pure, and constant once compiled.
 */
#ifndef PROTO_AUTH_REFUSAL_H
#define PROTO_AUTH_REFUSAL_H

#include "proto/claims.h"
#include "proto/template.h"

struct auth_refusals;

/* Borrows `texts`, a map, and `data`, a JSON template; both may be NULL. Gives refusals
 * (auth_refusals_destroy), or NULL after at least one fault was added. */
struct auth_refusals *auth_refusals_compile(const struct document_node *texts,
                                            const struct document_node *data,
                                            struct faults *faults);
void auth_refusals_destroy(struct auth_refusals *refusals);

/* The sources that the data draws from. */
unsigned auth_refusals_uses(const struct auth_refusals *refusals);

/* Lent. */
struct slice auth_refusal_text(const struct auth_refusals *refusals,
                               enum refusal refusal);

/*
 * Appends the data, one JSON value: `{"code","reason","hint"}` where the file has none of
 * its own, or its own cannot be rendered. `values` has code and message, and what else
 * the uses say.
 */
void auth_refusal_data(const struct auth_refusals *refusals, enum refusal refusal,
                       struct slice hint, const struct template_values *values,
                       struct buf *out);

#endif
