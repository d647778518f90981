/*
 * Who calls: an API key or a publish token (a JWT with `aud` sidecast:publish), from
 * `Authorization: Bearer` or `X-API-Key`. Loop thread only.
 */
#ifndef PUBLISHER_API_CALLER_H
#define PUBLISHER_API_CALLER_H

#include "bridge/token.h"
#include "proto/http_gate.h"
#include "publisher-api/api_keys.h"

enum {
    CALLER_NAME_BYTES = 80,
    CALLER_DETAIL_BYTES = LIMIT_HTTP_DETAIL_BYTES,
};

struct caller {
    char name[CALLER_NAME_BYTES]; /* "key key-1", "token of backend": never a secret */
    unsigned scopes;              /* of enum api_scope */
    const struct api_key *key;    /* NULL: a token, or nobody */
    struct claims *claims;        /* NULL: a key, or nobody: who may publish anything */
};

/* What a request may be checked against. */
struct caller_trust {
    const struct api_keys *keys;
    const struct token_keys *token_keys; /* NULL: no token is taken */
    bool allows_nobody; /* to publish: on a listener that only this machine reaches */
};

/*
 * ST_OK fills `*caller` (caller_finish). ST_UNAUTH: no credential;
 * ST_BAD_CREDENTIAL: not one of ours.
 * ST_FORBIDDEN: known, but without `scope`. `detail` gets a sentence for the caller, and
 * `*hint` lends another one.
 */
enum status caller_identify(const struct caller_trust *trust,
                            const struct http_head *head, unsigned scope, int64_t now_s,
                            struct caller *caller, char detail[CALLER_DETAIL_BYTES],
                            const char **hint);
void caller_finish(struct caller *caller);

/* Lends what stands behind "Bearer" in Authorization, or in X-API-Key; empty: nothing.
 * False: an Authorization of another scheme. */
bool caller_credential(const struct http_head *head, struct slice *credential);
/* Whether a proxy says that it asks for somebody else. */
bool caller_is_forwarded(const struct http_head *head);
void caller_be(struct caller *caller, const char *what, struct slice who);

/* All targets and the event's name. */
bool caller_may_publish(const struct caller *caller, const struct envelope *envelope);

#endif
