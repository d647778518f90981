/* What is no secret: see the header. */
#include "bridge/token_secret.h"

#include <ctype.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

enum {
    MIN_DISTINCT_BYTES = 6,
    MIN_PADDING = 3 /* so many equal characters, or counting digits, are padding */
};

/* What samples are made of, in lower case: a secret that is nothing but these is one. */
static const char *const sample_words[] = {
    "secret",  "changeme",   "change",  "this",     "please",  "password", "passw0rd",
    "pass",    "word",       "test",    "testing",  "dev",     "develop",  "development",
    "prod",    "production", "local",   "default",  "example", "sample",   "demo",
    "admin",   "root",       "user",    "sidecast", "token",   "key",      "jwt",
    "hmac",    "api",        "auth",    "private",  "shared",  "signing",  "sign",
    "your",    "my",         "our",     "the",      "a",       "an",       "super",
    "very",    "long",       "top",     "strong",   "secure",  "random",   "string",
    "in",      "me",         "it",      "to",       "of",      "for",      "is",
    "not",     "use",        "do",      "must",     "be",      "at",       "least",
    "that",    "valid",      "bit",     "bits",     "byte",    "bytes",    "char",
    "chars",   "characters", "32",      "64",       "256",     "384",      "512",
    "here",    "value",      "and",     "with",     "some",    "put",      "insert",
    "replace", "qwerty",     "letmein", "foobar",   "foo",     "bar",      "hello",
    "world",   "abc",        "123",     "hs256",    "hs384",   "hs512",    "1",
};

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.' || c == ' ' || c == '!' || c == '/';
}

/* Lower case, without separators. Gives the length. */
static size_t normalise(struct slice secret, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < secret.len; i++)
        if (!is_separator(secret.ptr[i]))
            out[len++] = (char)tolower((unsigned char)secret.ptr[i]);
    return len;
}

/* How long the run of one character, or of counting digits, is at the start. */
static size_t padding(struct slice text)
{
    size_t same = 1, counting = 1;

    while (same < text.len && text.ptr[same] == text.ptr[0])
        same++;
    while (counting < text.len && isdigit((unsigned char)text.ptr[counting]) &&
           (text.ptr[counting] - '0') == (text.ptr[counting - 1] - '0' + 1) % 10)
        counting++;
    return same > counting ? same : counting;
}

/* Can all of `text` be cut into sample words and padding? */
static bool is_sample(struct slice text)
{
    bool is_reached[TOKEN_SECRET_MAX_BYTES + 1] = {true};

    for (size_t at = 0; at < text.len; at++) {
        struct slice rest = slice_from(text, at);
        if (!is_reached[at])
            continue;
        for (size_t i = 0; i < sizeof sample_words / sizeof *sample_words; i++)
            if (slice_starts_with(rest, sample_words[i]))
                is_reached[at + strlen(sample_words[i])] = true;
        for (size_t n = padding(rest); n >= MIN_PADDING; n--)
            is_reached[at + n] = true;
    }
    return is_reached[text.len];
}

static bool is_monotonous(struct slice secret)
{
    bool is_seen[256] = {false};
    size_t distinct = 0;

    for (size_t i = 0; i < secret.len; i++) {
        unsigned char byte = (unsigned char)secret.ptr[i];
        distinct += !is_seen[byte];
        is_seen[byte] = true;
    }
    return distinct < MIN_DISTINCT_BYTES;
}

static bool holds(struct slice text, const char *needle)
{
    return memmem(text.ptr, text.len, needle, strlen(needle)) != NULL;
}

static bool decodes_as_key(const unsigned char *bytes, size_t len)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, 0, NULL, NULL);
    bool is_key = decoder && OSSL_DECODER_from_data(decoder, &bytes, &len);

    OSSL_DECODER_CTX_free(decoder);
    EVP_PKEY_free(key);
    ERR_clear_error(); /* of each format that it is not */
    return is_key;
}

/* The armour's inside, as some services show a key: base64 of DER, in one line or more.
 */
static bool is_base64_of_key(struct slice text)
{
    unsigned char bytes[TOKEN_SECRET_MAX_BYTES];
    int len = 0, end = 0;
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();

    if (!ctx)
        return false;
    EVP_DecodeInit(ctx);
    bool is_base64 = EVP_DecodeUpdate(ctx, bytes, &len, (const unsigned char *)text.ptr,
                                      (int)text.len) >= 0 &&
                     EVP_DecodeFinal(ctx, bytes + len, &end) >= 0;
    EVP_ENCODE_CTX_free(ctx);
    return is_base64 && decodes_as_key(bytes, (size_t)(len + end));
}

static bool is_key_material(struct slice secret)
{
    while (secret.len > 0 && isspace((unsigned char)secret.ptr[0]))
        secret = slice_from(secret, 1);
    return holds(secret, "-----BEGIN") || holds(secret, "\"kty\"") ||
           decodes_as_key((const unsigned char *)secret.ptr, secret.len) ||
           is_base64_of_key(secret);
}

const char *token_secret_fault(struct slice secret)
{
    char text[TOKEN_SECRET_MAX_BYTES];

    if (secret.len < TOKEN_SECRET_MIN_BYTES)
        return "must have at least 32 bytes";
    if (secret.len > TOKEN_SECRET_MAX_BYTES)
        return "must have at most 4096 bytes";
    if (is_key_material(secret))
        return "is a key of another kind (PEM, DER or JWK), and no secret: name it in "
               "auth.jwt.keys or auth.jwt.jwks_file";
    if (is_monotonous(secret))
        return "is a few characters repeated: take 32 random bytes or more";
    size_t len = normalise(secret, text);
    if (is_sample((struct slice){text, len}))
        return "is a sample that everybody knows: take 32 random bytes or more";
    return NULL;
}
