/* Emissions on their way: what a list of the file says to emit to one client. Loop
 * thread. */
#ifndef CLIENT_GW_EMISSIONS_H
#define CLIENT_GW_EMISSIONS_H

#include "client-gw/services.h"
#include "proto/emission.h"

/*
 * Sends each event of the list, rendered with `values`, while the session's connection
 * is open. One whose payload lacks a value is left out, and logged.
 */
void emissions_send(struct client_services *services, struct session *session,
                    const struct emission_list *list,
                    const struct template_values *values);

#endif
