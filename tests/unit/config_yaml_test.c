/* The strict subset of YAML, and how faults are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/config_yaml.h"
#include "proto/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_tree_keeps_texts_and_places(void **state)
{
    static const char text[] = "# a system\n"
                               "gateway: {ping_interval: 25s, socketio: no}\n"
                               "rooms:\n"
                               "  - match: \"team:{claims.team}\"\n"
                               "    allow: any\n"
                               "  - \"7\"\n";
    struct faults faults = {0};
    struct document_node root;

    (void)state;
    assert_true(config_yaml_read("f.yaml", slice_of(text), &root, &faults));
    assert_int_equal(root.kind, DOCUMENT_MAP);
    assert_int_equal(root.count, 2);

    const struct document_node *gateway = document_find(&root, "gateway");
    const struct document_node *interval = document_find(gateway, "ping_interval");
    assert_true(slice_is(interval->text, "25s"));
    assert_int_equal(interval->place.line, 2);
    assert_int_equal(interval->place.column, 26);
    assert_int_equal(interval->place.length, 3);
    /* No implicit types: `no` is a text until somebody asks for a switch. */
    assert_true(slice_is(document_find(gateway, "socketio")->text, "no"));
    assert_null(document_find(gateway, "nothing"));
    assert_null(document_find(interval, "nothing"));

    const struct document_node *rooms = document_find(&root, "rooms");
    assert_int_equal(rooms->kind, DOCUMENT_LIST);
    assert_int_equal(rooms->count, 2);
    assert_true(rooms->items[1].is_quoted);
    assert_false(document_is_json_word(&rooms->items[1]));
    assert_int_equal(rooms->items[0].entries[1].place.line, 5);
    document_finish(&root);
    faults_finish(&faults);
}

static void json_is_read_too(void **state)
{
    struct faults faults = {0};
    struct document_node root;

    (void)state;
    assert_true(config_yaml_read("f.json", SLICE("{\"a\": [1, true, \"x\"], \"b\": {}}"),
                                 &root, &faults));
    const struct document_node *a = document_find(&root, "a");
    assert_true(document_is_json_word(&a->items[0]));
    assert_true(document_is_json_word(&a->items[1]));
    assert_false(document_is_json_word(&a->items[2]));
    document_finish(&root);
}

static void an_empty_text_is_an_empty_map(void **state)
{
    static const char *const texts[] = {"", "\n", "# nothing\n", "---\n"};
    struct faults faults = {0};
    struct document_node root;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(config_yaml_read("f", slice_of(texts[i]), &root, &faults));
        assert_int_equal(root.kind, DOCUMENT_MAP);
        assert_int_equal(root.count, 0);
        document_finish(&root);
    }
}

static void what_is_no_part_of_the_subset_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *said; /* file:line:column: and the beginning of the message */
    } rows[] = {
        {"a: &x 1\n",                           "f:1:4: anchors are not read"          },
        {"a: 1\nb: *x\n",                       "f:2:4: aliases are not read"          },
        {"a: !!str 1\n",                        "f:1:4: tags are not read"             },
        {"a: 1\nb: 2\na: 3\n",                  "f:3:1: this key is here a second time"},
        {"a: 1\n---\nb: 1\n",                   "f:2:1: one document is read"          },
        {"? [a, b]\n: 1\n",                     "f:1:3: a key must be a word"          },
        {"a: [1\n",                             "f:2:1: did not find expected"         },
        {"a:\n\tb: 1\n",                        "f:2:1: found character"               },
        {"a: \"\\q\"\n",                        "f:1:5: found unknown escape"          },
        {"a: \x01\n",                           "f:1:1: control characters"            },
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "f:1:17: this is nested too deep"      },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = {0};
        struct document_node root;
        struct buf out = {.max = 4096};
        assert_false(config_yaml_read("f", slice_of(rows[i].text), &root, &faults));
        assert_true(faults.count >= 1);
        fault_print(&faults.items[0], slice_of(""), &out);
        buf_add_byte(&out, '\0');
        if (strncmp(out.ptr, rows[i].said, strlen(rows[i].said)) != 0)
            fail_msg("%s: said %s", rows[i].text, out.ptr);
        buf_finish(&out);
        document_finish(&root);
        faults_finish(&faults);
    }
}

static void several_faults_are_found_in_one_reading(void **state)
{
    struct faults faults = {0};
    struct document_node root;

    (void)state;
    assert_false(
        config_yaml_read("f", SLICE("a: &x 1\na: 2\nb: !t 3\n"), &root, &faults));
    assert_int_equal(faults.count, 3);
    assert_int_equal(root.count, 3);
    document_finish(&root);
    faults_finish(&faults);
}

static void a_fault_shows_its_line_with_a_mark(void **state)
{
    static const char source[] = "public_url: x\nallowed_origns: []\n";
    static const char *const words[] = {"public_url", "allowed_origins"};
    struct faults faults = {0};
    struct buf out = {.max = 4096};

    (void)state;
    faults_add_word(&faults, (struct place){"f.yaml", 2, 1, 14}, "unknown key",
                    SLICE("allowed_origns"), words, 2);
    fault_print(&faults.items[0], slice_of(source), &out);
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr,
                        "f.yaml:2:1: unknown key \"allowed_origns\"\n"
                        "    2 | allowed_origns: []\n"
                        "      | ^^^^^^^^^^^^^^ did you mean \"allowed_origins\"?\n");
    buf_finish(&out);
    faults_finish(&faults);
}

static void faults_are_shown_in_the_order_of_the_file_up_to_a_ceiling(void **state)
{
    struct faults faults = {0};

    (void)state;
    for (unsigned i = 0; i < LIMIT_FAULTS + 5; i++) {
        struct place place = {"f", 1000 - i, 1, 0};
        faults_add(&faults, place, NULL, "%u", i);
    }
    assert_int_equal(faults.count, LIMIT_FAULTS);
    assert_int_equal(faults.left_out, 5);
    faults_sort(&faults);
    for (size_t i = 1; i < faults.count; i++)
        assert_true(faults.items[i - 1].place.line < faults.items[i].place.line);
    faults_finish(&faults);
    assert_true(faults_are_none(&faults));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_keeps_texts_and_places),
        cmocka_unit_test(json_is_read_too),
        cmocka_unit_test(an_empty_text_is_an_empty_map),
        cmocka_unit_test(what_is_no_part_of_the_subset_is_told_with_its_place),
        cmocka_unit_test(several_faults_are_found_in_one_reading),
        cmocka_unit_test(a_fault_shows_its_line_with_a_mark),
        cmocka_unit_test(faults_are_shown_in_the_order_of_the_file_up_to_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
