/*
 * The measuring client: one scenario against running servers, one line of JSON. Who
 * starts servers, repeats and compares is tests/bench/bench.mjs.
 */
#include "bench/client/scenarios.h"

#include <string.h>

static const struct {
    const char *name;
    void (*run)(const struct options *options);
} scenarios[] = {
    {"rounds",  scenario_rounds },
    {"latency", scenario_latency},
    {"ingest",  scenario_ingest },
    {"connect", scenario_connect},
    {"idle",    scenario_idle   },
    {"storm",   scenario_storm  },
    {"herd",    scenario_herd   },
};

int main(int argc, char **argv)
{
    struct options options = {.dialect = "native"};

    options_parse(&options, argc, argv);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(scenarios[i].name, options.scenario) == 0) {
            scenarios[i].run(&options);
            return 0;
        }
    give_up("no scenario %s", options.scenario);
}
