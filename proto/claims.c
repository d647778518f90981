/* Claims: see the header. One block of memory: the struct, the patterns, the bytes of all
 * strings. */
#include "proto/claims.h"

#include "proto/json_gate.h"
#include "proto/room_name.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HINT_BYTES = 160,
};

/* Real tokens nest two or three levels. */
static const struct json_limits limits = {
    .depth = 8,
    .nodes = LIMIT_TOKEN_BYTES,
    .string_bytes = LIMIT_TOKEN_BYTES,
    .number_bytes = LIMIT_JSON_NUMBER_BYTES,
};

/* 2^53: what a number of JSON can say exactly. */
#define MAX_TIME_S 9007199254740992.0

struct claims {
    size_t references;
    int64_t expires_s;
    struct slice user;
    struct slice scope;
    struct slice json;
    bool names_rooms;
    size_t room_count;
    struct slice rooms[]; /* the bytes of all slices follow */
};

/* One decode: what was found, still in jansson's memory, and where the hint goes. */
struct reading {
    const json_t *tree;
    const struct claims_rules *rules;
    char *hint;
    int64_t expires_s;
    char user_digits[24];
    struct slice user;
    struct slice scope;
    struct slice json;
    struct slice rooms[LIMIT_PATTERNS];
    size_t room_count;
};

struct refusal_words {
    const char *reason;
    const char *text;
};

static const struct refusal_words refusals[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {"",            ""                       },
    [REFUSAL_MISSING] = {"missing",     "Authentication required"},
    [REFUSAL_INVALID] = {"invalid",     "Invalid token"          },
    [REFUSAL_EXPIRED] = {"expired",     "Token expired"          },
    [REFUSAL_NOT_YET] = {"not_yet",     "Not authorized"         },
    [REFUSAL_REVOKED] = {"revoked",     "Not authorized"         },
    [REFUSAL_INACTIVE] = {"inactive",    "Not authorized"         },
    [REFUSAL_FORBIDDEN] = {"forbidden",   "Not authorized"         },
    [REFUSAL_UNAVAILABLE] = {"unavailable", "Not authorized"         },
    [REFUSAL_LIMIT] = {"limit",       "Not authorized"         },
};

const char *refusal_reason(enum refusal refusal)
{
    return refusals[refusal].reason;
}

const char *refusal_text(enum refusal refusal)
{
    return refusals[refusal].text;
}

/* Sentences name claims and types, never what stands in the token. */
__attribute__((format(printf, 3, 4))) static enum refusal
refuse(const struct reading *reading, enum refusal refusal, const char *format, ...)
{
    va_list args;

    if (reading->hint) {
        va_start(args, format);
        vsnprintf(reading->hint, HINT_BYTES, format, args);
        va_end(args);
    }
    return refusal;
}

static struct slice string_slice(const json_t *string)
{
    return (struct slice){json_string_value(string), json_string_length(string)};
}

/* `*is_there` is false when the claim is absent: `*value` is then left alone. */
static enum refusal read_time(const struct reading *reading, const char *name,
                              double *value, bool *is_there)
{
    const json_t *claim = json_object_get(reading->tree, name);

    *is_there = claim != NULL;
    if (!claim)
        return REFUSAL_NONE;
    if (!json_is_number(claim))
        return refuse(reading, REFUSAL_INVALID,
                      "The token's \"%s\" is not a number: issue it as seconds since "
                      "1970, without quotes.",
                      name);
    double seconds = json_number_value(claim);
    if (!(seconds >= 0 && seconds <= MAX_TIME_S))
        return refuse(
            reading, REFUSAL_INVALID,
            "The token's \"%s\" is out of range: issue it as seconds since 1970.", name);
    *value = seconds;
    return REFUSAL_NONE;
}

/* A fraction or an exponent is how a mistake looks, and libraries differ about it. */
static enum refusal read_end(struct reading *reading)
{
    const json_t *claim = json_object_get(reading->tree, "exp");
    double exp = 0;
    bool has_exp;
    enum refusal refusal = read_time(reading, "exp", &exp, &has_exp);

    if (refusal)
        return refusal;
    if (!has_exp)
        return refuse(reading, REFUSAL_INVALID,
                      "The token has no \"exp\": give it an end, in seconds since 1970.");
    if (!json_is_integer(claim))
        return refuse(reading, REFUSAL_INVALID,
                      "The token's \"exp\" is not an integer: issue it as whole seconds "
                      "since 1970.");
    reading->expires_s = (int64_t)exp;
    return REFUSAL_NONE;
}

static enum refusal check_end(const struct reading *reading, int64_t now_s)
{
    const struct claims_rules *rules = reading->rules;

    if (now_s - rules->leeway_s >= reading->expires_s)
        return refuse(reading, REFUSAL_EXPIRED,
                      "The token ended %lld s ago: fetch a new one, and compare the "
                      "clocks of both machines.",
                      (long long)(now_s - reading->expires_s));
    if (rules->max_ttl_s > 0 &&
        reading->expires_s - now_s > rules->max_ttl_s + rules->leeway_s)
        return refuse(reading, REFUSAL_INVALID,
                      "The token's \"exp\" is more than %lld s ahead: issue it for less, "
                      "or raise auth.jwt.max_ttl.",
                      (long long)rules->max_ttl_s);
    return REFUSAL_NONE;
}

static enum refusal check_times(struct reading *reading, int64_t now_s)
{
    double nbf = 0, iat = 0;
    bool has_nbf, has_iat;
    enum refusal refusal = read_end(reading);

    if (!refusal)
        refusal = read_time(reading, "nbf", &nbf, &has_nbf);
    if (!refusal)
        refusal = read_time(reading, "iat", &iat, &has_iat);
    if (!refusal)
        refusal = check_end(reading, now_s);
    if (refusal)
        return refusal;
    if (has_nbf && (double)(now_s + reading->rules->leeway_s) < nbf)
        return refuse(reading, REFUSAL_NOT_YET,
                      "The token is not valid for another %lld s: compare the clocks of "
                      "both machines.",
                      (long long)nbf - now_s + 1);
    return REFUSAL_NONE;
}

static enum refusal check_issuer(const struct reading *reading)
{
    const json_t *iss = json_object_get(reading->tree, "iss");
    struct slice wanted = reading->rules->issuer;

    if (iss && !json_is_string(iss))
        return refuse(reading, REFUSAL_INVALID, "The token's \"iss\" must be a string.");
    if (wanted.len > 0 && !slice_equal(string_slice(iss), wanted))
        return refuse(
            reading, REFUSAL_INVALID,
            "The token's \"iss\" is not the one that auth.jwt.issuer asks for.");
    return REFUSAL_NONE;
}

static bool audience_has(const json_t *aud, struct slice word)
{
    if (json_is_string(aud))
        return slice_equal(string_slice(aud), word);
    for (size_t i = 0; i < json_array_size(aud); i++) {
        if (slice_equal(string_slice(json_array_get(aud, i)), word))
            return true;
    }
    return false;
}

static bool audience_is_readable(const json_t *aud)
{
    if (!aud || json_is_string(aud))
        return true;
    if (!json_is_array(aud))
        return false;
    for (size_t i = 0; i < json_array_size(aud); i++) {
        if (!json_is_string(json_array_get(aud, i)))
            return false;
    }
    return true;
}

struct slice claims_audience(enum claims_use use, const struct claims_rules *rules)
{
    switch (use) {
    case CLAIMS_PUBLISH: return SLICE("sidecast:publish");
    case CLAIMS_ADMIN: return SLICE("sidecast:admin");
    default: return rules->audience;
    }
}

static bool is_of_a_backend(const json_t *aud)
{
    return audience_has(aud, claims_audience(CLAIMS_PUBLISH, NULL)) ||
           audience_has(aud, claims_audience(CLAIMS_ADMIN, NULL));
}

static enum refusal check_audience(const struct reading *reading, enum claims_use use)
{
    const json_t *aud = json_object_get(reading->tree, "aud");
    struct slice wanted = claims_audience(use, reading->rules);

    if (!audience_is_readable(aud))
        return refuse(reading, REFUSAL_INVALID,
                      "The token's \"aud\" must be a string or an array of strings.");
    if (use == CLAIMS_CLIENT && is_of_a_backend(aud))
        return refuse(reading, REFUSAL_INVALID,
                      "The token is one of a backend (its \"aud\" says so): a client "
                      "needs a token of its own.");
    if (wanted.len > 0 && !audience_has(aud, wanted))
        return refuse(
            reading, REFUSAL_INVALID,
            "The token is not meant for this listener: its \"aud\" must contain "
            "\"%.*s\".",
            (int)slice_first(wanted, 60).len, wanted.ptr);
    return REFUSAL_NONE;
}

static enum refusal read_user(struct reading *reading, enum claims_use use)
{
    const json_t *sub = json_object_get(reading->tree, "sub");

    if (!sub && use == CLAIMS_CLIENT && !reading->rules->needs_no_sub)
        return refuse(reading, REFUSAL_INVALID,
                      "The token has no \"sub\": put the user's id there.");
    if (!sub)
        return REFUSAL_NONE;

    if (json_is_string(sub)) {
        reading->user = string_slice(sub);
    } else if (json_is_integer(sub)) {
        int len = snprintf(reading->user_digits, sizeof reading->user_digits,
                           "%" JSON_INTEGER_FORMAT, json_integer_value(sub));
        reading->user = (struct slice){reading->user_digits, (size_t)len};
    }
    if (!user_id_is_valid(reading->user))
        return refuse(
            reading, REFUSAL_INVALID,
            "The token's \"sub\" must be an integer, or a string of 1 to %d bytes "
            "without control characters.",
            LIMIT_USER_BYTES);
    return REFUSAL_NONE;
}

static enum refusal read_rooms(struct reading *reading)
{
    const json_t *rooms = json_object_get(reading->tree, "rooms");

    if (!rooms)
        return REFUSAL_NONE;
    if (!json_is_array(rooms) || json_array_size(rooms) > LIMIT_PATTERNS)
        return refuse(reading, REFUSAL_INVALID,
                      "The token's \"rooms\" must be an array of at most %d patterns.",
                      LIMIT_PATTERNS);
    for (size_t i = 0; i < json_array_size(rooms); i++) {
        const json_t *item = json_array_get(rooms, i);
        if (!json_is_string(item) || !room_pattern_is_valid(string_slice(item)))
            return refuse(reading, REFUSAL_INVALID,
                          "The token's \"rooms\", item %zu, is no pattern: write for "
                          "instance \"project:7\", \"project:*\" or \"project:**\".",
                          i);
        reading->rooms[reading->room_count++] = string_slice(item);
    }
    return REFUSAL_NONE;
}

static enum refusal read_scope(struct reading *reading)
{
    const json_t *scope = json_object_get(reading->tree, "scope");

    if (!scope)
        return REFUSAL_NONE;
    if (!json_is_string(scope))
        return refuse(
            reading, REFUSAL_INVALID,
            "The token's \"scope\" must be a string: words separated by blanks.");
    reading->scope = string_slice(scope);
    return REFUSAL_NONE;
}

static struct slice copy_to(char **at, struct slice bytes)
{
    struct slice copy = {*at, bytes.len};

    if (bytes.len > 0)
        memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return copy;
}

/* Copies what `model` has, its rooms apart. */
static struct claims *claims_create(const struct claims *model, const struct slice *rooms)
{
    size_t bytes = model->user.len + model->scope.len + model->json.len;

    for (size_t i = 0; i < model->room_count; i++)
        bytes += rooms[i].len;
    size_t head = sizeof(struct claims) + model->room_count * sizeof(struct slice);
    struct claims *claims = malloc(head + bytes);
    if (!claims)
        return NULL;

    char *at = (char *)claims + head;
    *claims = *model;
    claims->references = 1;
    claims->user = copy_to(&at, model->user);
    claims->scope = copy_to(&at, model->scope);
    claims->json = copy_to(&at, model->json);
    for (size_t i = 0; i < model->room_count; i++)
        claims->rooms[i] = copy_to(&at, rooms[i]);
    return claims;
}

static struct claims *claims_of(const struct reading *reading)
{
    const struct claims model = {
        .expires_s = reading->expires_s,
        .user = reading->user,
        .scope = reading->scope,
        .json = reading->json,
        .names_rooms = json_object_get(reading->tree, "rooms") != NULL,
        .room_count = reading->room_count,
    };

    return claims_create(&model, reading->rooms);
}

struct claims *claims_nobody(void)
{
    const struct claims model = {.expires_s = INT64_MAX};
    const struct slice no_rooms = {0};

    return claims_create(&model, &no_rooms);
}

struct claims *claims_as(struct claims *claims, struct slice user)
{
    struct claims model = *claims;

    model.user = user;
    struct claims *made = claims_create(&model, claims->rooms);
    claims_drop(claims);
    return made;
}

/* Gives a tree (json_decref), or NULL: the gate has seen the bytes before jansson does.
 */
static json_t *load(struct slice json, struct json_value *value, struct json_fault *fault)
{
    if (json_gate_check(json, &limits, value, fault))
        return NULL;
    if (value->type != JSON_GATE_OBJECT) {
        fault->reason = "not an object";
        return NULL;
    }
    return json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
}

enum refusal claims_decode(struct slice json, enum claims_use use, int64_t now_s,
                           const struct claims_rules *rules, struct claims **claims,
                           char hint[160])
{
    struct json_fault fault = {.reason = "not readable"};
    struct reading reading = {.rules = rules};
    struct json_value value = {0};
    json_t *tree = load(json, &value, &fault);

    reading.hint = hint;
    if (!tree)
        return refuse(&reading, REFUSAL_INVALID,
                      "The token's payload is not accepted as JSON: %s.", fault.reason);

    reading.tree = tree;
    reading.json = value.text;
    enum refusal refusal = check_audience(&reading, use);
    if (!refusal)
        refusal = check_issuer(&reading);
    if (!refusal)
        refusal = check_times(&reading, now_s);
    if (!refusal)
        refusal = read_user(&reading, use);
    if (!refusal)
        refusal = read_rooms(&reading);
    if (!refusal)
        refusal = read_scope(&reading);
    if (!refusal) {
        *claims = claims_of(&reading);
        if (!*claims)
            refusal = refuse(&reading, REFUSAL_UNAVAILABLE, "Out of memory.");
    }
    json_decref(tree);
    return refusal;
}

struct claims *claims_share(struct claims *claims)
{
    claims->references++;
    return claims;
}

void claims_drop(struct claims *claims)
{
    if (claims && --claims->references == 0)
        free(claims);
}

struct slice claims_user(const struct claims *claims)
{
    return claims->user;
}

int64_t claims_expires_s(const struct claims *claims)
{
    return claims->expires_s;
}

struct slice claims_json(const struct claims *claims)
{
    return claims->json;
}

bool claims_names_rooms(const struct claims *claims)
{
    return claims->names_rooms;
}

size_t claims_room_count(const struct claims *claims)
{
    return claims->room_count;
}

struct slice claims_room(const struct claims *claims, size_t i)
{
    return claims->rooms[i];
}

bool claims_has_scope(const struct claims *claims, const char *word)
{
    struct slice rest = claims->scope, found;
    bool has_more;

    do {
        has_more = slice_cut(rest, ' ', &found, &rest);
        if (found.len > 0 && slice_is(found, word))
            return true;
    } while (has_more);
    return false;
}
