/* Records on their way to a durable log: what is kept is what was put last, also when the
 * disk was full in between. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>

#include "bridge/clock.h"
#include "bridge/engine_nng_records.h"
#include "support/durable_house.h"

static void put(struct records *records, const char *sid, const char *bytes)
{
    records_put(records, EVENT_LOG_SESSION, slice_of(sid), slice_of(bytes));
}

static void put_user(struct records *records, const char *name, const char *bytes)
{
    records_put(records, EVENT_LOG_USER, slice_of(name), slice_of(bytes));
}

static void add_user(void *ctx, struct slice name, struct slice bytes)
{
    char *kept = ctx;

    strncat(kept, name.ptr, name.len);
    strcat(kept, ":");
    strncat(kept, bytes.ptr, bytes.len);
    strcat(kept, " ");
}

static void add_kept(void *ctx, struct slice bytes, uint64_t age_ms)
{
    char *kept = ctx;

    assert_true(age_ms < 60000);
    strncat(kept, bytes.ptr, bytes.len);
    strcat(kept, " ");
}

/* What the next start finds. */
static void assert_kept(struct house *house, const char *expected)
{
    char kept[64] = "";

    event_log_destroy(house->log);
    assert_int_equal(open_log(house), ST_OK);
    event_log_sessions(house->log, add_kept, kept);
    assert_string_equal(kept, expected);
}

static struct log_db *writer_of(struct house *house)
{
    return ((struct durable_log *)house->log)->writer;
}

static void the_last_of_each_is_kept(void **state)
{
    struct records records;
    struct house house;

    (void)state;
    house_open(&house);
    assert_int_equal(records_init(&records), ST_OK);
    put(&records, "s1", "first");
    put(&records, "s2", "second");
    records_write(&records, house.log, clock_ms());
    put(&records, "s1", "third");
    put(&records, "s2", "");
    put(&records, "s3", "fourth");
    records_write(&records, house.log, clock_ms());
    put(&records, "s4", "never written");
    assert_kept(&house, "third fourth ");
    records_write(&records, house.log, clock_ms());
    house_remove(&house);
}

static void what_a_full_disk_refused_is_written_later(void **state)
{
    static char big[100000];
    struct records records;
    struct house house;
    uv_sem_t written;

    (void)state;
    house_open(&house);
    assert_int_equal(uv_sem_init(&written, 0), 0);
    assert_int_equal(records_init(&records), ST_OK);
    put(&records, "s1", "old");
    records_write(&records, house.log, clock_ms());
    memset(big, 'x', sizeof big - 1);
    log_db_limit_pages(writer_of(&house), 1);
    put(&records, "s1", "new");
    put(&records, "s2", big);
    records_await(&records, &written);
    records_write(&records, house.log, clock_ms());
    uv_sem_wait(&written); /* whoever waits does not wait for the disk */
    put(&records, "s2", "");
    put(&records, "s1", "newest");
    records_write(&records, house.log, clock_ms());
    log_db_limit_pages(writer_of(&house), 100000);
    records_write(&records, house.log, clock_ms());
    assert_false(records_take_loss(&records));
    assert_kept(&house, "newest ");
    uv_sem_destroy(&written);
    house_remove(&house);
}

static void sessions_that_fell_behind_are_not_believed(void **state)
{
    static char big[100000];
    struct records records;
    struct house house;

    (void)state;
    house_open(&house);
    assert_int_equal(records_init(&records), ST_OK);
    memset(big, 'x', sizeof big - 1);
    put(&records, "s1", "old");
    put(&records, "s2", "old");
    records_write(&records, house.log, clock_ms());
    log_db_limit_pages(writer_of(&house), 1);
    put(&records, "s1", big);
    records_write(&records, house.log, clock_ms());
    assert_kept(&house, "");

    /* Nor later, when others were written. */
    free(records.writing.first); /* as the process that died */
    assert_int_equal(records_init(&records), ST_OK);
    put(&records, "s3", "new");
    records_write(&records, house.log, clock_ms());
    assert_kept(&house, "new ");
    house_remove(&house);
}

static void what_could_not_be_made_is_not_believed_either(void **state)
{
    struct records records;
    struct house house;

    (void)state;
    house_open(&house);
    assert_int_equal(records_init(&records), ST_OK);
    put(&records, "s1", "old");
    put(&records, "s2", "old");
    records_write(&records, house.log, clock_ms());
    records_lose(&records);
    records_write(&records, house.log, clock_ms());
    assert_kept(&house, "");
    assert_true(records_take_loss(&records));
    put(&records, "s2", "new");
    records_write(&records, house.log, clock_ms());
    assert_kept(&house, "new ");
    house_remove(&house);
}

/* It may be of the same session. */
static void what_was_put_before_a_loss_is_not_believed(void **state)
{
    static char big[100000];
    char kept[64] = "";
    struct records records;
    struct house house;

    (void)state;
    house_open(&house);
    assert_int_equal(records_init(&records), ST_OK);
    log_db_limit_pages(writer_of(&house), 1);
    memset(big, 'x', sizeof big - 1);
    put(&records, "s1", big);
    put_user(&records, "ada", "here");
    records_write(&records, house.log, clock_ms());
    assert_true(records_wait(&records));
    log_db_limit_pages(writer_of(&house), 100000);
    put(&records, "s1", "in one room");
    records_lose(&records); /* s1 in two */
    assert_true(records_take_loss(&records));
    put(&records, "s2", "told again");
    records_write(&records, house.log, clock_ms());
    assert_true(records_take_loss(&records)); /* s2 is to be told once more */
    put(&records, "s3", "after");
    records_write(&records, house.log, clock_ms());
    assert_false(records_take_loss(&records));
    event_log_notes(house.log, EVENT_LOG_USER, add_user, kept);
    assert_string_equal(kept, "ada:here ");
    assert_kept(&house, "after ");
    house_remove(&house);
}

static void too_many_of_them_are_lost_and_that_is_told(void **state)
{
    static char big[100000];
    struct records records;
    struct house house;

    (void)state;
    house_open(&house);
    assert_int_equal(records_init(&records), ST_OK);
    memset(big, 'x', sizeof big - 1);
    put(&records, "s0", "over by then");
    records_write(&records, house.log, clock_ms());
    log_db_limit_pages(writer_of(&house), 1);
    put(&records, "s0", "");
    put(&records, "s1", big);
    for (int i = 0; i < 100001; i++)
        put(&records, "s2", "y");
    records_write(&records, house.log, clock_ms());
    assert_true(records_take_loss(&records));
    assert_false(records_take_loss(&records));
    log_db_limit_pages(writer_of(&house), 100000);
    put(&records, "s3", "after");
    records_write(&records, house.log, clock_ms());
    assert_kept(&house, "after "); /* what it is not known to be true of is gone */
    house_remove(&house);
}

static void too_many_bytes_are_lost_as_too_many_records_are(void **state)
{
    static char big[100000];
    struct records records;
    struct house house;

    (void)state;
    house_open(&house);
    assert_int_equal(records_init(&records), ST_OK);
    memset(big, 'x', sizeof big - 1);
    log_db_limit_pages(writer_of(&house), 1);
    for (int i = 0; i < 600; i++)
        put(&records, "s1", big);
    records_write(&records, house.log, clock_ms());
    assert_false(records_take_loss(&records));
    assert_int_equal(records.writing.count, 600);
    for (int i = 0; i < 100; i++)
        put(&records, "s1", big);
    records_write(&records, house.log, clock_ms());
    assert_true(records_take_loss(&records));
    assert_false(records_wait(&records));
    log_db_limit_pages(writer_of(&house), 100000);
    put(&records, "s2", "after");
    records_write(&records, house.log, clock_ms());
    assert_kept(&house, "after ");
    house_remove(&house);
}

/* Nobody would tell them again, as sessions are. */
static void too_many_sessions_take_no_user_along(void **state)
{
    static char big[100000];
    char kept[64] = "";
    struct records records;
    struct house house;

    (void)state;
    house_open(&house);
    assert_int_equal(records_init(&records), ST_OK);
    memset(big, 'x', sizeof big - 1);
    put_user(&records, "ada", "here");
    put_user(&records, "bob", "here");
    records_write(&records, house.log, clock_ms());
    log_db_limit_pages(writer_of(&house), 1);
    put_user(&records, "ada", "away");
    put_user(&records, "eve", "here");
    for (int round = 0; round < 2; round++) {
        put(&records, "s1", big);
        for (int i = 0; i < 100001; i++) {
            put(&records, "s2", "y");
            if (i % 1000 == 0)
                put_user(&records, "eve", i % 2000 ? "here" : "away");
        }
        records_write(&records, house.log, clock_ms());
        assert_true(records_take_loss(&records));
        assert_int_equal(records.writing.count, 2 + round);
        put_user(&records, "bob", "");
    }
    log_db_limit_pages(writer_of(&house), 100000);
    records_write(&records, house.log, clock_ms());
    assert_false(records_wait(&records));
    event_log_notes(house.log, EVENT_LOG_USER, add_user, kept);
    assert_string_equal(kept, "ada:away eve:away ");
    assert_kept(&house, "");
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_of_each_is_kept),
        cmocka_unit_test(what_a_full_disk_refused_is_written_later),
        cmocka_unit_test(sessions_that_fell_behind_are_not_believed),
        cmocka_unit_test(what_could_not_be_made_is_not_believed_either),
        cmocka_unit_test(what_was_put_before_a_loss_is_not_believed),
        cmocka_unit_test(too_many_of_them_are_lost_and_that_is_told),
        cmocka_unit_test(too_many_bytes_are_lost_as_too_many_records_are),
        cmocka_unit_test(too_many_sessions_take_no_user_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
