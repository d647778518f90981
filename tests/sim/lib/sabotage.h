/*
 * Faults built into the machine, one by one, as others have shipped them: a simulator
 * that does not notice them proves nothing.
 */
#ifndef TESTS_SIM_LIB_SABOTAGE_H
#define TESTS_SIM_LIB_SABOTAGE_H

#include "sim/lib/host.h"

extern const struct sabotage sabotages[];
extern const unsigned sabotage_count;

#endif
