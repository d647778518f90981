/* Checksums of the durable log's rows, and the keys beside them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/log_key.h"
#include "proto/log_row.h"

#include <string.h>

static void every_part_of_a_row_counts(void **state)
{
    const struct log_row row = {7, 10, 9, 1234, SLICE("an envelope")};
    const struct log_row others[] = {
        {8, 10, 9,  1234, SLICE("an envelope")  },
        {7, 11, 9,  1234, SLICE("an envelope")  },
        {7, 10, 8,  1234, SLICE("an envelope")  },
        {7, 10, 9,  1235, SLICE("an envelope")  },
        {7, 10, 9,  1234, SLICE("an envelopf")  },
        {7, 10, 9,  1234, SLICE("an envelope\0")},
        {7, 10, 9,  1234, SLICE("")             },
        {7, 9,  10, 1234, SLICE("an envelope")  },
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(log_row_checksum(&row) != log_row_checksum(&others[i]));
    assert_true(log_note_checksum(0, SLICE("ab"), 1, SLICE("c")) !=
                log_note_checksum(0, SLICE("a"), 1, SLICE("bc")));
    assert_true(log_note_checksum(0, SLICE("a"), 1, SLICE("c")) !=
                log_note_checksum(1, SLICE("a"), 1, SLICE("c")));
}

static void a_flipped_bit_changes_the_checksum(void **state)
{
    char bytes[64];
    struct log_row row = {
        7, 10, 9, 1234, {bytes, sizeof bytes}
    };

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    uint64_t sum = log_row_checksum(&row);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        assert_true(log_row_checksum(&row) != sum);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static const struct log_key key = {
    .id = {1, 2, 3},
      .body = {4, 5, 6},
      .recipients = 70000, .has_recipients = true
};

static void a_key_comes_back_as_it_was(void **state)
{
    const struct position position = {7, 99};
    struct buf out = {.max = 100};
    struct position found;
    struct log_key decoded;
    struct slice id = {(const char *)key.id, sizeof key.id};

    (void)state;
    log_key_encode(&key, &position, &out);
    assert_int_equal(log_key_decode(id, buf_slice(&out), &decoded, &found), ST_OK);
    assert_memory_equal(decoded.id, key.id, sizeof key.id);
    assert_memory_equal(decoded.body, key.body, sizeof key.body);
    assert_int_equal(decoded.recipients, 70000);
    assert_true(decoded.has_recipients && !decoded.complete);
    assert_int_equal(found.epoch, 7);
    assert_int_equal(found.seq, 99);
    for (size_t n = 0; n < out.len; n++)
        assert_int_equal(
            log_key_decode(id, slice_first(buf_slice(&out), n), &decoded, &found),
            ST_BAD_PACKET);
    assert_int_equal(
        log_key_decode(slice_first(id, 15), buf_slice(&out), &decoded, &found),
        ST_BAD_PACKET);
    buf_add_byte(&out, 0);
    assert_int_equal(log_key_decode(id, buf_slice(&out), &decoded, &found),
                     ST_BAD_PACKET);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_of_a_row_counts),
        cmocka_unit_test(a_flipped_bit_changes_the_checksum),
        cmocka_unit_test(a_key_comes_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
