/* The keyed map keeps what was put, whatever was removed around it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/str_map.h"

#include <stdio.h>

enum {
    NAMES = 2000,
};

static const struct hash_key hash_key = {1, 2};
static char names[NAMES][16];

static struct slice name(int i)
{
    snprintf(names[i], sizeof names[i], "name-%d", i);
    return slice_of(names[i]);
}

static void an_empty_map_finds_nothing(void **state)
{
    struct str_map map;
    size_t cursor = 0;

    (void)state;
    str_map_init(&map, &hash_key, 10);
    assert_null(str_map_find(&map, SLICE("a")));
    assert_null(str_map_remove(&map, SLICE("a")));
    assert_null(str_map_next(&map, &cursor));
    str_map_finish(&map);
}

static void what_was_put_is_found_until_it_is_removed(void **state)
{
    struct str_map map;

    (void)state;
    str_map_init(&map, &hash_key, NAMES);
    for (int i = 0; i < NAMES; i++)
        assert_int_equal(str_map_put(&map, name(i), names[i]), ST_OK);
    assert_int_equal(str_map_count(&map), NAMES);

    /* Every third goes; the others stay reachable through the holes. */
    for (int i = 0; i < NAMES; i += 3)
        assert_ptr_equal(str_map_remove(&map, name(i)), names[i]);
    for (int i = 0; i < NAMES; i++)
        assert_ptr_equal(str_map_find(&map, name(i)), i % 3 ? names[i] : NULL);

    size_t cursor = 0, visited = 0;
    while (str_map_next(&map, &cursor))
        visited++;
    assert_int_equal(visited, str_map_count(&map));
    str_map_finish(&map);
}

static void an_equal_key_is_replaced(void **state)
{
    struct str_map map;
    int one, two;

    (void)state;
    str_map_init(&map, &hash_key, 1);
    assert_int_equal(str_map_put(&map, SLICE("a"), &one), ST_OK);
    assert_int_equal(str_map_put(&map, SLICE("a"), &two), ST_OK);
    assert_ptr_equal(str_map_find(&map, SLICE("a")), &two);
    assert_int_equal(str_map_put(&map, SLICE("b"), &one), ST_LIMIT);
    assert_int_equal(str_map_count(&map), 1);
    str_map_finish(&map);
}

static void the_empty_key_is_a_key(void **state)
{
    struct str_map map;
    int value;

    (void)state;
    str_map_init(&map, &hash_key, 4);
    assert_int_equal(str_map_put(&map, (struct slice){0}, &value), ST_OK);
    assert_ptr_equal(str_map_find(&map, SLICE("")), &value);
    assert_ptr_equal(str_map_remove(&map, SLICE("")), &value);
    str_map_finish(&map);
}

static void a_table_that_has_emptied_shrinks_and_loses_nothing(void **state)
{
    static char keys[20000][12];
    struct str_map map;
    size_t largest;

    (void)state;
    str_map_init(&map, &hash_key, 20000);
    for (int i = 0; i < 20000; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        assert_int_equal(str_map_put(&map, slice_of(keys[i]), keys[i]), ST_OK);
    }
    largest = map.capacity;
    for (int i = 0; i < 20000; i++)
        if (i % 200)
            assert_ptr_equal(str_map_remove(&map, slice_of(keys[i])), keys[i]);
    assert_true(map.capacity < largest / 8);
    for (int i = 0; i < 20000; i++)
        assert_ptr_equal(str_map_find(&map, slice_of(keys[i])), i % 200 ? NULL : keys[i]);
    str_map_finish(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(what_was_put_is_found_until_it_is_removed),
        cmocka_unit_test(an_equal_key_is_replaced),
        cmocka_unit_test(the_empty_key_is_a_key),
        cmocka_unit_test(a_table_that_has_emptied_shrinks_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
