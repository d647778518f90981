/* What a durable log forgets by age, it forgets whatever the machine's clock did. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/durable_house.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"

enum {
    HOUR_MS = 3600000,
    KEPT = 5000,
};

static void append_keyed(struct house *house, uint64_t now_ms)
{
    const struct log_key key = {.id = {1}};
    struct event_log_entry entry = event_for("r:1", 1, 10);
    uint64_t first;

    entry.key = &key;
    assert_int_equal(event_log_append(house->log, &entry, 1, now_ms, &first), ST_OK);
}

static void note_session(struct house *house, uint64_t now_ms)
{
    const struct event_log_record session = {NULL, EVENT_LOG_SESSION, SLICE("sid"),
                                             SLICE("what is known")};

    assert_int_equal(event_log_records(house->log, &session, now_ms), ST_OK);
}

static void count_key(void *ctx, const struct log_key *key,
                      const struct position *position, uint64_t age_ms)
{
    size_t *count = ctx;

    (void)key;
    (void)position;
    (void)age_ms;
    ++*count;
}

static size_t keys_of(struct house *house)
{
    size_t count = 0;

    event_log_keys(house->log, count_key, &count);
    return count;
}

/* What the last process kept, and nothing else, says how far its clock had come. */
static void keep_an_event(struct house *house)
{
    append_keyed(house, clock_ms());
}

static void keep_an_event_without_id(struct house *house)
{
    append(house, "r:1", 1, 1, clock_ms());
}

static void keep_a_session(struct house *house)
{
    note_session(house, clock_ms());
}

/* The machine starts again, and its clock is an hour behind where it was. */
static void set_clock_back(struct house *house, bool is_clean)
{
    static unsigned boots;
    char boot[24];

    if (is_clean)
        event_log_close(house->log);
    event_log_destroy(house->log);
    snprintf(boot, sizeof boot, "boot=%u", ++boots);
    assert_true(test_hook_set(boot));
    assert_int_equal(open_log(house), ST_OK);
    if (!house->log)
        abort(); /* for analysers */
}

static void a_clock_that_was_set_back_keeps_nothing_from_being_forgotten(void **state)
{
    static void (*const keeps[])(struct house * house) = {
        keep_an_event, keep_an_event_without_id, keep_a_session};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof keeps / sizeof *keeps; i++) {
        struct house house;
        house_open(&house);
        house.log->keep.age_ms = house.config.keep.age_ms = HOUR_MS / 4;
        ((struct durable_log *)house.log)->anchor_ms += HOUR_MS;
        keeps[i / 2](&house);
        set_clock_back(&house, i % 2 == 0);
        uint64_t now_ms = clock_ms();
        for (size_t n = 0; n < KEPT; n++)
            append_keyed(&house, now_ms);
        now_ms += HOUR_MS / 2;
        for (size_t n = 0; n < 20; n++)
            while (event_log_trim(house.log, now_ms + n * 1000))
                ;
        assert_int_equal(keys_of(&house), 0);
        assert_int_equal(state_of(&house).events, 0);
        house_remove(&house);
    }
}

static void see_age(void *ctx, struct slice bytes, uint64_t age_ms)
{
    uint64_t *age = ctx;

    (void)bytes;
    *age = age_ms;
}

static void what_is_old_does_not_become_young(void **state)
{
    struct house house;
    uint64_t age_ms = 0;

    (void)state;
    house_open(&house);
    ((struct durable_log *)house.log)->anchor_ms += HOUR_MS;
    note_session(&house, clock_ms());
    append(&house, "r:1", 1, 1, clock_ms() + HOUR_MS / 4);
    set_clock_back(&house, true);
    event_log_sessions(house.log, see_age, &age_ms);
    assert_in_range(age_ms, HOUR_MS / 4, HOUR_MS / 3);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_was_set_back_keeps_nothing_from_being_forgotten),
        cmocka_unit_test(what_is_old_does_not_become_young),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
