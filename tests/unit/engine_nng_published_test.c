/* What gateways publish, group by group. The writer is played here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/engine_nng_published.h"
#include "support/directory_kit.h"

enum {
    INCARNATION = 7,
    MANY = LIMIT_APPEND_GROUP + 44,
};

/* Each append that the writer was asked for: which kinds, how many, up to which serial.
 */
struct scene {
    struct directory *directory;
    struct directory_gateway *gateway;
    struct published published;
    struct directory_request request;
    struct buf answer;
    char appended[200];
    enum status refusal; /* of the next append */
    size_t count;        /* under way */
    engine_kept_fn *on_kept;
    void *ctx;
    uint64_t seq;
    unsigned done;
};

enum status writer_append(struct writer *writer, const struct engine_append *what,
                          const struct event_log_record *record, engine_kept_fn *on_kept,
                          void *ctx)
{
    struct scene *scene = (struct scene *)writer;
    struct directory_published known = {0};
    size_t len = strlen(scene->appended);

    if (record) {
        assert_int_equal(record->subject, EVENT_LOG_GATEWAY);
        assert_true(slice_is(record->name, "g1"));
        assert_int_equal(directory_published_decode(record->bytes, &known), ST_OK);
        assert_int_equal(known.incarnation, INCARNATION);
    }
    for (size_t i = 0; i < what->count && i < 8; i++)
        scene->appended[len++] = what->entries[i].is_volatile ? 'v' : 'k';
    snprintf(scene->appended + len, sizeof scene->appended - len, "%zu:%d ", what->count,
             (int)known.last_serial);
    scene->count = what->count;
    scene->on_kept = on_kept;
    scene->ctx = ctx;
    return scene->refusal;
}

static void on_done(void *ctx)
{
    ((struct scene *)ctx)->done++;
}

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){
        .directory = directory_create(&hash_key, 0),
        .request = {.gateway = SLICE("g1"), .incarnation = INCARNATION, .number = 1},
        .answer = {.max = 100000          },
    };
    scene->gateway = meet(scene->directory, "g1", INCARNATION, 0);
    assert_true(directory_is_in_order(scene->gateway, 1));
    scene->published = (struct published){
        .directory = scene->directory,
        .writer = (struct writer *)scene,
        .keeps_records = true,
        .on_done = on_done,
        .ctx = scene,
    };
}

static void scene_close(struct scene *scene)
{
    published_finish(&scene->published);
    directory_destroy(scene->directory);
    buf_finish(&scene->answer);
}

static void add(struct scene *scene, uint64_t serial, bool is_volatile,
                struct slice envelope)
{
    const struct directory_result no = {.outcome = OUTCOME_FULL, .kind = RESULT_POSITION};
    const struct directory_op op = {
        .serial = serial, .is_volatile = is_volatile, .envelope = envelope};

    assert_true(directory_is_new_event(scene->gateway, serial));
    published_add(&scene->published, &scene->request, &op, scene->answer.len);
    directory_result_encode(&no, &scene->answer);
}

/* One event per letter, v: a volatile one, x: none at all. */
static void publish(struct scene *scene, const char *kinds)
{
    struct envelope_target target = {ROOM_NAMED, SLICE("a")};
    const struct envelope event = {
        .id = SLICE("id"),
        .nsp = SLICE("/"),
        .event = SLICE("e"),
        .event_json = SLICE("\"e\""),
        .data = SLICE("1"),
        .targets = &target,
        .target_count = 1,
    };
    struct buf wire = {.max = 1000};

    envelope_encode(&event, &wire);
    for (uint64_t i = 0; kinds[i]; i++)
        add(scene, i + 1, kinds[i] == 'v',
            kinds[i] == 'x' ? SLICE("x") : buf_slice(&wire));
    published_run(&scene->published, &scene->answer);
    buf_finish(&wire);
}

static void answer(struct scene *scene, enum status status)
{
    struct position position = {5, scene->seq += scene->count};

    scene->on_kept(scene->ctx, status, &position);
}

static void assert_results(const struct scene *scene, const char *wanted)
{
    struct slice rest = buf_slice(&scene->answer);
    struct directory_result result;
    char text[200] = "";

    while (directory_result_next(&rest, &result))
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d ",
                 result.outcome ? -1 : (int)result.seq);
    assert_string_equal(text, wanted);
}

static void a_request_is_kept_as_one_and_in_its_order(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    publish(&scene, "kkvvk");
    assert_int_equal(scene.done, 0);
    answer(&scene, ST_OK);
    assert_int_equal(scene.done, 1);
    assert_string_equal(scene.appended, "kkvvk5:5 ");
    assert_results(&scene, "1 2 3 4 5 ");
    scene_close(&scene);
}

static void publish_many(struct scene *scene)
{
    char kinds[MANY + 1] = "";

    memset(kinds, 'k', MANY);
    publish(scene, kinds);
}

static void more_than_a_group_is_several(void **state)
{
    struct scene scene;
    char wanted[64];

    (void)state;
    scene_open(&scene);
    publish_many(&scene);
    answer(&scene, ST_OK);
    assert_int_equal(scene.done, 0);
    answer(&scene, ST_OK);
    assert_int_equal(scene.done, 1);
    snprintf(wanted, sizeof wanted, "kkkkkkkk%d:%d kkkkkkkk44:%d ", LIMIT_APPEND_GROUP,
             LIMIT_APPEND_GROUP, MANY);
    assert_string_equal(scene.appended, wanted);
    scene_close(&scene);
}

/* Else what is kept would not be a beginning, and a record could not say what it is. */
static void nothing_is_kept_behind_what_could_not_be(void **state)
{
    static const struct {
        enum status first, second_at_once, second;
        uint64_t kept;
    } cases[] = {
        {ST_OK,       ST_BUSY, ST_OK,       LIMIT_APPEND_GROUP},
        {ST_OK,       ST_OK,   ST_LOG_DOWN, LIMIT_APPEND_GROUP},
        {ST_LOG_DOWN, ST_OK,   ST_OK,       0                 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene;
        scene_open(&scene);
        publish_many(&scene);
        scene.refusal = cases[i].second_at_once;
        answer(&scene, cases[i].first);
        if (!cases[i].first && !cases[i].second_at_once)
            answer(&scene, cases[i].second);
        assert_int_equal(scene.done, 1);
        for (uint64_t serial = 1; serial <= MANY; serial++)
            assert_int_equal(directory_is_refused(scene.gateway, serial),
                             serial > cases[i].kept);
        scene_close(&scene);
    }
}

/* Its lease was over before all was kept, and its answer was lost. */
static void who_is_given_up_in_between_hears_what_was_not_kept(void **state)
{
    (void)state;
    for (int is_first_none = 0; is_first_none < 2; is_first_none++) {
        struct scene scene;
        char kinds[MANY + 1] = "", wanted[64];
        int first = LIMIT_APPEND_GROUP + is_first_none;
        memset(kinds, 'k', MANY);
        kinds[0] = is_first_none ? 'x' : 'k';
        scene_open(&scene);
        publish(&scene, kinds);
        directory_expire(scene.directory, DIRECTORY_LEASE_MS + 1);
        answer(&scene, ST_OK);
        answer(&scene, ST_LOG_DOWN);
        assert_int_equal(scene.done, 1);
        snprintf(wanted, sizeof wanted, "kkkkkkkk%d:%d kkkkkkkk%d:%d ",
                 LIMIT_APPEND_GROUP, first, MANY - first, MANY);
        assert_string_equal(scene.appended, wanted);

        scene.gateway = meet(scene.directory, "g1", INCARNATION, DIRECTORY_LEASE_MS + 2);
        assert_false(directory_is_new_event(scene.gateway, MANY));
        for (int serial = 1; serial <= MANY; serial++)
            if (serial == 1 || serial > first)
                assert_int_equal(directory_is_refused(scene.gateway, serial),
                                 is_first_none || serial > first);
        scene_close(&scene);
    }
}

static void what_is_no_event_is_refused_alone(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    publish(&scene, "x");
    assert_int_equal(scene.done, 1);
    scene_close(&scene);

    scene_open(&scene);
    publish(&scene, "kxk");
    answer(&scene, ST_OK);
    assert_int_equal(scene.done, 1);
    assert_string_equal(scene.appended, "kk2:3 ");
    assert_results(&scene, "1 -1 2 ");
    assert_true(directory_is_refused(scene.gateway, 2));
    scene_close(&scene);
}

static void a_log_that_ends_with_its_process_has_no_records(void **state)
{
    struct scene scene;

    (void)state;
    scene_open(&scene);
    scene.published.keeps_records = false;
    publish(&scene, "k");
    answer(&scene, ST_OK);
    assert_string_equal(scene.appended, "k1:0 ");
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_kept_as_one_and_in_its_order),
        cmocka_unit_test(more_than_a_group_is_several),
        cmocka_unit_test(nothing_is_kept_behind_what_could_not_be),
        cmocka_unit_test(what_is_no_event_is_refused_alone),
        cmocka_unit_test(who_is_given_up_in_between_hears_what_was_not_kept),
        cmocka_unit_test(a_log_that_ends_with_its_process_has_no_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
