/* Who may join what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/system_house.h"

#include "proto/access.h"

static struct claims *claims_of(const char *json)
{
    struct claims *claims = NULL;

    claims_decode(slice_of(json), CLAIMS_CLIENT, 1000, &(struct claims_rules){0}, &claims,
                  NULL);
    return claims;
}

static bool may_join_key(const struct claims *claims, const struct room_key *key)
{
    struct system *system = system_default();
    struct buf scratch = {.max = 4096};
    bool may = access_may_join(system, claims, key, &scratch);

    buf_finish(&scratch);
    system_release(system);
    return may;
}

static bool may_join(const struct claims *claims, const char *text)
{
    struct room_key key;

    assert_int_equal(room_target_decode(SLICE("/"), slice_of(text), &key), ST_OK);
    return may_join_key(claims, &key);
}

static void a_token_grants_what_its_patterns_match(void **state)
{
    static const struct {
        const char *room;
        bool may;
    } rows[] = {
        {"project:7",            true },
        {"project:7:x",          false},
        {"project",              false},
        {"other:7",              false},
        {"*",                    true },
        {"user:alice",           true },
        {"user:victim",          false},
        {"user:alice/../victim", false},
        {"user:Alice",           false},
        {"user:*",               false},
        {"user:alice ",          false},
    };
    struct claims *claims = claims_of(
        "{\"sub\":\"alice\",\"exp\":2000,\"rooms\":[\"project:*\",\"user:*\"]}");

    (void)state;
    assert_non_null(claims);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(may_join(claims, rows[i].room), rows[i].may);
    claims_drop(claims);
}

static void two_stars_grant_all_named_rooms_and_no_others(void **state)
{
    struct claims *claims =
        claims_of("{\"sub\":\"alice\",\"exp\":2000,\"rooms\":[\"**\"]}");
    struct room_key socket = {SLICE("/"), ROOM_SOCKET, SLICE("abcdefghij0123456789")};

    (void)state;
    assert_non_null(claims);
    assert_true(may_join(claims, "a"));
    assert_true(may_join(claims, "a:b:c"));
    assert_false(may_join(claims, "user:victim"));
    assert_false(may_join_key(claims, &socket));
    claims_drop(claims);
}

static void nobody_may_join_nothing_but_everybody(void **state)
{
    struct claims *claims = claims_of("{\"sub\":\"alice\",\"exp\":2000}");

    (void)state;
    assert_false(may_join(NULL, "a"));
    assert_false(may_join(NULL, "user:alice"));
    assert_true(may_join(NULL, "*"));
    assert_false(may_join(claims, "a"));
    assert_true(may_join(claims, "user:alice"));
    claims_drop(claims);
}

/* Rows, commands and rooms at connect: who may join, who may stay, how many. */
static void tables_decide_before_the_token(void **state)
{
    static const struct {
        const char *claims;
        const char *room;
        bool may_join, may_stay;
        uint64_t max;
    } rows[] = {
        {"\"role\":\"admin\"",    "admin:1",   true,  true,  0},
        {"\"role\":\"user\"",     "admin:1",   false, false, 0},
        {"\"rooms\":[\"**\"]",    "admin:1",   false, false, 0},
        {"\"rooms\":[\"x\"]",     "x",         true,  true,  0},
        {"\"team\":\"red\"",      "duel:1",    true,  true,  2},
        {"\"team\":\"red\"",      "team:red",  false, true,  0},
        {"\"team\":\"red\"",      "team:blue", false, false, 0},
        {"\"rooms\":[\"own:a\"]", "own:ada",   false, true,  0},
        {"\"rooms\":[\"own:a\"]", "own:eve",   false, false, 0},
    };
    struct system *system = system_of(
        "rooms:\n"
        "  - {match: 'admin:*', allow: claim, require: {role: admin}}\n"
        "  - {match: 'duel:*', allow: any, max_members: 2}\n"
        "  - {match: 'team:*', allow: none}\n"
        "connect: {auto_join: ['team:{claims.team}']}\n"
        "commands: {own: {do: join, room: '{args.0}', allow: ['own:{claims.sub}']}}\n");
    const struct claims_rules none = {0};
    struct buf scratch = {.max = 4096};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct room_key key = {SLICE("/"), ROOM_NAMED, slice_of(rows[i].room)};
        struct claims *claims = NULL;
        char json[256];
        snprintf(json, sizeof json, "{\"sub\":\"ada\",\"exp\":2000,%s}", rows[i].claims);
        assert_int_equal(
            claims_decode(slice_of(json), CLAIMS_CLIENT, 1000, &none, &claims, NULL),
            REFUSAL_NONE);
        if (access_may_join(system, claims, &key, &scratch) != rows[i].may_join ||
            access_may_stay(system, claims, &key, &scratch) != rows[i].may_stay ||
            access_max_members(system, claims, &key, &scratch) != rows[i].max)
            fail_msg("%s in %s", json, rows[i].room);
        claims_drop(claims);
    }
    buf_finish(&scratch);
    system_release(system);
}

/* A command keeps somebody in a room that it could have put them into, where it works. */
static void only_a_way_in_keeps_somebody_in_a_room(void **state)
{
    static const struct {
        const char *nsp, *room;
        bool may_stay;
    } rows[] = {
        {"/",      "project:7",   false}, /* `open` works in /staff alone */
        {"/staff", "project:7",   true },
        {"/gone",  "project:7",   false},
        {"/",      "other:7",     false}, /* `village` gives no such name */
        {"/",      "village:7",   true },
        {"/",      "village:7:8", false},
        {"/",      "v-7-x:a-b",   true },
        {"/",      "v-7:a-b",     false},
        {"/",      "v--x:a-b",    false},
        {"/",      "v-7-x:b",     false},
        {"/",      "team:red",    true }, /* by the claims of now */
        {"/",      "team:blue",   false},
        {"/",      "org:red",     false},
        {"/",      "red",         true },
        {"/",      "blue",        false},
    };
    struct system *system = system_of(
        "namespaces:\n"
        "  /: {commands: [subscribe, village, parts, team, org, mine]}\n"
        "  /staff: {commands: [open]}\n"
        "commands:\n"
        "  subscribe: {do: join, room: '{args.0.room}'}\n"
        "  open: {do: join, room: '{args.0.room}', allow: ['project:*']}\n"
        "  village: {do: join, room: 'village:{args.0.id}', allow: ['**']}\n"
        "  parts: {do: join, room: 'v-{args.0.a}-x:{args.0.b}-b', allow: ['**']}\n"
        "  team: {do: join, room: 'team:{claims.team}', allow: ['**']}\n"
        "  org: {do: join, room: 'org:{claims.org}', allow: ['**']}\n"
        "  mine: {do: join, room: '{claims.team}', allow: ['**']}\n"
        "  away: {do: leave, room: '{args.0.room}'}\n");
    struct claims *claims = claims_of("{\"sub\":\"ada\",\"exp\":2000,\"team\":\"red\"}");
    struct buf scratch = {.max = 4096};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct room_key key = {slice_of(rows[i].nsp), ROOM_NAMED, slice_of(rows[i].room)};
        if (access_may_stay(system, claims, &key, &scratch) != rows[i].may_stay)
            fail_msg("%s in %s", rows[i].room, rows[i].nsp);
    }
    claims_drop(claims);
    buf_finish(&scratch);
    system_release(system);
}

/* Who may send into a room, and whether clients hear its name. */
static void rows_say_who_may_send_and_what_is_hidden(void **state)
{
    static const struct {
        const char *claims;
        const char *room;
        bool member, stranger, is_hidden;
    } rows[] = {
        {"\"role\":\"user\"",  "lobby",     true,  true,  false},
        {"\"role\":\"user\"",  "chat:1",    true,  false, false},
        {"\"role\":\"user\"",  "news:1",    false, false, false},
        {"\"role\":\"user\"",  "say:1",     false, false, false},
        {"\"role\":\"admin\"", "say:1",     true,  true,  false},
        {"\"team\":\"red\"",   "team:red",  true,  true,  true },
        {"\"team\":\"red\"",   "team:blue", true,  false, true },
        {"\"team\":\"red\"",   "team:open", false, false, false},
        {"\"team\":\"red\"",   "x:y:z",     true,  true,  true },
    };
    struct system *system =
        system_of("rooms:\n"
                  "  - {match: 'chat:*', publish: members}\n"
                  "  - {match: 'news:*', publish: none}\n"
                  "  - {match: 'say:*', publish: {role: [admin, root]}}\n"
                  "  - {match: 'team:open', publish: none, hidden: off}\n"
                  "  - {match: 'team:{claims.team}', hidden: on}\n"
                  "  - {match: 'team:*', publish: members}\n"
                  "  - {match: 'x:**', publish: any, hidden: true}\n");
    const struct claims_rules none = {0};
    struct buf scratch = {.max = 4096};

    (void)state;
    assert_true(system->client_uses & TEMPLATE_BIT(TEMPLATE_CLAIMS));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct room_key key = {SLICE("/"), ROOM_NAMED, slice_of(rows[i].room)};
        struct claims *claims = NULL;
        char json[256];
        snprintf(json, sizeof json, "{\"sub\":\"ada\",\"exp\":2000,%s}", rows[i].claims);
        assert_int_equal(
            claims_decode(slice_of(json), CLAIMS_CLIENT, 1000, &none, &claims, NULL),
            REFUSAL_NONE);
        if (access_may_publish(system, claims, &key, true, &scratch) != rows[i].member ||
            access_may_publish(system, claims, &key, false, &scratch) !=
                rows[i].stranger ||
            access_is_hidden(system, key.kind, key.name) != rows[i].is_hidden)
            fail_msg("%s in %s", json, rows[i].room);
        key.kind = ROOM_USER;
        assert_true(access_may_publish(system, claims, &key, false, &scratch));
        assert_false(access_is_hidden(system, key.kind, key.name));
        claims_drop(claims);
    }
    buf_finish(&scratch);
    system_release(system);
}

static void no_user_is_not_the_empty_user(void **state)
{
    struct room_key key = {SLICE("/"), ROOM_USER, {0}};
    struct claims *claims = NULL;

    (void)state;
    assert_int_equal(claims_decode(SLICE("{\"exp\":2000,\"aud\":\"sidecast:publish\"}"),
                                   CLAIMS_PUBLISH, 1000, &(struct claims_rules){0},
                                   &claims, NULL),
                     REFUSAL_NONE);
    assert_false(may_join_key(claims, &key));
    claims_drop(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_grants_what_its_patterns_match),
        cmocka_unit_test(two_stars_grant_all_named_rooms_and_no_others),
        cmocka_unit_test(nobody_may_join_nothing_but_everybody),
        cmocka_unit_test(tables_decide_before_the_token),
        cmocka_unit_test(only_a_way_in_keeps_somebody_in_a_room),
        cmocka_unit_test(rows_say_who_may_send_and_what_is_hidden),
        cmocka_unit_test(no_user_is_not_the_empty_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
