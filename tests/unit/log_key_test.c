/* Idempotency keys as the durable log keeps them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/log_key.h"

#include <string.h>

static const struct log_key keys[] = {
    {.id = {1, 2, 3}, .body = {4, 5, 6}, .recipients = 70000, .has_recipients = true},
    {.id = {7},               .body = {8},                        .complete = true                 },
};

static void encode_both(struct buf *out)
{
    for (size_t i = 0; i < 2; i++)
        log_key_encode(&keys[i], &(struct position){7, 99 + i}, out);
    assert_int_equal(out->len, 2 * LOG_KEY_BYTES);
}

static void keys_come_back_as_they_were(void **state)
{
    struct buf out = {.max = 200};
    struct position position;
    struct log_key key;

    (void)state;
    encode_both(&out);
    struct slice rest = buf_slice(&out);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(log_key_decode(&rest, &key, &position), ST_OK);
        assert_memory_equal(key.id, keys[i].id, sizeof key.id);
        assert_memory_equal(key.body, keys[i].body, sizeof key.body);
        assert_int_equal(key.recipients, keys[i].recipients);
        assert_int_equal(key.has_recipients, keys[i].has_recipients);
        assert_int_equal(key.complete, keys[i].complete);
        assert_int_equal(position.epoch, 7);
        assert_int_equal(position.seq, 99 + i);
    }
    assert_int_equal(rest.len, 0);
    assert_int_equal(log_key_decode(&rest, &key, &position), ST_BAD_PACKET);
    buf_finish(&out);
}

static void a_part_of_a_key_is_none(void **state)
{
    struct buf out = {.max = 200};
    struct position position;
    struct log_key key;

    (void)state;
    encode_both(&out);
    for (size_t n = 0; n < LOG_KEY_BYTES; n++) {
        struct slice rest = slice_first(buf_slice(&out), n);
        assert_int_equal(log_key_decode(&rest, &key, &position), ST_BAD_PACKET);
        assert_int_equal(rest.len, n);
    }
    buf_finish(&out);
}

static void a_flag_that_nobody_set_and_no_epoch_are_refused(void **state)
{
    struct buf out = {.max = 200};
    struct position position;
    struct log_key key;

    (void)state;
    log_key_encode(&keys[0], &(struct position){0, 1}, &out);
    struct slice rest = buf_slice(&out);
    assert_int_equal(log_key_decode(&rest, &key, &position), ST_BAD_PACKET);
    buf_clear(&out);
    encode_both(&out);
    out.ptr[LOG_KEY_ID_BYTES] |= 4;
    rest = buf_slice(&out);
    assert_int_equal(log_key_decode(&rest, &key, &position), ST_BAD_PACKET);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_back_as_they_were),
        cmocka_unit_test(a_part_of_a_key_is_none),
        cmocka_unit_test(a_flag_that_nobody_set_and_no_epoch_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
