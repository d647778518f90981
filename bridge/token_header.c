/* Parts and header of a token: see the header. */
#include "bridge/token_header.h"

#include "proto/ident.h"
#include "proto/json_gate.h"

#include <stdio.h>
#include <string.h>

enum {
    HEADER_MEMBERS = 16
};

/* Names that no header may have, and why. */
static const struct {
    const char *name, *sentence;
} forbidden[] = {
    {"crit", "the token's header asks for an extension (crit); none is supported"     },
    {"b64",  "the token's header asks for an extension (b64); none is supported"      },
    {"jku",  "the token's header brings a key address (jku): keys come from this server "
            "alone"                                                        },
    {"jwk",  "the token's header brings a key (jwk): keys come from this server alone"},
    {"x5u",  "the token's header brings a key address (x5u): keys come from this server "
            "alone"                                                        },
    {"x5c",  "the token's header brings a key (x5c): keys come from this server alone"},
};

/* RFC 7519 §5.1 and RFC 9068 §2.1; media types have no case. */
static const char *const types[] = {"JWT", "at+jwt", "application/jwt",
                                    "application/at+jwt"};

static enum refusal refuse(char hint[160], const char *sentence)
{
    snprintf(hint, 160, "%s", sentence);
    return REFUSAL_INVALID;
}

/* The value between the quotes of a plain string: no escapes, so raw is decoded. */
static bool plain_string(const struct json_value *value, struct slice *text)
{
    if (value->type != JSON_GATE_STRING || memchr(value->text.ptr, '\\', value->text.len))
        return false;
    *text = (struct slice){value->text.ptr + 1, value->text.len - 2};
    return true;
}

static bool is_type_of_ours(const struct json_value *value)
{
    struct slice type;

    if (!plain_string(value, &type))
        return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_is_nocase(type, types[i]))
            return true;
    return false;
}

static enum refusal header_member(const struct json_member *member,
                                  struct token_parts *parts, char hint[160])
{
    struct slice name = member->key;

    /* "\u0063rit" is crit too: names are not to be hidden behind escapes. */
    if (memchr(name.ptr, '\\', name.len))
        return refuse(hint, "the token's header spells a name with escapes");
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (slice_is(name, forbidden[i].name))
            return refuse(hint, forbidden[i].sentence);
    if (slice_is(name, "alg") && !plain_string(&member->value, &parts->alg))
        return refuse(hint, "the token's header has an alg that is not a plain string");
    if (slice_is(name, "typ") && !is_type_of_ours(&member->value))
        return refuse(hint, "the token's typ is neither JWT nor at+jwt");
    if (slice_is(name, "kid") &&
        (!plain_string(&member->value, &parts->kid) || !token_kid_is_valid(parts->kid)))
        return refuse(hint, "the token's kid is not 1 to 64 of [A-Za-z0-9._-]");
    return REFUSAL_NONE;
}

/* Fills alg and kid; they are lent by `text`. */
static enum refusal header_read(struct slice text, struct token_parts *parts,
                                char hint[160])
{
    static const struct json_limits limits = {
        .depth = 4, .nodes = 64, .string_bytes = 512, .number_bytes = 32};
    struct json_member members[HEADER_MEMBERS];
    size_t count = 0;

    if (text.len > TOKEN_HEADER_MAX_BYTES)
        return refuse(hint, "the token's header is longer than 512 bytes");
    if (json_gate_object(text, &limits, members, HEADER_MEMBERS, &count, NULL))
        return refuse(hint, "the token's header is not a small JSON object");
    for (size_t i = 0; i < count; i++) {
        enum refusal refusal = header_member(&members[i], parts, hint);
        if (refusal)
            return refusal;
    }
    if (parts->alg.len == 0)
        return refuse(hint, "the token's header names no alg");
    return REFUSAL_NONE;
}

static bool decode(struct slice text, uint8_t *bytes, struct slice *decoded)
{
    size_t len = 0;

    if (!ident_base64url_decode(text, bytes, &len))
        return false;
    *decoded = (struct slice){(const char *)bytes, len};
    return true;
}

enum refusal token_parts_read(struct slice token, struct token_parts *parts,
                              char hint[160])
{
    struct slice header, payload, signature, rest;

    parts->alg = parts->kid = (struct slice){0};
    /* Exactly three parts; RFC 7516's five are an encrypted token. */
    if (!slice_cut(token, '.', &header, &rest) ||
        !slice_cut(rest, '.', &payload, &signature) || header.len == 0 ||
        payload.len == 0 || signature.len == 0 ||
        memchr(signature.ptr, '.', signature.len))
        return refuse(hint, "the token does not have the three parts of a signed JWT");
    parts->signed_text = slice_first(token, header.len + 1 + payload.len);
    if (!decode(header, parts->header_bytes, &header) ||
        !decode(payload, parts->payload_bytes, &parts->payload) ||
        !decode(signature, parts->signature_bytes, &parts->signature))
        return refuse(hint, "a part of the token is not base64url without padding");
    return header_read(header, parts, hint);
}
