/*
 * The commands of a puppet that is a gateway with large sessions, or with a crowd of
 * clients that look for theirs: see engine_puppet.h. One thread.
 */
#ifndef TESTS_SUPPORT_ENGINE_PUPPET_LARGE_H
#define TESTS_SUPPORT_ENGINE_PUPPET_LARGE_H

#include "support/engine_puppet_state.h"
#include "support/large_session.h"

static inline void puppet_large_done(void *ctx, enum status status)
{
    puppet_say(ctx, "done %s", status_code(status));
}

static inline void puppet_large(struct puppet *puppet, char **words)
{
    unsigned first = (unsigned)atol(words[1]);
    unsigned end = first + (unsigned)atol(words[2]);
    struct position head;

    puppet->engine->ops->head(puppet->engine, &head);
    for (unsigned number = first; number < end; number++) {
        struct large_session large;
        large_session_init(&large, number, (size_t)atol(words[3]));
        large.record.epoch = head.epoch;
        puppet->engine->ops->session_put(puppet->engine, &large.record,
                                         number + 1 == end ? puppet_large_done : NULL,
                                         puppet);
        large_session_finish(&large);
    }
}

static inline void puppet_one_found(void *ctx, enum status status,
                                    const struct engine_session *session,
                                    struct slice gateway)
{
    struct puppet *puppet = ctx;

    (void)session;
    (void)gateway;
    puppet->found += status == ST_OK;
    if (--puppet->finding == 0)
        puppet_say(puppet, "finds %u", puppet->found);
}

static inline void puppet_finds(struct puppet *puppet, char **words)
{
    unsigned first = (unsigned)atol(words[1]);
    char pid[16];

    puppet->finding = (unsigned)atol(words[2]);
    puppet->found = 0;
    for (unsigned end = first + puppet->finding; first < end; first++) {
        snprintf(pid, sizeof pid, "p%u", first);
        puppet->engine->ops->session_find(puppet->engine, slice_of(pid), puppet_one_found,
                                          puppet);
    }
}

#endif
