/* What is told before the end: see the header. */
#include "proto/drain_rules.h"

#include "proto/rule_node.h"

enum {
    SOURCES = TEMPLATE_BIT(TEMPLATE_CLAIMS) | TEMPLATE_BIT(TEMPLATE_USER) |
              TEMPLATE_BIT(TEMPLATE_AUTH) | TEMPLATE_BIT(TEMPLATE_CONN) |
              TEMPLATE_BIT(TEMPLATE_NOW) | TEMPLATE_BIT(TEMPLATE_UUID),
};

struct emission_list *drain_rules_compile(const struct document_node *node,
                                          struct faults *faults)
{
    const struct document_node *event = document_find(node, "event");
    const struct document_node *payload = document_find(node, "payload");

    rule_map(node, "drain is a map: window, event, payload", faults);
    if (payload && !event)
        faults_add(faults, payload->place, NULL,
                   "drain.payload needs drain.event, the event that it is of");
    return emission_list_compile(event ? node : NULL, "drain.event", SOURCES, faults);
}
