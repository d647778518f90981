/*
 * How commands answer: the default templates of acks, the name of the event that tells a
 * failure nobody asked an ack for, and the system's own words for our codes. The tables
 * `ack`, `error_event` and `codes` of a configuration. Pure.
 */
#ifndef PROTO_ACK_RULES_H
#define PROTO_ACK_RULES_H

#include "proto/status.h"
#include "proto/template.h"

/* What an answer may draw from, beside what the command's own templates may. */
enum {
    ACK_OK_SOURCES = TEMPLATE_BIT(TEMPLATE_ROOM) | TEMPLATE_BIT(TEMPLATE_PAYLOAD),
    ACK_ERROR_SOURCES = TEMPLATE_BIT(TEMPLATE_CODE) | TEMPLATE_BIT(TEMPLATE_MESSAGE) |
                        TEMPLATE_BIT(TEMPLATE_EVENT) | TEMPLATE_BIT(TEMPLATE_CLAIMS) |
                        TEMPLATE_BIT(TEMPLATE_USER) | TEMPLATE_BIT(TEMPLATE_CONN) |
                        TEMPLATE_BIT(TEMPLATE_NOW) | TEMPLATE_BIT(TEMPLATE_UUID)
};

struct ack_rules;

/* Borrows `root`, a whole configuration, or NULL for the defaults. Gives rules
 * (ack_rules_destroy), or NULL after at least one fault was added. */
struct ack_rules *ack_rules_compile(const struct document_node *root,
                                    struct faults *faults);
void ack_rules_destroy(struct ack_rules *rules);

/* The file's own `ack.ok`, or NULL. Lent, as all below. */
const struct template *ack_rules_ok(const struct ack_rules *rules);
/* Never NULL. */
const struct template *ack_rules_error(const struct ack_rules *rules);
/* What needs no more than `code` and `message`: for when the system's own cannot be
 * rendered. */
const struct template *ack_rules_plain_error(const struct ack_rules *rules);
/* `ack.ok` where the file has none: with the room, or without. */
const struct template *ack_rules_plain_ok(const struct ack_rules *rules, bool has_room);
/* The answer is the action's result. */
const struct template *ack_rules_result(const struct ack_rules *rules);

/* "error", as a JSON string with its quotes. */
struct slice ack_rules_error_event(const struct ack_rules *rules);

/* The system's word for a failure, in an ack or in the error event. */
const char *ack_rules_ack_code(const struct ack_rules *rules, enum status status);
const char *ack_rules_event_code(const struct ack_rules *rules, enum status status);

/* Sources that any of the templates draws from. */
unsigned ack_rules_uses(const struct ack_rules *rules);

/* A template from our own JSON text; NULL: out of memory, a fault says so. */
struct template *ack_rules_builtin(const char *json, unsigned sources,
                                   struct faults *faults);

#endif
