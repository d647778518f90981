/*
 * The writer: whoever appends, and in whatever phase of the loop, is answered without
 * waiting for something else to happen; what one turn appends is one batch. The bus is
 * played here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/engine_nng_writer.h"
#include "proto/bus_wire.h"
#include "support/durable_house.h"

#include <stdatomic.h>

enum {
    GUARD_MS = 5000, /* nothing else wakes the loop */
    DOOR_BYTES = 1 << 20,
    DOOR_ITEMS = 16,
    EACH = 3, /* appends of one phase */
    FRAMES = 8,
};

struct scene {
    uv_loop_t loop;
    uv_prepare_t older, younger; /* than the writer's own handle */
    uv_check_t check;
    uv_timer_t guard;
    struct door door;
    struct event_log *log;
    struct metrics metrics;
    struct writer *writer;
    unsigned wanted, kept, refused;
    uint64_t last_seq;
    size_t group; /* so many are appended as one */
    bool is_late;
};

/* With events: by the writer's thread. */
static atomic_uint frames_sent;
static atomic_uint sent[FRAMES]; /* how many the first frames had */

enum status link_send(struct link link, struct slice bytes)
{
    struct bus_frame frame;

    (void)link;
    if (bus_frame_decode(bytes, &frame))
        abort();
    if (frame.span.count > 0) {
        unsigned at = atomic_fetch_add(&frames_sent, 1);
        atomic_store(&sent[at % FRAMES], (unsigned)frame.span.count);
    }
    return ST_OK;
}

static void on_kept(void *ctx, enum status status, const struct position *position)
{
    struct scene *scene = ctx;

    if (status && scene->refused == 0) {
        assert_int_equal(status, ST_LOG_DOWN);
        scene->refused++;
        uv_stop(&scene->loop);
        return;
    }
    assert_int_equal(status, ST_OK);
    assert_int_equal(position->seq, scene->last_seq + 1);
    scene->last_seq = position->seq;
    if (++scene->kept == scene->wanted)
        uv_stop(&scene->loop);
}

/* Once, with the position of the last. */
static void on_group_kept(void *ctx, enum status status, const struct position *position)
{
    struct scene *scene = ctx;

    scene->last_seq += scene->group - 1;
    on_kept(ctx, status, position);
}

static enum status append_group(struct scene *scene, size_t count)
{
    struct engine_entry entries[LIMIT_APPEND_GROUP + 1];
    const struct engine_append what = {.entries = entries, .count = count};

    for (size_t i = 0; i < count; i++)
        entries[i] = (struct engine_entry){SLICE("an envelope is bytes to the writer"),
                                           i % 3 == 1};
    scene->group = count;
    return writer_append(scene->writer, &what, NULL, on_group_kept, scene);
}

static void append_one(struct scene *scene)
{
    const struct engine_entry entry = {.envelope =
                                           SLICE("an envelope is bytes to the writer")};
    const struct engine_append what = {.entries = &entry, .count = 1};

    assert_int_equal(writer_append(scene->writer, &what, NULL, on_kept, scene), ST_OK);
}

static void append_many(struct scene *scene, int count)
{
    for (int i = 0; i < count; i++)
        append_one(scene);
}

static void append_some(struct scene *scene)
{
    append_many(scene, EACH);
}

static void on_prepare(uv_prepare_t *handle)
{
    uv_prepare_stop(handle);
    append_some(handle->data);
}

static void on_check(uv_check_t *handle)
{
    uv_check_stop(handle);
    append_some(handle->data);
}

static void on_guard(uv_timer_t *timer)
{
    struct scene *scene = timer->data;

    scene->is_late = true;
    uv_stop(&scene->loop);
}

static void scene_open_with(struct scene *scene, struct event_log *log)
{
    *scene = (struct scene){0};
    atomic_store(&frames_sent, 0);
    uv_loop_init(&scene->loop);
    uv_prepare_init(&scene->loop, &scene->older);
    uv_prepare_init(&scene->loop, &scene->younger);
    uv_check_init(&scene->loop, &scene->check);
    uv_timer_init(&scene->loop, &scene->guard);
    scene->older.data = scene->younger.data = scene->check.data = scene->guard.data =
        scene;
    uv_prepare_start(&scene->older, on_prepare);

    scene->log = log;
    assert_int_equal(door_open(&scene->door, &scene->loop, DOOR_BYTES, DOOR_ITEMS),
                     ST_OK);
    struct writer_config config = {
        &scene->loop, scene->log, {0}, &scene->door, &scene->metrics};
    scene->writer = writer_start(&config);
    assert_non_null(scene->writer);
}

static void scene_open(struct scene *scene)
{
    const struct event_log_limits keep = {300000, 1000, 1 << 20};

    scene_open_with(scene, event_log_create(7, &keep));
    scene->refused = 1; /* none may be */
}

/* Until so many are kept in all. */
static void scene_run(struct scene *scene, unsigned wanted)
{
    scene->wanted = wanted;
    uv_timer_start(&scene->guard, on_guard, GUARD_MS, 0);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    uv_timer_stop(&scene->guard);
    assert_false(scene->is_late);
    assert_int_equal(scene->kept, scene->wanted);
}

static void scene_close(struct scene *scene)
{
    scene->wanted = 0;
    writer_stop(scene->writer);
    door_shut(&scene->door);
    uv_close((uv_handle_t *)&scene->older, NULL);
    uv_close((uv_handle_t *)&scene->younger, NULL);
    uv_close((uv_handle_t *)&scene->check, NULL);
    uv_close((uv_handle_t *)&scene->guard, NULL);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    free(scene->writer); /* nothing of it is under way any more */
}

static void scene_end(struct scene *scene)
{
    scene_close(scene);
    event_log_destroy(scene->log);
}

/* Whichever of the two libuv runs first: the other one comes after the writer's turn. */
static void an_append_just_before_the_loop_waits_is_answered(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene_run(&scene, EACH);
    uv_prepare_start(&scene.younger, on_prepare);
    scene_run(&scene, 2 * EACH);
    scene_end(&scene);
}

static void an_append_of_any_other_phase_is_answered(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    uv_prepare_stop(&scene.older);
    append_some(&scene); /* outside of the loop */
    scene_run(&scene, EACH);
    uv_check_start(&scene.check, on_check);
    append_some(&scene);
    scene_run(&scene, 3 * EACH);
    scene_end(&scene);
}

static void what_a_turn_appends_is_one_frame(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    uv_prepare_stop(&scene.older);
    append_some(&scene);
    append_some(&scene);
    scene_run(&scene, 2 * EACH);
    assert_int_equal(atomic_load(&frames_sent), 1);
    scene_end(&scene);
}

/* --- what is appended as one --- */

/* 999 and two: the two do not fit into one batch of a thousand, and are not parted. */
static void no_batch_ends_within_a_group(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    uv_prepare_stop(&scene.older);
    append_many(&scene, 999);
    assert_int_equal(append_group(&scene, 2), ST_OK);
    append_many(&scene, 1);
    scene_run(&scene, 1001);
    assert_int_equal(scene.last_seq, 1002);
    assert_int_equal(atomic_load(&scene.metrics.values[METRIC_LOG_COMMITS]), 2);
    assert_int_equal(atomic_load(&sent[0]), 999);
    assert_int_equal(atomic_load(&sent[1]), 3);
    scene_end(&scene);
}

static void a_group_that_does_not_fit_waits_for_nothing(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    uv_prepare_stop(&scene.older);
    append_many(&scene, LIMIT_APPEND_EVENTS - 1);
    assert_int_equal(append_group(&scene, 2), ST_BUSY);
    append_one(&scene);
    assert_int_equal(append_group(&scene, 1), ST_BUSY);
    scene_run(&scene, LIMIT_APPEND_EVENTS);
    assert_int_equal(scene.last_seq, LIMIT_APPEND_EVENTS);
    assert_int_equal(append_group(&scene, LIMIT_APPEND_GROUP + 1), ST_TOO_LARGE);
    assert_int_equal(append_group(&scene, LIMIT_APPEND_GROUP), ST_OK);
    scene_run(&scene, LIMIT_APPEND_EVENTS + 1);
    assert_int_equal(scene.last_seq, LIMIT_APPEND_EVENTS + LIMIT_APPEND_GROUP);
    scene_end(&scene);
}

static void what_waits_at_the_stop_is_answered(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    uv_prepare_stop(&scene.older);
    append_some(&scene);
    scene_end(&scene);
    assert_int_equal(scene.kept, EACH);
}

/* --- notes --- */

static void append_noted(struct scene *scene, const char *name, const char *bytes)
{
    const struct event_log_record note = {
        .subject = EVENT_LOG_USER, .name = slice_of(name), .bytes = slice_of(bytes)};
    const struct engine_entry entry = {.envelope = SLICE("it has a note")};
    const struct engine_append what = {.entries = &entry, .count = 1};

    assert_int_equal(writer_append(scene->writer, &what, &note, on_kept, scene), ST_OK);
}

static void note_alone(struct scene *scene, const char *name, const char *bytes)
{
    writer_record(scene->writer, EVENT_LOG_USER, slice_of(name), slice_of(bytes));
}

static void write_down(void *ctx, struct slice name, struct slice bytes)
{
    buf_add(ctx, name);
    buf_add_byte(ctx, '=');
    buf_add(ctx, slice_first(bytes, 8));
    buf_add_byte(ctx, ' ');
}

static void assert_notes(struct scene *scene, const char *wanted)
{
    struct buf found = {.max = 1000};

    event_log_notes(scene->log, EVENT_LOG_USER, write_down, &found);
    buf_add_byte(&found, 0);
    assert_string_equal(found.ptr, wanted);
    buf_finish(&found);
}

static void the_last_note_of_a_name_is_kept(void **state)
{
    struct scene scene;
    struct house house;

    (void)state;
    house_open(&house);
    scene_open_with(&scene, house.log);
    uv_prepare_stop(&scene.older);
    note_alone(&scene, "ada", "off");
    append_noted(&scene, "ada", "on");
    append_noted(&scene, "bob", "on");
    scene_run(&scene, 2);
    note_alone(&scene, "bob", "away");
    scene_close(&scene);
    assert_notes(&scene, "ada=on bob=away ");
    house_remove(&house);
}

static void the_last_note_is_kept_also_when_one_before_did_not_fit(void **state)
{
    static char big[100000];
    struct scene scene;
    struct house house;

    (void)state;
    memset(big, 'x', sizeof big - 1);
    house_open(&house);
    scene_open_with(&scene, house.log);
    uv_prepare_stop(&scene.older);
    uv_mutex_lock(&house.log->writing);
    log_db_limit_pages(((struct durable_log *)house.log)->writer, 20);
    uv_mutex_unlock(&house.log->writing);
    note_alone(&scene, "ada", big);
    append_noted(&scene, "ada", "on"); /* it would fit */
    scene_run(&scene, 0);
    assert_int_equal(scene.refused, 1);
    uv_mutex_lock(&house.log->writing);
    log_db_limit_pages(((struct durable_log *)house.log)->writer, 100000);
    uv_mutex_unlock(&house.log->writing);
    append_noted(&scene, "ada", "on");
    scene_run(&scene, 1);
    scene_close(&scene);
    assert_notes(&scene, "ada=on ");
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_append_just_before_the_loop_waits_is_answered),
        cmocka_unit_test(an_append_of_any_other_phase_is_answered),
        cmocka_unit_test(what_a_turn_appends_is_one_frame),
        cmocka_unit_test(no_batch_ends_within_a_group),
        cmocka_unit_test(a_group_that_does_not_fit_waits_for_nothing),
        cmocka_unit_test(what_waits_at_the_stop_is_answered),
        cmocka_unit_test(the_last_note_of_a_name_is_kept),
        cmocka_unit_test(the_last_note_is_kept_also_when_one_before_did_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
