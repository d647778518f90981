/* Credentials of a request: see the header. */
#include "publisher-api/caller.h"

#include <stdio.h>
#include <string.h>

static const char hint_missing[] =
    "Send your key as \"Authorization: Bearer sk_...\" or \"X-API-Key: sk_...\".";
static const char hint_key[] =
    "Compare the key with publisher.api_keys of this server: 'sk_' and 43 characters.";
static const char hint_token[] =
    "Mint a token with \"aud\":\"sidecast:publish\" and \"scope\":\"publish\", signed "
    "with a secret or key that this server knows, or use an API key.";
static const char hint_admin_token[] =
    "Mint a token with \"aud\":\"sidecast:publish\" and \"scope\":\"admin\" (sidecast "
    "gentoken --for publish --claim 'scope=\"admin\"'), or use an API key.";

static enum status refuse(enum status status, char detail[CALLER_DETAIL_BYTES],
                          const char *sentence)
{
    snprintf(detail, CALLER_DETAIL_BYTES, "%s", sentence);
    return status;
}

bool caller_credential(const struct http_head *head, struct slice *credential)
{
    static const char scheme[] = "Bearer ";
    struct slice field = http_head_field(head, "Authorization");

    *credential = slice_trim(http_head_field(head, "X-API-Key"));
    if (field.len == 0)
        return true;
    if (!slice_is_nocase(slice_first(field, sizeof scheme - 1), scheme))
        return credential->len > 0;
    *credential = slice_trim(slice_from(field, sizeof scheme - 1));
    return true;
}

static bool is_token(struct slice credential)
{
    size_t dots = 0;

    for (size_t i = 0; i < credential.len; i++)
        dots += credential.ptr[i] == '.';
    return dots == 2;
}

/* Once for each request: by hand, as snprintf takes longer than all the rest here. */
void caller_be(struct caller *caller, const char *what, struct slice who)
{
    struct buf name = {
        .ptr = caller->name, .cap = CALLER_NAME_BYTES, .max = CALLER_NAME_BYTES};

    buf_add_text(&name, what);
    buf_add(&name, slice_first(who, 64));
    buf_add_byte(&name, '\0');
}

static enum status identify_key(const struct api_keys *keys, struct slice secret,
                                struct caller *caller, char detail[CALLER_DETAIL_BYTES],
                                const char **hint)
{
    *hint = hint_key;
    if (api_keys_count(keys) == 0)
        return refuse(ST_BAD_CREDENTIAL, detail, "This server has no API keys.");
    if (!api_key_is_well_formed(secret))
        return refuse(ST_BAD_CREDENTIAL, detail,
                      "What was sent is not written like an API key: 'sk_' and 43 "
                      "characters were expected.");
    caller->key = api_keys_find(keys, secret);
    if (!caller->key)
        return refuse(ST_BAD_CREDENTIAL, detail,
                      "The API key is not one of this server.");
    caller->scopes = caller->key->scopes;
    caller_be(caller, "key ", slice_of(caller->key->name));
    return ST_OK;
}

static enum status identify_token(const struct token_keys *keys, struct slice token,
                                  unsigned scope, int64_t now_s, struct caller *caller,
                                  char detail[CALLER_DETAIL_BYTES], const char **hint)
{
    char why[160];

    *hint = scope == API_SCOPE_ADMIN ? hint_admin_token : hint_token;
    if (!keys)
        return refuse(ST_BAD_CREDENTIAL, detail,
                      "This server takes no tokens for publishing: it has no secret to "
                      "check them with.");
    if (token_verify(keys, token, CLAIMS_PUBLISH, now_s, &caller->claims, why))
        return refuse(ST_BAD_CREDENTIAL, detail, why);

    caller_be(caller, "token of ", claims_user(caller->claims));
    if (claims_has_scope(caller->claims, "publish"))
        caller->scopes |= API_SCOPE_PUBLISH;
    if (claims_has_scope(caller->claims, "admin"))
        caller->scopes |= API_SCOPE_ADMIN;
    return ST_OK;
}

bool caller_is_forwarded(const struct http_head *head)
{
    return http_head_field(head, "X-Forwarded-For").ptr ||
           http_head_field(head, "Forwarded").ptr || http_head_field(head, "Via").ptr;
}

enum status caller_identify(const struct caller_trust *trust,
                            const struct http_head *head, unsigned scope, int64_t now_s,
                            struct caller *caller, char detail[CALLER_DETAIL_BYTES],
                            const char **hint)
{
    struct slice credential;

    *caller = (struct caller){0};
    *hint = hint_missing;
    if (!caller_credential(head, &credential))
        return refuse(ST_UNAUTH, detail,
                      "The Authorization header is not of the scheme Bearer.");
    if (credential.len == 0 && scope == API_SCOPE_PUBLISH && trust->allows_nobody &&
        !caller_is_forwarded(head)) {
        caller_be(caller, "nobody", (struct slice){0});
        caller->scopes = API_SCOPE_PUBLISH;
        return ST_OK;
    }
    if (credential.len == 0)
        return refuse(ST_UNAUTH, detail, "No API key was sent.");

    enum status st = is_token(credential)
                         ? identify_token(trust->token_keys, credential, scope, now_s,
                                          caller, detail, hint)
                         : identify_key(trust->keys, credential, caller, detail, hint);
    if (st || (caller->scopes & scope) == scope)
        return st;
    snprintf(detail, CALLER_DETAIL_BYTES, "The %s lacks the scope \"%s\".", caller->name,
             scope == API_SCOPE_ADMIN ? "admin" : "publish");
    *hint = "Use a credential that was given this scope.";
    caller_finish(caller);
    return ST_FORBIDDEN;
}

void caller_finish(struct caller *caller)
{
    claims_drop(caller->claims);
    *caller = (struct caller){0};
}

/* A token that names rooms may publish to these alone: to none, if its list is empty. */
static bool claims_allow(const struct claims *claims,
                         const struct envelope_target *target)
{
    struct slice patterns[LIMIT_PATTERNS];
    size_t count = claims_room_count(claims);

    for (size_t i = 0; i < count; i++)
        patterns[i] = claims_room(claims, i);
    return !claims_names_rooms(claims) ||
           (count > 0 && api_rooms_allow(patterns, count, target));
}

bool caller_may_publish(const struct caller *caller, const struct envelope *envelope)
{
    if (caller->key)
        return api_key_may_publish(caller->key, envelope);
    if (!caller->claims)
        return true;
    for (size_t i = 0; i < envelope->target_count; i++)
        if (!claims_allow(caller->claims, &envelope->targets[i]))
            return false;
    return true;
}
