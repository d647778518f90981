/* sidecast gentoken: a signed token, for trying things out and for scripts. */
#include "bridge/clock.h"
#include "bridge/secret_file.h"
#include "bridge/token.h"
#include "bridge/token_sign.h"
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"
#include "cli/token_keys_load.h"
#include "proto/room_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gentoken_args {
    const char *user;
    struct flag_list rooms;
    uint64_t ttl_ms;
    struct flag_list claims;
    const char *use;
    const char *key_file;
    const char *alg; /* NULL: the key is a secret */
    const char *kid;
};

static int fail(enum exit_code code, const char *what, const char *detail)
{
    fprintf(stderr, "sidecast: %s%s\n", what, detail);
    return (int)code;
}

static int fail_status(enum status status)
{
    return fail(EXIT_CODE_FAILED, "no token: ",
                status == ST_TOO_LARGE ? "the claims make it too large"
                                       : status_title(status));
}

/* The words of --for; a backend's token has the scope of that name. */
static const char *const uses[] = {
    [CLAIMS_CLIENT] = "client", [CLAIMS_PUBLISH] = "publish", [CLAIMS_ADMIN] = "admin"};

static bool read_use(const char *word, enum claims_use *use)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        *use = (enum claims_use)i;
        if (strcmp(word, uses[i]) == 0)
            return true;
    }
    return false;
}

static bool add_claim(json_t *claims, const char *assignment)
{
    struct slice name, value;

    if (!slice_cut(slice_of(assignment), '=', &name, &value) || name.len == 0)
        return false;
    json_t *json =
        json_loadb(value.ptr, value.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    return json && json_object_setn_new(claims, name.ptr, name.len, json) == 0;
}

static int add_all(json_t *claims, const struct gentoken_args *args,
                   const struct token_keys *keys)
{
    json_t *rooms = json_array();
    enum claims_use use;

    json_object_set_new(claims, "sub", json_string(args->user));
    for (size_t i = 0; i < args->rooms.count; i++)
        json_array_append_new(rooms, json_string(args->rooms.items[i]));
    if (args->rooms.count > 0)
        json_object_set(claims, "rooms", rooms);
    json_decref(rooms);

    if (!read_use(args->use, &use))
        return fail(EXIT_CODE_USAGE, "--for needs client, publish or admin", "");
    token_address(keys, use, clock_wall_ms() / 1000, (int64_t)(args->ttl_ms / 1000),
                  claims);
    if (use != CLAIMS_CLIENT)
        json_object_set_new(claims, "scope", json_string(args->use));
    for (size_t i = 0; i < args->claims.count; i++)
        if (!add_claim(claims, args->claims.items[i]))
            return fail(EXIT_CODE_USAGE, "--claim needs NAME=JSON, not ",
                        args->claims.items[i]);
    return EXIT_CODE_OK;
}

static int check(const struct gentoken_args *args)
{
    if (!args->user || !user_id_is_valid(slice_of(args->user)))
        return fail(EXIT_CODE_USAGE, "gentoken needs --user ID",
                    "; see 'sidecast help gentoken'");
    if (args->ttl_ms < 1000)
        return fail(EXIT_CODE_USAGE, "--ttl needs at least 1s", "");
    for (size_t i = 0; i < args->rooms.count; i++)
        if (!room_pattern_is_valid(slice_of(args->rooms.items[i])))
            return fail(EXIT_CODE_USAGE,
                        "--room is no room pattern: ", args->rooms.items[i]);
    return EXIT_CODE_OK;
}

/* With the private key in --key-file. Gives an exit code. */
static int sign_privately(const struct gentoken_args *args, const json_t *claims,
                          struct buf *token)
{
    const char *reason = "";
    char *pem = NULL;
    enum token_alg alg;
    int code = EXIT_CODE_OK;

    if (!args->key_file || !token_alg_find(slice_of(args->alg), &alg) ||
        token_alg_row(alg)->family == TOKEN_FAMILY_HMAC)
        return fail(EXIT_CODE_USAGE, "--alg is for a private key in --key-file: RS256, ",
                    "RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA");
    if (secret_file_read(args->key_file, &pem, &reason))
        return fail(EXIT_CODE_CONFIG, "the key file cannot be read: ", reason);
    enum status st =
        token_sign(alg, slice_of(args->kid), slice_of(pem), claims, token, &reason);
    if (st == ST_BAD_REQUEST)
        code = fail(EXIT_CODE_CONFIG, "the key in --key-file ", reason);
    else if (st)
        code = fail_status(st);
    free(pem);
    return code;
}

static int sign(const struct token_keys *keys, const struct gentoken_args *args,
                const json_t *claims, struct buf *token)
{
    if (args->alg)
        return sign_privately(args, claims, token);
    if (!token_keys_first_secret(keys))
        return fail(EXIT_CODE_CONFIG, "no secret to sign with: set ",
                    "SIDECAST_AUTH_JWT_HMAC_SECRET, its _FILE, or --key-file");
    enum status st = token_mint(keys, slice_of(""), claims, token);
    return st ? fail_status(st) : EXIT_CODE_OK;
}

static int print_token(const struct token_keys *keys, const struct gentoken_args *args)
{
    json_t *claims = json_object();
    struct buf token = {.max = LIMIT_TOKEN_BYTES};
    int code = add_all(claims, args, keys);

    if (!code)
        code = sign(keys, args, claims, &token);
    if (!code)
        printf("%.*s\n", (int)token.len, token.ptr);
    buf_finish(&token);
    json_decref(claims);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct gentoken_args args = {.ttl_ms = 3600 * 1000, .use = "client"};
    struct invocation call;
    int code;

    if (!invocation_begin(&call, self, argc, argv, &args, &code))
        return code;
    code = check(&args);
    if (code || !invocation_load(&call, &code))
        return code;

    char reason[TOKEN_KEYS_REASON_BYTES];
    struct token_keys *keys =
        token_keys_load(&call.config.auth, args.alg ? NULL : args.key_file, NULL, reason);
    if (!keys)
        code = fail(EXIT_CODE_CONFIG, reason, "");
    else if (call.config.auth.max_ttl_ms > 0 && args.ttl_ms > call.config.auth.max_ttl_ms)
        code = fail(EXIT_CODE_USAGE, "--ttl is longer than auth.jwt.max_ttl: ",
                    "no server would take the token");
    else
        code = print_token(keys, &args);
    token_keys_destroy(keys);
    invocation_end(&call);
    return code;
}

#define AT(field) offsetof(struct gentoken_args, field)
static const struct flag flags[] = {
    {"user",     FLAG_TEXT,     "ID",        "whose token: the claim sub",                            AT(user),     0},
    {"room",     FLAG_LIST,     "PATTERN",
     "rooms it may join, for instance 'project:*'; may be repeated",                                  AT(rooms),    0},
    {"ttl",      FLAG_DURATION, "DURATION",  "how long it is good (1h)",                              AT(ttl_ms),   0},
    {"claim",    FLAG_LIST,     "NAME=JSON", "any other claim; may be repeated",                      AT(claims),   0},
    {"for",      FLAG_TEXT,     "USE",       "client, publish or admin (client)",                     AT(use),      0},
    {"key-file", FLAG_TEXT,     "FILE",
     "the secret to sign with, instead of the configured one",                                        AT(key_file), 0},
    {"alg",      FLAG_TEXT,     "ALG",
     "what the PEM private key in --key-file signs with: RS256, ES256, EdDSA ...",                    AT(alg),      0},
    {"kid",      FLAG_TEXT,     "KID",       "with --alg: the name that the server has for this key",
     AT(kid),                                                                                                       0},
};

const struct command command_gentoken = {
    .name = "gentoken",
    .group = GROUP_DAILY,
    .operands = "",
    .summary = "Print a signed token",
    .example = "  sidecast gentoken --user 42 --room 'project:*' --ttl 1h\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
