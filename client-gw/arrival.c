/* Arrivals: see the header. */
#include "client-gw/arrival.h"

#include <stdlib.h>

void arrival_destroy(struct arrival *arrival)
{
    if (!arrival)
        return;
    if (arrival->claims)
        claims_drop(arrival->claims);
    peer_guest_leave(arrival->guest);
    mount_release(arrival->mount);
    free(arrival->token);
    free(arrival);
}
