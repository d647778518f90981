/* The table of keys: what its rows promise each other. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/config_value.h"

#include <string.h>

/* The row that a path hangs on, or NULL at the top. */
static const struct config_key *parent_of(const struct config_key *key)
{
    const char *end = strrchr(key->path, '.');
    size_t len = strlen(key->path);

    if (len > 2 && strcmp(key->path + len - 2, "[]") == 0)
        end = key->path + len - 2;
    for (size_t i = 0; end && i < config_key_count; i++)
        if (slice_is((struct slice){key->path, (size_t)(end - key->path)},
                     config_keys[i].path))
            return &config_keys[i];
    if (end)
        fail_msg("%s hangs on nothing", key->path);
    return NULL;
}

static void every_key_hangs_on_a_map_or_a_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *parent = parent_of(&config_keys[i]);
        bool is_item = strchr(config_keys[i].path, ']') &&
                       config_keys[i].path[strlen(config_keys[i].path) - 1] == ']';
        if (!parent)
            continue;
        enum key_type wanted = is_item ? KEY_LIST : KEY_MAP;
        assert_true(parent->type == wanted || parent->type == KEY_KEY_ITEMS);
    }
}

static void every_list_says_what_its_items_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].type == KEY_LIST)
            assert_non_null(config_key_item(&config_keys[i]));
}

static void no_key_is_there_twice_and_each_is_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        assert_true(strlen(config_keys[i].path) < CONFIG_KEY_PATH_BYTES);
        assert_true(strlen(config_keys[i].doc) > 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(config_keys[i].path, config_keys[k].path);
    }
}

static void every_default_is_a_value_that_one_may_write(void **state)
{
    char error[CONFIG_ERROR_BYTES];

    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        assert_true(!config_key_is_option(key) || key->fallback);
        if (!key->fallback || (key->flags & KEY_LATER))
            continue;
        if (config_value_check(key, key->path, slice_of(key->fallback), error))
            fail_msg("%s", error);
    }
}

static void numbers_have_a_range_and_words_a_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        bool has_words =
            key->type == KEY_WORD || key->type == KEY_CHOICE || key->type == KEY_WORDS;
        if (key->type <= KEY_INT && !(key->flags & KEY_LATER))
            assert_true(key->max > key->min);
        assert_true(!has_words || key->words);
    }
}

/* Neither what other programs set nor what container systems inject. */
static void no_option_has_the_name_of_a_foreign_variable(void **state)
{
    static const char *const foreign[] = {"url",    "api_key", "port",  "service",
                                          "config", "status",  "listen"};

    (void)state;
    for (size_t i = 0; i < config_key_count; i++)
        for (size_t k = 0; k < sizeof foreign / sizeof *foreign; k++) {
            size_t len = strlen(foreign[k]);
            bool is_it = strncmp(config_keys[i].path, foreign[k], len) == 0 &&
                         strchr("._", config_keys[i].path[len]);
            assert_false(is_it && config_key_is_option(&config_keys[i]));
        }
}

static void a_name_finds_its_row_before_the_row_of_any_name(void **state)
{
    const struct config_key *auth = config_key_child(NULL, SLICE("auth"));
    const struct config_key *refusal = config_key_child(auth, SLICE("refusal"));
    const struct config_key *commands = config_key_child(NULL, SLICE("commands"));

    (void)state;
    assert_string_equal(config_key_child(refusal, SLICE("missing"))->path,
                        "auth.refusal.missing");
    assert_string_equal(config_key_child(refusal, SLICE("*"))->path, "auth.refusal.*");
    assert_null(config_key_child(refusal, SLICE("mising")));
    assert_string_equal(config_key_child(commands, SLICE("debug.rooms"))->path,
                        "commands.*");
    assert_null(config_key_child(NULL, SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_hangs_on_a_map_or_a_list),
        cmocka_unit_test(every_list_says_what_its_items_are),
        cmocka_unit_test(no_key_is_there_twice_and_each_is_described),
        cmocka_unit_test(every_default_is_a_value_that_one_may_write),
        cmocka_unit_test(numbers_have_a_range_and_words_a_list),
        cmocka_unit_test(no_option_has_the_name_of_a_foreign_variable),
        cmocka_unit_test(a_name_finds_its_row_before_the_row_of_any_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
