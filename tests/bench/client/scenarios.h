/* The scenarios of the measuring client. Each prints one JSON object on stdout. */
#ifndef TESTS_BENCH_CLIENT_SCENARIOS_H
#define TESTS_BENCH_CLIENT_SCENARIOS_H

#include "bench/client/options.h"

/* Event after event: the next goes out when all got the one before. */
void scenario_rounds(const struct options *options);
/* Events by the clock, whatever became of the ones before. */
void scenario_latency(const struct options *options);
/* As many publishes as the publisher takes, and nobody who listens. */
void scenario_ingest(const struct options *options);
/* What a connect costs, until it is in its rooms. */
void scenario_connect(const struct options *options);
/* What a connection holds that does nothing. */
void scenario_idle(const struct options *options);
/* All are cut off at once, and come back: in pairs, having missed nothing and `missed`
 * events each, while others publish. */
void scenario_storm(const struct options *options);
/* The same once, of more than the server takes in at once: who is refused comes again. It
 * is asked meanwhile whether it lives, and how much memory it has. */
void scenario_herd(const struct options *options);

#endif
