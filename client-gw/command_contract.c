/* Events of clients keep the contracts of the catalog, as published ones do: see
 * command.h. */
#include "client-gw/command.h"

#include "proto/event_rules.h"

#include <stdio.h>

void command_contract_message(const struct contract_report *report,
                              char message[COMMAND_CONTRACT_BYTES])
{
    const struct contract_error *error = &report->errors[0];

    snprintf(message, COMMAND_CONTRACT_BYTES, "%s %s",
             error->pointer[0] ? error->pointer : "the payload", error->detail);
}

/* One argument is the payload; several are, as the list that they make. */
static struct slice payload_of(const struct command_call *call, struct slice values)
{
    struct json_cursor cursor = {0};
    struct json_value first = {0}, second;

    if (!json_list_next(values, &cursor, &first) ||
        !json_list_next(values, &cursor, &second))
        return first.text;
    struct buf *list = services_scratch(call->services);
    buf_add_byte(list, '[');
    buf_add(list, values);
    buf_add_byte(list, ']');
    return buf_slice(list);
}

bool command_keeps_contract(const struct command_call *call, struct slice event,
                            struct slice values)
{
    const struct event_rule *rule =
        event_rules_find(call->services->system->events, event, NULL);
    struct contract_report report;
    char message[COMMAND_CONTRACT_BYTES];

    if (!rule || !event_rule_has_contract(rule) ||
        !event_rule_check(rule, payload_of(call, values), &report))
        return true;
    command_contract_message(&report, message);
    metrics_add(call->services->metrics, METRIC_CONTRACT_REFUSED, 1);
    command_fail(call, ST_BAD_PAYLOAD, message);
    return false;
}
