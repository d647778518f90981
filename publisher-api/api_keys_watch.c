/* The API keys in force: see the header. */
#include "publisher-api/api_keys_watch.h"

#include "bridge/file_look.h"
#include "publisher-api/api_keys_file.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WHY_BYTES = 160
};

struct api_keys_watch {
    const struct logger *log;
    const struct config_publisher *settings;
    struct api_keys *keys;
    uv_timer_t timer;
    struct file_look last; /* at the last try, good or bad */
    char why[WHY_BYTES];   /* the last one was bad */
};

static const char *list_fault(enum status status)
{
    switch (status) {
    case ST_CONFLICT: return "publisher.api_keys: a key is there twice";
    case ST_LIMIT: return "publisher.api_keys: more than 1,000 keys";
    case ST_BAD_REQUEST:
        return "publisher.api_keys: a key is not 'sk_' and 43 characters of base64url";
    default: return "out of memory";
    }
}

struct api_keys *api_keys_of(const struct config_publisher *settings,
                             struct faults *faults)
{
    struct api_keys *keys = api_keys_create();
    enum status st = ST_NO_MEMORY;
    bool is_good = true;

    if (keys)
        st = api_keys_add_list(keys, slice_of(settings->api_keys));
    if (st)
        faults_add(faults, (struct place){0}, NULL, "%s", list_fault(st));
    if (keys && settings->api_keys_file && settings->api_keys_file[0])
        is_good = api_keys_add_file(keys, settings->api_keys_file, faults);
    if (!st && is_good)
        return keys;
    api_keys_destroy(keys);
    return NULL;
}

/* NULL: the log says why, and `why` the first of it. */
static struct api_keys *load(struct api_keys_watch *watch)
{
    struct faults faults = {0};
    struct api_keys *keys = api_keys_of(watch->settings, &faults);

    for (size_t i = 0; i < faults.count; i++)
        log_error(watch->log, "these API keys cannot be used",
                  LOG_TEXT("because", faults.items[i].message),
                  LOG_NUM("line", faults.items[i].place.line),
                  LOG_NUM("column", faults.items[i].place.column));
    snprintf(watch->why, WHY_BYTES, "%s",
             faults.count > 0 ? faults.items[0].message : "");
    faults_finish(&faults);
    return keys;
}

static bool try_load(struct api_keys_watch *watch)
{
    struct api_keys *fresh = load(watch);

    if (!fresh) {
        log_error(watch->log, "the API keys stay as they were");
        return false;
    }
    api_keys_replace(watch->keys, fresh);
    log_info(watch->log, "API keys reloaded",
             LOG_NUM("keys", api_keys_count(watch->keys)));
    return true;
}

static const char *path_of(const struct api_keys_watch *watch)
{
    const char *path = watch->settings->api_keys_file;

    return path && path[0] ? path : NULL;
}

static void on_timer(uv_timer_t *timer)
{
    struct api_keys_watch *watch = timer->data;
    struct file_look now = {0};

    file_look_outside(&now, path_of(watch));
    if (file_look_is_same_outside(&watch->last, &now))
        return;
    file_look_inside(&now, path_of(watch));
    bool is_new = !file_look_is_same_inside(&watch->last, &now);
    watch->last = now;
    if (is_new)
        try_load(watch);
}

/* Looks first: what changes while the keys are loaded is seen by the next look. */
static void look(struct api_keys_watch *watch)
{
    watch->last = (struct file_look){0};
    if (!path_of(watch)) {
        uv_timer_stop(&watch->timer);
        return;
    }
    file_look_outside(&watch->last, path_of(watch));
    file_look_inside(&watch->last, path_of(watch));
    uv_timer_start(&watch->timer, on_timer, FILE_LOOK_MS, FILE_LOOK_MS);
}

struct api_keys_watch *api_keys_watch_create(uv_loop_t *loop, const struct logger *log,
                                             const struct config_publisher *settings)
{
    struct api_keys_watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return NULL;
    watch->log = log;
    watch->settings = settings;
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
    look(watch);
    watch->keys = load(watch);
    if (watch->keys)
        return watch;
    api_keys_watch_destroy(watch);
    return NULL;
}

struct api_keys *api_keys_watch_keys(const struct api_keys_watch *watch)
{
    return watch->keys;
}

bool api_keys_watch_reload(struct api_keys_watch *watch, const char **reason)
{
    look(watch);
    *reason = watch->why;
    return try_load(watch);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void api_keys_watch_destroy(struct api_keys_watch *watch)
{
    if (!watch)
        return;
    api_keys_destroy(watch->keys);
    uv_close((uv_handle_t *)&watch->timer, on_closed);
}
