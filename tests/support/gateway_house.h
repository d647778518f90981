/*
 * A gateway with everything it stands on, and clients of both dialects; for tests. What
 * its peers read lands in `text`. One thread.
 */
#ifndef TESTS_SUPPORT_GATEWAY_HOUSE_H
#define TESTS_SUPPORT_GATEWAY_HOUSE_H

#include "bridge/clock.h"
#include "bridge/front.h"
#include "client-gw/gateway.h"
#include "support/fake_engine.h"
#include "support/ws_peer.h"
#include "support/yaml_node.h"

static const char house_secret[] = "Qk3vTz8nW1yRb5xLd7mHc9sFg2jPa4uE";

struct house {
    uv_loop_t loop;
    struct logger log;
    struct metrics metrics;
    struct config_gateway settings;
    struct config_limits limits;
    struct fake_engine engine;
    struct token_keys *keys;
    struct system *system; /* NULL: what holds without a file */
    struct lifecycle *lifecycle;
    struct gateway *gateway;
    uint16_t port;
    char text[65536];
};

static inline void on_stop(void *ctx)
{
    (void)ctx;
}

static const struct config_gateway house_settings = {.count = 1,
                                                     .ping_interval_ms = 300,
                                                     .ping_timeout_ms = 200,
                                                     .connect_timeout_ms = 400,
                                                     .max_message_bytes = 4096,
                                                     .transports = "websocket",
                                                     .socketio = CONFIG_ON,
                                                     .native = CONFIG_ON};
static const struct config_limits house_limits = {.connections = 50,
                                                  .rooms_per_socket = 3,
                                                  .outbox_bytes = 1 << 20,
                                                  .outbox_frames = 1000,
                                                  .attachments = LIMIT_ATTACHMENTS,
                                                  .attachments_timeout_ms = 5000,
                                                  .acks = 100};

static const struct config_web house_web = {.allowed_origins = ""};

static inline enum status no_contract_file(void *ctx, struct slice name,
                                           const struct document_node **root,
                                           struct faults *faults)
{
    (void)ctx;
    (void)name;
    (void)root;
    (void)faults;
    return ST_NOT_FOUND;
}

static inline const char *no_contract_name(void *ctx, size_t index)
{
    (void)ctx;
    (void)index;
    return NULL;
}

/* What clients are sent is compared byte by byte: no positions among it, unless the text
 * says something of namespaces. */
static const char house_namespaces[] = "namespaces: {/: {recovery: off}}\n";

/* Gives a system (system_release) from its YAML text; "{}": all as it is without. */
static inline struct system *system_of(const char *yaml)
{
    const struct system_files none = {no_contract_file, no_contract_name, NULL};
    bool is_plain = strstr(yaml, "namespaces:") == NULL;
    bool is_empty = strcmp(yaml, "{}") == 0;
    char text[8192];

    snprintf(text, sizeof text, "%s%s", is_plain ? house_namespaces : "",
             is_empty ? "" : yaml);
    struct document_node node = yaml_node(text);
    struct faults faults = {0};
    struct system *system = system_compile(&node, &none, &faults);

    for (size_t i = 0; i < faults.count; i++)
        print_error("line %u: %s\n", faults.items[i].place.line, faults.items[i].message);
    assert_non_null(system);
    document_finish(&node);
    return system;
}

/* Takes `system`, which may be NULL. */
static inline int open_house_by(void **state, const struct config_gateway *settings,
                                const struct config_limits *limits, struct system *system)
{
    struct house *house = calloc(1, sizeof *house);
    const char *reason = "";
    struct sockaddr_in address = {0};
    socklen_t len = sizeof address;

    uv_loop_init(&house->loop);
    house->log = (struct logger){.level = LOG_LEVEL_ERROR, .role = "test"};
    house->settings = *settings;
    house->limits = *limits;
    house->system = system ? system : system_of("{}");
    fake_engine_init(&house->engine, &house->loop);
    house->keys = token_keys_create();
    assert_int_equal(token_keys_add(house->keys, TOKEN_HS256, (struct slice){0},
                                    slice_of(house_secret)),
                     ST_OK);
    struct lifecycle_config life = {
        .loop = &house->loop, .log = &house->log, .on_stop = on_stop};
    house->lifecycle = lifecycle_create(&life);
    int fd = front_listen("127.0.0.1:0", false, &reason);
    assert_true(fd >= 0);
    getsockname(fd, (struct sockaddr *)&address, &len);
    house->port = ntohs(address.sin_port);
    struct gateway_config config = {.loop = &house->loop,
                                    .log = &house->log,
                                    .metrics = &house->metrics,
                                    .engine = &house->engine.base,
                                    .settings = &house->settings,
                                    .limits = &house->limits,
                                    .web = &house_web,
                                    .keys = house->keys,
                                    .system = house->system,
                                    .lifecycle = house->lifecycle,
                                    .id = "g1",
                                    .listen_fd = fd};
    house->gateway = gateway_create(&config, &reason);
    assert_non_null(house->gateway);
    *state = house;
    return 0;
}

static inline int open_house_with(void **state, const struct config_gateway *settings,
                                  const struct config_limits *limits)
{
    return open_house_by(state, settings, limits, NULL);
}

static inline int open_house(void **state)
{
    return open_house_with(state, &house_settings, &house_limits);
}

static inline int close_house(void **state)
{
    struct house *house = *state;

    gateway_destroy(house->gateway);
    lifecycle_destroy(house->lifecycle);
    token_keys_destroy(house->keys);
    system_release(house->system);
    fake_engine_finish(&house->engine);
    uv_close((uv_handle_t *)&house->engine.turn, NULL);
    for (int i = 0; i < 100 && uv_run(&house->loop, UV_RUN_NOWAIT); i++)
        ;
    assert_int_equal(uv_loop_close(&house->loop), 0);
    free(house);
    return 0;
}

/* A token of `user` that grants `rooms` (a JSON array). */
static inline char *mint(struct house *house, const char *user, const char *rooms,
                         int64_t ttl_s)
{
    struct buf token = {.max = LIMIT_TOKEN_BYTES};
    char claims[512];

    snprintf(claims, sizeof claims, "{\"sub\":\"%s\",\"exp\":%lld,\"rooms\":%s}", user,
             (long long)(clock_wall_ms() / 1000 + ttl_s), rooms);
    json_t *json = json_loads(claims, 0, NULL);
    assert_int_equal(token_mint(house->keys, (struct slice){0}, json, &token), ST_OK);
    json_decref(json);
    buf_add_byte(&token, '\0');
    return buf_release(&token);
}

#define READ(house, peer) peer_read((peer), (house)->text, sizeof(house)->text)

static inline void assert_starts(const char *text, const char *prefix)
{
    if (strncmp(text, prefix, strlen(prefix)) != 0)
        assert_string_equal(text, prefix);
}

/* Connected on "/" as `user`. */
static inline struct ws_peer *join_socketio(struct house *house, const char *user,
                                            const char *rooms)
{
    struct ws_peer *peer = peer_create(&house->loop, house->port);
    char *token = mint(house, user, rooms, 60);
    char connect[2048];

    assert_int_equal(peer_upgrade(peer, "/socket.io/?EIO=4&transport=websocket", ""),
                     101);
    assert_starts(READ(house, peer), "0{\"sid\":\"AB");
    snprintf(connect, sizeof connect, "40{\"token\":\"%s\"}", token);
    peer_send(peer, 1, connect);
    assert_starts(READ(house, peer), "40{\"sid\":\"");
    free(token);
    return peer;
}

static inline struct ws_peer *join_native(struct house *house, const char *user,
                                          const char *rooms)
{
    struct ws_peer *peer = peer_create(&house->loop, house->port);
    char *token = mint(house, user, rooms, 60);
    char target[2048];

    snprintf(target, sizeof target, "/ws?token=%s", token);
    assert_int_equal(peer_upgrade(peer, target, ""), 101);
    assert_starts(READ(house, peer), "{\"t\":\"connected\"");
    free(token);
    return peer;
}

/* An event "hello" in a namespace. */
static inline void emit_in(struct house *house, const char *nsp, enum room_kind kind,
                           const char *name, const char *data, bool has_more)
{
    struct envelope_target target = {kind, slice_of(name)};
    struct envelope envelope = {.kind = ENVELOPE_EVENT,
                                .at_ms = clock_wall_ms(),
                                .id = SLICE("e1"),
                                .nsp = slice_of(nsp),
                                .event = SLICE("hello"),
                                .event_json = SLICE("\"hello\""),
                                .data = slice_of(data),
                                .targets = &target,
                                .target_count = 1};

    fake_engine_emit(&house->engine, &envelope, has_more);
}

static inline void emit(struct house *house, enum room_kind kind, const char *name,
                        const char *data, bool has_more)
{
    emit_in(house, "/", kind, name, data, has_more);
}

/* The code of the close frame that was read last. */
static inline unsigned close_code(const struct house *house)
{
    return (unsigned)(unsigned char)house->text[0] << 8 | (unsigned char)house->text[1];
}

#define GATEWAY_TEST(name) cmocka_unit_test_setup_teardown(name, open_house, close_house)

#endif
