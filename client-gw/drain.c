/* The end of a gateway: see the header. */
#include "client-gw/drain.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"
#include "client-gw/command.h"
#include "client-gw/emissions.h"

enum {
    STEP_MS = 10,
};

/* --- the notice */

static void send_notice(struct session *session, void *ctx)
{
    struct client_services *services = ctx;
    struct command_call call = {.services = services, .session = session};
    struct template_values values;

    command_values(&call, &values);
    emissions_send(services, session, services->system->drain, &values);
}

static void tell_all(struct drain *drain)
{
    struct client_services *services = drain->services;

    if (emission_count(services->system->drain) > 0)
        connection_set_each(services->connections, send_notice, services);
}

/* --- the doors */

static void close_doors(struct drain *drain)
{
    if (drain->is_closed)
        return;
    drain->is_closed = true;
    front_stop(drain->front);
    http_server_drain(drain->http);
}

static void close_at_once(struct drain *drain)
{
    drain->services->is_draining = true;
    front_stop(drain->front);
    connection_set_close_all(drain->services->connections, CLOSE_STOP);
    close_doors(drain);
}

static void begin_leaving(struct drain *drain)
{
    switch (drain->how.door) {
    case DOOR_IS_OURS: drain->services->is_draining = true; break;
    case DOOR_IS_ANOTHERS: front_rest(drain->front); break;
    case DOOR_CLOSES: front_leave(drain->front); break;
    }
    http_server_wind_down(drain->http);
    drain->total =
        connection_set_leave(drain->services->connections, drain->how.window_ms);
}

/* --- step by step */

/* The nth of them leaves when n parts of the window are over; who was on the way in when
 * it began, at its end. */
static void send_away(struct drain *drain)
{
    uint64_t passed_ms = clock_ms() - drain->began_ms;

    if (passed_ms >= drain->how.window_ms) {
        connection_set_close_all(drain->services->connections, CLOSE_DRAIN);
        drain->told = drain->total;
        return;
    }
    uint64_t due = passed_ms * drain->total / drain->how.window_ms + 1;

    while (drain->told < drain->total && drain->told < due) {
        if (!connection_set_leave_next(drain->services->connections))
            drain->told = drain->total; /* some have left by themselves */
        else
            drain->told++;
    }
}

static void on_step(uv_timer_t *timer)
{
    struct drain *drain = timer->data;
    struct client_services *services = drain->services;
    const struct engine_ops *engine = services->engine->ops;

    if (!drain->is_closed)
        send_away(drain);
    if (connection_set_count(services->connections) > 0)
        return;
    close_doors(drain);
    if (!engine->is_written(services->engine))
        return;
    uv_timer_stop(timer);
    drain->on_done(drain->ctx);
}

void drain_init(struct drain *drain, struct client_services *services)
{
    *drain = (struct drain){.services = services};
    uv_timer_init(services->loop, &drain->timer);
    drain->timer.data = drain;
}

void drain_begin(struct drain *drain, struct front *front, struct http_server *http,
                 const struct gateway_end *how, void (*on_done)(void *ctx), void *ctx)
{
    struct client_services *services = drain->services;

    drain->front = front;
    drain->http = http;
    drain->how = *how;
    drain->on_done = on_done;
    drain->ctx = ctx;
    drain->began_ms = clock_ms();
    services->engine->ops->retire(services->engine);
    tell_all(drain);
    if (how->window_ms == 0 || test_hook_no_window())
        close_at_once(drain);
    else
        begin_leaving(drain);
    uv_timer_start(&drain->timer, on_step, 0, STEP_MS);
}

void drain_answer_alone(struct drain *drain)
{
    drain->services->is_draining = true;
    front_wake(drain->front);
}

void drain_stop(struct drain *drain)
{
    uv_close((uv_handle_t *)&drain->timer, NULL);
}
