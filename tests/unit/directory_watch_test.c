/* Users as their watcher hears of them: the first session, the last one, and who is
 * there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/directory.h"

#include <stdio.h>
#include <string.h>

static const struct hash_key hash_key = {1, 2};

struct scene {
    struct directory *directory;
    struct directory_gateway *gateways[2];
    char told[200];
};

static void on_user(void *ctx, struct slice nsp, struct slice user, bool is_here)
{
    char *told = ((struct scene *)ctx)->told;

    snprintf(told + strlen(told), 200 - strlen(told), "%c%.*s%.*s ", is_here ? '+' : '-',
             (int)nsp.len, nsp.ptr, (int)user.len, user.ptr);
}

static int64_t last_seen(void *ctx, struct slice nsp, struct slice user)
{
    (void)ctx;
    return (int64_t)(100 * nsp.len + user.len);
}

static const struct engine_watcher watcher = {on_user, last_seen};

static void begin(struct scene *scene)
{
    *scene = (struct scene){.directory = directory_create(&hash_key, 0)};
    for (int i = 0; i < 2; i++)
        directory_contact(scene->directory, i ? SLICE("g2") : SLICE("g1"), 1, 0,
                          &scene->gateways[i]);
}

static void put(struct scene *scene, int at, const char *sid, const char *user,
                uint64_t generation)
{
    const struct engine_session session = {
        .sid = slice_of(sid),
        .nsp = SLICE("/"),
        .user = slice_of(user),
        .generation = generation,
    };

    assert_int_equal(directory_put(scene->directory, scene->gateways[at], &session),
                     ST_OK);
}

static void assert_told(struct scene *scene, const char *wanted)
{
    assert_string_equal(scene->told, wanted);
    scene->told[0] = '\0';
}

static void the_first_session_and_the_last_one_are_told(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    directory_watch(scene.directory, &watcher, &scene);
    put(&scene, 0, "s1", "ada", 1);
    assert_told(&scene, "+/ada ");
    put(&scene, 1, "s2", "ada", 1);
    put(&scene, 1, "s3", "", 1);
    assert_told(&scene, "");
    directory_drop(scene.directory, scene.gateways[0], SLICE("s1"), 1);
    assert_told(&scene, "");
    directory_drop(scene.directory, scene.gateways[1], SLICE("s2"), 1);
    directory_drop(scene.directory, scene.gateways[1], SLICE("s3"), 1);
    assert_told(&scene, "-/ada ");
    /* A session that becomes somebody, then somebody else. */
    put(&scene, 0, "s4", "", 1);
    put(&scene, 0, "s4", "bob", 2);
    put(&scene, 0, "s4", "cem", 3);
    assert_told(&scene, "+/bob -/bob +/cem ");
    directory_expire(scene.directory, DIRECTORY_LEASE_MS + 1);
    assert_told(&scene, "-/cem ");
    directory_destroy(scene.directory);
}

static void a_new_watcher_is_told_who_is_there(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    put(&scene, 0, "s1", "ada", 1);
    put(&scene, 1, "s2", "ada", 1);
    assert_int_equal(directory_last_seen(scene.directory, SLICE("/"), SLICE("ada")), 0);
    directory_watch(scene.directory, &watcher, &scene);
    assert_told(&scene, "+/ada ");
    assert_int_equal(directory_last_seen(scene.directory, SLICE("/"), SLICE("ada")), 103);
    directory_watch(scene.directory, NULL, NULL);
    directory_destroy(scene.directory);
    assert_told(&scene, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_session_and_the_last_one_are_told),
        cmocka_unit_test(a_new_watcher_is_told_who_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
