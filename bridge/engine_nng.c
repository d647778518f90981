/* The row of the nng engine: see the header. */
#include "bridge/engine_nng.h"

static enum status open_role(const struct engine_config *config, struct engine **engine,
                             const char **reason)
{
    switch (config->role) {
    case ENGINE_LOG: return engine_nng_log_open(config, engine, reason);
    case ENGINE_GATEWAY: return engine_nng_gateway_open(config, engine, reason);
    }
    return ST_NOT_FOUND;
}

const struct engine_ops engine_nng = {
    .name = "nng",
    .open = open_role,
};
