/* What retention removed, as the durable log keeps it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/log_marks.h"

static const struct log_marks about = {
    .key = {1, 2},
      .through = 90, .floor = 88, .folded = 50, .count = 2
};

static void encode(struct buf *out)
{
    log_marks_encode(&about, out);
    log_mark_add(out, 111, 88);
    log_mark_add(out, 222, 60);
}

static void marks_come_back_as_they_were(void **state)
{
    struct buf out = {.max = 200};
    struct log_marks marks;
    uint64_t hash, seq;

    (void)state;
    encode(&out);
    assert_int_equal(log_marks_decode(buf_slice(&out), &marks), ST_OK);
    assert_true(marks.key.k0 == 1 && marks.key.k1 == 2 && marks.through == 90);
    assert_true(marks.floor == 88 && marks.folded == 50 && marks.count == 2);
    assert_true(log_marks_next(&marks, &hash, &seq) && hash == 111 && seq == 88);
    assert_true(log_marks_next(&marks, &hash, &seq) && hash == 222 && seq == 60);
    assert_false(log_marks_next(&marks, &hash, &seq));
    buf_finish(&out);
}

static void a_part_of_them_is_refused(void **state)
{
    struct buf out = {.max = 200};
    struct log_marks marks;

    (void)state;
    encode(&out);
    for (size_t n = 0; n < out.len; n++)
        assert_int_equal(log_marks_decode(slice_first(buf_slice(&out), n), &marks),
                         ST_BAD_PACKET);
    log_mark_add(&out, 333, 1);
    assert_int_equal(log_marks_decode(buf_slice(&out), &marks), ST_BAD_PACKET);
    buf_finish(&out);
}

static void what_was_removed_lies_before_where_the_log_begins(void **state)
{
    static const struct log_marks bad[] = {
        {.through = 10, .floor = 11 },
        {.through = 10, .folded = 11},
    };
    struct log_marks marks;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf out = {.max = 200};
        log_marks_encode(&bad[i], &out);
        assert_int_equal(log_marks_decode(buf_slice(&out), &marks), ST_BAD_PACKET);
        buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_come_back_as_they_were),
        cmocka_unit_test(a_part_of_them_is_refused),
        cmocka_unit_test(what_was_removed_lies_before_where_the_log_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
