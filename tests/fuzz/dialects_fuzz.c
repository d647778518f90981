/*
 * Both dialects as a stranger sees them: a connection without a socket is fed frames. The
 * first byte chooses the dialect, whether a good token comes first, and a file; each line
 * after it is a text frame, or a binary one when it begins with '!'. Whatever comes, all
 * that the gateway says is UTF-8, and when the connection is gone nothing of it is left.
 */
#include "bridge/clock.h"
#include "bridge/config_yaml.h"
#include "bridge/token.h"
#include "client-gw/command.h"
#include "client-gw/services.h"
#include "proto/auth_rules.h"
#include "proto/utf8.h"
#include "support/fake_engine.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MAX_FRAMES = 64,
};

/* A transport that swallows what it is given. */
struct pit {
    struct transport base;
};

static void pit_flush(struct transport *transport, struct frame_queue *queue)
{
    (void)transport;
    while (queue->count > 0) {
        struct frame_cursor cursor = {0};
        struct frame_message message;
        while (frame_next_message(frame_queue_at(queue, 0), &cursor, &message))
            if (message.op == WS_OP_TEXT && !utf8_is_valid(message.payload))
                abort();
        frame_queue_shift(queue, 1);
    }
}

static void pit_finish_frame(struct transport *transport, struct slice wire, size_t sent)
{
    (void)transport;
    (void)wire;
    (void)sent;
}

static void pit_close(struct transport *transport, unsigned code, struct slice reason)
{
    (void)transport;
    (void)code;
    (void)reason;
}

static void pit_destroy(struct transport *transport)
{
    free(transport);
}

static const struct transport_ops pit_ops = {
    .name = "pit",
    .flush = pit_flush,
    .finish_frame = pit_finish_frame,
    .drained = pit_flush,
    .close = pit_close,
    .destroy = pit_destroy,
};

struct world {
    uv_loop_t loop;
    struct logger log;
    struct metrics metrics;
    struct fake_engine engine;
    struct connection_set *connections;
    struct client_services services;
    struct system *systems[3];
    char token[LIMIT_TOKEN_BYTES];
};

static void mint(struct world *world, struct token_keys *keys)
{
    struct buf token = {.max = sizeof world->token};
    json_t *claims =
        json_pack("{s:s, s:I, s:[s]}", "sub", "ada", "exp",
                  (json_int_t)(clock_wall_ms() / 1000 + 86400), "rooms", "room:*");

    token_mint(keys, (struct slice){0}, claims, &token);
    buf_add_byte(&token, '\0');
    memcpy(world->token, token.ptr, token.len);
    buf_finish(&token);
    json_decref(claims);
}

/* A command for each action, beside those that are there without a file. */
static const char commands_yaml[] =
    "commands:\n"
    "  subscribe: {do: join, args: {room: string}, room: '{args.0.room}', limit: few}\n"
    "  unsubscribe: {do: leave, room: '{args.0.room}'}\n"
    "  'auth:refresh': {do: refresh}\n"
    "  any: {do: join, room: 'any:{args.0}', allow: ['any:*']}\n"
    "  rooms: {do: rooms}\n"
    "  whoami: {do: whoami}\n"
    "  back: {do: reply, event: back, args: '{args[]}'}\n"
    "  wrap: {do: reply, event: wrapped, payload: {a: '{args.0}', u: '{uuid}'}}\n"
    "  ack: {do: ack, args: '{args[]}'}\n"
    "  say: {do: relay, room: '{args.0}', as: said, args: '{args[1..]}', member: false}\n"
    "  type: {do: relay, room: 'any:{args.0}', as: typed}\n"
    "  drop: {do: close}\n"
    "limits: {rates: {few: {rate: 3/1s, per: user, then: drop}}}\n"
    "client_events: refuse\n";

/* Nobody at first, with all that is said on the way to being somebody. */
static const char event_yaml[] =
    "auth:\n"
    "  mode: event\n"
    "  data: {rooms: '{claims.rooms}'}\n"
    "  event: {name: auth, match: {claims.sub: '{args.0.user}'}, ok: welcome,\n"
    "    error: {event: sorry, payload: {message: '{message}', at: '{now.iso}'}}}\n"
    "connect:\n"
    "  auto_join: ['user:{user.id}', all, 'r:{user.id}']\n"
    "  emit: [{event: hello, payload: {auth: '{auth.x}', user: '{user}'}}]\n";

/* Nobody for ever. */
static const char none_yaml[] =
    "auth: {mode: none}\n"
    "connect: {emit: [{event: auth, payload: '{auth}'}]}\n"
    "namespaces: {/ws: {alias: /}, /a: {commands: [subscribe]}, /no: {refuse: {data: "
    "1}}}\n"
    "rooms: [{match: 'room:*', allow: any, max_members: 1}]\n";

static const char *const files[] = {commands_yaml, event_yaml, none_yaml};
enum {
    FILES = sizeof files / sizeof *files
};

static struct system *make_system(const char *yaml)
{
    struct faults faults = {0};
    struct document_node node;

    if (!config_yaml_read("test", slice_of(yaml), &node, &faults))
        abort();
    struct system *system = system_compile(&node, &system_no_files, &faults);
    document_finish(&node);
    faults_finish(&faults);
    return system;
}

static const struct config_gateway settings = {.ping_interval_ms = 25000,
                                               .ping_timeout_ms = 20000,
                                               .connect_timeout_ms = 45000,
                                               .max_message_bytes = 1 << 16,
                                               .transports = "websocket",
                                               .socketio = CONFIG_ON,
                                               .native = CONFIG_ON};

static struct world *world_create(void)
{
    struct world *world = calloc(1, sizeof *world);
    struct token_keys *keys = token_keys_create();
    struct connection_config connections = {
        .log = &world->log,
        .metrics = &world->metrics,
        .outbox_limits = {1 << 20, 1000},
        .attachments = LIMIT_ATTACHMENTS,
        .attachments_timeout_ms = 1000,
        .acks = 100,
        .now_ms = clock_ms(),
    };
    struct session_set_config sessions = {
        .engine = &world->engine.base,
        .rooms = room_set_create(&world->metrics, 100),
        .metrics = &world->metrics,
        .limits = {.held = {1 << 20, 1000}, .sessions = 10, .rooms_per_session = 8}
    };

    uv_loop_init(&world->loop);
    fake_engine_init(&world->engine, &world->loop);
    token_keys_add(keys, TOKEN_HS256, (struct slice){0},
                   SLICE("Xq7vJt0bM3nZ8rKc5yLw2HsD9fGp4AeU"));
    mint(world, keys);
    world->connections = connection_set_create(&connections);
    world->services = (struct client_services){.sessions = session_set_create(&sessions),
                                               .engine = &world->engine.base,
                                               .keys = keys,
                                               .log = &world->log,
                                               .metrics = &world->metrics,
                                               .settings = &settings,
                                               .gateway_mark = "AB"};
    world->services.rates = rate_table_create(&(struct hash_key){1, 2});
    for (size_t i = 0; i < FILES; i++)
        world->systems[i] = make_system(files[i]);
    return world;
}

static struct connection *open_connection(struct world *world, bool is_native)
{
    struct arrival *arrival = calloc(1, sizeof *arrival);
    struct pit *pit = calloc(1, sizeof *pit);

    pit->base = (struct transport){.ops = &pit_ops, .direct_fd = -1};
    arrival->mount = mount_share(mount_table_find(
        world->services.mounts, is_native ? SLICE("/ws") : SLICE("/socket.io/")));
    arrival->services = &world->services;
    return connection_create(world->connections, arrival, &pit->base);
}

static void connect_with_token(struct world *world, struct connection *connection,
                               bool is_native)
{
    char text[LIMIT_TOKEN_BYTES + 64];

    snprintf(text, sizeof text,
             is_native ? "{\"t\":\"connect\",\"token\":\"%s\"}" : "40{\"token\":\"%s\"}",
             world->token);
    connection_receive(connection, slice_of(text), false, true, true);
    fake_turn(&world->engine.turn);
    if (auth_rules_mode(world->services.system->auth) != AUTH_EVENT)
        return;
    snprintf(text, sizeof text,
             is_native ? "{\"t\":\"emit\",\"event\":\"auth\",\"n\":1,"
                         "\"data\":{\"user\":\"ada\",\"token\":\"%s\"}}"
                       : "420[\"auth\",{\"user\":\"ada\",\"token\":\"%s\"}]",
             world->token);
    connection_receive(connection, slice_of(text), false, true, true);
    fake_turn(&world->engine.turn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world *world;
    struct slice rest = {(const char *)data, size};

    if (size == 0)
        return 0;
    if (!world)
        world = world_create();
    bool is_native = data[0] & 1;
    services_use(&world->services, world->systems[(data[0] >> 2) % FILES]);
    struct connection *connection = open_connection(world, is_native);
    if (data[0] & 2)
        connect_with_token(world, connection, is_native);

    rest = slice_from(rest, 1);
    for (int i = 0; i < MAX_FRAMES && rest.len > 0; i++) {
        struct slice frame;
        slice_cut(rest, '\n', &frame, &rest);
        bool is_binary = frame.len > 0 && frame.ptr[0] == '!';
        /* The WebSocket library lets only UTF-8 through in a text frame. */
        if (is_binary || utf8_is_valid(frame))
            connection_receive(connection, frame, is_binary, true, true);
        fake_turn(&world->engine.turn);
    }
    connection_destroy(connection);
    fake_turn(&world->engine.turn);
    assert(atomic_load(&world->metrics.values[METRIC_SESSIONS]) == 0);
    assert(atomic_load(&world->metrics.values[METRIC_MEMBERSHIPS]) == 0);
    assert(atomic_load(&world->metrics.values[METRIC_CONNECTIONS]) == 0);
    return 0;
}
