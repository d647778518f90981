/* Token keys from an address: see the header. */
#include "cli/token_url.h"

#include "bridge/clock.h"
#include "bridge/http_client.h"
#include "bridge/token_jwks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMEOUT_MS = 5000,
    MAX_BYTES = 256 * 1024,
    REFRESH_MS = 300 * 1000,
    RETRY_MS = 5000, /* while nothing has come yet */
    ASK_MS = 30 * 1000,
};

static const unsigned secrets =
    TOKEN_ALG_BIT(TOKEN_HS256) | TOKEN_ALG_BIT(TOKEN_HS384) | TOKEN_ALG_BIT(TOKEN_HS512);

struct token_url {
    const struct logger *log;
    struct http_client *client;
    uv_timer_t timer;
    char *url;
    unsigned algs;
    char *text; /* the key set; NULL: none has come yet */
    char etag[200];
    uint64_t asked_ms; /* for a key that was not known; 0: never */
    bool is_fetching;
    token_url_changed_fn *on_changed; /* NULL while it is being made */
    void *ctx;
};

static void on_skip(void *ctx, size_t index, struct slice kid, const char *why)
{
    const struct token_url *source = ctx;

    log_warn(source->log, "a key of auth.jwt.jwks_url is not used",
             LOG_NUM("index", index), LOG_SLICE("kid", kid), LOG_TEXT("because", why));
}

/* Whether it is a key set with keys for us; those that are not are told. */
static bool can_be_used(struct token_url *source, struct slice text, const char **why)
{
    struct token_keys *keys = token_keys_create();
    enum status st = ST_NO_MEMORY;

    *why = "out of memory";
    if (keys)
        st = token_jwks_add(keys, text, source->algs, on_skip, source, why);
    token_keys_destroy(keys);
    return st == ST_OK;
}

static void take(struct token_url *source, const struct http_fetched *fetched)
{
    const char *why = "";
    bool is_same = source->text && slice_equal(slice_of(source->text), fetched->body);
    char *text = NULL;

    if (!is_same && can_be_used(source, fetched->body, &why))
        text = slice_dup(fetched->body);
    if (!is_same && !text) {
        log_error(source->log, "what auth.jwt.jwks_url says cannot be used",
                  LOG_TEXT("because", why));
        return;
    }
    snprintf(source->etag, sizeof source->etag, "%s", fetched->etag);
    if (is_same)
        return;
    free(source->text);
    source->text = text;
    if (source->on_changed)
        source->on_changed(source->ctx);
}

static void on_time(uv_timer_t *timer);

static void on_fetched(void *ctx, const struct http_fetched *fetched)
{
    struct token_url *source = ctx;

    source->is_fetching = false;
    if (fetched->status == 200)
        take(source, fetched);
    else if (fetched->status != 304)
        log_error(source->log, "auth.jwt.jwks_url gives no keys",
                  LOG_NUM("status", fetched->status),
                  LOG_TEXT("because", fetched->reason));
    uv_timer_start(&source->timer, on_time, source->text ? REFRESH_MS : RETRY_MS, 0);
}

static void fetch(struct token_url *source, bool waits)
{
    const struct http_fetch what = {
        .url = source->url,
        .etag = source->etag,
        .max_bytes = MAX_BYTES,
        .timeout_ms = TIMEOUT_MS,
    };
    enum status st;

    if (source->is_fetching)
        return;
    source->is_fetching = true;
    st = waits ? http_client_get_now(&what, on_fetched, source)
               : http_client_get(source->client, &what, on_fetched, source);
    if (st)
        on_fetched(source,
                   &(struct http_fetched){.etag = "", .reason = status_title(st)});
}

static void on_time(uv_timer_t *timer)
{
    fetch(timer->data, false);
}

void token_url_ask(struct token_url *source)
{
    uint64_t now_ms = clock_ms();

    if (source->asked_ms > 0 && now_ms - source->asked_ms < ASK_MS)
        return;
    source->asked_ms = now_ms;
    fetch(source, false);
}

struct token_url *token_url_create(uv_loop_t *loop, const struct logger *log,
                                   const char *url, unsigned algs, bool waits,
                                   token_url_changed_fn *on_changed, void *ctx)
{
    struct token_url *source = calloc(1, sizeof *source);

    if (!source)
        return NULL;
    source->log = log;
    token_url_take(source, algs);
    source->url = slice_dup(slice_of(url));
    source->client = http_client_create(loop);
    if (!source->url || !source->client) {
        http_client_destroy(source->client);
        free(source->url);
        free(source);
        return NULL;
    }
    uv_timer_init(loop, &source->timer);
    source->timer.data = source;
    fetch(source, waits);
    source->on_changed = on_changed;
    source->ctx = ctx;
    return source;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void token_url_destroy(struct token_url *source)
{
    if (!source)
        return;
    http_client_destroy(source->client);
    free(source->url);
    free(source->text);
    uv_close((uv_handle_t *)&source->timer, on_closed);
}

const char *token_url_name(const struct token_url *source)
{
    return source->url;
}

bool token_url_has_keys(const struct token_url *source)
{
    return source->text != NULL;
}

void token_url_take(struct token_url *source, unsigned algs)
{
    source->algs = algs & ~secrets;
}

void token_url_add(const struct token_url *source, struct token_keys *keys)
{
    const char *reason;

    /* It was looked at when it came: what is left out now has a kid that is taken. */
    if (source->text)
        token_jwks_add(keys, slice_of(source->text), source->algs, NULL, NULL, &reason);
}
