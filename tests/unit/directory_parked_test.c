/* Sessions whose clients may come back: found by their pid, counted nowhere, and not for
 * ever. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/directory.h"

#include <stdio.h>
#include <string.h>

/* The generation of whoever took a session over for the nth time. */
#define TERM(n) ((uint64_t)(n) << 32)

enum {
    WINDOW = 1000,
};

static const struct hash_key hash_key = {1, 2};

static struct directory *create(size_t max, bool is_kept)
{
    const struct directory_parking parking = {WINDOW, max, 1 << 20, is_kept};
    struct directory *directory = directory_create(&hash_key, 0);

    directory_set_parking(directory, &parking);
    return directory;
}

static struct directory_gateway *meet(struct directory *directory, const char *id,
                                      uint64_t incarnation, uint64_t now_ms)
{
    static const struct directory_lease settled = {1, true, true, {{0}}};
    struct directory_gateway *gateway;

    directory_contact(directory, slice_of(id), incarnation, now_ms, &gateway);
    directory_renew(gateway, &settled);
    return gateway;
}

static struct engine_session session_of(const char *sid, const char *pid,
                                        uint64_t generation)
{
    return (struct engine_session){
        .sid = slice_of(sid),
        .pid = slice_of(pid),
        .nsp = SLICE("/"),
        .user = SLICE("u"),
        .generation = generation,
        .epoch = 3,
    };
}

static enum status put(struct directory *directory, struct directory_gateway *gateway,
                       const char *sid, uint64_t generation)
{
    const struct engine_session session = session_of(sid, "p", generation);
    return directory_put(directory, gateway, &session);
}

static bool park(struct directory *directory, struct directory_gateway *gateway,
                 const char *sid, uint64_t generation, uint64_t proven, uint64_t now_ms)
{
    const struct position position = {3, proven};
    return directory_park(directory, gateway, slice_of(sid), generation, &position,
                          now_ms);
}

static bool restore(struct directory *directory, const char *sid, uint64_t generation,
                    bool is_parked, uint64_t age_ms)
{
    const struct directory_kept kept = {session_of(sid, "p", generation), SLICE("g1"),
                                        is_parked};
    return directory_restore(directory, &kept, age_ms, 0);
}

/* "sid at gateway, generation, proven", or "nobody". */
static const char *found(struct directory *directory, uint64_t now_ms)
{
    static char text[64];
    struct engine_session session;
    struct slice gateway;

    strcpy(text, "nobody");
    if (directory_find(directory, SLICE("p"), now_ms, &session, &gateway))
        snprintf(text, sizeof text, "%.*s at %.*s, %d.%d, %d", (int)session.sid.len,
                 session.sid.ptr, (int)gateway.len, gateway.ptr,
                 (int)(session.generation >> 32), (int)(uint32_t)session.generation,
                 (int)session.proven);
    return text;
}

static uint64_t sessions(struct directory *directory)
{
    struct engine_totals totals;

    directory_totals(directory, 0, &totals);
    assert_true(totals.users <= totals.sessions);
    return totals.sessions;
}

static void a_parked_session_is_found_until_its_time_is_over(void **state)
{
    struct directory *directory = create(9, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);

    (void)state;
    put(directory, g1, "s1", 1);
    assert_int_equal(sessions(directory), 1);
    assert_true(park(directory, g1, "s1", 2, 40, 10));
    assert_int_equal(sessions(directory), 0);
    assert_string_equal(found(directory, 9 + WINDOW), "s1 at , 0.2, 40");
    assert_string_equal(found(directory, 10 + WINDOW), "nobody");
    directory_expire(directory, 9 + WINDOW);
    assert_string_equal(found(directory, 10), "s1 at , 0.2, 40");
    directory_expire(directory, 10 + WINDOW);
    assert_string_equal(found(directory, 10), "nobody");
    directory_destroy(directory);
}

/* "sid of user", or "nobody". */
static const char *lapsed(struct directory *directory, uint64_t now_ms)
{
    static char text[64];
    struct engine_session session;

    strcpy(text, "nobody");
    if (directory_find_lapsed(directory, SLICE("p"), now_ms, &session))
        snprintf(text, sizeof text, "%.*s of %.*s, %zu rooms", (int)session.sid.len,
                 session.sid.ptr, (int)session.user.len, session.user.ptr,
                 session.room_count);
    return text;
}

static void whose_time_is_over_is_remembered_for_as_long_again(void **state)
{
    static const struct engine_membership room = {ROOM_NAMED, SLICE("r"), 1};
    struct directory *directory = create(9, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct engine_session session = session_of("s1", "p", 1);
    struct directory_parked parked;

    (void)state;
    session.rooms = &room;
    session.room_count = 1;
    directory_put(directory, g1, &session);
    assert_string_equal(lapsed(directory, 5 * WINDOW), "nobody"); /* it lives */
    park(directory, g1, "s1", 2, 40, 10);
    assert_string_equal(lapsed(directory, 9 + WINDOW), "nobody");
    assert_string_equal(lapsed(directory, 10 + WINDOW), "s1 of u, 0 rooms");
    directory_expire(directory, 10 + WINDOW);
    assert_string_equal(lapsed(directory, 10 + WINDOW), "s1 of u, 0 rooms");
    assert_string_equal(found(directory, 10 + WINDOW), "nobody");
    directory_parked(directory, &parked);
    assert_true(parked.count == 0 && parked.evicted == 0);
    assert_false(park(directory, g1, "s1", 3, 40, 20 + WINDOW)); /* it is over */
    directory_expire(directory, 10 + 2 * WINDOW);
    assert_string_equal(lapsed(directory, 10 + 2 * WINDOW), "nobody");
    directory_destroy(directory);
}

static void what_is_put_after_its_time_lives(void **state)
{
    struct directory *directory = create(9, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct directory_gateway *g2 = meet(directory, "g2", 1, 0);

    (void)state;
    put(directory, g1, "s1", TERM(1));
    park(directory, g1, "s1", TERM(1) + 1, 40, 0);
    directory_expire(directory, WINDOW);
    assert_int_equal(put(directory, g2, "s1", TERM(1)), ST_OK);
    assert_string_equal(lapsed(directory, WINDOW), "nobody");
    assert_string_equal(found(directory, WINDOW), "s1 at g2, 1.0, 0");
    directory_destroy(directory);
}

static void those_that_are_remembered_have_a_ceiling(void **state)
{
    const struct directory_parking parking = {WINDOW, LIMIT_DIRECTORY_LAPSED + 2,
                                              64 << 20, false};
    struct directory *directory = create(9, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct engine_session session;
    char sid[16];

    (void)state;
    directory_set_parking(directory, &parking);
    put(directory, g1, "s", 1);
    park(directory, g1, "s", 2, 0, 0);
    for (int i = 0; i < LIMIT_DIRECTORY_LAPSED; i++) {
        snprintf(sid, sizeof sid, "s%d", i);
        session = session_of(sid, sid, 1);
        directory_put(directory, g1, &session);
        park(directory, g1, sid, 2, 0, 0);
    }
    directory_expire(directory, WINDOW);
    assert_string_equal(lapsed(directory, WINDOW), "s of u, 0 rooms");
    for (int i = 0; i <= LIMIT_DIRECTORY_LAPSED / DIRECTORY_SLICE; i++)
        directory_expire(directory, WINDOW);
    assert_string_equal(lapsed(directory, WINDOW), "nobody");
    assert_true(directory_find_lapsed(directory, SLICE("s0"), WINDOW, &session));
    directory_destroy(directory);
}

static void a_gateway_that_is_gone_parks_its_sessions(void **state)
{
    struct directory *directory = create(9, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);

    (void)state;
    put(directory, g1, "s1", 1);
    g1 = meet(directory, "g1", 2, 5); /* a later incarnation */
    assert_string_equal(found(directory, 5), "s1 at , 0.1, 0");
    assert_int_equal(put(directory, g1, "s1", TERM(1)), ST_OK);
    directory_expire(directory, 6 + DIRECTORY_LEASE_MS);
    assert_string_equal(found(directory, 6), "s1 at , 1.0, 0");
    g1 = meet(directory, "g1", 2, 6 + DIRECTORY_LEASE_MS); /* its clients never noticed */
    assert_int_equal(put(directory, g1, "s1", TERM(1) + 1), ST_OK);
    assert_string_equal(found(directory, 6), "s1 at g1, 1.1, 0");
    directory_leave(directory, g1, 7 + DIRECTORY_LEASE_MS);
    assert_string_equal(found(directory, 7), "s1 at , 1.1, 0");
    assert_int_equal(sessions(directory), 0);
    directory_destroy(directory);
}

static void what_cannot_be_found_is_not_parked(void **state)
{
    struct directory *directory = create(9, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    const struct engine_session session = session_of("s1", "", 1);
    struct directory_kept kept;

    (void)state;
    directory_put(directory, g1, &session);
    assert_true(park(directory, g1, "s1", 2, 0, 10));
    assert_false(directory_read(directory, SLICE("s1"), &kept));
    directory_destroy(directory);
}

/* What one message does to a session that g1 parked as 1.5, proven 40. */
static void only_who_had_it_last_or_takes_it_over_may_write(void **state)
{
    static const struct {
        enum {
            PUT,
            PARK,
            DROP,
            PROVE
        } act;
        const char *gateway, *sid;
        uint64_t generation;
        uint64_t proven;
        const char *found;
        bool is_done;
    } rows[] = {
        {PUT,   "g1", "s1",  TERM(1) + 6, 0,  "s1 at g1, 1.6, 40",  true },
        {PUT,   "g1", "s1",  TERM(1) + 4, 0,  "s1 at , 1.5, 40",    true },
        {PUT,   "g2", "s1",  TERM(1) + 6, 0,  "s1 at , 1.5, 40",    false},
        {PUT,   "g2", "s1",  TERM(2),     0,  "s1 at g2, 2.0, 40",  true },
        {PUT,   "g2", "s1",  TERM(2),     50, "s1 at g2, 2.0, 50",  true },
        {PUT,   "g1", "new", TERM(2),     0,  "new at g1, 2.0, 40", true },
        {PUT,   "g1", "new", TERM(1) + 6, 0,  "s1 at , 1.5, 40",    false},
        {PARK,  "g1", "s1",  TERM(1) + 7, 60, "s1 at , 1.7, 60",    true },
        {PARK,  "g1", "s1",  TERM(1) + 7, 30, "s1 at , 1.7, 40",    true },
        {PARK,  "g1", "s1",  TERM(1) + 4, 60, "s1 at , 1.5, 40",    false},
        {PARK,  "g2", "s1",  TERM(9),     60, "s1 at , 1.5, 40",    false},
        {DROP,  "g1", "s1",  TERM(1) + 6, 0,  "nobody",             true },
        {DROP,  "g1", "s1",  TERM(1) + 4, 0,  "s1 at , 1.5, 40",    false},
        {DROP,  "g2", "s1",  TERM(9),     0,  "s1 at , 1.5, 40",    false},
        {PROVE, "g1", "s1",  0,           60, "s1 at , 1.5, 60",    true },
        {PROVE, "g2", "s1",  0,           60, "s1 at , 1.5, 40",    true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct directory *directory = create(9, false);
        meet(directory, "g2", 1, 0);
        struct directory_gateway *gateway = meet(directory, "g1", 1, 0);
        const struct position proven = {3, rows[i].proven};
        struct engine_session record = session_of(rows[i].sid, "p", rows[i].generation);
        bool is_done = true;
        record.proven = rows[i].proven;
        put(directory, gateway, "s1", TERM(1));
        assert_true(park(directory, gateway, "s1", TERM(1) + 5, 40, 10));
        gateway = meet(directory, rows[i].gateway, 1, 0);
        switch (rows[i].act) {
        case PUT: is_done = !directory_put(directory, gateway, &record); break;
        case PARK:
            is_done =
                park(directory, gateway, "s1", record.generation, record.proven, 10);
            break;
        case DROP:
            is_done = directory_drop(directory, gateway, record.sid, record.generation);
            break;
        case PROVE: directory_prove(directory, gateway, record.sid, &proven); break;
        }
        assert_string_equal(found(directory, 10), rows[i].found);
        assert_int_equal(is_done, rows[i].is_done);
        directory_destroy(directory);
    }
}

static void a_proof_is_of_its_epoch(void **state)
{
    struct directory *directory = create(9, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct engine_session record = session_of("s1", "p", 1);

    (void)state;
    directory_put(directory, g1, &record);
    directory_prove(directory, g1, SLICE("s1"), &(struct position){2, 90});
    assert_string_equal(found(directory, 0), "s1 at g1, 0.1, 0");
    directory_prove(directory, g1, SLICE("s1"), &(struct position){3, 90});
    directory_prove(directory, g1, SLICE("s1"), &(struct position){3, 80});
    assert_string_equal(found(directory, 0), "s1 at g1, 0.1, 90");
    record.generation = 2;
    record.epoch = 4; /* the log began anew: nothing of before is proven */
    directory_put(directory, g1, &record);
    assert_string_equal(found(directory, 0), "s1 at g1, 0.2, 0");
    directory_destroy(directory);
}

static void count_gone(void *ctx, struct slice sid)
{
    char *gone = ctx;

    strncat(gone, sid.ptr, sid.len);
    strcat(gone, " ");
}

static void the_oldest_make_room(void **state)
{
    struct directory *directory = create(2, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct directory_parked parked;
    char sid[16], gone[64] = "";

    (void)state;
    directory_on_gone(directory, count_gone, gone);
    for (int i = 1; i <= 4; i++) {
        snprintf(sid, sizeof sid, "s%d", i);
        const struct engine_session session = session_of(sid, sid, 1);
        directory_put(directory, g1, &session);
    }
    assert_true(park(directory, g1, "s3", 2, 0, 1));
    assert_true(park(directory, g1, "s1", 2, 0, 2));
    assert_true(park(directory, g1, "s3", 3, 0, 3)); /* again: it is the youngest */
    assert_true(park(directory, g1, "s2", 2, 0, 4));
    assert_string_equal(gone, "s1 ");
    directory_parked(directory, &parked);
    assert_true(parked.count == 2 && parked.evicted == 1);
    directory_expire(directory, 5 + WINDOW);
    assert_string_equal(gone, "s1 s3 s2 ");
    directory_destroy(directory);
}

static void many_expire_in_slices(void **state)
{
    struct directory *directory = create(3 * DIRECTORY_SLICE, false);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    struct directory_parked parked;
    char sid[16];

    (void)state;
    for (int i = 0; i < 2 * DIRECTORY_SLICE + 1; i++) {
        snprintf(sid, sizeof sid, "s%d", i);
        const struct engine_session session = session_of(sid, sid, 1);
        directory_put(directory, g1, &session);
    }
    directory_leave(directory, g1, 1);
    for (size_t left = 2 * DIRECTORY_SLICE + 1; left > 0;) {
        directory_expire(directory, 1 + WINDOW);
        left -= left < DIRECTORY_SLICE ? left : DIRECTORY_SLICE;
        directory_parked(directory, &parked);
        assert_int_equal(parked.count, left);
    }
    directory_destroy(directory);
}

static void a_start_knows_the_sessions_of_before(void **state)
{
    struct directory *directory = create(9, true);

    (void)state;
    assert_false(restore(directory, "s0", 1, true, 2 * WINDOW)); /* long ago */
    assert_string_equal(lapsed(directory, 0), "nobody");
    assert_false(restore(directory, "s0", 1, true, WINDOW)); /* its time was over */
    assert_string_equal(lapsed(directory, 0), "s0 of u, 0 rooms");
    assert_true(restore(directory, "s1", 1, true, WINDOW - 1));
    assert_string_equal(found(directory, 0), "s1 at , 0.1, 0");
    assert_string_equal(found(directory, 1), "nobody");
    assert_true(
        restore(directory, "s2", 2, false, WINDOW * 100)); /* it lived until now */
    assert_false(restore(directory, "s3", 2, false, 0));
    assert_string_equal(found(directory, WINDOW - 1), "s2 at , 0.2, 0");
    struct directory_gateway *g1 = meet(directory, "g1", 1, 1);
    assert_int_equal(put(directory, g1, "s2", 3), ST_OK);
    assert_string_equal(found(directory, WINDOW), "s2 at g1, 0.3, 0");
    directory_destroy(directory);
}

static void a_find_waits_for_whoever_may_know_more(void **state)
{
    static const struct {
        uint64_t now_ms;
        size_t expected;
        bool is_kept, has_met, is_settled, may_find;
    } rows[] = {
        {0,                      0, false, true,  true,  false},
        {DIRECTORY_GRACE_MS,     0, false, true,  true,  true },
        {DIRECTORY_GRACE_MS,     0, false, true,  false, false},
        {0,                      1, false, true,  true,  true },
        {0,                      2, false, true,  true,  false},
        {DIRECTORY_GRACE_MS,     2, false, true,  true,  false},
        {DIRECTORY_LEASE_MS + 1, 2, false, true,  true,  true },
        {0,                      2, true,  true,  true,  false},
        {DIRECTORY_GRACE_MS - 1, 2, true,  true,  true,  false},
        {DIRECTORY_GRACE_MS,     2, true,  true,  true,  true },
        {DIRECTORY_GRACE_MS,     0, true,  true,  false, true },
        {0,                      0, true,  false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct directory *directory = create(9, rows[i].is_kept);
        const struct directory_lease lease = {1, true, rows[i].is_settled, {{0}}};
        struct directory_gateway *gateway;
        directory_expect(directory, rows[i].expected);
        if (rows[i].has_met) {
            directory_contact(directory, SLICE("g1"), 1, rows[i].now_ms, &gateway);
            directory_renew(gateway, &lease);
        }
        assert_int_equal(directory_may_find(directory, rows[i].now_ms), rows[i].may_find);
        directory_destroy(directory);
    }
}

static void proofs_are_written_once(void **state)
{
    struct directory *directory = create(9, true);
    struct directory_gateway *g1 = meet(directory, "g1", 1, 0);
    char written[64] = "", sid[16];

    (void)state;
    for (int i = 1; i <= 4; i++) {
        snprintf(sid, sizeof sid, "s%d", i);
        const struct engine_session session = session_of(sid, sid, 1);
        directory_put(directory, g1, &session);
        directory_prove(directory, g1, slice_of(sid), &(struct position){3, 5});
    }
    directory_prove(directory, g1, SLICE("s2"), &(struct position){3, 6});
    directory_drop(directory, g1, SLICE("s1"), 9);
    park(directory, g1, "s3", 9, 7, 0); /* the caller writes it */
    assert_int_equal(directory_unwritten(directory, 1, count_gone, written), 1);
    assert_int_equal(directory_unwritten(directory, 9, count_gone, written), 1);
    assert_string_equal(written, "s2 s4 ");
    assert_int_equal(directory_unwritten(directory, 9, count_gone, written), 0);
    directory_unwrite(directory);
    assert_int_equal(directory_unwritten(directory, 9, count_gone, written), 3);
    directory_destroy(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parked_session_is_found_until_its_time_is_over),
        cmocka_unit_test(whose_time_is_over_is_remembered_for_as_long_again),
        cmocka_unit_test(what_is_put_after_its_time_lives),
        cmocka_unit_test(those_that_are_remembered_have_a_ceiling),
        cmocka_unit_test(a_gateway_that_is_gone_parks_its_sessions),
        cmocka_unit_test(what_cannot_be_found_is_not_parked),
        cmocka_unit_test(only_who_had_it_last_or_takes_it_over_may_write),
        cmocka_unit_test(a_proof_is_of_its_epoch),
        cmocka_unit_test(the_oldest_make_room),
        cmocka_unit_test(many_expire_in_slices),
        cmocka_unit_test(a_start_knows_the_sessions_of_before),
        cmocka_unit_test(a_find_waits_for_whoever_may_know_more),
        cmocka_unit_test(proofs_are_written_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
