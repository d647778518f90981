/* When a client that comes back misses nothing: numbers only. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/recovery_proof.h"

#include <string.h>

enum {
    EPOCH = 7,
    OTHER = 8,
};

/* What is known, and what follows from it. */
struct row {
    const char *what;
    uint64_t session_epoch;
    bool has_offset;
    struct position offset;
    uint64_t proven, last_joined, applied;
    enum recovery_verdict verdict;
    const char *reason;
};

/* clang-format off */
static const struct row rows[] = {
    {"it is where the gateway is", EPOCH, true,  {EPOCH, 5}, 0, 0, 5, RECOVERY_GO,   ""},
    {"it missed something",        EPOCH, true,  {EPOCH, 5}, 0, 0, 9, RECOVERY_GO,   ""},
    {"nothing was ever said",      EPOCH, false, {0, 0},     0, 0, 0, RECOVERY_GO,   ""},
    {"it has received nothing",    EPOCH, false, {0, 0},     4, 0, 9, RECOVERY_GO,   ""},
    {"the gateway is behind it",   EPOCH, true,  {EPOCH, 5}, 0, 0, 4, RECOVERY_WAIT, ""},
    {"behind what is proven",      EPOCH, true,  {EPOCH, 2}, 5, 0, 4, RECOVERY_WAIT, ""},
    {"behind a join",              EPOCH, true,  {EPOCH, 2}, 0, 5, 4, RECOVERY_WAIT, ""},
    {"the log began anew",         OTHER, true,  {OTHER, 5}, 5, 5, 9, RECOVERY_LOST, "epoch_changed"},
    {"a place of another log",     EPOCH, true,  {OTHER, 5}, 0, 0, 9, RECOVERY_LOST, "epoch_changed"},
    {"a session of another log",   OTHER, true,  {EPOCH, 5}, 0, 0, 9, RECOVERY_LOST, "epoch_changed"},
    {"it may not have heard",      0,     false, {0, 0},     4, 4, 9, RECOVERY_LOST, "epoch_changed"},
    {"and has not, of a new log",  0,     true,  {OTHER, 9}, 4, 4, 9, RECOVERY_LOST, "epoch_changed"},
    {"and has not, of a gap",      0,     true,  {EPOCH, 3}, 4, 4, 9, RECOVERY_LOST, "history_overflow"},
    {"and has",                    0,     true,  {EPOCH, 4}, 4, 4, 9, RECOVERY_GO,   ""},
};
static const struct row rows_of_who_keeps_its_offset[] = {
    {"it missed something",        EPOCH, true,  {EPOCH, 5},  0, 0, 9, RECOVERY_GO,   ""},
    {"it was heard before",        EPOCH, true,  {OTHER, 50}, 4, 0, 9, RECOVERY_GO,   ""},
    {"the gateway is behind",      EPOCH, true,  {OTHER, 50}, 4, 0, 3, RECOVERY_WAIT, ""},
    {"the log began anew",         OTHER, true,  {OTHER, 5},  0, 0, 9, RECOVERY_LOST, "epoch_changed"},
    {"a session of another log",   OTHER, true,  {EPOCH, 5},  0, 0, 9, RECOVERY_LOST, "epoch_changed"},
    {"it may not have heard",      0,     true,  {OTHER, 9},  4, 4, 9, RECOVERY_LOST, "epoch_changed"},
};
/* clang-format on */

static void check_row(const struct row *row, bool keeps_offset)
{
    const struct recovery_facts facts = {
        .log_epoch = EPOCH,
        .session_epoch = row->session_epoch,
        .has_offset = row->has_offset,
        .keeps_offset = keeps_offset,
        .offset = row->offset,
        .proven = row->proven,
        .last_joined = row->last_joined,
        .applied = row->applied,
    };
    enum recovery_reason reason;
    enum recovery_verdict verdict = recovery_judge(&facts, &reason);

    if (verdict != row->verdict || strcmp(recovery_reason_text(reason), row->reason) != 0)
        fail_msg("%s: %d %s", row->what, verdict, recovery_reason_text(reason));
}

static void what_is_known_says_whether_it_may_go_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(&rows[i], false);
}

static void a_place_that_is_kept_through_sessions_may_be_of_another_log(void **state)
{
    const struct row *kept = rows_of_who_keeps_its_offset;

    (void)state;
    for (size_t i = 0; i < sizeof rows_of_who_keeps_its_offset / sizeof *kept; i++)
        check_row(&kept[i], true);
}

/* Who waited long enough for a gateway that is behind. */
static void waiting_has_an_end(void **state)
{
    static const struct {
        bool is_late, is_ready;
        enum recovery_verdict verdict;
    } ends[] = {
        {false, false, RECOVERY_WAIT   },
        {false, true,  RECOVERY_WAIT   },
        {true,  false, RECOVERY_PUT_OFF},
        {true,  true,  RECOVERY_LOST   },
    };

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const struct recovery_facts facts = {
            .has_offset = true,
            .offset = {0, 5},
            .is_late = ends[i].is_late,
            .is_ready = ends[i].is_ready,
        };
        enum recovery_reason reason;
        enum recovery_verdict verdict = recovery_judge(&facts, &reason);
        assert_int_equal(verdict, ends[i].verdict);
        assert_int_equal(reason, verdict == RECOVERY_LOST ? RECOVERY_EPOCH_CHANGED
                                                          : RECOVERY_FINE);
    }
}

/* Who keeps its offset over sessions: what is not after it counts as heard. */
static void a_new_session_begins_where_its_client_is(void **state)
{
    static const struct {
        bool has_offset, keeps_offset;
        struct position offset;
        bool is_late, is_ready;
        enum recovery_verdict verdict;
    } news[] = {
        {true,  true,  {EPOCH, 100}, false, true,  RECOVERY_WAIT   },
        {true,  true,  {EPOCH, 100}, true,  false, RECOVERY_PUT_OFF},
        {true,  true,  {EPOCH, 100}, true,  true,  RECOVERY_GO     },
        {true,  true,  {EPOCH, 95},  false, true,  RECOVERY_GO     },
        {true,  true,  {OTHER, 100}, false, true,  RECOVERY_GO     },
        {true,  false, {EPOCH, 100}, false, true,  RECOVERY_GO     },
        {false, true,  {EPOCH, 100}, false, true,  RECOVERY_GO     },
    };

    (void)state;
    for (size_t i = 0; i < sizeof news / sizeof *news; i++) {
        const struct recovery_facts facts = {
            .log_epoch = EPOCH,
            .has_offset = news[i].has_offset,
            .keeps_offset = news[i].keeps_offset,
            .offset = news[i].offset,
            .applied = 95,
            .is_late = news[i].is_late,
            .is_ready = news[i].is_ready,
        };
        assert_int_equal(recovery_judge_new(&facts), news[i].verdict);
    }
}

static void a_page_is_whole_gone_or_of_another_log(void **state)
{
    const struct position after = {EPOCH, 5};

    (void)state;
    assert_int_equal(recovery_judge_page(&after, EPOCH, 0), RECOVERY_PAGE_WHOLE);
    assert_int_equal(recovery_judge_page(&after, EPOCH, 5), RECOVERY_PAGE_WHOLE);
    assert_int_equal(recovery_judge_page(&after, EPOCH, 6), RECOVERY_PAGE_GONE);
    assert_int_equal(recovery_judge_page(&after, OTHER, 0), RECOVERY_PAGE_OTHER);
}

static void a_pong_proves_what_went_before_its_ping(void **state)
{
    struct recovery_reach reach = {.proven = 3};

    (void)state;
    assert_false(recovery_ponged(&reach)); /* nobody asked */
    recovery_pinged(&reach, 7);
    assert_int_equal(reach.proven, 3);
    assert_true(recovery_ponged(&reach));
    assert_int_equal(reach.proven, 7);
    assert_false(recovery_ponged(&reach));
    recovery_pinged(&reach, 7);
    assert_false(recovery_ponged(&reach)); /* as before */
    assert_int_equal(reach.proven, 7);
}

static void who_may_not_have_heard_is_believed_after_the_next_ping(void **state)
{
    struct recovery_reach reach = {.proven = 7, .is_unsure = true};

    (void)state;
    assert_false(recovery_ponged(&reach)); /* of a ping before it was told */
    assert_true(reach.is_unsure);
    recovery_pinged(&reach, 7);
    assert_true(reach.is_unsure);
    assert_true(recovery_ponged(&reach));
    assert_false(reach.is_unsure);
    assert_int_equal(reach.proven, 7);
}

/* A sign of life may come before a pong that is late, and then the next ping goes out. */
static void a_late_pong_proves_no_later_ping(void **state)
{
    struct recovery_reach reach = {0};

    (void)state;
    recovery_pinged(&reach, 0);
    recovery_pinged(&reach, 20);
    assert_false(recovery_ponged(&reach));
    recovery_pinged(&reach, 30);
    assert_false(recovery_ponged(&reach)); /* of the second one */
    assert_false(recovery_ponged(&reach));
    recovery_pinged(&reach, 40);
    recovery_pinged(&reach, 50);
    assert_true(recovery_ponged(&reach));
    assert_int_equal(reach.proven, 40);
}

static void what_is_owed_begins_after_the_highest_of_three(void **state)
{
    struct recovery_facts facts = {
        .has_offset = true, .offset = {EPOCH, 5},
             .proven = 3
    };

    (void)state;
    assert_int_equal(recovery_from(&facts), 5);
    facts.proven = 9;
    assert_int_equal(recovery_from(&facts), 9);
    facts.has_offset = false;
    facts.proven = 4;
    assert_int_equal(recovery_from(&facts), 4);
    assert_int_equal(recovery_base(4, 2), 4);
    assert_int_equal(recovery_base(4, 6), 6);
}

/* The mark of a room against every base and place in the replay around it. */
static void a_room_is_complete_unless_what_is_gone_was_owed(void **state)
{
    (void)state;
    for (uint64_t mark = 0; mark < 6; mark++) {
        for (uint64_t base = 0; base < 6; base++) {
            for (uint64_t after = 0; after < 6; after++) {
                bool is_owed = false; /* one seq that is gone, after both */
                for (uint64_t seq = 1; seq <= mark; seq++)
                    is_owed = is_owed || (seq > base && seq > after);
                assert_int_equal(recovery_is_complete(base, after, mark), !is_owed);
            }
        }
    }
}

static void every_reason_has_its_word(void **state)
{
    static const char *const words[] = {
        "",        "history_overflow", "epoch_changed", "unknown_session",
        "expired", "forbidden",        "bus_down"};

    (void)state;
    for (int i = 0; i < RECOVERY_REASON_COUNT; i++)
        assert_string_equal(recovery_reason_text((enum recovery_reason)i), words[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_says_whether_it_may_go_on),
        cmocka_unit_test(a_place_that_is_kept_through_sessions_may_be_of_another_log),
        cmocka_unit_test(waiting_has_an_end),
        cmocka_unit_test(a_new_session_begins_where_its_client_is),
        cmocka_unit_test(a_page_is_whole_gone_or_of_another_log),
        cmocka_unit_test(a_pong_proves_what_went_before_its_ping),
        cmocka_unit_test(who_may_not_have_heard_is_believed_after_the_next_ping),
        cmocka_unit_test(a_late_pong_proves_no_later_ping),
        cmocka_unit_test(what_is_owed_begins_after_the_highest_of_three),
        cmocka_unit_test(a_room_is_complete_unless_what_is_gone_was_owed),
        cmocka_unit_test(every_reason_has_its_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
