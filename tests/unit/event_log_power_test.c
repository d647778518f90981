/*
 * A machine that loses its power, again and again, at any moment of a durable log's life:
 * what was answered is on the disk with `fsync`, and without it nobody is told anything
 * wrong. See support/power_disk.h for what a cut leaves.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/durable_house.h"
#include "support/power_vfs.h"

#include "bridge/clock.h"
#include "bridge/testing/test_hook.h"

/* --- the C library's, which the linker finds here first --- */

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): theirs have odd ones.
 */

int fsync(int fd)
{
    power_sync(fd);
    return 0;
}

int fdatasync(int fd)
{
    power_sync(fd);
    return 0;
}

int unlink(const char *path)
{
    int name = power_name_of(path);
    bool is_seen = name >= 0 && power_tick() && power.names[name];
    int code = unlinkat(AT_FDCWD, path, 0);

    if (is_seen && code == 0)
        power_move(name, -1, NULL);
    return code;
}

int rename(const char *from, const char *to)
{
    int old = power_name_of(from), new = power_name_of(to);
    bool is_seen = old >= 0 && power_tick() && power.names[old];
    int code = renameat(AT_FDCWD, from, AT_FDCWD, to);

    if (is_seen && code == 0)
        power_move(old, new, power.names[old]);
    return code;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* --- what was promised --- */

enum {
    LIVES = 4, /* of one folder, each ended by a cut */
    STEPS = 40,
    MAX_BATCH = 12,
    MAX_IDS = LIVES * STEPS * MAX_BATCH,
    MAX_EPOCHS = LIVES * (STEPS + 2),
};

/* To who published an event. */
struct promise {
    struct position position; /* no epoch: it was not answered before the power went */
    bool has_key, has_user;
    bool is_key_found, is_user_found;
};

enum mode {
    SYNCS,
    SAYS_IT_SYNCS,
    DOES_NOT_SYNC,
    CHANGES, /* with each opening */
};

struct story {
    struct house house;
    enum mode mode;
    bool is_safe; /* everything that was answered is to be found */
    unsigned boot;
    struct promise promises[MAX_IDS]; /* by id */
    size_t id_count;
    struct position heads[MAX_EPOCHS]; /* the last seq that anybody saw of each epoch */
    size_t epoch_count;
    size_t events;        /* that the last of them has at least */
    bool is_overtaken;    /* a new epoch may begin that nobody sees */
    uint64_t clean_epoch; /* it was stopped cleanly in this epoch. 0: it was not */
    size_t cuts, answered, went_on, broken;
    char first_broken[128];
};

static void breaks(struct story *story, const char *what, uint64_t which)
{
    if (story->broken++ == 0)
        snprintf(story->first_broken, sizeof story->first_broken, "cut %zu: %s (%zu)",
                 story->cuts, what, (size_t)which);
}

static struct position *find_head(struct story *story, uint64_t epoch)
{
    for (size_t i = 0; i < story->epoch_count; i++)
        if (story->heads[i].epoch == epoch)
            return &story->heads[i];
    return NULL;
}

/* While there is power, others see how far the log reaches. */
static void see(struct story *story)
{
    struct event_log_state state = state_of(&story->house);
    struct position *head = find_head(story, state.head.epoch);

    assert_false(state.is_lost || state.is_down);
    if (!power.is_on)
        return;
    if (!head) {
        assert_true(story->epoch_count < MAX_EPOCHS);
        head = &story->heads[story->epoch_count++];
        story->is_overtaken = false;
    }
    *head = state.head;
    story->events = state.events;
}

/* --- what a publisher does --- */

static void describe(struct story *story, struct log_key *key, size_t id)
{
    struct promise *promise = &story->promises[id];

    *promise = (struct promise){.has_key = power_chance(2), .has_user = !power_chance(8)};
    *key = (struct log_key){.recipients = (uint32_t)id};
    memcpy(key->id, &id, sizeof id);
}

/* Where a batch would be refused, as the writer does then. */
static void leave_overtaken(struct story *story)
{
    if (story->is_overtaken)
        event_log_trim(story->house.log, clock_ms());
}

static void append_some(struct story *story)
{
    struct event_log_entry entries[MAX_BATCH];
    struct event_log_record records[MAX_BATCH];
    struct log_key keys[MAX_BATCH];
    char names[MAX_BATCH][24];
    struct position head;
    size_t count = power_chance(2) ? 1 : 1 + power_chance(MAX_BATCH);
    size_t first_id = story->id_count;
    uint64_t first = 0;

    leave_overtaken(story);
    head = state_of(&story->house).head;
    for (size_t i = 0; i < count; i++) {
        size_t bytes = power_chance(20) ? power_chance(600) : 9000, id = first_id + i;
        describe(story, &keys[i], id);
        snprintf(names[i], sizeof names[i], "%zu", id);
        records[i] = (struct event_log_record){NULL, EVENT_LOG_USER, slice_of(names[i]),
                                               SLICE("what is known")};
        entries[i] = event_for("r:1", head.seq + 1 + i, bytes);
        entries[i].is_volatile = !power_chance(4);
        entries[i].key = story->promises[id].has_key ? &keys[i] : NULL;
        entries[i].record = story->promises[id].has_user ? &records[i] : NULL;
    }
    assert_int_equal(
        event_log_append(story->house.log, entries, count, clock_ms(), &first), ST_OK);
    story->id_count += count;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].is_volatile)
            free(entries[i].bytes);
        if (power.is_on)
            story->promises[first_id + i].position =
                (struct position){head.epoch, first + i};
    }
    story->answered += power.is_on ? count : 0;
}

static void tidy(struct story *story)
{
    char path[LOG_PATH_BYTES];
    struct log_db *tidier;
    bool is_damaged;

    log_folder_path(story->house.folder, "log.db", path);
    assert_int_equal(log_db_open(path, LOG_DB_TIDIES, &tidier, &is_damaged), ST_OK);
    assert_int_equal(log_db_checkpoint(tidier), ST_OK);
    log_db_close(tidier);
}

static void choose_mode(struct story *story)
{
    if (story->mode == CHANGES)
        story->house.config.syncs = !power_chance(3);
}

/* What was safe stays so while a log that syncs is opened. */
static void judge_opening(struct story *story)
{
    bool was_safe = story->is_safe;

    story->is_safe = story->mode != DOES_NOT_SYNC &&
                     (story->mode != CHANGES || story->house.config.syncs) &&
                     (power.is_on || was_safe);
    if (power.is_on)
        story->is_overtaken = false;
}

static void start_again(struct story *story, bool is_clean)
{
    choose_mode(story);
    restart(&story->house, is_clean);
    judge_opening(story);
}

static void overtake(struct story *story)
{
    story->is_overtaken = true;
    event_log_overtaken(story->house.log, state_of(&story->house).head.epoch);
}

static void act(struct story *story)
{
    struct durable_log *log = (struct durable_log *)story->house.log;
    size_t what = power_chance(100);

    if (what < 6)
        tidy(story);
    else if (what < 12)
        assert_int_equal(log_db_checkpoint(log->writer), ST_OK);
    else if (what < 14)
        overtake(story);
    else if (what < 19)
        start_again(story, what < 17);
    else if (what < 22)
        event_log_trim(story->house.log, clock_ms() + 1000);
    else
        append_some(story);
    see(story);
}

static void start_machine(struct story *story)
{
    char boot[24];

    snprintf(boot, sizeof boot, "boot=%u", ++story->boot);
    assert_true(test_hook_set(boot));
}

static void live(struct story *story)
{
    story->clean_epoch = 0;
    power_begin(1 + power_chance(power_chance(3) ? 300 : 30));
    choose_mode(story);
    assert_int_equal(open_log(&story->house), ST_OK);
    judge_opening(story);
    see(story);
    for (size_t left = power_chance(STEPS); left > 0 && power.is_on; left--)
        act(story);
    if (power.is_on && power_chance(3)) {
        event_log_close(story->house.log);
        story->clean_epoch = power.is_on ? state_of(&story->house).head.epoch : 0;
    }
    event_log_destroy(story->house.log);
    story->house.log = NULL;
    if (power.is_on)
        power_cut();
    story->cuts++;
    start_machine(story);
}

/* --- what is found --- */

static bool reach_row(void *ctx, const struct log_row *row, uint64_t sum)
{
    struct log_row *last = ctx;
    struct log_row placed = *row;

    placed.epoch = last->epoch;
    if (sum != log_row_checksum(&placed))
        return false;
    last->seq = row->seq;
    return true;
}

/* With `fsync`, before anybody opens it as a log: its rows are there. */
static void check_rows(struct story *story)
{
    const struct position *newest = story->heads + story->epoch_count - 1;
    struct log_row last = {0};
    char path[LOG_PATH_BYTES];
    uint64_t head = 0;
    struct log_db *db;
    bool is_damaged;

    if (!story->is_safe || story->answered == 0)
        return; /* a database without events may be lost */
    power_lay_out();
    log_folder_path(story->house.folder, "log.db", path);
    if (log_db_open(path, LOG_DB_READS, &db, &is_damaged)) {
        breaks(story, "no database", is_damaged);
        return;
    }
    enum status st = log_db_get(db, LOG_DB_EPOCH, &last.epoch);
    if (!st)
        st = log_db_read(db, 0, UINT64_MAX, reach_row, &last);
    if (!st)
        st = log_db_get(db, LOG_DB_HEAD, &head);
    log_db_close(db);
    head = head > last.seq ? head : last.seq;
    if (st || (last.epoch != newest->epoch && find_head(story, last.epoch)))
        breaks(story, "an old epoch on the disk", last.epoch);
    else if (last.epoch == newest->epoch && head < newest->seq)
        breaks(story, "rows end early", newest->seq - head);
}

static bool is_same(const struct position *a, const struct position *b)
{
    return a->epoch == b->epoch && a->seq == b->seq;
}

static void find_key(void *ctx, const struct log_key *key,
                     const struct position *position, uint64_t age_ms)
{
    struct story *story = ctx;
    size_t id;

    (void)age_ms;
    memcpy(&id, key->id, sizeof id);
    assert_true(id < story->id_count && key->recipients == id);
    struct promise *promise = &story->promises[id];
    promise->is_key_found = true;
    if (promise->position.epoch != 0 && !is_same(&promise->position, position))
        breaks(story, "an id at another position", id);
}

static void find_user(void *ctx, struct slice name, struct slice bytes)
{
    struct story *story = ctx;
    size_t id = strtoul(name.ptr, NULL, 10);

    (void)bytes;
    assert_true(id < story->id_count);
    story->promises[id].is_user_found = true;
}

/* What a log without syncs has lost is not asked of the next one. */
static void release_promises(struct story *story)
{
    for (size_t i = 0; i < story->id_count; i++) {
        struct promise *promise = &story->promises[i];
        promise->has_key = promise->has_key && promise->is_key_found;
        promise->has_user = promise->has_user && promise->is_user_found;
    }
}

static void check_promises(struct story *story, uint64_t epoch)
{
    for (size_t i = 0; i < story->id_count; i++)
        story->promises[i].is_key_found = story->promises[i].is_user_found = false;
    event_log_keys(story->house.log, find_key, story);
    event_log_notes(story->house.log, EVENT_LOG_USER, find_user, story);
    for (size_t i = 0; i < story->id_count; i++) {
        const struct promise *promise = &story->promises[i];
        if (promise->position.epoch == 0 ||
            !(story->is_safe || promise->position.epoch == epoch))
            continue;
        if (promise->has_key && !promise->is_key_found)
            breaks(story, "an id is forgotten", i);
        if (promise->has_user && !promise->is_user_found)
            breaks(story, "a user is forgotten", i);
    }
    if (!story->is_safe)
        release_promises(story);
}

/* A log that syncs goes on as if its process had died. */
static void check_epoch(struct story *story, const struct event_log_state *now)
{
    const struct position *last = story->heads + story->epoch_count - 1;

    if (!story->is_safe || story->is_overtaken || story->epoch_count == 0)
        return;
    if (now->head.epoch != last->epoch)
        breaks(story, "a synced log does not go on", last->seq);
    else if (now->events < story->events)
        breaks(story, "events are missing", story->events - now->events);
}

/* It starts, and either nothing is missing that anybody saw of its epoch, or the epoch is
 * a new one. */
static void check_log(struct story *story)
{
    power_lay_out();
    assert_int_equal(open_log(&story->house), ST_OK);
    struct event_log_state now = state_of(&story->house);
    struct reading reading = read_all(&story->house, 0, NULL, NULL);
    const struct position *seen = find_head(story, now.head.epoch);

    assert_false(state_of(&story->house).is_lost);
    if (reading.count != now.events)
        breaks(story, "other events than it says", reading.count);
    if (seen && now.head.seq < seen->seq)
        breaks(story, "an epoch goes on without its end", seen->seq - now.head.seq);
    if (story->clean_epoch != 0 && now.head.epoch != story->clean_epoch)
        breaks(story, "a clean stop was forgotten", 0);
    check_epoch(story, &now);
    story->went_on += seen != NULL;
    check_promises(story, now.head.epoch);
    event_log_destroy(story->house.log);
    story->house.log = NULL;
}

/* --- many of them --- */

static size_t number_of(const char *name, size_t usual)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : usual;
}

static void forget_story(struct story *story)
{
    memset(story->promises, 0, sizeof story->promises);
    story->id_count = story->epoch_count = story->answered = story->events = 0;
    story->is_safe = story->is_overtaken = false;
}

/* Gives how many promises are broken in so many cuts, or more. */
static size_t cut_power(size_t cuts, enum mode mode, const char *liar)
{
    struct story *story = calloc(1, sizeof *story);
    size_t seed = number_of("SIDECAST_LOG_SEED", 7), answered = 0;

    assert_non_null(story);
    power.lost = power.kept = 0;
    house_open(&story->house);
    event_log_destroy(story->house.log);
    story->mode = mode;
    story->house.config.syncs = mode == SYNCS;
    start_machine(story);
    for (size_t i = 0; story->cuts < cuts; i++) {
        forget_story(story);
        power_format(story->house.folder, seed * 1000003 + i);
        power.liar = liar;
        for (size_t life = 0; life < LIVES; life++) {
            live(story);
            check_rows(story);
            check_log(story);
            power_lay_out();
        }
        answered += story->answered;
    }
    power_finish();
    house_remove(&story->house);
    print_message("seed %zu, %zu cuts: %zu of %zu pieces lost, %zu events answered, "
                  "%zu logs went on, %zu promises broken %s\n",
                  seed, story->cuts, power.lost, power.lost + power.kept, answered,
                  story->went_on, story->broken, story->first_broken);
    size_t broken = story->broken;
    assert_true(power.lost > cuts && answered > cuts);
    assert_true(broken > 0 || story->went_on > cuts / 20);
    free(story);
    return broken;
}

static size_t cuts_wanted(void)
{
    return number_of("SIDECAST_LOG_POWER_CUTS", 300);
}

static void a_synced_log_goes_on_with_all_that_was_answered(void **state)
{
    (void)state;
    assert_int_equal(cut_power(cuts_wanted(), SYNCS, NULL), 0);
}

static void nothing_wrong_is_told_without_fsync(void **state)
{
    (void)state;
    assert_int_equal(cut_power(cuts_wanted(), DOES_NOT_SYNC, NULL), 0);
}

static void a_log_may_begin_to_sync_and_cease(void **state)
{
    (void)state;
    assert_int_equal(cut_power(cuts_wanted(), CHANGES, NULL), 0);
}

/* --- sessions --- */

static void count_session(void *ctx, struct slice bytes, uint64_t age_ms)
{
    size_t *count = ctx;

    (void)bytes;
    (void)age_ms;
    ++*count;
}

/* A session is written, and the power goes, perhaps after it was doubted. Gives how many
 * are believed then. */
static size_t sessions_after_a_cut(size_t seed, bool are_doubted)
{
    const struct event_log_record session = {NULL, EVENT_LOG_SESSION, SLICE("sid"),
                                             SLICE("what is known")};
    struct story story = {.mode = SYNCS};
    size_t count = 0;

    house_open(&story.house);
    event_log_destroy(story.house.log);
    story.house.config.syncs = true;
    power_format(story.house.folder, seed);
    start_machine(&story);
    power_begin(UINT64_MAX);
    assert_int_equal(open_log(&story.house), ST_OK);
    assert_int_equal(event_log_records(story.house.log, &session, clock_ms()), ST_OK);
    if (are_doubted)
        event_log_doubt_sessions(story.house.log);
    power_cut();
    event_log_destroy(story.house.log);
    start_machine(&story);
    power_lay_out();
    assert_int_equal(open_log(&story.house), ST_OK);
    event_log_sessions(story.house.log, count_session, &count);
    power_finish();
    house_remove(&story.house);
    return count;
}

static void sessions_and_doubts_of_them_outlive_the_power(void **state)
{
    (void)state;
    for (size_t seed = 0; seed < 30; seed++) {
        assert_int_equal(sessions_after_a_cut(seed, false), 1);
        assert_int_equal(sessions_after_a_cut(seed, true), 0);
    }
}

static void a_log_that_does_not_sync_is_found_out(void **state)
{
    (void)state;
    assert_true(cut_power(40, SAYS_IT_SYNCS, NULL) > 0);
}

static void a_disk_that_does_not_sync_is_found_out(void **state)
{
    (void)state;
    assert_true(cut_power(40, SYNCS, "log.db-wal") > 0);
    assert_true(cut_power(200, SYNCS, "witness") > 0);
    assert_true(cut_power(200, DOES_NOT_SYNC, "witness") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_synced_log_goes_on_with_all_that_was_answered),
        cmocka_unit_test(nothing_wrong_is_told_without_fsync),
        cmocka_unit_test(a_log_may_begin_to_sync_and_cease),
        cmocka_unit_test(sessions_and_doubts_of_them_outlive_the_power),
        cmocka_unit_test(a_log_that_does_not_sync_is_found_out),
        cmocka_unit_test(a_disk_that_does_not_sync_is_found_out),
    };

    power_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
