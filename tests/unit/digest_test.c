#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/digest.h"

#include <stdio.h>
#include <string.h>

static void the_digest_is_the_one_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hex;
    } rows[] = {
        {"",                                                         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",                                                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"                                                            },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char digest[DIGEST_SHA256_BYTES];
        char hex[2 * DIGEST_SHA256_BYTES + 1];

        digest_sha256(slice_of(rows[i].text), digest);
        for (size_t j = 0; j < sizeof digest; j++)
            snprintf(hex + 2 * j, 3, "%02x", digest[j]);
        assert_string_equal(hex, rows[i].hex);
    }
}

/* Again and again, and whatever was digested before. */
static void a_digester_gives_the_same(void **state)
{
    static const char *const texts[] = {"", "abc", "", "sk_secret", "abc"};
    struct digester *digester = digester_create();

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        unsigned char expected[DIGEST_SHA256_BYTES], digest[DIGEST_SHA256_BYTES];

        digest_sha256(slice_of(texts[i]), expected);
        digester_sha256(digester, slice_of(texts[i]), digest);
        assert_memory_equal(digest, expected, sizeof expected);
    }
    digester_destroy(digester);
    digester_destroy(NULL);
}

static void the_empty_slice_is_no_bytes(void **state)
{
    (void)state;
    unsigned char empty[DIGEST_SHA256_BYTES], null[DIGEST_SHA256_BYTES];

    digest_sha256(SLICE(""), empty);
    digest_sha256((struct slice){0}, null);
    assert_memory_equal(empty, null, sizeof empty);
}

static void the_sha1_is_what_a_websocket_handshake_needs(void **state)
{
    (void)state;
    /* RFC 6455 §1.3, before its base64 */
    static const unsigned char expected[DIGEST_SHA1_BYTES] = {
        0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f, 0x16, 0x90, 0xf6,
        0x46, 0x06, 0xcf, 0x38, 0x59, 0x45, 0xb2, 0xbe, 0xc4, 0xea};
    unsigned char digest[DIGEST_SHA1_BYTES];

    digest_sha1(SLICE("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
                digest);
    assert_memory_equal(digest, expected, sizeof expected);
}

static void the_keyed_digest_is_the_one_of_the_standard(void **state)
{
    (void)state;
    /* RFC 4231, case 2; in one part and in several */
    static const unsigned char expected[DIGEST_SHA256_BYTES] = {
        0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
        0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
        0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    const struct slice whole[] = {SLICE("what do ya want for nothing?")};
    const struct slice parts[] = {SLICE("what do ya "), SLICE(""),
                                  SLICE("want for nothing?")};
    unsigned char digest[DIGEST_SHA256_BYTES];

    digest_hmac_sha256(SLICE("Jefe"), whole, 1, digest);
    assert_memory_equal(digest, expected, sizeof expected);
    digest_hmac_sha256(SLICE("Jefe"), parts, 3, digest);
    assert_memory_equal(digest, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_the_one_of_the_standard),
        cmocka_unit_test(a_digester_gives_the_same),
        cmocka_unit_test(the_empty_slice_is_no_bytes),
        cmocka_unit_test(the_sha1_is_what_a_websocket_handshake_needs),
        cmocka_unit_test(the_keyed_digest_is_the_one_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
