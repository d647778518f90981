/* What clients are told before they are sent away, and what is found at load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/drain_rules.h"
#include "support/yaml_node.h"

#include <string.h>

static void an_event_is_told_with_its_payload(void **state)
{
    struct document_node node =
        yaml_node("{window: 5s, event: bye, payload: {for: '{claims.sub}'}}");
    struct faults faults = {0};
    struct emission_list *list = drain_rules_compile(&node, &faults);
    struct template_values values = {.claims = SLICE("{\"sub\":\"7\"}")};
    struct template_failure failure;
    struct buf args = {.max = 256};

    (void)state;
    assert_non_null(list);
    assert_int_equal(emission_count(list), 1);
    assert_true(slice_is(emission_event(list, 0), "\"bye\""));
    assert_int_equal(emission_args(list, 0, &values, &args, &failure), ST_OK);
    assert_true(slice_is(buf_slice(&args), "{\"for\":\"7\"}"));
    buf_finish(&args);
    emission_list_destroy(list);
    document_finish(&node);
}

static void nothing_is_told_unless_it_is_said(void **state)
{
    struct document_node node = yaml_node("{window: 5s}");
    const struct document_node *const rows[] = {NULL, &node};
    struct faults faults = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct emission_list *list = drain_rules_compile(rows[i], &faults);
        assert_non_null(list);
        assert_int_equal(emission_count(list), 0);
        emission_list_destroy(list);
    }
    document_finish(&node);
}

static void faults_are_found_at_load(void **state)
{
    static const struct {
        const char *yaml, *fault;
    } rows[] = {
        {"{payload: {a: 1}}",                 "drain.payload needs drain.event"},
        {"{event: connect}",                  "drain.event is a name"          },
        {"{event: bye, payload: '{args.0}'}", "args"                           },
        {"[bye]",                             "drain is a map"                 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document_node node = yaml_node(rows[i].yaml);
        struct faults faults = {0};
        struct emission_list *list = drain_rules_compile(&node, &faults);
        if (faults.count == 0 || !strstr(faults.items[0].message, rows[i].fault))
            fail_msg("row %zu: %s", i,
                     faults.count ? faults.items[0].message : "no fault");
        emission_list_destroy(list);
        faults_finish(&faults);
        document_finish(&node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_told_with_its_payload),
        cmocka_unit_test(nothing_is_told_unless_it_is_said),
        cmocka_unit_test(faults_are_found_at_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
