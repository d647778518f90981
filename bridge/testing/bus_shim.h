/*
 * A bad bus between a gateway and its publisher (`--test-hook bus-shim=…`, bus_fate.h):
 * it takes the frames off the link on a thread of its own, loses, doubles and delays
 * them. Builds without testing link the file that passes everything on.
 */
#ifndef BRIDGE_TESTING_BUS_SHIM_H
#define BRIDGE_TESTING_BUS_SHIM_H

#include "bridge/engine_nng_link.h"

struct bus_shim;

/* Gives a shim for the life of the process; NULL when none was asked for. */
struct bus_shim *bus_shim_start(struct link link);

/* As link_serve, on the receiving thread; `shim` may be NULL. */
struct link_message *bus_shim_serve(struct bus_shim *shim, struct link link);

#endif
