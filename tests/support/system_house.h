/* A gateway house under the tables of a small file; for tests. */
#ifndef TESTS_SUPPORT_SYSTEM_HOUSE_H
#define TESTS_SUPPORT_SYSTEM_HOUSE_H

#include "support/gateway_house.h"

/* What the text says holds in the house from now on. */
static inline void use_yaml(struct house *house, const char *yaml)
{
    struct system *system = system_of(yaml);

    gateway_reload(house->gateway, system);
    system_release(system);
}

/* A token with these claims (members of an object) that holds `ttl_s`. */
static inline char *mint_claims(struct house *house, const char *members, int64_t ttl_s)
{
    struct buf token = {.max = LIMIT_TOKEN_BYTES};
    char claims[2048];

    snprintf(claims, sizeof claims, "{\"exp\":%lld%s%s}",
             (long long)(clock_wall_ms() / 1000 + ttl_s), members[0] ? "," : "", members);
    json_t *json = json_loads(claims, 0, NULL);
    assert_non_null(json);
    assert_int_equal(token_mint(house->keys, (struct slice){0}, json, &token), ST_OK);
    json_decref(json);
    buf_add_byte(&token, '\0');
    return buf_release(&token);
}

/* An open Engine.IO connection; `fields` are more of its head. */
static inline struct ws_peer *open_io(struct house *house, const char *query,
                                      const char *fields)
{
    struct ws_peer *io = peer_create(&house->loop, house->port);
    char target[4096];

    snprintf(target, sizeof target, "/socket.io/?EIO=4&transport=websocket%s", query);
    assert_int_equal(peer_upgrade(io, target, fields), 101);
    assert_starts(READ(house, io), "0{\"sid\":\"AB");
    return io;
}

/* CONNECT with a token of these claims; the answer lies in the house's text. */
static inline struct ws_peer *connect_io(struct house *house, const char *members,
                                         int64_t ttl_s)
{
    struct ws_peer *io = open_io(house, "", "");
    char *token = mint_claims(house, members, ttl_s);
    char connect[3072];

    snprintf(connect, sizeof connect, "40{\"token\":\"%s\"}", token);
    peer_send(io, 1, connect);
    READ(house, io);
    free(token);
    return io;
}

#endif
