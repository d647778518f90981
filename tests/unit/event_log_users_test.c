/* Notes of users in the durable log: beside an event or alone, until they are taken back;
 * and what gateways have published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/durable_house.h"

static struct event_log_record record_of(const char *name, const char *bytes)
{
    return (struct event_log_record){
        .subject = EVENT_LOG_USER, .name = slice_of(name), .bytes = slice_of(bytes)};
}

/* With an event, or (seq 0) alone. */
static void keep(struct house *house, uint64_t seq, const char *name, const char *bytes)
{
    const struct event_log_record record = record_of(name, bytes);
    struct event_log_entry entry;
    uint64_t first;

    if (seq == 0) {
        event_log_records(house->log, &record, 1000);
        return;
    }
    entry = event_for("r:1", seq, 10);
    entry.record = &record;
    assert_int_equal(event_log_append(house->log, &entry, 1, 1000, &first), ST_OK);
    assert_int_equal(first, seq);
}

static void write_down(void *ctx, struct slice name, struct slice bytes)
{
    buf_add(ctx, name);
    buf_add_byte(ctx, '=');
    buf_add(ctx, bytes);
    buf_add_byte(ctx, ' ');
}

static void assert_users(struct house *house, const char *wanted)
{
    struct buf found = {.max = 1000};

    event_log_notes(house->log, EVENT_LOG_USER, write_down, &found);
    assert_true(slice_is(buf_slice(&found), wanted));
    buf_finish(&found);
}

static void notes_stay_until_they_are_taken_back(void **state)
{
    struct house house;

    (void)state;
    house_open(&house);
    keep(&house, 1, "ada", "on");
    keep(&house, 2, "bob", "on");
    keep(&house, 0, "cem", "on");
    keep(&house, 3, "ada", "off");
    keep(&house, 4, "bob", "");
    restart(&house, false);
    assert_users(&house, "cem=on ada=off "); /* in the order of their writing */
    keep(&house, 0, "cem", "");
    restart(&house, true);
    assert_users(&house, "ada=off ");
    /* What was before a start goes with time when it is a session, and stays here. */
    event_log_trim(house.log, 1000 * 1000);
    restart(&house, true);
    assert_users(&house, "ada=off ");
    house_remove(&house);
}

static void a_name_is_a_user_or_a_session(void **state)
{
    struct event_log_record session = record_of("ada", "elsewhere");
    struct house house;

    (void)state;
    house_open(&house);
    session.subject = EVENT_LOG_SESSION;
    keep(&house, 0, "ada", "on");
    event_log_records(house.log, &session, 1000);
    session.bytes = (struct slice){0};
    event_log_records(house.log, &session, 1000);
    restart(&house, false);
    assert_users(&house, "ada=on ");
    house_remove(&house);
}

static void keep_of_gateway(struct house *house, uint64_t seq, const char *bytes,
                            uint64_t now_ms)
{
    struct event_log_record record = record_of("g1", bytes);
    struct event_log_entry entry = event_for("r:1", seq, 10);
    uint64_t first;

    record.subject = EVENT_LOG_GATEWAY;
    entry.record = &record;
    assert_int_equal(event_log_append(house->log, &entry, 1, now_ms, &first), ST_OK);
}

static void assert_gateways(struct house *house, const char *wanted)
{
    struct buf found = {.max = 1000};

    event_log_notes(house->log, EVENT_LOG_GATEWAY, write_down, &found);
    assert_true(slice_is(buf_slice(&found), wanted));
    buf_finish(&found);
}

static void what_a_gateway_published_is_noted_as_long_as_it_matters(void **state)
{
    struct event_log_state state_now;
    struct house house;

    (void)state;
    house_open(&house);
    keep_of_gateway(&house, 1, "one", 1000);
    keep_of_gateway(&house, 2, "two", 1000);
    restart(&house, true);
    assert_gateways(&house, "g1=two ");
    /* Events of an epoch that is over are not there. */
    event_log_state(house.log, &state_now);
    event_log_overtaken(house.log, state_now.head.epoch);
    event_log_trim(house.log, 2000);
    assert_gateways(&house, "");
    /* Nobody sends again what is as old as a key. */
    keep_of_gateway(&house, 1, "three", 3000);
    event_log_trim(house.log, 3000 + house.config.key_age_ms);
    assert_gateways(&house, "g1=three ");
    event_log_trim(house.log, 5000 + house.config.key_age_ms);
    assert_gateways(&house, "");
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_stay_until_they_are_taken_back),
        cmocka_unit_test(a_name_is_a_user_or_a_session),
        cmocka_unit_test(what_a_gateway_published_is_noted_as_long_as_it_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
