/* Senders of requests to routes: see the header. */
#include "publisher-api/route_caller.h"

#include "bridge/clock.h"
#include "proto/auth_rules.h"

#include <stdio.h>

static const char hint_token[] =
    "Send the token of a user as \"Authorization: Bearer eyJ...\".";
static const char hint_claims[] =
    "Compare the token's claims with auth of this route, and auth.require, in the "
    "configuration.";
static const char hint_local[] =
    "Send it from the machine of the server, or give the route another auth.";

/* As a gateway takes it: `*claims` are then those of the user that it knows, or NULL. */
static enum status take_claims(const struct auth_rules *auth, struct claims **claims,
                               char detail[CALLER_DETAIL_BYTES])
{
    struct buf user = {.max = LIMIT_USER_BYTES};
    enum refusal refusal = auth_rules_accept(auth, claims_json(*claims), &user, detail);

    if (!refusal && auth_rules_has_user(auth))
        *claims = claims_as(*claims, buf_slice(&user));
    buf_finish(&user);
    if (refusal == REFUSAL_FORBIDDEN || refusal == REFUSAL_INACTIVE)
        return ST_FORBIDDEN;
    if (refusal)
        return ST_BAD_CREDENTIAL;
    return *claims ? ST_OK : ST_NO_MEMORY;
}

/* And then as the route wants it. */
static enum status judge_claims(const struct handler_parts *parts,
                                const struct route_rule *rule, struct claims **claims,
                                char detail[CALLER_DETAIL_BYTES], const char **hint)
{
    const char *failed = "";
    enum status st = take_claims(parts->catalog.system->auth, claims, detail);

    *hint = hint_claims;
    if (st)
        return st;
    if (claim_rules_hold(rule->require, claims_json(*claims), &failed))
        return ST_OK;
    snprintf(detail, CALLER_DETAIL_BYTES,
             "The claim \"%.60s\" of the token is not what this route asks for.", failed);
    return ST_FORBIDDEN;
}

static enum status identify_token(const struct handler_parts *parts,
                                  const struct route_rule *rule,
                                  const struct http_head *head, struct caller *caller,
                                  struct claims **claims,
                                  char detail[CALLER_DETAIL_BYTES], const char **hint)
{
    struct slice credential;
    char why[160] = "";

    *hint = hint_token;
    if (!caller_credential(head, &credential) || credential.len == 0) {
        snprintf(detail, CALLER_DETAIL_BYTES, "No token was sent.");
        return ST_UNAUTH;
    }
    if (!parts->token_keys) {
        snprintf(detail, CALLER_DETAIL_BYTES,
                 "This server has no secret or key to check tokens with.");
        return ST_BAD_CREDENTIAL;
    }
    if (token_verify(parts->token_keys, credential, CLAIMS_CLIENT, clock_wall_ms() / 1000,
                     claims, why)) {
        snprintf(detail, CALLER_DETAIL_BYTES, "%s", why);
        return ST_BAD_CREDENTIAL;
    }
    enum status st = judge_claims(parts, rule, claims, detail, hint);
    if (st) {
        claims_drop(*claims);
        *claims = NULL;
        return st;
    }
    caller_be(caller, "token of ", claims_user(*claims));
    caller->scopes = API_SCOPE_PUBLISH;
    return ST_OK;
}

/* Nothing that a stranger could send is published: not even through a proxy of ours. */
static enum status identify_nobody(const struct route_rule *rule,
                                   const struct http_head *head,
                                   const struct ip_address *peer, struct caller *caller,
                                   char detail[CALLER_DETAIL_BYTES], const char **hint)
{
    *hint = hint_local;
    if (rule->act == ROUTE_PUBLISH &&
        (!ip_address_is_loopback(peer) || caller_is_forwarded(head))) {
        snprintf(detail, CALLER_DETAIL_BYTES,
                 "This route takes requests of its own machine only.");
        return ST_FORBIDDEN;
    }
    caller_be(caller, "nobody", (struct slice){0});
    caller->scopes = API_SCOPE_PUBLISH;
    return ST_OK;
}

enum status route_caller_identify(const struct handler_parts *parts,
                                  const struct route_rule *rule,
                                  const struct http_head *head,
                                  const struct ip_address *peer, struct caller *caller,
                                  struct claims **claims,
                                  char detail[CALLER_DETAIL_BYTES], const char **hint)
{
    unsigned scope = rule->act == ROUTE_PUBLISH ? API_SCOPE_PUBLISH : API_SCOPE_ADMIN;

    *caller = (struct caller){0};
    *claims = NULL;
    switch (rule->auth) {
    case ROUTE_AUTH_JWT:
        return identify_token(parts, rule, head, caller, claims, detail, hint);
    case ROUTE_AUTH_NONE: return identify_nobody(rule, head, peer, caller, detail, hint);
    default:
        return caller_identify(&parts->trust, head, scope, clock_wall_ms() / 1000, caller,
                               detail, hint);
    }
}
