/*
 * The two ends of the nng engine. engine.c sees engine_nng, the row; which of the two
 * tables an open engine has follows from its role.
 */
#ifndef BRIDGE_ENGINE_NNG_H
#define BRIDGE_ENGINE_NNG_H

#include "bridge/engine.h"

extern const struct engine_ops engine_nng;

extern const struct engine_ops engine_nng_log;
extern const struct engine_ops engine_nng_gateway;

enum status engine_nng_log_open(const struct engine_config *config,
                                struct engine **engine, const char **reason);
enum status engine_nng_gateway_open(const struct engine_config *config,
                                    struct engine **engine, const char **reason);

#endif
