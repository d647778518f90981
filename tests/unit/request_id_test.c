#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/request_id.h"

#include <string.h>

static void choose(struct slice given, char out[REQUEST_ID_SIZE])
{
    struct http_head head = {.field_count = 1};

    head.fields[0] = (struct http_field){SLICE("x-request-id"), given};
    request_id_choose(&head, out);
}

static void well_formed_ids_are_taken(void **state)
{
    static const char *const good[] = {"a", "My-Id_7.x", "00-4bf92f3577b34da6"};
    char id[REQUEST_ID_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        choose(slice_of(good[i]), id);
        assert_string_equal(id, good[i]);
    }
}

static void others_are_replaced(void **state)
{
    static const char *const bad[] = {"", "a b", "a\r\nX: y", "\"a\"", "a/b", "\xc3\xa9"};
    char id[REQUEST_ID_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        choose(slice_of(bad[i]), id);
        assert_int_equal(strlen(id), 20);
        assert_string_not_equal(id, bad[i]);
    }
}

static void the_longest_id_fits(void **state)
{
    char given[LIMIT_REQUEST_ID_BYTES + 1];
    char id[REQUEST_ID_SIZE];

    (void)state;
    memset(given, 'x', sizeof given);
    choose((struct slice){given, LIMIT_REQUEST_ID_BYTES}, id);
    assert_int_equal(strlen(id), LIMIT_REQUEST_ID_BYTES);
    choose((struct slice){given, LIMIT_REQUEST_ID_BYTES + 1}, id);
    assert_int_equal(strlen(id), 20);
}

static void made_ids_differ(void **state)
{
    char one[REQUEST_ID_SIZE];
    char two[REQUEST_ID_SIZE];

    (void)state;
    request_id_choose(NULL, one);
    request_id_choose(NULL, two);
    assert_string_not_equal(one, two);
}

/* Many enough to fill the stock more than once. */
static void ids_from_stock_differ(void **state)
{
    struct random_stock stock = {0};
    char ids[100][REQUEST_ID_SIZE];

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        request_id_draw(&stock, NULL, ids[i]);
        assert_int_equal(strlen(ids[i]), 20);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_ids_are_taken),
        cmocka_unit_test(others_are_replaced),
        cmocka_unit_test(the_longest_id_fits),
        cmocka_unit_test(made_ids_differ),
        cmocka_unit_test(ids_from_stock_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
