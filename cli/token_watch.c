/* Key rotation: see the header. */
#include "cli/token_watch.h"

#include "bridge/file_look.h"
#include "cli/token_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct token_watch {
    const struct logger *log;
    const struct config_auth *auth;
    struct token_keys *keys;
    struct token_url *url;    /* NULL: none is set */
    struct token_url *before; /* the one it follows, while it has said nothing; or NULL */
    uv_loop_t *loop;
    uv_timer_t timer;
    struct file_look last; /* at the last try, good or bad */
};

/* Gives the keys of all sources, or NULL. */
static struct token_keys *load(struct token_watch *watch,
                               char reason[TOKEN_KEYS_REASON_BYTES])
{
    struct token_keys *keys = token_keys_load(watch->auth, NULL, watch->log, reason);

    if (keys && watch->before)
        token_url_add(watch->before, keys);
    if (keys && watch->url)
        token_url_add(watch->url, keys);
    return keys;
}

static void try_load(struct token_watch *watch)
{
    char reason[TOKEN_KEYS_REASON_BYTES];
    struct token_keys *fresh = load(watch, reason);

    if (!fresh) {
        log_error(watch->log, "the token keys stay as they were",
                  LOG_TEXT("because", reason));
        return;
    }
    token_keys_replace(watch->keys, fresh);
    log_info(watch->log, "token keys reloaded",
             LOG_NUM("keys", token_keys_count(watch->keys)));
}

static void on_timer(uv_timer_t *timer)
{
    struct token_watch *watch = timer->data;
    struct file_look now = {0};

    token_keys_each_file(watch->auth, file_look_outside, &now);
    if (file_look_is_same_outside(&watch->last, &now))
        return;
    token_keys_each_file(watch->auth, file_look_inside, &now);
    bool is_new = !file_look_is_same_inside(&watch->last, &now);
    watch->last = now;
    if (is_new)
        try_load(watch);
}

/* Looks first: what changes while the keys are loaded is seen by the next look. */
static void look(struct token_watch *watch)
{
    watch->last = (struct file_look){0};
    token_keys_each_file(watch->auth, file_look_outside, &watch->last);
    token_keys_each_file(watch->auth, file_look_inside, &watch->last);
}

static void begin_looking(struct token_watch *watch)
{
    if (watch->last.files > 0 && !uv_is_active((uv_handle_t *)&watch->timer))
        uv_timer_start(&watch->timer, on_timer, FILE_LOOK_MS, FILE_LOOK_MS);
}

static void forget_before(struct token_watch *watch)
{
    token_url_destroy(watch->before);
    watch->before = NULL;
}

/* Never destroys the one that calls: `before` is there only while `url` has no keys. */
static void on_changed(void *ctx)
{
    struct token_watch *watch = ctx;

    if (watch->url && token_url_has_keys(watch->url))
        forget_before(watch);
    try_load(watch);
}

static void on_unknown(void *ctx)
{
    struct token_watch *watch = ctx;

    if (watch->url)
        token_url_ask(watch->url);
}

/* What was followed so far gives way: at once, or when its successor has answered. */
static void retire_url(struct token_watch *watch)
{
    if (watch->url && token_url_has_keys(watch->url))
        watch->before = watch->url;
    else
        token_url_destroy(watch->url);
    watch->url = NULL;
}

static bool is_at(const struct token_url *source, const char *url)
{
    return source && strcmp(token_url_name(source), url) == 0;
}

/* The address that is set now, if it is another one, or none any more. */
static void follow_url(struct token_watch *watch, bool waits)
{
    const char *url = watch->auth->jwks_url;

    if (is_at(watch->url, url))
        return;
    retire_url(watch);
    if (!url[0]) {
        forget_before(watch);
    } else if (is_at(watch->before, url)) {
        watch->url = watch->before;
        watch->before = NULL;
    } else {
        watch->url =
            token_url_create(watch->loop, watch->log, url, token_keys_algs(watch->auth),
                             waits, on_changed, watch);
    }
}

static void take_algs(const struct token_watch *watch)
{
    unsigned algs = token_keys_algs(watch->auth);

    if (watch->before)
        token_url_take(watch->before, algs);
    if (watch->url)
        token_url_take(watch->url, algs);
}

struct token_watch *token_watch_create(uv_loop_t *loop, const struct logger *log,
                                       const struct config_auth *auth,
                                       char reason[TOKEN_KEYS_REASON_BYTES])
{
    struct token_watch *watch = calloc(1, sizeof *watch);

    if (!watch) {
        snprintf(reason, TOKEN_KEYS_REASON_BYTES, "out of memory");
        return NULL;
    }
    watch->log = log;
    watch->auth = auth;
    watch->loop = loop;
    look(watch);
    watch->keys = token_keys_load(auth, NULL, log, reason);
    if (!watch->keys) {
        free(watch);
        return NULL;
    }
    follow_url(watch, true);
    if (watch->url)
        token_url_add(watch->url, watch->keys);
    token_keys_on_unknown(watch->keys, on_unknown, watch);
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
    begin_looking(watch);
    return watch;
}

struct token_keys *token_watch_keys(const struct token_watch *watch)
{
    return watch->keys;
}

void token_watch_reload(struct token_watch *watch)
{
    look(watch);
    follow_url(watch, false); /* the loop runs: nobody waits */
    take_algs(watch);
    try_load(watch);
    begin_looking(watch); /* the configuration may have got its first file */
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void token_watch_destroy(struct token_watch *watch)
{
    if (!watch)
        return;
    token_url_destroy(watch->before);
    token_url_destroy(watch->url);
    token_keys_destroy(watch->keys);
    uv_close((uv_handle_t *)&watch->timer, on_closed);
}
