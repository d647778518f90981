/* The publisher's parts put together: see the header. */
#include "publisher-api/publisher.h"

#include "bridge/clock.h"
#include "bridge/descriptors.h"
#include "bridge/front.h"
#include "proto/auth_rules.h"
#include "proto/route_rules.h"
#include "publisher-api/api_keys_watch.h"
#include "publisher-api/handlers.h"
#include "publisher-api/presence.h"
#include "publisher-api/routes.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    MAX_CONNECTIONS = 4096,
    MAX_OPS_CONNECTIONS = 128,
    OPS_DESCRIPTORS = 32, /* of the reserve: who runs this gets in when clients do not */
    HEAD_DEADLINE_MS = 5000,
    /* Looked at twice, so that the last answers have left their buffers. */
    DRAIN_STEP_MS = 10,
    READING_STEPS = 30, /* for the rest of what is half read */
};

/* A front and its http_server. */
struct listener {
    struct web_policy policy, page_policy;
    struct peer_limits *limits;
    struct front *front;
    struct http_server *http;
    struct http_route routes[ROUTES_MAX];
};

struct publisher {
    const struct config_publisher *settings;
    const struct config_web *web;
    struct handler_parts parts;
    struct api_keys_watch *api_keys;
    struct idempotency *idempotency;
    struct presence *presence;
    struct listener api, ops;
    uv_timer_t drain_timer;
    unsigned steps, idle_steps;
    void (*on_drained)(void *ctx);
    void *on_drained_ctx;
};

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Whoever takes connections for nothing leaves half of them to others. Behind one address
 * may be many backends: so many connections they do not need. */
static struct peer_limits *make_limits(const struct http_server_config *http)
{
    return peer_limits_create(
        &(struct peer_limits_config){.connections = http->max_connections / 2,
                                     .pending = http->max_connections / 2,
                                     .max_addresses = 2 * http->max_connections});
}

/* Takes `fd` and `pass`. */
static bool listener_open(struct listener *listener, struct http_server_config *config,
                          int fd, struct fd_pass *pass)
{
    config->policy = &listener->policy;
    listener->limits = make_limits(config);
    listener->http = listener->limits ? http_server_create(config) : NULL;
    if (!listener->http) {
        close_if_open(fd);
        fd_pass_destroy(pass);
        return false;
    }
    listener->front = front_create(&(struct front_config){
        .loop = config->loop,
        .log = config->log,
        .metrics = config->metrics,
        .listen_fd = fd,
        .max_pending = config->max_connections,
        .max_fd = config->max_fd,
        .head_deadline_ms = HEAD_DEADLINE_MS,
        .policy = &listener->policy,
        .limits = listener->limits,
        .http = listener->http,
        .pass = pass,
    });
    return listener->front != NULL;
}

static void listener_drain(struct listener *listener)
{
    if (listener->front)
        front_stop(listener->front);
    if (listener->http)
        http_server_drain(listener->http);
}

static void listener_close(struct listener *listener)
{
    if (listener->front)
        front_destroy(listener->front);
    if (listener->http)
        http_server_destroy(listener->http);
    peer_limits_destroy(listener->limits);
}

/* No page is let in where a key is needed, which no page should have: only to routes that
 * ask for something else. */
static void read_policies(struct publisher *publisher)
{
    web_policy_read(publisher->web, false, &publisher->api.policy);
    web_policy_read(publisher->web, false, &publisher->ops.policy);
    web_policy_read(publisher->web, true, &publisher->api.page_policy);
}

static bool open_listeners(struct publisher *publisher,
                           const struct publisher_config *config)
{
    size_t max_body = config->settings->max_body_bytes;
    struct http_server_config http = {
        .loop = config->loop,
        .log = config->log,
        .metrics = config->metrics,
        .max_connections = MAX_CONNECTIONS,
        .routes = publisher->api.routes,
        .ctx = &publisher->parts,
    };

    unsigned limit = descriptors_raise(2 * (MAX_CONNECTIONS + MAX_OPS_CONNECTIONS) +
                                       DESCRIPTORS_RESERVED);

    http.max_fd = descriptors_for_clients(limit);
    if (max_body > LIMIT_PUBLISH_BYTES)
        max_body = LIMIT_PUBLISH_BYTES;
    read_policies(publisher);
    routes_configure(&publisher->parts.configured, &publisher->api.page_policy, max_body);
    http.route_count = routes_publisher(publisher->api.routes, max_body);
    http.find = routes_find;
    /* On the gateways' port the next request of a connection may be a gateway's. */
    http.always_closes = config->listen_fd < 0;
    bool opened = listener_open(&publisher->api, &http, config->listen_fd, config->pass);
    if (config->ops_fd < 0)
        return opened;

    http.find = NULL;
    http.always_closes = false;
    http.max_connections = MAX_OPS_CONNECTIONS;
    http.max_fd += OPS_DESCRIPTORS;
    http.routes = publisher->ops.routes;
    http.route_count = routes_ops(publisher->ops.routes);
    return listener_open(&publisher->ops, &http, config->ops_fd, NULL) && opened;
}

/* Where routes take tokens of clients, they are read as the gateway reads them. */
static void use_system(struct publisher *publisher, struct system *system)
{
    struct token_keys *keys = publisher->parts.token_keys;

    catalog_use(&publisher->parts.catalog, system);
    if (!keys || !system)
        return;
    token_keys_need_no_sub(keys, auth_rules_has_user(system->auth));
}

static void restore_key(void *ctx, const struct log_key *key,
                        const struct position *position, uint64_t age_ms)
{
    struct publisher *publisher = ctx;

    idempotency_restore(publisher->idempotency, key, position, age_ms, clock_ms());
}

static bool build_parts(struct publisher *publisher,
                        const struct publisher_config *config, const char **reason)
{
    publisher->settings = config->settings;
    publisher->web = config->web;
    publisher->api_keys =
        api_keys_watch_create(config->loop, config->log, config->settings);
    *reason = "publisher.api_keys or publisher.api_keys_file: the log says why not";
    if (!publisher->api_keys)
        return false;
    *reason = "out of memory";
    publisher->idempotency = idempotency_create(
        &(struct idempotency_config){.metrics = config->metrics,
                                     .window_ms = config->settings->idempotency_ms,
                                     .max_ids = IDEMPOTENCY_MAX_IDS});
    if (!publisher->idempotency)
        return false;
    config->engine->ops->keys(config->engine, restore_key, publisher);
    publisher->parts = (struct handler_parts){
        .log = config->log,
        .metrics = config->metrics,
        .engine = config->engine,
        .lifecycle = config->lifecycle,
        .version = config->version,
        .started_ms = clock_ms(),
        .token_keys = config->keys,
        .trust = {.keys = api_keys_watch_keys(publisher->api_keys),
                  .token_keys = config->keys,
                  .allows_nobody = config->settings->allow_none == CONFIG_ON},
    };
    use_system(publisher, config->system);
    publisher->parts.calls = publish_calls_create(
        &(struct publish_calls_config){.log = config->log,
                                       .metrics = config->metrics,
                                       .engine = config->engine,
                                       .idempotency = publisher->idempotency});
    publisher->presence =
        presence_create(&(struct presence_config){config->loop, config->log,
                                                  config->metrics, config->engine},
                        config->system);
    return publisher->parts.calls && publisher->presence;
}

struct publisher *publisher_create(const struct publisher_config *config,
                                   const char **reason)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);

    *reason = "out of memory";
    if (!publisher || !build_parts(publisher, config, reason)) {
        close_if_open(config->listen_fd);
        close_if_open(config->ops_fd);
        fd_pass_destroy(config->pass);
        goto failed;
    }
    uv_timer_init(config->loop, &publisher->drain_timer);
    publisher->drain_timer.data = publisher;
    if (open_listeners(publisher, config))
        return publisher;

    *reason = "the publisher's listeners could not be opened";
    publisher_destroy(publisher);
    return NULL;
failed:
    if (publisher) {
        presence_destroy(publisher->presence);
        publish_calls_destroy(publisher->parts.calls);
        catalog_finish(&publisher->parts.catalog);
        idempotency_destroy(publisher->idempotency);
        api_keys_watch_destroy(publisher->api_keys);
    }
    free(publisher);
    return NULL;
}

bool publisher_reload(struct publisher *publisher, struct system *system,
                      const char **reason)
{
    if (!api_keys_watch_reload(publisher->api_keys, reason))
        return false;
    publisher->parts.trust.allows_nobody = publisher->settings->allow_none == CONFIG_ON;
    read_policies(publisher);
    use_system(publisher, system);
    presence_use(publisher->presence, system);
    return true;
}

static void on_drain_step(uv_timer_t *timer)
{
    struct publisher *publisher = timer->data;

    bool is_reading =
        ++publisher->steps < READING_STEPS && http_server_is_reading(publisher->api.http);

    if (is_reading || publish_calls_open(publisher->parts.calls) > 0) {
        publisher->idle_steps = 0;
        return;
    }
    if (++publisher->idle_steps < 2)
        return;
    uv_timer_stop(timer);
    listener_drain(&publisher->api);
    listener_drain(&publisher->ops);
    publisher->on_drained(publisher->on_drained_ctx);
}

void publisher_drain(struct publisher *publisher, void (*on_done)(void *ctx), void *ctx)
{
    publisher->parts.is_draining = true;
    presence_stop(publisher->presence);
    publisher->on_drained = on_done;
    publisher->on_drained_ctx = ctx;
    /* Who connects is the next process' from here on; who is here is answered yet. */
    front_stop(publisher->api.front);
    http_server_wind_down(publisher->api.http);
    uv_timer_start(&publisher->drain_timer, on_drain_step, DRAIN_STEP_MS, DRAIN_STEP_MS);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void publisher_destroy(struct publisher *publisher)
{
    if (!publisher)
        return;
    /* The listeners first: they may still tell open calls that their peer is gone. */
    listener_close(&publisher->api);
    listener_close(&publisher->ops);
    presence_destroy(publisher->presence);
    publish_calls_destroy(publisher->parts.calls);
    idempotency_destroy(publisher->idempotency);
    api_keys_watch_destroy(publisher->api_keys);
    publish_request_finish(&publisher->parts.request);
    buf_finish(&publisher->parts.mapped);
    buf_finish(&publisher->parts.identity);
    catalog_finish(&publisher->parts.catalog);
    uv_close((uv_handle_t *)&publisher->drain_timer, on_closed);
}
