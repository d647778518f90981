/*
 * The table of forged tokens: none of them may pass. Each is right in all but one point,
 * signed with the right key wherever a forger could have come by it, and must be refused
 * for that point: the hint says which. The genuine tokens beside them show that the table
 * can fail.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/token.h"
#include "security/jwt_forgeries.h"
#include "support/token_forge.h"

#include <openssl/err.h>

/* One issuer: a key for each algorithm, called by its name, and the forger's own. */
struct house {
    struct token_keys *keys;
    EVP_PKEY *pairs[TOKEN_ALG_COUNT]; /* NULL: a secret */
    EVP_PKEY *forger;
};

static const struct claims_rules rules = {
    .leeway_s = 30,
    .max_ttl_s = 24 * 60 * 60,
    .issuer = {"https://id.example", 18},
    .audience = {"app",                3 },
};

static struct slice name_of(enum token_alg alg)
{
    return slice_of(token_alg_row(alg)->name);
}

static bool is_hmac(enum token_alg alg)
{
    return token_alg_row(alg)->family == TOKEN_FAMILY_HMAC;
}

static void add_key(struct house *house, enum token_alg alg)
{
    char pem[FORGE_KEY_BYTES];
    struct token_key *key = NULL;
    const char *reason;

    if (is_hmac(alg)) {
        assert_int_equal(token_keys_add(house->keys, alg, name_of(alg), SLICE(SECRET)),
                         ST_OK);
        return;
    }
    house->pairs[alg] = forge_key(alg);
    forge_pem(house->pairs[alg], pem);
    assert_int_equal(token_key_from_pem(alg, name_of(alg), slice_of(pem), &key, &reason),
                     ST_OK);
    assert_int_equal(token_keys_put(house->keys, key), ST_OK);
}

static int set_up(void **state)
{
    struct house *house = calloc(1, sizeof *house);

    house->keys = token_keys_create();
    assert_int_equal(token_keys_set_rules(house->keys, &rules), ST_OK);
    assert_int_equal(token_keys_add(house->keys, TOKEN_HS256, SLICE(""), SLICE(SECRET)),
                     ST_OK);
    for (int alg = 0; alg < TOKEN_ALG_COUNT; alg++)
        add_key(house, (enum token_alg)alg);
    house->forger = forge_key(TOKEN_RS256);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;

    for (int alg = 0; alg < TOKEN_ALG_COUNT; alg++)
        EVP_PKEY_free(house->pairs[alg]);
    EVP_PKEY_free(house->forger);
    token_keys_destroy(house->keys);
    free(house);
    return 0;
}

static enum refusal verify(const struct house *house, const char *token,
                           enum claims_use use, int64_t now_s, char hint[160])
{
    struct claims *claims = NULL;
    enum refusal refusal =
        token_verify(house->keys, slice_of(token), use, now_s, &claims, hint);

    assert_true((refusal == REFUSAL_NONE) == (claims != NULL));
    claims_drop(claims);
    return refusal;
}

/* What an HMAC is keyed with in a row of confusion. */
static size_t public_material(const struct house *house, enum how how, char *out)
{
    EVP_PKEY *key = house->pairs[TOKEN_RS256];
    size_t len;

    switch (how) {
    case HMAC_PEM: return forge_pem(key, out);
    case HMAC_PEM_LINE:
        len = forge_pem(key, out);
        strcpy(out + len, "\n");
        return len + 1;
    case HMAC_DER: return forge_der(key, (unsigned char *)out);
    case HMAC_JWK: forge_jwk(key, TOKEN_RS256, out); return strlen(out);
    case SECRET_ON_RSA:
    case HMAC_CUT: strcpy(out, SECRET); return strlen(SECRET);
    default: return 0;
    }
}

static size_t sign(const struct house *house, enum how how, const char *text,
                   unsigned char *out)
{
    EVP_PKEY *own = house->pairs[TOKEN_RS256];
    char material[FORGE_KEY_BYTES];

    switch (how) {
    case NOTHING: return 0;
    case ZEROS: memset(out, 0, 256); return 256;
    case ANOTHER_KEY: return forge_sign(house->forger, TOKEN_RS256, text, out);
    case AS_PS256: return forge_sign(own, TOKEN_PS256, text, out);
    case NO_SALT:
        return forge_sign_evp(house->pairs[TOKEN_PS256], TOKEN_PS256, 0, text, out);
    case AS_RS512: return forge_sign(own, TOKEN_RS512, text, out);
    case OTHER_PAYLOAD: return forge_sign(own, TOKEN_RS256, "e30.e30", out);
    case HMAC_CUT:
    case SECRET_ON_RSA:
    case HMAC_EMPTY:
    case HMAC_PEM:
    case HMAC_PEM_LINE:
    case HMAC_DER:
    case HMAC_JWK:
        return forge_hmac(material, public_material(house, how, material), TOKEN_HS256,
                          text, out);
    default: return forge_sign(own, TOKEN_RS256, text, out);
    }
}

/* 256 bytes end in a character with four spare bits: the next one spells the same. */
static void spoil(enum how how, char *token)
{
    char *end = token + strlen(token), *signature = strrchr(token, '.') + 1;

    switch (how) {
    case BASE64_PADDED: strcpy(end, "=="); break;
    case BASE64_SPARE: end[-1] = (char)(end[-1] + 1); break;
    case BASE64_PLAIN: signature[3] = '+'; break;
    case BASE64_BLANK: signature[3] = '\n'; break;
    case FOURTH_PART: strcpy(end, ".e30"); break;
    case BLANK_BEHIND: strcpy(end, " "); break;
    default: break;
    }
}

static void forge_row(const struct house *house, const struct forgery *row,
                      char token[FORGE_TOKEN_BYTES])
{
    unsigned char signature[FORGE_SIGNATURE_BYTES] = {0};

    forge_text(row->header, row->payload, token);
    size_t len = sign(house, row->how, token, signature);
    if (row->how == CUT || row->how == HMAC_CUT)
        len--;
    if (row->how == LONGER)
        len++;
    forge_close(token, signature, len);
    spoil(row->how, token);
}

static void no_forged_token_is_accepted(void **state)
{
    const struct house *house = *state;
    size_t count = sizeof forgeries / sizeof *forgeries, accepted = 0;
    char token[FORGE_TOKEN_BYTES], hint[160];

    for (size_t i = 0; i < count; i++) {
        const struct forgery *row = &forgeries[i];
        enum refusal wanted = row->refusal ? row->refusal : REFUSAL_INVALID;

        forge_row(house, row, token);
        enum refusal refusal = verify(house, token, CLAIMS_CLIENT, NOW, hint);
        /* Nor may a refusal leave something behind for who asks OpenSSL next. */
        assert_int_equal(ERR_peek_error(), 0);
        accepted += refusal == REFUSAL_NONE;
        if (refusal != wanted || !strstr(hint, row->why))
            print_error("%s: %s, \"%s\"; wanted \"%s\"\n", row->threat,
                        refusal_reason(refusal), hint, row->why);
        assert_int_equal(refusal, wanted);
        assert_non_null(strstr(hint, row->why));
    }
    assert_int_equal(accepted, 0);
    assert_true(count >= MIN_FORGERIES);
    print_message("forged tokens: %zu, accepted: %zu\n", count, accepted);
}

static void genuine_tokens_of_every_algorithm_are_accepted(void **state)
{
    const struct house *house = *state;
    char token[FORGE_TOKEN_BYTES], header[128], hint[160];
    unsigned char signature[FORGE_SIGNATURE_BYTES];

    for (int i = 0; i < TOKEN_ALG_COUNT; i++) {
        enum token_alg alg = (enum token_alg)i;
        const char *name = token_alg_row(alg)->name;
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
                 name, name);
        forge_text(header, GOOD, token);
        size_t len = is_hmac(alg)
                         ? forge_hmac(SECRET, strlen(SECRET), alg, token, signature)
                         : forge_sign(house->pairs[alg], alg, token, signature);
        forge_close(token, signature, len);
        if (verify(house, token, CLAIMS_CLIENT, NOW, hint))
            fail_msg("%s: %s", name, hint);
    }
}

static void genuine_tokens_at_the_edge_are_accepted(void **state)
{
    static const struct {
        const char *header, *payload;
    } rows[] = {
        {HEAD(",\"typ\":\"at+jwt\""), GOOD                    },
        {HEAD(",\"typ\":\"jwt\""),    GOOD                    },
        {HEAD(",\"x5t\":\"AAAA\""),   GOOD                    },
        {HEAD(""),                    CLAIMS("42",              "1700000600", "")},
        {HEAD(""),                        CLAIMS("\"42\"",                                                "1699999971", "")},
        {HEAD(""),CLAIMS("\"42\"","1700086430", "")},
        {HEAD(""),                           CLAIMS("\"42\"",                                            "1700000600", ",\"nbf\":1700000030,\"iat\":1.5")},
        {HEAD(""),               CLAIMS("\"42\"",                                                                                   "1700000600", ",\"x\":[[[[[[[1]]]]]]]")},
        {HEAD(""),                    "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":[\"b\",\"app\"]," ISS "}"  },
    };
    const struct house *house = *state;
    char token[FORGE_TOKEN_BYTES], hint[160];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct forgery row = {
            .how = WELL, .header = rows[i].header, .payload = rows[i].payload};
        forge_row(house, &row, token);
        if (verify(house, token, CLAIMS_CLIENT, NOW, hint))
            fail_msg("row %zu: %s", i, hint);
    }
}

/* Signatures of elliptic curves have traps of their own. */
static void forged_signatures_of_curves_are_refused(void **state)
{
    static const enum token_alg algs[] = {TOKEN_ES256, TOKEN_ES384, TOKEN_ES512,
                                          TOKEN_EDDSA};
    const struct house *house = *state;
    char text[FORGE_TOKEN_BYTES], token[FORGE_TOKEN_BYTES], header[128], hint[160];
    unsigned char good[FORGE_SIGNATURE_BYTES], bad[FORGE_SIGNATURE_BYTES];

    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        const struct token_alg_row *row = token_alg_row(algs[i]);
        EVP_PKEY *other = forge_key(algs[i]);
        size_t len = row->signature_bytes;

        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\"}", row->name,
                 row->name);
        forge_text(header, GOOD, text);
        forge_sign(house->pairs[algs[i]], algs[i], text, good);
        for (int kind = 0; kind < 7; kind++) {
            size_t bad_len = len;
            memset(bad, 0, sizeof bad);
            switch (kind) {
            case 0: break; /* r = s = 0: CVE-2022-21449 */
            case 1: bad[len / 2 - 1] = bad[len - 1] = 1; break;
            case 2: memset(bad, 0xff, len); break;
            case 3:
                /* DER where r and s are asked for; Ed25519 has none, so another text. */
                bad_len = forge_sign_evp(house->pairs[algs[i]], algs[i], 0,
                                         algs[i] == TOKEN_EDDSA ? "x" : text, bad);
                break;
            case 4: forge_sign(other, algs[i], text, bad); break;
            case 5:
                memcpy(bad, good, len);
                bad_len = len - 1;
                break;
            default:
                memcpy(bad, good, len);
                bad_len = len + 1;
                break;
            }
            strcpy(token, text);
            forge_close(token, bad, bad_len);
            assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW, hint),
                             REFUSAL_INVALID);
            assert_non_null(strstr(hint, "signature does not hold"));
        }
        strcpy(token, text);
        forge_close(token, good, len);
        assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW, hint), REFUSAL_NONE);
        EVP_PKEY_free(other);
    }
}

/* A token of each kind on each kind of listener, `aud` as text and as an array: the
 * diagonal alone is open, also for tokens that another listener has just verified. */
static void a_token_works_on_its_own_listener_alone(void **state)
{
    static const char *const audiences[] = {
        "\"app\"",         "\"sidecast:publish\"",         "\"sidecast:admin\"",
        "[\"x\",\"app\"]", "[\"x\",\"sidecast:publish\"]", "[\"sidecast:admin\"]"};
    static const enum claims_use uses[] = {CLAIMS_CLIENT, CLAIMS_PUBLISH, CLAIMS_ADMIN};
    const struct house *house = *state;
    char payload[256], token[FORGE_TOKEN_BYTES], hint[160];

    for (size_t kind = 0; kind < 6; kind++) {
        snprintf(payload, sizeof payload,
                 "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":%s," ISS "}",
                 audiences[kind]);
        const struct forgery row = {.how = WELL, .header = HEAD(""), .payload = payload};
        forge_row(house, &row, token);
        for (size_t pass = 0; pass < 2; pass++)
            for (size_t i = 0; i < 3; i++)
                assert_int_equal(verify(house, token, uses[i], NOW, hint),
                                 i == kind % 3 ? REFUSAL_NONE : REFUSAL_INVALID);
    }
}

static void a_verified_token_ends_when_it_says(void **state)
{
    const struct house *house = *state;
    const struct forgery row = {
        .how = WELL,
        .header = HEAD(""),
        .payload = CLAIMS("\"42\"", "1700000600", ",\"nbf\":1700000000")};
    char token[FORGE_TOKEN_BYTES], hint[160];

    forge_row(house, &row, token);
    assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW, hint), REFUSAL_NONE);
    assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW + 629, hint), REFUSAL_NONE);
    assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW + 630, hint),
                     REFUSAL_EXPIRED);
    assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW, hint), REFUSAL_NONE);
    assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW - 31, hint),
                     REFUSAL_NOT_YET);
}

static void sizes_have_ceilings(void **state)
{
    const struct house *house = *state;
    char header[1024], payload[8192], token[FORGE_TOKEN_BYTES], hint[160];
    struct forgery row = {.how = WELL, .header = header, .payload = GOOD};

    snprintf(header, sizeof header,
             "{\"alg\":\"RS256\",\"kid\":\"RS256\",\"x\":\"%0480d\"}", 0);
    forge_row(house, &row, token);
    assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW, hint), REFUSAL_INVALID);
    assert_non_null(strstr(hint, "512 bytes"));

    snprintf(header, sizeof header, "%s", HEAD(""));
    row.payload = payload;
    snprintf(payload, sizeof payload,
             "{\"sub\":\"42\",\"exp\":1700000600,\"aud\":\"app\"," ISS
             ",\"x\":\"%03000d\"}",
             0);
    forge_row(house, &row, token);
    assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW, hint), REFUSAL_INVALID);
    assert_non_null(strstr(hint, "4 KiB"));

    snprintf(payload, sizeof payload,
             "{\"sub\":\"%0129d\",\"exp\":1700000600,\"aud\":"
             "\"app\"," ISS "}",
             0);
    forge_row(house, &row, token);
    assert_int_equal(verify(house, token, CLAIMS_CLIENT, NOW, hint), REFUSAL_INVALID);
    assert_non_null(strstr(hint, "sub"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_tokens_of_every_algorithm_are_accepted),
        cmocka_unit_test(genuine_tokens_at_the_edge_are_accepted),
        cmocka_unit_test(no_forged_token_is_accepted),
        cmocka_unit_test(forged_signatures_of_curves_are_refused),
        cmocka_unit_test(a_token_works_on_its_own_listener_alone),
        cmocka_unit_test(a_verified_token_ends_when_it_says),
        cmocka_unit_test(sizes_have_ceilings),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
