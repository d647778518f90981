/* Envelopes that are decoded once, and say what a decode says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/envelope_cache.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MANY = 100, /* targets: more than are kept */
};

/* Gives the bytes of an event with this id, for `targets` rooms, not for one sid. */
static struct buf encode(const char *id, size_t targets)
{
    struct envelope_target rooms[MANY];
    struct slice except = SLICE("abcdefghijklmnopqrst");
    const struct envelope envelope = {.id = slice_of(id),
                                      .nsp = SLICE("/"),
                                      .event = SLICE("e"),
                                      .event_json = SLICE("\"e\""),
                                      .data = SLICE("1"),
                                      .targets = rooms,
                                      .target_count = targets,
                                      .except = &except,
                                      .except_count = 1};
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};

    for (size_t i = 0; i < targets; i++)
        rooms[i] = (struct envelope_target){ROOM_NAMED, SLICE("room")};
    envelope_encode(&envelope, &wire);
    assert_int_equal(buf_status(&wire), ST_OK);
    return wire;
}

static void assert_opens(struct envelope_cache *cache, uint64_t seq,
                         const struct buf *wire, const char *id, size_t targets)
{
    const struct envelope *envelope = envelope_cache_open(cache, seq, buf_slice(wire));

    assert_non_null(envelope);
    assert_true(slice_equal(envelope->id, slice_of(id)));
    assert_int_equal(envelope->target_count, targets);
    assert_true(slice_is(envelope->targets[targets - 1].name, "room"));
    assert_int_equal(envelope->except_count, 1);
    assert_true(slice_is(envelope->except[0], "abcdefghijklmnopqrst"));
}

static void an_envelope_is_decoded_once_and_stays_what_it_is(void **state)
{
    struct envelope_cache *cache = envelope_cache_create();
    struct buf one = encode("one", 2), two = encode("two", 1);

    (void)state;
    assert_opens(cache, 1, &one, "one", 2);
    const struct envelope *first = envelope_cache_open(cache, 1, buf_slice(&one));
    assert_opens(cache, 2, &two, "two", 1);
    assert_ptr_equal(envelope_cache_open(cache, 1, buf_slice(&one)), first);
    assert_opens(cache, 1, &one, "one", 2);
    buf_finish(&one);
    buf_finish(&two);
    envelope_cache_destroy(cache);
}

static void a_later_seq_takes_the_place_and_neither_is_mistaken(void **state)
{
    struct envelope_cache *cache = envelope_cache_create();
    struct buf one = encode("one", 1), two = encode("two", 1);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_opens(cache, 1, &one, "one", 1);
        assert_opens(cache, 1 + ENVELOPE_CACHE_PLACES, &two, "two", 1);
    }
    buf_finish(&one);
    buf_finish(&two);
    envelope_cache_destroy(cache);
}

static void seqs_that_begin_anew_are_other_events(void **state)
{
    struct envelope_cache *cache = envelope_cache_create();
    struct buf one = encode("one", 1), two = encode("two", 1);

    (void)state;
    assert_opens(cache, 1, &one, "one", 1);
    envelope_cache_clear(cache);
    assert_opens(cache, 1, &two, "two", 1);
    buf_finish(&one);
    buf_finish(&two);
    envelope_cache_destroy(cache);
}

static void one_with_many_targets_is_opened_each_time(void **state)
{
    struct envelope_cache *cache = envelope_cache_create();
    struct buf large = encode("large", MANY), small = encode("small", 1);

    (void)state;
    assert_opens(cache, 1, &large, "large", MANY);
    assert_opens(cache, 2, &small, "small", 1);
    assert_opens(cache, 1, &large, "large", MANY);
    buf_finish(&large);
    buf_finish(&small);
    envelope_cache_destroy(cache);
}

static void what_is_no_envelope_is_none(void **state)
{
    struct envelope_cache *cache = envelope_cache_create();
    struct buf one = encode("one", 1);

    (void)state;
    assert_null(envelope_cache_open(cache, 1, SLICE("?")));
    for (size_t len = 0; len < one.len; len++)
        assert_null(envelope_cache_open(cache, 1, slice_first(buf_slice(&one), len)));
    assert_opens(cache, 1, &one, "one", 1);
    buf_finish(&one);
    envelope_cache_destroy(cache);
    envelope_cache_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_is_decoded_once_and_stays_what_it_is),
        cmocka_unit_test(a_later_seq_takes_the_place_and_neither_is_mistaken),
        cmocka_unit_test(seqs_that_begin_anew_are_other_events),
        cmocka_unit_test(one_with_many_targets_is_opened_each_time),
        cmocka_unit_test(what_is_no_envelope_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
