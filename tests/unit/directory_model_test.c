/*
 * The directory against a model of it: a list that is searched from its beginning. Random
 * messages of three gateways, late and repeated ones among them, leases that end, later
 * incarnations, times that pass, and new directories that have only what was kept.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUNS = 40,
    STEPS = 1500,
    GATEWAYS = 3,
    IDS = 6, /* sids, and pids */
    MAX_LATE = 64,
    WINDOW = 4000,
    NOWHERE = -1,
};

static const struct hash_key hash_key = {5, 6};

/* What the model, and the kept row, know of a session. */
struct known {
    bool is_there;
    int sid, pid;
    int home;     /* the gateway where it lives, or lived last */
    bool is_live; /* there */
    uint64_t generation, epoch, proven;
    uint64_t until_ms; /* parked */
};

/* One message, as it was sent once. */
struct message {
    enum {
        PUT,
        PARK,
        DROP,
        PROVE,
        ACTS
    } act;
    int gateway;
    struct known what;
};

struct trial {
    unsigned seed;
    struct directory *directory;
    struct directory_gateway *gateways[GATEWAYS];
    uint64_t incarnations[GATEWAYS];
    uint64_t now_ms;
    struct known model[IDS]; /* by sid */
    struct known rows[IDS];  /* what is kept */
    uint64_t rows_ms[IDS];
    struct message late[MAX_LATE];
    size_t late_count;
};

static unsigned pick(struct trial *trial, unsigned n)
{
    return (unsigned)rand_r(&trial->seed) % n;
}

static struct slice sid_of(int sid)
{
    static const char *const sids[IDS] = {"s0", "s1", "s2", "s3", "s4", "s5"};
    return slice_of(sids[sid]);
}

static struct slice pid_of(int pid)
{
    static const char *const pids[IDS] = {"p0", "p1", "p2", "p3", "p4", "p5"};
    return slice_of(pids[pid]);
}

static struct slice gateway_of(int gateway)
{
    static const char *const ids[GATEWAYS] = {"g0", "g1", "g2"};
    return gateway == NOWHERE ? (struct slice){0} : slice_of(ids[gateway]);
}

static struct engine_session record_of(const struct known *known,
                                       struct engine_membership rooms[1])
{
    rooms[0] = (struct engine_membership){ROOM_NAMED, pid_of(known->pid), 1};
    return (struct engine_session){
        .sid = sid_of(known->sid),
        .pid = pid_of(known->pid),
        .nsp = SLICE("/"),
        .generation = known->generation,
        .epoch = known->epoch,
        .proven = known->proven,
        .rooms = rooms,
        .room_count = 1,
    };
}

/* --- the model --- */

static void model_prove(struct known *known, uint64_t epoch, uint64_t proven)
{
    if (known->epoch == epoch && known->proven < proven)
        known->proven = proven;
}

static enum status model_put(struct trial *trial, int gateway, const struct known *put)
{
    struct known record = *put;

    for (int i = 0; i < IDS; i++) { /* its own first: that one may just be older */
        const struct known *other = &trial->model[(put->sid + i) % IDS];
        if (!other->is_there || (other->sid != put->sid && other->pid != put->pid))
            continue;
        if (other->sid == put->sid && other->home == gateway) {
            if (other->generation > put->generation)
                return ST_OK;
        } else if (other->generation >> 32 >= put->generation >> 32) {
            return ST_CONFLICT;
        }
        if (other->pid == put->pid)
            model_prove(&record, other->epoch, other->proven);
    }
    for (int i = 0; i < IDS; i++)
        if (trial->model[i].pid == put->pid)
            trial->model[i].is_there = false;
    record.is_there = record.is_live = true;
    record.home = gateway;
    trial->model[put->sid] = record;
    return ST_OK;
}

static bool model_end(struct trial *trial, const struct message *message)
{
    struct known *known = &trial->model[message->what.sid];
    bool is_own = known->is_there && known->home == message->gateway;

    if (!is_own ||
        (message->act != PROVE && known->generation > message->what.generation))
        return false;
    if (message->act != DROP)
        model_prove(known, message->what.epoch, message->what.proven);
    if (message->act == PARK) {
        known->generation = message->what.generation;
        known->is_live = false;
        known->until_ms = trial->now_ms + WINDOW;
    }
    known->is_there = message->act != DROP;
    return true;
}

static void model_park_all(struct trial *trial, int gateway)
{
    for (int i = 0; i < IDS; i++) {
        struct known *known = &trial->model[i];
        if (known->is_there && known->is_live && known->home == gateway) {
            known->is_live = false;
            known->until_ms = trial->now_ms + WINDOW;
        }
    }
}

/* --- both --- */

static void on_gone(void *ctx, struct slice sid)
{
    struct trial *trial = ctx;

    trial->rows[sid.ptr[1] - '0'].is_there = false;
}

/* What the publisher does where a session was changed by a message. */
static void keep(struct trial *trial, int sid)
{
    struct directory_kept kept;
    struct known *row = &trial->rows[sid];

    row->is_there = directory_read(trial->directory, sid_of(sid), &kept);
    if (!row->is_there)
        return;
    row->sid = sid;
    row->pid = kept.session.pid.ptr[1] - '0';
    row->home = kept.gateway.ptr[1] - '0';
    row->is_live = !kept.is_parked;
    row->generation = kept.session.generation;
    row->epoch = kept.session.epoch;
    row->proven = kept.session.proven;
    trial->rows_ms[sid] = trial->now_ms;
}

static struct directory_gateway *meet(struct trial *trial, int gateway)
{
    static const struct directory_lease settled = {1, true, true, {{0}}};

    directory_contact(trial->directory, gateway_of(gateway), trial->incarnations[gateway],
                      trial->now_ms, &trial->gateways[gateway]);
    directory_renew(trial->gateways[gateway], &settled);
    return trial->gateways[gateway];
}

static void say(struct trial *trial, const struct message *message)
{
    struct directory_gateway *gateway = meet(trial, message->gateway);
    const struct known *what = &message->what;
    const struct position proven = {what->epoch, what->proven};
    struct engine_membership rooms[1];
    const struct engine_session record = record_of(what, rooms);
    bool has_changed = false;

    switch (message->act) {
    case PUT:
        assert_int_equal(directory_put(trial->directory, gateway, &record),
                         model_put(trial, message->gateway, what));
        has_changed = true;
        break;
    case PARK:
        has_changed = directory_park(trial->directory, gateway, record.sid,
                                     what->generation, &proven, trial->now_ms);
        assert_int_equal(has_changed, model_end(trial, message));
        break;
    case DROP:
        has_changed =
            directory_drop(trial->directory, gateway, record.sid, what->generation);
        assert_int_equal(has_changed, model_end(trial, message));
        break;
    case PROVE:
        directory_prove(trial->directory, gateway, record.sid, &proven);
        model_end(trial, message);
        break;
    case ACTS: break;
    }
    if (has_changed)
        keep(trial, what->sid);
}

/* Some of what a gateway could say now; also what it must not. */
static struct message make_message(struct trial *trial)
{
    const struct known *known = &trial->model[pick(trial, IDS)];
    struct message message = {
        .act = (unsigned)pick(trial, ACTS),
        .gateway = (int)pick(trial, GATEWAYS),
        .what = *known,
    };
    struct known *what = &message.what;

    if (!known->is_there) {
        what->sid = (int)pick(trial, IDS);
        what->pid = (int)pick(trial, IDS);
        what->generation = 1;
    } else if (pick(trial, 4)) { /* whoever has it writes once more */
        message.gateway = known->home;
        what->generation += pick(trial, 3);
    } else if (message.act == PUT && pick(trial, 3)) { /* it is taken over */
        what->sid = pick(trial, 2) ? known->sid : (int)pick(trial, IDS);
        what->generation = engine_next_term(known->generation);
    }
    what->epoch = pick(trial, 8) ? 1 : 2;
    what->proven = pick(trial, 1000);
    return message;
}

static void say_something(struct trial *trial)
{
    struct message message = make_message(trial);

    if (trial->late_count > 0 && pick(trial, 4) == 0)
        message = trial->late[pick(trial, (unsigned)trial->late_count)];
    /* A sid that somebody else has under another pid is never drawn in reality. */
    const struct known *other = &trial->model[message.what.sid];
    if (other->is_there && other->pid != message.what.pid)
        return;
    say(trial, &message);
    size_t at =
        trial->late_count < MAX_LATE ? trial->late_count++ : pick(trial, MAX_LATE);
    trial->late[at] = message;
}

/* Gateways say nothing for so long; one of them for longer than its lease. */
static void let_time_pass(struct trial *trial)
{
    int lost = (int)pick(trial, GATEWAYS * 2);

    trial->now_ms += pick(trial, WINDOW / 2);
    for (int i = 0; i < GATEWAYS; i++)
        if (i != lost)
            meet(trial, i);
    if (lost < GATEWAYS) {
        trial->now_ms += DIRECTORY_LEASE_MS + 1;
        for (int i = 0; i < GATEWAYS; i++)
            if (i != lost)
                meet(trial, i);
        /* It had said nothing since before: its lease is over. */
        model_park_all(trial, lost);
    }
    directory_expire(trial->directory, trial->now_ms);
    for (int i = 0; i < IDS; i++)
        if (!trial->model[i].is_live && trial->model[i].until_ms <= trial->now_ms)
            trial->model[i].is_there = false;
}

static void begin_again(struct trial *trial)
{
    int gateway = (int)pick(trial, GATEWAYS);

    trial->incarnations[gateway]++;
    meet(trial, gateway);
    model_park_all(trial, gateway);
}

static void open_directory(struct trial *trial)
{
    const struct directory_parking parking = {WINDOW, 100, 1 << 20, true};

    trial->directory = directory_create(&hash_key, trial->now_ms);
    directory_set_parking(trial->directory, &parking);
    directory_on_gone(trial->directory, on_gone, trial);
}

/* The publisher is killed: what was kept is what there is. Proofs may be older. */
static void restart(struct trial *trial)
{
    struct engine_membership rooms[1];

    directory_destroy(trial->directory);
    open_directory(trial);
    for (int i = 0; i < IDS; i++) {
        const struct known *row = &trial->rows[i];
        uint64_t age_ms = trial->now_ms - trial->rows_ms[i];
        assert_int_equal(row->is_there, trial->model[i].is_there);
        if (!row->is_there)
            continue;
        assert_true(row->generation == trial->model[i].generation);
        assert_true(row->proven <= trial->model[i].proven);
        const struct directory_kept kept = {record_of(row, rooms), gateway_of(row->home),
                                            !row->is_live};
        bool is_known = row->is_live || age_ms < WINDOW;
        assert_int_equal(
            directory_restore(trial->directory, &kept, age_ms, trial->now_ms), is_known);
        trial->rows[i].is_there = is_known;
        trial->model[i] = *row;
        trial->model[i].is_there = is_known;
        trial->model[i].is_live = false;
        trial->model[i].until_ms = trial->now_ms + WINDOW - (row->is_live ? 0 : age_ms);
    }
    for (int i = 0; i < GATEWAYS; i++)
        meet(trial, i);
}

static void check(struct trial *trial)
{
    struct engine_totals totals;
    uint64_t live = 0;

    for (int pid = 0; pid < IDS; pid++) {
        const struct known *expected = NULL;
        struct engine_session found;
        struct slice gateway;
        for (int i = 0; i < IDS; i++)
            if (trial->model[i].is_there && trial->model[i].pid == pid)
                expected = &trial->model[i];
        bool is_found = directory_find(trial->directory, pid_of(pid), trial->now_ms,
                                       &found, &gateway);
        assert_int_equal(is_found, expected != NULL);
        if (!expected)
            continue;
        live += expected->is_live;
        assert_true(slice_equal(found.sid, sid_of(expected->sid)));
        assert_true(slice_equal(
            gateway, gateway_of(expected->is_live ? expected->home : NOWHERE)));
        assert_true(found.generation == expected->generation);
        assert_true(found.epoch == expected->epoch && found.proven == expected->proven);
    }
    directory_totals(trial->directory, trial->now_ms, &totals);
    assert_int_equal(totals.sessions, live);
    assert_int_equal(totals.memberships, live);
    assert_int_equal(totals.rooms, live); /* a pid has a room of its own */
}

static void run(unsigned seed)
{
    struct trial trial = {.seed = seed, .now_ms = 100000};

    open_directory(&trial);
    for (int i = 0; i < GATEWAYS; i++) {
        trial.incarnations[i] = 1;
        meet(&trial, i);
    }
    for (int step = 0; step < STEPS; step++) {
        unsigned what = pick(&trial, 100);
        if (what < 90)
            say_something(&trial);
        else if (what < 95)
            let_time_pass(&trial);
        else if (what < 98)
            begin_again(&trial);
        else
            restart(&trial);
        check(&trial);
    }
    directory_destroy(trial.directory);
}

static void whatever_comes_the_directory_knows_what_the_model_knows(void **state)
{
    const char *wanted = getenv("SIDECAST_SEED");

    (void)state;
    for (unsigned seed = 1; seed <= RUNS; seed++)
        run(wanted ? (unsigned)atoi(wanted) : seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_comes_the_directory_knows_what_the_model_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
