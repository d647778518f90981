/* The window of ids: new, in flight, answered, and gone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/digest.h"
#include "publisher-api/idempotency.h"

#include <stdio.h>
#include <string.h>

#define WINDOW 1000

static const unsigned char body_a[LOG_KEY_BODY_BYTES] = {1};
static const unsigned char body_b[LOG_KEY_BODY_BYTES] = {2};
static const struct idempotency_answer answer = {
    .position = {7, 9},
      .recipients = 3, .has_recipients = true, .complete = true
};

static struct metrics metrics;

static struct idempotency *table_of(size_t max_ids)
{
    struct idempotency *table = idempotency_create(&(struct idempotency_config){
        .metrics = &metrics, .window_ms = WINDOW, .max_ids = max_ids});

    assert_non_null(table);
    memset(&metrics, 0, sizeof metrics);
    return table;
}

static uint64_t evicted(void)
{
    struct metrics_snapshot snapshot;

    metrics_snapshot(&metrics, &snapshot);
    return snapshot.values[METRIC_IDEMPOTENCY_EVICTED];
}

static struct log_key key_of(const char *id, const unsigned char *body)
{
    unsigned char digest[DIGEST_SHA256_BYTES];
    struct log_key key = {.recipients = 3, .has_recipients = true, .complete = true};

    digest_sha256(slice_of(id), digest);
    memcpy(key.id, digest, sizeof key.id);
    memcpy(key.body, body, sizeof key.body);
    return key;
}

/* Begins, and says what came of it. */
static enum status begin(struct idempotency *table, const char *id,
                         const unsigned char *body, uint64_t now_ms, bool *known,
                         uint32_t *ticket)
{
    struct idempotency_answer first = {0};
    const struct log_key key = key_of(id, body);
    enum status st = idempotency_begin(table, &key, now_ms, ticket, known, &first);

    if (!st && *known) {
        assert_int_equal(first.position.epoch, 7);
        assert_int_equal(first.position.seq, 9);
        assert_int_equal(first.recipients, 3);
        assert_true(first.has_recipients && first.complete);
    }
    return st;
}

static void publish(struct idempotency *table, const char *id, uint64_t now_ms)
{
    uint32_t ticket = 0;
    bool known = true;

    assert_int_equal(begin(table, id, body_a, now_ms, &known, &ticket), ST_OK);
    assert_false(known);
    idempotency_keep(table, ticket, &answer);
}

static bool is_known(struct idempotency *table, const char *id, uint64_t now_ms)
{
    uint32_t ticket = 0;
    bool known = false;

    assert_int_equal(begin(table, id, body_a, now_ms, &known, &ticket), ST_OK);
    if (!known)
        idempotency_forget(table, ticket);
    return known;
}

static void a_kept_id_is_answered_with_the_first_answer(void **state)
{
    (void)state;
    struct idempotency *table = table_of(10);

    publish(table, "order-1", 0);
    assert_true(is_known(table, "order-1", WINDOW - 1));
    assert_false(is_known(table, "order-2", 1));
    assert_int_equal(idempotency_count(table), 1);
    idempotency_destroy(table);
}

static void an_id_in_flight_is_a_conflict_with_any_body(void **state)
{
    (void)state;
    struct idempotency *table = table_of(10);
    uint32_t ticket = 0, other = 0;
    bool known;

    assert_int_equal(begin(table, "a", body_a, 0, &known, &ticket), ST_OK);
    assert_int_equal(begin(table, "a", body_a, 0, &known, &other), ST_CONFLICT);
    assert_int_equal(begin(table, "a", body_b, 0, &known, &other), ST_CONFLICT);
    idempotency_keep(table, ticket, &answer);
    assert_true(is_known(table, "a", 1));
    idempotency_destroy(table);
}

static void another_body_is_a_reused_id(void **state)
{
    (void)state;
    struct idempotency *table = table_of(10);
    uint32_t ticket = 0;
    bool known;

    publish(table, "a", 0);
    assert_int_equal(begin(table, "a", body_b, 1, &known, &ticket), ST_ID_REUSED);
    idempotency_destroy(table);
}

static void a_forgotten_id_is_new(void **state)
{
    (void)state;
    struct idempotency *table = table_of(10);
    uint32_t ticket = 0;
    bool known;

    assert_int_equal(begin(table, "a", body_a, 0, &known, &ticket), ST_OK);
    idempotency_forget(table, ticket);
    assert_int_equal(idempotency_count(table), 0);
    assert_int_equal(begin(table, "a", body_b, 0, &known, &ticket), ST_OK);
    assert_false(known);
    idempotency_destroy(table);
}

static void an_id_is_new_again_after_the_window(void **state)
{
    (void)state;
    struct idempotency *table = table_of(10);

    publish(table, "a", 0);
    publish(table, "b", 10);
    assert_false(is_known(table, "a", WINDOW));
    assert_true(is_known(table, "b", WINDOW));
    assert_int_equal(idempotency_count(table), 1);
    idempotency_destroy(table);
}

static void an_old_id_is_new_even_before_it_is_swept(void **state)
{
    (void)state;
    struct idempotency *table = table_of(10);
    uint32_t ticket = 0;
    bool known = true;

    /* One in flight holds the sweep up. */
    assert_int_equal(begin(table, "slow", body_a, 0, &known, &ticket), ST_OK);
    publish(table, "a", 1);
    assert_false(is_known(table, "a", WINDOW + 1));
    idempotency_keep(table, ticket, &answer);
    idempotency_destroy(table);
}

static void the_oldest_goes_when_the_table_is_full(void **state)
{
    (void)state;
    struct idempotency *table = table_of(3);

    publish(table, "a", 0);
    publish(table, "b", 0);
    publish(table, "c", 0);
    publish(table, "d", 0);
    assert_int_equal(evicted(), 1);
    assert_int_equal(idempotency_count(table), 3);
    assert_true(is_known(table, "b", 1));
    assert_true(is_known(table, "d", 1));
    idempotency_destroy(table);
}

static void nothing_in_flight_is_evicted(void **state)
{
    (void)state;
    struct idempotency *table = table_of(2);
    uint32_t first = 0, second = 0, third = 0;
    bool known;

    assert_int_equal(begin(table, "a", body_a, 0, &known, &first), ST_OK);
    assert_int_equal(begin(table, "b", body_a, 0, &known, &second), ST_OK);
    assert_int_equal(begin(table, "c", body_a, 0, &known, &third), ST_BUSY);
    idempotency_keep(table, first, &answer);
    assert_int_equal(begin(table, "c", body_a, 0, &known, &third), ST_OK);
    idempotency_destroy(table);
}

/* Against a plain array: what is known must be exactly what is young and kept. */
static void many_ids_come_and_go(void **state)
{
    (void)state;
    enum {
        IDS = 6000
    };
    static uint64_t kept_at[IDS]; /* 0: never */
    struct idempotency *table = table_of(20000);
    uint64_t seed = 1;

    memset(kept_at, 0, sizeof kept_at);
    for (uint64_t now = 1; now < 40000; now++) {
        char id[32];
        uint32_t ticket = 0;
        bool known;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t i = (seed >> 33) % IDS;
        bool expected = kept_at[i] != 0 && now < kept_at[i] + WINDOW;
        snprintf(id, sizeof id, "id-%zu", i);
        assert_int_equal(begin(table, id, body_a, now, &known, &ticket), ST_OK);
        assert_int_equal(known, expected);
        if (!known && seed % 5 == 0) {
            idempotency_forget(table, ticket);
            kept_at[i] = 0;
        } else if (!known) {
            idempotency_keep(table, ticket, &answer);
            kept_at[i] = now;
        }
    }
    assert_true(idempotency_count(table) <= WINDOW);
    idempotency_destroy(table);
}

static void what_was_kept_before_a_start_is_known_for_the_rest_of_its_window(void **state)
{
    struct idempotency *table = table_of(2);
    const struct position position = {7, 9}, other = {6, 1};
    const struct log_key a = key_of("a", body_a), again = key_of("a", body_b);
    uint32_t ticket;
    bool known;

    (void)state;
    idempotency_restore(table, &again, &other, WINDOW - 20, 0);
    idempotency_restore(table, &a, &position, WINDOW - 10, 0);
    for (int i = 0; i < 3; i++) { /* more than fit: the oldest go */
        const char id[] = {(char)('b' + i), 0};
        const struct log_key key = key_of(id, body_a);
        idempotency_restore(table, &key, &position, WINDOW - 5, 0);
    }
    assert_int_equal(idempotency_count(table), 2);
    assert_int_equal(begin(table, "d", body_a, 4, &known, &ticket), ST_OK);
    assert_true(known);
    assert_int_equal(begin(table, "d", body_b, 4, &known, &ticket), ST_ID_REUSED);
    assert_int_equal(begin(table, "d", body_a, 5, &known, &ticket), ST_OK);
    assert_false(known);
    idempotency_restore(table, &a, &position, WINDOW, 0);
    assert_int_equal(begin(table, "a", body_a, 0, &known, &ticket), ST_OK);
    assert_false(known);
    idempotency_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            what_was_kept_before_a_start_is_known_for_the_rest_of_its_window),
        cmocka_unit_test(a_kept_id_is_answered_with_the_first_answer),
        cmocka_unit_test(an_id_in_flight_is_a_conflict_with_any_body),
        cmocka_unit_test(another_body_is_a_reused_id),
        cmocka_unit_test(a_forgotten_id_is_new),
        cmocka_unit_test(an_id_is_new_again_after_the_window),
        cmocka_unit_test(an_old_id_is_new_even_before_it_is_swept),
        cmocka_unit_test(the_oldest_goes_when_the_table_is_full),
        cmocka_unit_test(nothing_in_flight_is_evicted),
        cmocka_unit_test(many_ids_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
