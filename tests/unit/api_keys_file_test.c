/* Files of API keys: what they give, and what is wrong with them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "publisher-api/api_keys_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_A "sk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "sk_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

static bool read_text(struct api_keys *keys, const char *text, struct faults *faults)
{
    static char path[64]; /* the places of faults keep it */
    snprintf(path, sizeof path, "/tmp/api-keys-XXXXXX");
    int fd = mkstemp(path);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    bool is_good = api_keys_add_file(keys, path, faults);
    unlink(path);
    return is_good;
}

static void a_named_key_has_what_its_row_says(void **state)
{
    struct api_keys *keys = api_keys_create();
    struct faults faults = {0};

    (void)state;
    assert_true(read_text(keys,
                          "ci: {key: " KEY_A ", rooms: 'a:*', events: [x.*, y]}\n"
                          "boss:\n  key: " KEY_B "\n  scopes: [admin, publish]\n",
                          &faults));
    const struct api_key *ci = api_keys_find(keys, SLICE(KEY_A));
    const struct api_key *boss = api_keys_find(keys, SLICE(KEY_B));
    assert_string_equal(ci->name, "ci");
    assert_int_equal(ci->scopes, API_SCOPE_PUBLISH);
    assert_int_equal(ci->room_count, 1);
    assert_true(slice_is(ci->rooms[0], "a:*"));
    assert_int_equal(ci->event_count, 2);
    assert_int_equal(boss->scopes, API_SCOPE_PUBLISH | API_SCOPE_ADMIN);
    assert_int_equal(boss->room_count + boss->event_count, 0);
    api_keys_destroy(keys);
}

static void keys_may_stand_alone(void **state)
{
    static const char *const texts[] = {KEY_A "\n" KEY_B "\n", KEY_A "," KEY_B,
                                        "\n " KEY_A ", " KEY_B " "};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct api_keys *keys = api_keys_create();
        struct faults faults = {0};
        assert_true(read_text(keys, texts[i], &faults));
        assert_int_equal(api_keys_count(keys), 2);
        assert_int_equal(api_keys_find(keys, SLICE(KEY_B))->scopes,
                         API_SCOPE_PUBLISH | API_SCOPE_ADMIN);
        api_keys_destroy(keys);
    }
}

static void every_mistake_is_told_without_a_byte_of_a_key(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"a: {key: sk_short}",                       "43 characters"      },
        {"a: {scopes: publish}",                     "a map: key, scopes" },
        {"a: " KEY_A,                                "a map: key, scopes" },
        {"a: {key: [" KEY_A "]}",                    "a map: key, scopes" },
        {"a: {key: " KEY_A ", scope: admin}",        "no \"scope\""       },
        {"a: {key: " KEY_A ", scopes: [admni]}",     "cannot be \"admni\""},
        {"a: {key: " KEY_A ", scopes: []}",          "may do nothing"     },
        {"a: {key: " KEY_A ", scopes: " KEY_B "}",   "publish or admin"   },
        {"a: {key: " KEY_A ", " KEY_B ": x}",        "no name of a field" },
        {"a: {key: " KEY_A ", rooms: []}",           "from 1 to 256"      },
        {"a: {key: " KEY_A ", rooms: ['a b']}",      "patterns of rooms"  },
        {"a: {key: " KEY_A ", events: ['']}",        "names of events"    },
        {"a: {key: " KEY_A "}\nb: {key: " KEY_A "}", "there twice"        },
        {KEY_A " " KEY_A,                            "there twice"        },
        {"[" KEY_A "]",                              "API keys are a map" },
        {"a: {key: " KEY_A,                          ""                   },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct api_keys *keys = api_keys_create();
        struct faults faults = {0};
        assert_false(read_text(keys, rows[i].text, &faults));
        const char *message = faults.items[0].message;
        if (!strstr(message, rows[i].message) || strstr(message, "AAA") ||
            strstr(message, "BBB"))
            fail_msg("%s: %s", rows[i].text, message);
        assert_true(faults.items[0].place.line > 0);
        faults_finish(&faults);
        api_keys_destroy(keys);
    }
}

static void what_is_no_file_is_refused_at_once(void **state)
{
    static const char *const paths[] = {"/nowhere/at/all", "/tmp", "/dev/null", ""};

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct api_keys *keys = api_keys_create();
        struct faults faults = {0};
        assert_false(api_keys_add_file(keys, paths[i], &faults));
        assert_int_equal(faults.count, 1);
        faults_finish(&faults);
        api_keys_destroy(keys);
    }
}

static void fresh_keys_take_the_place_of_those_before(void **state)
{
    struct api_keys *keys = api_keys_create(), *fresh = api_keys_create();

    (void)state;
    assert_int_equal(api_keys_add_list(keys, SLICE(KEY_A)), ST_OK);
    assert_int_equal(api_keys_add_list(fresh, SLICE(KEY_B)), ST_OK);
    api_keys_replace(keys, fresh);
    assert_null(api_keys_find(keys, SLICE(KEY_A)));
    assert_non_null(api_keys_find(keys, SLICE(KEY_B)));
    api_keys_destroy(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_key_has_what_its_row_says),
        cmocka_unit_test(keys_may_stand_alone),
        cmocka_unit_test(every_mistake_is_told_without_a_byte_of_a_key),
        cmocka_unit_test(what_is_no_file_is_refused_at_once),
        cmocka_unit_test(fresh_keys_take_the_place_of_those_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
