/* What happens at connect: rooms that fan out, greetings, and what is found at load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/connect_rules.h"
#include "support/yaml_node.h"

#include <string.h>

static struct connect_rules *rules_of(const char *yaml)
{
    struct document_node node = yaml_node(yaml);
    struct faults faults = {0};
    struct connect_rules *rules = connect_rules_compile(&node, &faults);

    assert_non_null(rules);
    document_finish(&node);
    return rules;
}

static enum status append(void *ctx, struct slice name)
{
    buf_add(ctx, name);
    buf_add_byte(ctx, ' ');
    return ST_OK;
}

static void lists_fan_out_to_rooms(void **state)
{
    static const struct {
        const char *claims;
        enum status status;
        const char *rooms;
    } rows[] = {
        {"{\"sub\":\"7\",\"programs\":[1,\"b\"]}", ST_OK,
         "user:7 all program:1 program:b "                                      },
        {"{\"sub\":\"7\",\"programs\":[]}",        ST_OK,          "user:7 all "},
        {"{\"sub\":\"7\"}",                        ST_BAD_PAYLOAD, NULL         },
        {"{\"sub\":\"7\",\"programs\":[\"a:b\"]}", ST_BAD_PAYLOAD, NULL         },
        {"{\"sub\":\"7\",\"programs\":[\"\"]}",    ST_BAD_PAYLOAD, NULL         },
        {"{\"sub\":\"7\",\"programs\":[\"*\"]}",   ST_BAD_PAYLOAD, NULL         },
    };
    struct connect_rules *rules = rules_of(
        "{auto_join: ['user:{claims.sub}', all, 'program:{claims.programs[]}']}");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct template_values values = {.claims = slice_of(rows[i].claims)};
        struct buf scratch = {.max = 4096}, out = {.max = 4096};
        struct template_failure failure;
        enum status st =
            connect_rules_rooms(rules, &values, &scratch, append, &out, &failure);
        if (st != rows[i].status ||
            (rows[i].rooms && !slice_is(buf_slice(&out), rows[i].rooms)))
            fail_msg("row %zu: %.*s", i, (int)out.len, out.ptr);
        buf_finish(&scratch);
        buf_finish(&out);
    }
    assert_int_equal(connect_rules_uses(rules), TEMPLATE_BIT(TEMPLATE_CLAIMS));
    connect_rules_destroy(rules);
}

static void greetings_are_events_with_their_payloads(void **state)
{
    struct connect_rules *rules = rules_of("emit:\n"
                                           "  - {event: auth, payload: '{auth}'}\n"
                                           "  - {event: 'hi \"you\"', payload: {id: "
                                           "'{conn.id}', again: '{conn.recovered}'}}\n"
                                           "  - bare\n");
    static const char *const events[] = {"\"auth\"", "\"hi \\\"you\\\"\"", "\"bare\""};
    static const char *const args[] = {"{\"a\":1}", "{\"id\":\"s1\",\"again\":false}",
                                       ""};
    const struct template_values values = {.auth = SLICE("{\"a\":1}"),
                                           .conn_id = SLICE("s1")};
    const struct emission_list *emits = connect_rules_emits(rules);

    (void)state;
    assert_int_equal(emission_count(emits), 3);
    for (size_t i = 0; i < 3; i++) {
        struct template_failure failure;
        struct buf out = {.max = 4096};
        assert_true(slice_is(emission_event(emits, i), events[i]));
        assert_int_equal(emission_args(emits, i, &values, &out, &failure), ST_OK);
        assert_true(slice_equal(buf_slice(&out), slice_of(args[i])));
        buf_finish(&out);
    }
    assert_int_equal(connect_rules_uses(rules),
                     TEMPLATE_BIT(TEMPLATE_AUTH) | TEMPLATE_BIT(TEMPLATE_CONN));
    connect_rules_destroy(rules);
}

static void all_mistakes_are_found_at_once(void **state)
{
    struct document_node node = yaml_node("hook: members\n"
                                          "auto_join:\n"
                                          "  - 'a b'\n"
                                          "  - 'x:{auth.room}'\n"
                                          "  - [x]\n"
                                          "emit:\n"
                                          "  - {event: disconnect}\n"
                                          "  - {payload: 1}\n"
                                          "  - {event: x, payload: {a: ['{args.0}']}}\n");
    static const unsigned lines[] = {1, 3, 4, 5, 7, 8, 9};
    struct faults faults = {0};

    (void)state;
    assert_null(connect_rules_compile(&node, &faults));
    faults_sort(&faults);
    assert_int_equal(faults.count, sizeof lines / sizeof *lines);
    for (size_t i = 0; i < faults.count; i++)
        assert_int_equal(faults.items[i].place.line, lines[i]);
    faults_finish(&faults);
    document_finish(&node);
}

static void without_a_table_nothing_happens(void **state)
{
    struct faults faults = {0};
    struct connect_rules *rules = connect_rules_compile(NULL, &faults);

    (void)state;
    assert_int_equal(connect_rules_uses(rules), 0);
    assert_int_equal(emission_count(connect_rules_emits(rules)), 0);
    connect_rules_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_fan_out_to_rooms),
        cmocka_unit_test(greetings_are_events_with_their_payloads),
        cmocka_unit_test(all_mistakes_are_found_at_once),
        cmocka_unit_test(without_a_table_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
