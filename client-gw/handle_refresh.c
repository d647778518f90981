/* auth:refresh {token}: go on as the same user with a newer token. */
#include "client-gw/command.h"

void handle_refresh(const struct command_call *call)
{
    struct connection *connection = call->session->connection; /* outlives the session */
    struct claims *claims = NULL;
    struct slice token;
    char hint[160] = "";

    if (!command_text_arg(call, "token", &token))
        return;
    enum refusal refusal = services_verify(call->services, token, &claims, hint);
    if (refusal) {
        command_fail(call, services_refusal_status(refusal), refusal_text(refusal));
        connection_refused(connection);
        return;
    }
    if (!slice_equal(claims_user(claims), claims_user(call->session->claims))) {
        claims_drop(claims);
        command_fail(call, ST_FORBIDDEN,
                     "the token is another user's; reconnect with it");
        return;
    }
    session_refresh(call->session, claims);
    command_succeed(call, (struct slice){0});
}
