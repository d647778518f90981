/* What has reached clients: see the header. */
#include "client-gw/proving.h"

#include "client-gw/connection.h"
#include "client-gw/services.h"
#include "client-gw/session_op.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 512,
    EVERY_MS = 1000,
};

struct proving {
    struct engine *engine;
    uv_timer_t timer; /* runs while something waits */
    size_t count;
    struct engine_proof proofs[BATCH];
    char sids[BATCH][LIMIT_SIO_SID_BYTES];
};

struct proving *proving_create(uv_loop_t *loop, struct engine *engine)
{
    struct proving *proving = calloc(1, sizeof *proving);

    if (!proving)
        return NULL;
    proving->engine = engine;
    uv_timer_init(loop, &proving->timer);
    proving->timer.data = proving;
    return proving;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void proving_destroy(struct proving *proving)
{
    if (proving)
        uv_close((uv_handle_t *)&proving->timer, on_closed);
}

static void tell(struct proving *proving)
{
    uv_timer_stop(&proving->timer);
    proving->engine->ops->session_prove(proving->engine, proving->proofs, proving->count);
    proving->count = 0;
}

void proving_forget(struct proving *proving)
{
    uv_timer_stop(&proving->timer);
    proving->count = 0;
}

static void on_timer(uv_timer_t *timer)
{
    tell(timer->data);
}

static void add(struct proving *proving, const struct session *session)
{
    size_t i = proving->count++;

    memcpy(proving->sids[i], session->sid, LIMIT_SIO_SID_BYTES);
    proving->proofs[i] = (struct engine_proof){
        .sid = {proving->sids[i], LIMIT_SIO_SID_BYTES},
          .seq = session->reach.proven
    };
    if (proving->count == BATCH)
        tell(proving);
    else if (i == 0)
        uv_timer_start(&proving->timer, on_timer, EVERY_MS, 0);
}

void proving_pinged(struct connection *connection)
{
    for (struct session *s = connection->sessions; s; s = s->next)
        if (s->state == SESSION_OPEN && s->voice->is_recoverable)
            recovery_pinged(&s->reach, session_position(s));
}

void proving_ponged(struct connection *connection)
{
    for (struct session *s = connection->sessions; s; s = s->next) {
        bool was_unsure = s->reach.is_unsure;
        if (s->state != SESSION_OPEN || !recovery_ponged(&s->reach))
            continue;
        if (was_unsure)
            session_put(s); /* its record is of no log so far */
        else
            add(connection->services->proving, s);
    }
}
