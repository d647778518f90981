/* The gateway's parts put together: see the header. */
#include "client-gw/gateway.h"

#include "bridge/clock.h"
#include "bridge/front.h"
#include "bridge/random.h"
#include "bridge/testing/test_hook.h"
#include "client-gw/beats.h"
#include "client-gw/catching.h"
#include "client-gw/deliver.h"
#include "client-gw/drain.h"
#include "client-gw/engineio.h"
#include "client-gw/expiry.h"
#include "client-gw/gateway_settings.h"
#include "client-gw/http_routes.h"
#include "client-gw/owner.h"
#include "client-gw/polling.h"
#include "client-gw/probe.h"
#include "client-gw/proving.h"
#include "client-gw/recovery.h"
#include "client-gw/services.h"
#include "client-gw/transport_ws.h"
#include "client-gw/upgrade.h"
#include "client-gw/ws_peer.h"
#include "client-gw/ws_server.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAD_DEADLINE_MS = 5000,
    LATE_MS = 50,    /* from here on a timer says that the loop was away */
    LAST_TURNS = 64, /* loop turns that a stopped WebSocket library may take */
};

struct gateway {
    struct gateway_config config;
    struct client_services services;
    struct upgrade_refusal refusal; /* of the upgrade that is being decided */
    struct room_set *rooms;
    struct connection_set *connections;
    struct deliver *deliver;
    struct probe *probe;
    bool has_bus;   /* as the engine said last */
    bool is_ending; /* parts are gone: what the engine still says is nobody's */
    struct web_policy policy;
    struct peer_limits *limits;
    unsigned usable_descriptors; /* for clients */
    struct ws_server *ws;
    struct http_route *routes;
    struct polling polling;
    struct polling_answers answers;
    struct http_server *http;
    struct front *front;
    uv_timer_t timer;
    uv_prepare_t prepare;
    uint64_t armed_ms;  /* when the timer fires; 0: not armed */
    uint64_t turned_ms; /* when the loop last went to sleep */
    bool is_late;       /* it was put off once */
    struct drain drain;
};

/* --- timers --- */

static void on_timer(uv_timer_t *timer)
{
    struct gateway *gateway = timer->data;
    uint64_t now_ms = clock_ms();
    uint64_t due_ms =
        gateway->armed_ms > gateway->turned_ms ? gateway->armed_ms : gateway->turned_ms;

    gateway->armed_ms = 0;
    gateway->is_late = now_ms >= due_ms + LATE_MS && !gateway->is_late;
    if (gateway->is_late)
        return; /* what clients sent meanwhile is read first: on_prepare arms again */
    connection_set_advance(gateway->connections, now_ms);
}

/* Before the loop sleeps: wake it for the next heartbeat or deadline. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct gateway *gateway = prepare->data;
    uint64_t due_ms;

    gateway->turned_ms = clock_ms();
    if (!connection_set_next_due(gateway->connections, &due_ms) ||
        due_ms == gateway->armed_ms)
        return;
    gateway->armed_ms = due_ms;
    uv_update_time(gateway->config.loop);
    uv_timer_start(&gateway->timer, on_timer,
                   due_ms > gateway->turned_ms ? due_ms - gateway->turned_ms : 0, 0);
}

/* --- from the front --- */

static enum status on_upgrade(void *ctx, int fd, const struct front_visit *visit,
                              struct problem *refusal)
{
    struct gateway *gateway = ctx;
    struct upgrade_refusal *why = &gateway->refusal;
    struct arrival *arrival = NULL;
    enum status st = upgrade_decide(visit, &gateway->services,
                                    gateway->config.limits->connections, &arrival, why);

    if (st) {
        refusal->detail = why->detail;
        refusal->hint = why->hint;
        refusal->bare = why->bare;
        return st;
    }
    arrival->guest = visit->guest;
    /* The socket is taken from here on, whatever becomes of it. */
    if (ws_server_adopt(gateway->ws, fd, visit->head, arrival->has_subprotocol, arrival))
        arrival_destroy(arrival);
    return ST_OK;
}

static bool find_owner(void *ctx, const struct http_head *head,
                       struct fd_pass_owner *owner)
{
    const struct gateway *gateway = ctx;
    const struct client_services *services = &gateway->services;

    return owner_is_gateway(services, head, owner) ||
           (gateway->config.shares_listener && owner_is_publisher(services, head, owner));
}

/* --- from the engine --- */

static void on_event(void *ctx, const struct engine_event *event)
{
    struct gateway *gateway = ctx;

    if (gateway->is_ending)
        return;
    probe_see(gateway->probe, &event->position);
    deliver_event(gateway->deliver, event);
}

static void on_settled(void *ctx)
{
    struct gateway *gateway = ctx;

    deliver_settle(gateway->deliver);
}

static void on_reset(void *ctx, const char *reason, const struct position *now)
{
    struct gateway *gateway = ctx;

    if (gateway->is_ending)
        return;
    log_warn(gateway->config.log, "events are lost; every client is told",
             LOG_TEXT("reason", reason), LOG_NUM("seq", now->seq));
    probe_reset(gateway->probe, now);
    proving_forget(gateway->services.proving);
    connection_set_reset(gateway->connections, reason, now);
}

static void tell_ready(struct gateway *gateway)
{
    if (gateway->is_ending)
        return;
    lifecycle_ready(gateway->config.lifecycle,
                    gateway->has_bus && probe_is_well(gateway->probe),
                    gateway->has_bus ? "probe" : "bus_down");
}

static void on_ready(void *ctx, bool is_ready)
{
    struct gateway *gateway = ctx;

    gateway->has_bus = is_ready;
    tell_ready(gateway);
}

static void on_probe_change(void *ctx, bool is_well)
{
    (void)is_well;
    tell_ready(ctx);
}

static void on_forgotten(void *ctx)
{
    struct gateway *gateway = ctx;

    session_set_put_all(gateway->services.sessions);
}

static void on_moved(void *ctx, struct slice sid, uint64_t generation)
{
    struct gateway *gateway = ctx;
    struct session *session = session_find(gateway->services.sessions, sid);

    if (!session || session->generation >= generation || test_hook_no_evict())
        return;
    struct connection *connection = session->connection;
    session_close(session, "replaced", SESSION_MOVED);
    /* The client has another connection by now: it comes back to its other sessions. */
    connection_close(connection, CLOSE_REPLACED);
}

static void on_fenced(void *ctx)
{
    struct gateway *gateway = ctx;

    lifecycle_give_way(gateway->config.lifecycle,
                       "another gateway began later under this id");
}

static const struct engine_listener engine_listener = {
    .on_event = on_event,
    .on_settled = on_settled,
    .on_reset = on_reset,
    .on_ready = on_ready,
    .on_forgotten = on_forgotten,
    .on_moved = on_moved,
    .on_fenced = on_fenced,
};

/* --- life --- */

static struct session_set *make_sessions(const struct gateway_config *config,
                                         struct room_set *rooms)
{
    struct session_set_config sessions = {
        .engine = config->engine,
        .rooms = rooms,
        .metrics = config->metrics,
        .limits = gateway_session_limits(config->limits),
    };

    return session_set_create(&sessions);
}

/* In every Engine.IO sid, so that a request tells whose session it is for. */
static bool take_mark(struct gateway *gateway)
{
    char *mark = gateway->services.gateway_mark;

    if (gateway->config.pass)
        return fd_pass_claim_mark(gateway->config.pass, mark);
    fd_pass_mark_of(gateway->config.id, mark);
    return true;
}

static bool use_system(struct gateway *gateway)
{
    struct client_services *services = &gateway->services;
    struct system *system = gateway->config.system;
    struct hash_key key = random_hash_key();

    services->rates = rate_table_create(&key);
    system = system ? system_share(system) : system_default();
    bool is_used = services->rates && system && services_use(services, system);
    system_release(system);
    return is_used;
}

/* The new values of limits and of what browsers may; nothing of it can fail. */
static void use_settings(struct gateway *gateway)
{
    const struct config_limits *config = gateway->config.limits;
    const struct session_limits sessions = gateway_session_limits(config);
    const struct connection_config connections =
        gateway_connection_limits(&gateway->config);
    struct peer_limits_config peers;

    web_policy_read(gateway->config.web, true, &gateway->policy);
    peer_limits_read(config, &peers);
    peer_limits_use(gateway->limits, &peers);
    session_set_limit(gateway->services.sessions, &sessions);
    connection_set_limit(gateway->connections, &connections);
    if (config->connections > gateway->usable_descriptors)
        log_warn(gateway->config.log,
                 "limits.connections is beyond the descriptors taken at the start",
                 LOG_NUM("descriptors", gateway->usable_descriptors));
}

bool gateway_reload(struct gateway *gateway, struct system *system)
{
    if (!services_use(&gateway->services, system))
        return false;
    use_settings(gateway);
    connection_set_each(gateway->connections, expiry_reloaded, NULL);
    return true;
}

/* What clients come back by. */
static bool make_returns(struct gateway *gateway)
{
    const struct gateway_config *config = &gateway->config;
    struct client_services *services = &gateway->services;

    services->proving = proving_create(config->loop, config->engine);
    services->catching =
        catching_set_create(config->loop, config->engine, config->metrics);
    const struct recovery_config recovery = {
        .loop = config->loop,
        .engine = config->engine,
        .sessions = services->sessions,
        .catching = services->catching,
        .metrics = config->metrics,
    };
    services->recovery = recovery_create(&recovery);
    return services->proving && services->catching && services->recovery;
}

static bool make_parts(struct gateway *gateway)
{
    const struct gateway_config *config = &gateway->config;
    const struct connection_config connections = gateway_connection_limits(config);
    struct client_services *services = &gateway->services;
    struct hash_key key = random_hash_key();

    gateway->rooms = room_set_create(config->metrics, LIMIT_ROOMS);
    gateway->connections = connection_set_create(&connections);
    if (!gateway->rooms || !gateway->connections ||
        !polling_answers_init(&gateway->answers, config->metrics))
        return false;
    services->sessions = make_sessions(config, gateway->rooms);
    services->engine = config->engine;
    services->keys = config->keys;
    services->connections = gateway->connections;
    services->log = config->log;
    services->metrics = config->metrics;
    str_map_init(&services->eio_sids, &key, LIMIT_DIRECTORY_SESSIONS);
    services->polling = &gateway->answers;
    if (!make_returns(gateway))
        return false;
    services->settings = config->settings;
    if (!take_mark(gateway) || !services->sessions || !use_system(gateway))
        return false;
    gateway->probe = probe_create(&(struct probe_config){
        .loop = config->loop,
        .log = config->log,
        .metrics = config->metrics,
        .engine = config->engine,
        .interval_ms = config->settings->probe_ms,
        .on_change = on_probe_change,
        .ctx = gateway,
    });
    struct deliver_config deliver = {
        .rooms = gateway->rooms,
        .sessions = services->sessions,
        .connections = gateway->connections,
        .log = config->log,
        .metrics = config->metrics,
        .traces = config->traces,
        .probe = gateway->probe,
    };
    gateway->deliver = deliver_create(&deliver);
    return gateway->probe && gateway->deliver;
}

static bool make_policy(struct gateway *gateway)
{
    struct peer_limits_config limits;

    web_policy_read(gateway->config.web, true, &gateway->policy);
    peer_limits_read(gateway->config.limits, &limits);
    limits.metrics = gateway->config.metrics;
    gateway->limits = peer_limits_create(&limits);
    return gateway->limits != NULL;
}

static void make_polling(struct gateway *gateway)
{
    const struct polling_config polling = {
        .services = &gateway->services,
        .peers = gateway->limits,
        .limits = gateway->config.limits,
    };

    polling_init(&gateway->polling, &polling);
}

static bool make_listeners(struct gateway *gateway)
{
    const struct gateway_config *config = &gateway->config;
    struct ws_server_config ws = {
        .loop = config->loop, .events = &ws_peer_events, .ctx = &gateway->services};
    struct http_server_config http = {
        .loop = config->loop,
        .log = config->log,
        .metrics = config->metrics,
        .max_connections = GATEWAY_HTTP_CONNECTIONS,
        .max_long = LIMIT_DIRECTORY_SESSIONS, /* polls: limits.connections holds them */
        .policy = &gateway->policy,
        /* The next request of a connection may be another process'. */
        .always_closes = config->settings->count > 1 || config->shares_listener,
        .protocol = &gateway->polling.protocol,
    };

    make_polling(gateway);
    unsigned max_fd =
        gateway_take_descriptors(config); /* before a library sizes its tables */
    gateway->usable_descriptors = max_fd;
    http.max_fd = max_fd;
    gateway->ws = ws_server_create(&ws);
    gateway->routes = gateway_routes_create(config->lifecycle, config->pages,
                                            config->page_count, &http.route_count);
    http.routes = gateway->routes;
    gateway->http = gateway->routes ? http_server_create(&http) : NULL;
    if (!gateway->ws || !gateway->http)
        return false;
    struct front_config front = {
        .loop = config->loop,
        .log = config->log,
        .metrics = config->metrics,
        .listen_fd = config->listen_fd,
        .max_pending = GATEWAY_PENDING_HEADS,
        .max_fd = max_fd,
        .head_deadline_ms = HEAD_DEADLINE_MS,
        .policy = &gateway->policy,
        .limits = gateway->limits,
        .http = gateway->http,
        .on_upgrade = on_upgrade,
        .pass = config->pass,
        .find_owner = find_owner,
        .ctx = gateway,
    };
    gateway->config.listen_fd = -1; /* the front's now, as is the other one */
    gateway->config.pass = NULL;
    gateway->front = front_create(&front);
    return gateway->front != NULL;
}

static void start_timers(struct gateway *gateway)
{
    uv_timer_init(gateway->config.loop, &gateway->timer);
    uv_prepare_init(gateway->config.loop, &gateway->prepare);
    gateway->timer.data = gateway;
    gateway->prepare.data = gateway;
    uv_prepare_start(&gateway->prepare, on_prepare);
    drain_init(&gateway->drain, &gateway->services);
}

struct gateway *gateway_create(const struct gateway_config *config, const char **reason)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);

    if (!gateway) {
        close(config->listen_fd);
        fd_pass_destroy(config->pass);
        *reason = "out of memory";
        return NULL;
    }
    gateway->config = *config;
    gateway->services.loop = config->loop;
    start_timers(gateway);
    if (!make_policy(gateway) || !make_parts(gateway) || !make_listeners(gateway)) {
        *reason = "the gateway's listener cannot be set up";
        gateway_destroy(gateway);
        return NULL;
    }
    config->engine->ops->subscribe(config->engine, &engine_listener, gateway);
    return gateway;
}

void gateway_drain(struct gateway *gateway, const struct gateway_end *how,
                   void (*on_done)(void *ctx), void *ctx)
{
    drain_begin(&gateway->drain, gateway->front, gateway->http, how, on_done, ctx);
}

void gateway_answer_alone(struct gateway *gateway)
{
    drain_answer_alone(&gateway->drain);
}

void gateway_destroy(struct gateway *gateway)
{
    if (!gateway)
        return;
    uv_loop_t *loop = gateway->config.loop;
    gateway->is_ending = true;
    drain_stop(&gateway->drain);
    uv_close((uv_handle_t *)&gateway->timer, NULL);
    uv_close((uv_handle_t *)&gateway->prepare, NULL);
    beats_destroy(gateway->services.beats);
    probe_destroy(gateway->probe);
    front_destroy(gateway->front);
    if (gateway->connections)
        connection_set_cut_polls(gateway->connections);
    http_server_destroy(gateway->http);
    if (gateway->ws)
        ws_server_stop(gateway->ws);
    /* The library frees its context only once the loop has run its closes. */
    for (int turn = 0; turn < LAST_TURNS && uv_run(loop, UV_RUN_NOWAIT); turn++)
        ;
    ws_server_destroy(gateway->ws);
    recovery_destroy(gateway->services.recovery);
    catching_set_destroy(gateway->services.catching);
    proving_destroy(gateway->services.proving);
    uv_run(loop, UV_RUN_NOWAIT); /* their timers close */
    if (gateway->config.listen_fd >= 0)
        close(gateway->config.listen_fd);
    fd_pass_destroy(gateway->config.pass);
    deliver_destroy(gateway->deliver);
    session_set_destroy(gateway->services.sessions);
    connection_set_destroy(gateway->connections);
    room_set_destroy(gateway->rooms);
    polling_answers_finish(&gateway->answers);
    str_map_finish(&gateway->services.eio_sids);
    services_finish(&gateway->services);
    peer_limits_destroy(gateway->limits);
    free(gateway->routes);
    free(gateway);
}
