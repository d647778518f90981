/*
 * What a crowd of clients received of one run: each sequence at each client, and how long
 * everything took. Fixed memory for the run. Pure.
 */
#ifndef CLI_LOAD_MEASURE_H
#define CLI_LOAD_MEASURE_H

#include "cli/load_histogram.h"
#include "cli/load_stamp.h"
#include "cli/load_tally.h"

struct load_measure {
    unsigned run;
    size_t lanes; /* sequences in each room */
    size_t rooms_per_client;
    struct load_tally *tallies; /* [client][room of the client][lane of the room] */

    uint64_t received; /* for the first time */
    uint64_t doubled;
    uint64_t disordered;
    uint64_t stray;   /* of a room that the client is not in */
    uint64_t bytes;   /* of the messages, without their frames' headers */
    uint64_t last_us; /* when the last one came */
    struct load_histogram delivery;
};

/* Empties it for a new run; the old one's memory goes. False: out of memory. */
bool load_measure_begin(struct load_measure *measure, unsigned run, size_t clients,
                        size_t rooms_per_client, size_t lanes);
void load_measure_finish(struct load_measure *measure);

/*
 * A message for `client`, of the room in its `slot` (rooms_per_client: none of its
 * rooms). Those of another run are passed over.
 */
void load_measure_take(struct load_measure *measure, size_t client, size_t slot,
                       const struct load_stamp *stamp, size_t bytes, uint64_t now_us);

/* Of the first `sent` events of a room's lane, what `client` lacks. */
uint64_t load_measure_lost(const struct load_measure *measure, size_t client, size_t slot,
                           size_t lane_of_room, uint64_t sent);

#endif
