/* The witness: what it says at the next start, after whatever this one came to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/log_witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    EPOCH = 7,
};

static const struct log_testimony opening = {
    .epoch = EPOCH, .head = 3, .boot_id = "this boot"};

struct scene {
    char path[32];
    struct log_witness *witness;
    struct log_testimony testimony;
};

static void reopen(struct scene *scene)
{
    log_witness_close(scene->witness);
    assert_int_equal(log_witness_open(scene->path, &scene->witness, &scene->testimony),
                     ST_OK);
}

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.path = "/tmp/log_witness.XXXXXX"};
    int fd = mkstemp(scene->path);
    assert_true(fd >= 0);
    close(fd);
    reopen(scene);
    assert_int_equal(scene->testimony.epoch, 0);
    assert_int_equal(log_witness_begin(scene->witness, &opening), ST_OK);
}

static void scene_close(struct scene *scene)
{
    log_witness_close(scene->witness);
    unlink(scene->path);
}

static void it_says_how_far_the_log_was_seen(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    for (uint64_t head = 4; head < 10; head++)
        log_witness_see(scene.witness, head);
    reopen(&scene);
    assert_true(scene.testimony.epoch == EPOCH && scene.testimony.head == 9);
    assert_false(scene.testimony.is_clean);
    log_witness_end(scene.witness);
    reopen(&scene);
    assert_true(scene.testimony.epoch == EPOCH && scene.testimony.is_clean);
    scene_close(&scene);
}

/* Who reads may find the damage while the log is being closed. */
static void what_was_denied_says_nothing_whatever_follows(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    log_witness_deny(scene.witness);
    log_witness_see(scene.witness, 4);
    log_witness_end(scene.witness);
    reopen(&scene);
    assert_int_equal(scene.testimony.epoch, 0);
    assert_int_equal(log_witness_begin(scene.witness, &opening), ST_OK);
    reopen(&scene);
    assert_int_equal(scene.testimony.epoch, EPOCH); /* the next start is another one */
    scene_close(&scene);
}

static void doubts_of_sessions_outlive_the_process(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    assert_false(log_witness_doubts_sessions(scene.witness));
    log_witness_doubt_sessions(scene.witness, true);
    reopen(&scene);
    assert_int_equal(log_witness_begin(scene.witness, &opening), ST_OK);
    assert_true(log_witness_doubts_sessions(scene.witness));
    log_witness_doubt_sessions(scene.witness, false);
    reopen(&scene);
    assert_false(log_witness_doubts_sessions(scene.witness));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_how_far_the_log_was_seen),
        cmocka_unit_test(what_was_denied_says_nothing_whatever_follows),
        cmocka_unit_test(doubts_of_sessions_outlive_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
