/* SipHash-2-4 against the authors' vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/siphash.h"

/* Key 00 01 … 0f, messages of 0, 1, 2 … bytes 00 01 02 …: vectors.h of the reference. */
static const struct hash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
static const char bytes[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
                               11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

static void the_published_vectors_come_out(void **state)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0,  0x726fdb47dd0e0e31u},
        {1,  0x74f839c593dc67fdu},
        {2,  0x0d6c8009d9a94f5au},
        {3,  0x85676696d7fb7e2du},
        {7,  0xab0200f58b01d137u},
        {8,  0x93f5f5799a932462u},
        {15, 0xa129ca6149be45e5u},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(siphash(&key, (struct slice){bytes, rows[i].len}) == rows[i].hash);
    (void)state;
}

static void the_empty_slice_may_have_no_bytes_at_all(void **state)
{
    assert_true(siphash(&key, (struct slice){0}) == 0x726fdb47dd0e0e31u);
    (void)state;
}

static void key_length_and_bytes_all_matter(void **state)
{
    const struct hash_key other = {key.k0, key.k1 + 1};
    uint64_t hash = siphash(&key, SLICE("room:1"));

    assert_true(hash == siphash(&key, SLICE("room:1")));
    assert_true(hash != siphash(&other, SLICE("room:1")));
    assert_true(hash != siphash(&key, SLICE("room:2")));
    assert_true(siphash(&key, SLICE("\0")) != siphash(&key, SLICE("\0\0")));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_come_out),
        cmocka_unit_test(the_empty_slice_may_have_no_bytes_at_all),
        cmocka_unit_test(key_length_and_bytes_all_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
