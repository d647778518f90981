/* Sessions of before a start: found by their pid, counted nowhere, and not for ever. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/directory.h"

#include <string.h>

static const struct hash_key hash_key = {1, 2};

static struct engine_session session_of(const char *sid, const char *pid,
                                        uint64_t generation)
{
    return (struct engine_session){
        .sid = slice_of(sid),
        .pid = slice_of(pid),
        .nsp = SLICE("/"),
        .user = SLICE("u"),
        .generation = generation,
    };
}

static void park(struct directory *directory, const char *sid, uint64_t generation,
                 uint64_t now_ms)
{
    const struct engine_session session = session_of(sid, "p", generation);
    directory_park(directory, &session, now_ms);
}

static bool is_found(struct directory *directory, const char *sid, const char *at)
{
    struct engine_session session;
    struct slice gateway;

    return directory_find(directory, SLICE("p"), &session, &gateway) &&
           slice_is(session.sid, sid) && slice_is(gateway, at);
}

static void a_parked_session_is_found_until_its_time_is_over(void **state)
{
    struct directory *directory = directory_create(&hash_key, 0);
    struct engine_totals totals;

    (void)state;
    park(directory, "s1", 1, 10);
    assert_true(is_found(directory, "s1", ""));
    directory_totals(directory, 10, &totals);
    assert_int_equal(totals.sessions, 0);
    directory_expire(directory, 9 + DIRECTORY_PARKED_MS);
    assert_true(is_found(directory, "s1", ""));
    directory_expire(directory, 10 + DIRECTORY_PARKED_MS);
    assert_false(is_found(directory, "s1", ""));
    directory_destroy(directory);
}

static void of_two_records_the_later_generation_counts(void **state)
{
    static const uint64_t orders[2][2] = {
        {1, 2},
        {2, 1}
    };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct directory *directory = directory_create(&hash_key, 0);
        for (int k = 0; k < 2; k++)
            park(directory, orders[i][k] == 2 ? "later" : "earlier", orders[i][k], 10);
        assert_true(is_found(directory, "later", ""));
        directory_destroy(directory);
    }
}

static void count_gone(void *ctx, struct slice sid)
{
    unsigned *gone = ctx;

    (void)sid;
    ++*gone;
}

static void who_puts_it_has_it(void **state)
{
    static const struct {
        const char *sid;
        uint64_t generation;
        enum status status;
        unsigned gone; /* records that need not be kept any more */
    } cases[] = {
        {"s1", 5, ST_OK,       0}, /* the same again: it never went away */
        {"s1", 4, ST_OK,       0},
        {"s2", 6, ST_OK,       1}, /* it came back elsewhere */
        {"s2", 5, ST_CONFLICT, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct directory *directory = directory_create(&hash_key, 0);
        struct directory_gateway *gateway;
        unsigned gone = 0;
        directory_on_gone(directory, count_gone, &gone);
        park(directory, "s1", 5, 10);
        directory_contact(directory, SLICE("g1"), 1, 20, &gateway);
        const struct engine_session session =
            session_of(cases[i].sid, "p", cases[i].generation);
        assert_int_equal(directory_put(directory, gateway, &session), cases[i].status);
        bool is_taken = cases[i].status == ST_OK;
        assert_true(
            is_found(directory, is_taken ? cases[i].sid : "s1", is_taken ? "g1" : ""));
        assert_int_equal(gone, cases[i].gone);
        directory_on_gone(directory, NULL, NULL);
        directory_destroy(directory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parked_session_is_found_until_its_time_is_over),
        cmocka_unit_test(of_two_records_the_later_generation_counts),
        cmocka_unit_test(who_puts_it_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
