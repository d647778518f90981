/* A client that misbehaves: see the header. */
#include "sim/lib/hostile.h"

static struct slice pick_text(struct hostile *hostile, const char *const *texts,
                              unsigned count)
{
    return slice_of(texts[world_pick(hostile->world, count)]);
}

static void post(struct hostile *hostile)
{
    static const char *const bodies[] = {
        "4x",
        "3",
        "4x\x1e"
        "4y\x1e"
        "3",
        "bAQID",
        "",
        "4x\x1e",
        "7",
        "4x\x1e"
        "7\x1e"
        "4z",
        "2",
        "1",
        "0",
        "5",
        "6",
        "b!!!",
        "4\xff",
        "4x\x1e"
        "1\x1e"
        "4z",
        "3",
        "3",
        "4x\x1e"
        "2",
    };
    static const enum net_kind kinds[] = {
        NET_POST,         NET_POST,           NET_POST,       NET_POST,
        NET_POST_STALLED, NET_POST_TOO_LARGE, NET_POST_OCTETS};
    enum net_kind kind = kinds[world_pick(hostile->world, sizeof kinds / sizeof *kinds)];

    net_ask(hostile->net, &hostile->user, kind,
            pick_text(hostile, bodies, sizeof bodies / sizeof *bodies));
}

/* One of those that it still waits for; NET_NONE: there is none. */
static unsigned pick_request(struct hostile *hostile)
{
    unsigned picked = NET_NONE, seen = 0;

    for (unsigned id = 1; id <= hostile->net->requests; id++) {
        const struct net_request *request = &hostile->net->request[id];
        if (request->user == &hostile->user && request->is_awaited &&
            world_pick(hostile->world, ++seen) == 0)
            picked = id;
    }
    return picked;
}

static unsigned pick_socket(struct hostile *hostile)
{
    unsigned picked = NET_NONE, seen = 0;

    for (unsigned id = 1; id <= hostile->net->sockets; id++) {
        const struct net_socket *socket = &hostile->net->socket[id];
        if (socket->user == &hostile->user && socket->is_open_there &&
            world_pick(hostile->world, ++seen) == 0)
            picked = id;
    }
    return picked;
}

static void leave(struct hostile *hostile)
{
    unsigned id = pick_request(hostile);

    if (id != NET_NONE)
        net_leave(hostile->net, id);
}

static void speak(struct hostile *hostile, const char *const *texts, unsigned count)
{
    unsigned id = pick_socket(hostile);

    if (id == NET_NONE)
        net_connect(hostile->net, &hostile->user);
    else if (world_chance(hostile->world, 10))
        net_hang_up(hostile->net, id);
    else
        net_say(hostile->net, id, pick_text(hostile, texts, count),
                world_chance(hostile->world, 10));
}

void hostile_act(struct hostile *hostile)
{
    static const char *const texts[] = {"2probe", "2probe", "2probe", "5",  "5",  "4x",
                                        "2",      "3",      "1",      "6",  "0",  "",
                                        "2prob",  "7",      "bAQID",  "b!", "4x", "3"};

    switch (world_pick(hostile->world, 8)) {
    case 0:
    case 1:
    case 2: net_ask(hostile->net, &hostile->user, NET_GET, (struct slice){0}); break;
    case 3:
    case 4: post(hostile); break;
    case 5: leave(hostile); break;
    default: speak(hostile, texts, sizeof texts / sizeof *texts);
    }
}

void hostile_pester(struct hostile *hostile, bool is_upgraded)
{
    static const char *const texts[] = {"2probe", "2", "2prob", "4x", "6", "", "7", "1"};

    if (!is_upgraded || world_chance(hostile->world, 50))
        speak(hostile, texts, sizeof texts / sizeof *texts);
    else if (world_chance(hostile->world, 50))
        post(hostile);
    else
        net_ask(hostile->net, &hostile->user, NET_GET, (struct slice){0});
}

static void on_answer(void *ctx, unsigned id, unsigned status, struct slice body)
{
    (void)ctx;
    (void)id;
    (void)status;
    (void)body;
}

static void on_socket(void *ctx, unsigned id)
{
    (void)ctx;
    (void)id;
}

static void on_heard(void *ctx, unsigned id, struct slice text, bool is_binary)
{
    (void)ctx;
    (void)id;
    (void)text;
    (void)is_binary;
}

void hostile_init(struct hostile *hostile, struct world *world, struct net *net)
{
    hostile->world = world;
    hostile->net = net;
    hostile->user = (struct net_user){on_answer, on_socket, on_heard, on_socket, hostile};
}
