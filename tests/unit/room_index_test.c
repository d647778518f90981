/* Which events are for which rooms, and what of each room is gone, within bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/room_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hash_key hash_key = {1, 2};

static struct room_key room_key_of(const char *name)
{
    return (struct room_key){SLICE("/"), ROOM_NAMED, slice_of(name)};
}

static uint64_t hash_of(struct room_index *index, const char *name)
{
    const struct room_key key = room_key_of(name);
    return room_index_hash(index, &key);
}

static void add(struct room_index *index, uint64_t seq, const char *a, const char *b)
{
    char bytes[512];
    struct buf wire = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    struct envelope_target targets[] = {
        {ROOM_NAMED, slice_of(a)},
        {ROOM_NAMED, slice_of(b)}
    };
    const struct envelope envelope = {
        .id = SLICE("id"),
        .nsp = SLICE("/"),
        .event = SLICE("e"),
        .event_json = SLICE("\"e\""),
        .targets = targets,
        .target_count = b ? 2 : 1,
    };

    envelope_encode(&envelope, &wire);
    assert_int_equal(buf_status(&wire), ST_OK);
    room_index_add(index, seq, buf_slice(&wire));
}

static void a_search_gives_each_event_of_the_rooms_once(void **state)
{
    struct room_index *index = room_index_create(&hash_key);
    uint64_t seqs[4], through;

    (void)state;
    add(index, 1, "a", NULL);
    add(index, 2, "b", "a");
    add(index, 4, "c", NULL); /* 3 was volatile */
    add(index, 5, "a", "b");
    add(index, 6, "b", NULL);
    uint64_t both[] = {hash_of(index, "a"), hash_of(index, "b")};
    if (both[0] > both[1]) {
        uint64_t first = both[0];
        both[0] = both[1];
        both[1] = first;
    }
    const struct room_wishes wishes = {both, 2};
    assert_int_equal(room_index_find(index, &wishes, 0, seqs, 4, &through), 4);
    assert_int_equal(seqs[1], 2);
    assert_int_equal(seqs[3], 6);
    assert_int_equal(through, 6);
    assert_int_equal(room_index_find(index, &wishes, 1, seqs, 2, &through), 2);
    assert_int_equal(seqs[1], 5);
    assert_int_equal(through, 5);
    assert_int_equal(room_index_find(index, &wishes, 6, seqs, 4, &through), 0);
    assert_int_equal(through, 6);
    room_index_destroy(index);
}

static void a_long_search_ends_between_two_events_and_goes_on_from_there(void **state)
{
    enum {
        PAIRS = ROOM_INDEX_STEPS / 2
    };
    struct room_index *index = room_index_create(&hash_key);
    uint64_t *seqs = calloc(PAIRS + 2, sizeof *seqs);
    uint64_t through;

    (void)state;
    add(index, 1, "a", NULL); /* so that the last step falls between two rooms of one */
    for (uint64_t seq = 2; seq <= PAIRS + 1; seq++)
        add(index, seq, "a", "b");
    add(index, PAIRS + 2, "c", NULL);
    uint64_t hash = hash_of(index, "a");
    const struct room_wishes wishes = {&hash, 1};
    assert_int_equal(room_index_find(index, &wishes, 0, seqs, PAIRS + 2, &through),
                     PAIRS);
    assert_int_equal(through, PAIRS);
    assert_int_equal(room_index_find(index, &wishes, through, seqs, PAIRS + 2, &through),
                     1);
    assert_int_equal(seqs[0], PAIRS + 1);
    assert_int_equal(through, PAIRS + 2);
    /* What little is said of a room is found at once, however far it is. */
    hash = hash_of(index, "c");
    assert_int_equal(room_index_find(index, &wishes, 0, seqs, PAIRS + 2, &through), 1);
    assert_int_equal(seqs[0], PAIRS + 2);
    assert_int_equal(through, PAIRS + 2);
    free(seqs);
    room_index_destroy(index);
}

enum {
    EVENTS = 3000, /* more than the index begins with */
    FEW_ROOMS = 40,
    OLDEST = 700, /* what came before was removed */
    WANTED = 3,
};

/* Little is said in most rooms, and much in one. */
static unsigned room_of(uint64_t seq, unsigned which)
{
    unsigned random = (unsigned)(seq * 2654435761U + which * 40503U) >> 7;

    return random % 3 == 0 ? 0 : random % FEW_ROOMS;
}

/* As whoever looks at each event would. */
static size_t find_simply(const bool *is_wanted, uint64_t after, uint64_t *seqs,
                          size_t max, uint64_t *through)
{
    size_t count = 0;

    for (uint64_t seq = after + 1; seq <= EVENTS; seq++) {
        if (!is_wanted[room_of(seq, 0)] && !is_wanted[room_of(seq, 1)])
            continue;
        if (count == max) {
            *through = seq - 1;
            return count;
        }
        seqs[count++] = seq;
    }
    *through = EVENTS;
    return count;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static void assert_found(struct room_index *index, unsigned first_room, uint64_t after,
                         size_t max)
{
    uint64_t hashes[WANTED], got[EVENTS], expected[EVENTS], through, expected_through;
    bool is_wanted[FEW_ROOMS] = {false};
    char name[16];

    for (unsigned i = 0; i < WANTED; i++) {
        unsigned room = (first_room + i * 7) % FEW_ROOMS;
        is_wanted[room] = true;
        snprintf(name, sizeof name, "room:%u", room);
        hashes[i] = hash_of(index, name);
    }
    qsort(hashes, WANTED, sizeof *hashes, compare);
    const struct room_wishes wishes = {hashes, WANTED};
    size_t count = room_index_find(index, &wishes, after, got, max, &through);
    size_t wanted = find_simply(is_wanted, after, expected, max, &expected_through);
    assert_int_equal(count, wanted);
    assert_int_equal(through, expected_through);
    assert_memory_equal(got, expected, count * sizeof *got);
}

static void what_is_found_is_what_a_look_at_each_event_finds(void **state)
{
    struct room_index *index = room_index_create(&hash_key);

    (void)state;
    add(index, 1, "before", NULL);
    room_index_clear(index, 0); /* what was known is not mistaken for what comes */
    for (uint64_t seq = 1; seq <= EVENTS; seq++) {
        char a[16], b[16];
        snprintf(a, sizeof a, "room:%u", room_of(seq, 0));
        snprintf(b, sizeof b, "room:%u", room_of(seq, 1));
        add(index, seq, a, b);
    }
    room_index_remove(index, OLDEST);
    for (unsigned room = 0; room < FEW_ROOMS; room++) {
        for (uint64_t after = OLDEST; after <= EVENTS; after += 230) {
            assert_found(index, room, after, EVENTS);
            assert_found(index, room, after, 5);
        }
        assert_found(index, room, EVENTS, 5);
    }
    room_index_destroy(index);
}

static void what_is_no_envelope_is_for_every_room(void **state)
{
    struct room_index *index = room_index_create(&hash_key);
    uint64_t seqs[4], through;

    (void)state;
    room_index_add(index, 1, SLICE("?"));
    uint64_t hash = hash_of(index, "a");
    const struct room_wishes wishes = {&hash, 1};
    assert_int_equal(room_index_find(index, &wishes, 0, seqs, 4, &through), 1);
    room_index_remove(index, 1);
    assert_int_equal(room_index_mark(index, hash), 1);
    room_index_destroy(index);
}

static void beyond_its_bound_it_covers_the_newer_part(void **state)
{
    struct room_index *index = room_index_create(&hash_key);
    uint64_t seqs[4], through;

    (void)state;
    for (uint64_t seq = 1; seq <= ROOM_INDEX_ENTRIES / 2 + 10; seq++)
        add(index, seq, "a", "b");
    assert_int_equal(room_index_from(index), 10);
    uint64_t hash = hash_of(index, "a");
    const struct room_wishes wishes = {&hash, 1};
    assert_int_equal(room_index_find(index, &wishes, 9, seqs, 4, &through), 0);
    assert_int_equal(through, 9);
    assert_int_equal(room_index_find(index, &wishes, 10, seqs, 4, &through), 4);
    assert_int_equal(seqs[0], 11);
    /* What it did not know may have been anybody's. */
    room_index_remove(index, 5);
    assert_int_equal(room_index_mark(index, hash_of(index, "c")), 5);
    room_index_destroy(index);
}

static void old_marks_become_one_that_is_never_too_low(void **state)
{
    enum {
        ROOMS = ROOM_INDEX_MARKS + 1000
    };
    struct room_index *index = room_index_create(&hash_key);
    char name[16];

    (void)state;
    for (unsigned i = 1; i <= ROOMS; i++) {
        snprintf(name, sizeof name, "r%u", i);
        add(index, i, name, NULL);
    }
    room_index_remove(index, ROOMS);
    for (unsigned i = 1; i <= ROOMS; i += 501) {
        snprintf(name, sizeof name, "r%u", i);
        assert_true(room_index_mark(index, hash_of(index, name)) >= i);
    }
    snprintf(name, sizeof name, "r%d", ROOMS);
    assert_int_equal(room_index_mark(index, hash_of(index, name)), ROOMS);
    uint64_t floor = room_index_mark(index, hash_of(index, "quiet"));
    assert_in_range(floor, ROOM_INDEX_MARKS / 4, ROOM_INDEX_MARKS);
    room_index_destroy(index);
}

/* Events for so many rooms that had none, each removed at once. */
static void remove_new_rooms(struct room_index *index, uint64_t first, uint64_t last)
{
    char name[16];

    for (uint64_t i = first; i <= last; i++) {
        snprintf(name, sizeof name, "r%u", (unsigned)i);
        add(index, i, name, NULL);
        room_index_remove(index, i);
    }
}

static void marks_that_are_folded_take_no_place_of_others(void **state)
{
    static const uint64_t folds[] = {ROOM_INDEX_MARKS / 4, ROOM_INDEX_MARKS / 2,
                                     ROOM_INDEX_MARKS};

    (void)state;
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        struct room_index *index = room_index_create(&hash_key);
        remove_new_rooms(index, 1, ROOM_INDEX_MARKS);
        room_index_fold(index, folds[i]);
        uint64_t last = ROOM_INDEX_MARKS + folds[i] - 1;
        remove_new_rooms(index, ROOM_INDEX_MARKS + 1, last);
        assert_int_equal(room_index_mark(index, hash_of(index, "quiet")), folds[i]);
        char name[16];
        for (uint64_t seq = folds[i] + 1; seq <= last; seq += 501) {
            snprintf(name, sizeof name, "r%u", (unsigned)seq);
            assert_int_equal(room_index_mark(index, hash_of(index, name)), seq);
        }
        room_index_destroy(index);
    }
}

static void a_room_that_has_a_mark_needs_no_other_place(void **state)
{
    struct room_index *index = room_index_create(&hash_key);

    (void)state;
    remove_new_rooms(index, 1, ROOM_INDEX_MARKS);
    for (unsigned i = 1; i <= 3; i++) {
        add(index, ROOM_INDEX_MARKS + i, "r1", NULL);
        room_index_remove(index, ROOM_INDEX_MARKS + i);
        assert_int_equal(room_index_mark(index, hash_of(index, "r1")),
                         ROOM_INDEX_MARKS + i);
        assert_int_equal(room_index_mark(index, hash_of(index, "quiet")), 0);
    }
    room_index_destroy(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_gives_each_event_of_the_rooms_once),
        cmocka_unit_test(a_long_search_ends_between_two_events_and_goes_on_from_there),
        cmocka_unit_test(what_is_found_is_what_a_look_at_each_event_finds),
        cmocka_unit_test(what_is_no_envelope_is_for_every_room),
        cmocka_unit_test(beyond_its_bound_it_covers_the_newer_part),
        cmocka_unit_test(old_marks_become_one_that_is_never_too_low),
        cmocka_unit_test(marks_that_are_folded_take_no_place_of_others),
        cmocka_unit_test(a_room_that_has_a_mark_needs_no_other_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
