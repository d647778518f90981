/* Emissions on their way: see the header. */
#include "client-gw/emissions.h"

#include "bridge/clock.h"
#include "client-gw/dialect.h"

#include <stdio.h>

static void log_failure(struct client_services *services, struct slice event,
                        const struct template_failure *failure)
{
    char what[160];

    snprintf(what, sizeof what, "%.*s: {%.*s} %s", (int)slice_first(event, 60).len,
             event.ptr, (int)slice_first(failure->placeholder, 40).len,
             failure->placeholder.ptr ? failure->placeholder.ptr : "",
             failure->reason ? failure->reason : "is too large");
    log_info(services->log, "an event was not emitted", LOG_TEXT("why", what));
}

static void send_one(struct client_services *services, struct session *session,
                     const struct emission_list *list, size_t n,
                     const struct template_values *values, struct buf *args)
{
    struct template_failure failure = {0};
    char offset[LIMIT_POSITION_BYTES + 1];
    struct emit_view view = {
        .nsp = session->voice->name,
        .event_json = emission_event(list, n),
        .at_ms = clock_wall_ms(),
    };

    if (emission_args(list, n, values, args, &failure) || buf_status(args)) {
        if (connection_set_may_log(session->connection->set))
            log_failure(services, view.event_json, &failure);
        return;
    }
    view.args = buf_slice(args);
    view.offset = session_offset(session, offset);
    view.id = slice_of(services_new_id(services));
    connection_send_own(session->connection, session->connection->dialect->make_emit(
                                                 &view, services_scratch(services)));
}

void emissions_send(struct client_services *services, struct session *session,
                    const struct emission_list *list,
                    const struct template_values *values)
{
    struct buf args = {.max = services->scratch.max};

    session_share(session); /* whatever is sent may end it */
    for (size_t n = 0; n < emission_count(list); n++) {
        if (!session->connection || session->connection->state != CONNECTION_OPEN)
            break;
        buf_clear(&args);
        send_one(services, session, list, n, values, &args);
    }
    buf_finish(&args);
    session_drop(session);
}
