/* What was received: see the header. */
#include "cli/load_measure.h"

#include <stdlib.h>

bool load_measure_begin(struct load_measure *measure, unsigned run, size_t clients,
                        size_t rooms_per_client, size_t lanes)
{
    load_measure_finish(measure);
    *measure = (struct load_measure){
        .run = run, .lanes = lanes, .rooms_per_client = rooms_per_client};
    measure->tallies =
        calloc(clients * rooms_per_client * lanes + 1, sizeof *measure->tallies);
    return measure->tallies != NULL;
}

void load_measure_finish(struct load_measure *measure)
{
    free(measure->tallies);
    measure->tallies = NULL;
}

static struct load_tally *tally_of(const struct load_measure *measure, size_t client,
                                   size_t slot, size_t lane_of_room)
{
    size_t row = client * measure->rooms_per_client + slot;

    return &measure->tallies[row * measure->lanes + lane_of_room];
}

void load_measure_take(struct load_measure *measure, size_t client, size_t slot,
                       const struct load_stamp *stamp, size_t bytes, uint64_t now_us)
{
    if (!measure->tallies || stamp->run != measure->run)
        return;
    if (slot >= measure->rooms_per_client) {
        measure->stray++;
        return;
    }
    measure->bytes += bytes;
    measure->last_us = now_us;
    switch (load_tally_take(tally_of(measure, client, slot, stamp->lane % measure->lanes),
                            stamp->seq)) {
    case LOAD_DOUBLED: measure->doubled++; return;
    case LOAD_DISORDERED: measure->disordered++; break;
    case LOAD_IN_ORDER: break;
    }
    measure->received++;
    load_histogram_add(&measure->delivery,
                       now_us > stamp->due_us ? now_us - stamp->due_us : 0);
}

uint64_t load_measure_lost(const struct load_measure *measure, size_t client, size_t slot,
                           size_t lane_of_room, uint64_t sent)
{
    return load_tally_lost(tally_of(measure, client, slot, lane_of_room), sent);
}
