/* Which engines there are: see the header. */
#include "bridge/engine.h"

#include "bridge/engine_nng.h"

#include <string.h>

static const struct engine_ops *const engines[] = {&engine_nng};

enum status engine_open(const struct engine_config *config, struct engine **engine,
                        const char **reason)
{
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        if (strcmp(engines[i]->name, config->name) == 0)
            return engines[i]->open(config, engine, reason);
    }
    *reason = "bus.engine: there is no engine of that name";
    return ST_NOT_FOUND;
}

enum status engine_disconnect(struct engine *engine, const struct envelope *command,
                              engine_kept_fn *on_kept, void *ctx)
{
    struct envelope control = *command;
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};

    control.kind = ENVELOPE_CONTROL_DISCONNECT;
    envelope_encode(&control, &wire);
    const struct engine_entry entry = {.envelope = buf_slice(&wire)};
    const struct engine_append what = {.entries = &entry, .count = 1};
    enum status st = buf_status(&wire);
    if (!st)
        st = engine->ops->append(engine, &what, on_kept, ctx);
    buf_finish(&wire);
    return st;
}
