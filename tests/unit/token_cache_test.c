#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/token_cache.h"

#include <stdio.h>

enum {
    NOW = 1000,
    END = 2000
};

static struct token_cache_key key_of(int n, enum claims_use use)
{
    struct token_cache_key key;
    char token[32];

    snprintf(token, sizeof token, "token %d", n);
    token_cache_key(slice_of(token), use, &key);
    return key;
}

static struct claims *some_claims(void)
{
    static const struct claims_rules no_rules;
    struct claims *claims = NULL;

    claims_decode(SLICE("{\"sub\":\"a\",\"exp\":2000}"), CLAIMS_CLIENT, NOW, &no_rules,
                  &claims, NULL);
    assert_non_null(claims);
    return claims;
}

static void put(struct token_cache *cache, int n)
{
    struct token_cache_key key = key_of(n, CLAIMS_CLIENT);
    struct claims *claims = some_claims();

    token_cache_put(cache, &key, claims, NOW, END);
    claims_drop(claims);
}

static bool has(struct token_cache *cache, int n, enum claims_use use, int64_t now_s)
{
    struct token_cache_key key = key_of(n, use);
    struct claims *claims = token_cache_find(cache, &key, now_s);
    bool is_found = claims != NULL;

    claims_drop(claims);
    return is_found;
}

static void a_token_is_found_for_the_use_it_was_put_for(void **state)
{
    struct token_cache *cache = token_cache_create();

    (void)state;
    assert_false(has(cache, 1, CLAIMS_CLIENT, NOW));
    put(cache, 1);
    assert_true(has(cache, 1, CLAIMS_CLIENT, NOW));
    assert_false(has(cache, 1, CLAIMS_PUBLISH, NOW));
    assert_false(has(cache, 1, CLAIMS_ADMIN, NOW));
    assert_false(has(cache, 2, CLAIMS_CLIENT, NOW));
    token_cache_destroy(cache);
}

static void an_entry_is_good_from_when_it_was_put_until_its_end(void **state)
{
    static const struct {
        int64_t now_s;
        bool is_found;
    } rows[] = {
        {NOW - 1, false},
        {NOW,     true },
        {END - 1, true },
        {END,     false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct token_cache *cache = token_cache_create();
        put(cache, 1);
        assert_int_equal(has(cache, 1, CLAIMS_CLIENT, rows[i].now_s), rows[i].is_found);
        /* What has ended, or is from the future, is gone for good. */
        assert_int_equal(has(cache, 1, CLAIMS_CLIENT, NOW), rows[i].is_found);
        token_cache_destroy(cache);
    }
}

static void it_is_bounded_and_keeps_what_is_used(void **state)
{
    struct token_cache *cache = token_cache_create();
    int found = 0;

    (void)state;
    put(cache, 0);
    for (int n = 1; n < 2 * TOKEN_CACHE_ENTRIES; n++) {
        put(cache, n);
        assert_true(has(cache, 0, CLAIMS_CLIENT, NOW));
        assert_true(has(cache, n, CLAIMS_CLIENT, NOW));
    }
    for (int n = 0; n < 2 * TOKEN_CACHE_ENTRIES; n++)
        found += has(cache, n, CLAIMS_CLIENT, NOW);
    assert_true(found <= TOKEN_CACHE_ENTRIES);
    assert_true(found > TOKEN_CACHE_ENTRIES / 2);
    token_cache_destroy(cache);
}

/* All clients of a gateway are cut off, and come back. */
static void a_crowd_that_returns_is_mostly_known(void **state)
{
    enum {
        CROWD = 10000
    };
    struct token_cache *cache = token_cache_create();
    size_t known = 0;

    (void)state;
    for (int n = 0; n < CROWD; n++)
        put(cache, n);
    for (int n = 0; n < CROWD; n++)
        known += has(cache, n, CLAIMS_CLIENT, NOW);
    assert_true(known >= CROWD * 95 / 100);
    token_cache_destroy(cache);
}

static void a_clear_forgets_all_but_what_callers_hold(void **state)
{
    struct token_cache *cache = token_cache_create();
    struct token_cache_key key = key_of(1, CLAIMS_CLIENT);

    (void)state;
    put(cache, 1);
    struct claims *held = token_cache_find(cache, &key, NOW);
    assert_non_null(held);
    token_cache_clear(cache);
    assert_false(has(cache, 1, CLAIMS_CLIENT, NOW));
    assert_true(slice_is(claims_user(held), "a"));
    claims_drop(held);
    put(cache, 1);
    assert_true(has(cache, 1, CLAIMS_CLIENT, NOW));
    token_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_found_for_the_use_it_was_put_for),
        cmocka_unit_test(an_entry_is_good_from_when_it_was_put_until_its_end),
        cmocka_unit_test(it_is_bounded_and_keeps_what_is_used),
        cmocka_unit_test(a_crowd_that_returns_is_mostly_known),
        cmocka_unit_test(a_clear_forgets_all_but_what_callers_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
