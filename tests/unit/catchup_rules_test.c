/* The `catchup` table and a room's history: defaults, every fault, who asks for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/catchup_rules.h"
#include "proto/limits.h"
#include "proto/template.h"
#include "support/yaml_node.h"

#include <string.h>

static struct catchup_rules *compiled(const char *yaml)
{
    struct document_node root = yaml_node(yaml);
    struct faults faults = {0};
    struct catchup_rules *rules =
        catchup_rules_compile(document_find(&root, "catchup"), &faults);

    assert_non_null(rules);
    assert_true(faults_are_none(&faults));
    document_finish(&root);
    return rules;
}

/* What it says of a client that connects with `auth`. */
static enum catchup_wish asked(const struct catchup_rules *rules, const char *auth,
                               int64_t *since_ms)
{
    struct template_values values = {.auth = slice_of(auth),
                                     .claims = SLICE("{\"sub\":\"7\"}")};
    struct buf scratch = {.max = 4096};
    enum catchup_wish wish = catchup_rules_since(rules, &values, &scratch, since_ms);

    buf_finish(&scratch);
    return wish;
}

static void a_file_that_says_nothing_lets_nobody_ask(void **state)
{
    struct catchup_rules *rules = compiled("other: 1\n");
    int64_t since_ms;
    bool only_if_cut;

    (void)state;
    assert_int_equal(asked(rules, "{\"since\":1}", &since_ms), CATCHUP_UNASKED);
    assert_int_equal(catchup_rules_uses(rules), 0);
    assert_null(catchup_rules_done(rules, &only_if_cut));
    assert_memory_equal(catchup_rules_limits(rules), &catchup_defaults,
                        sizeof catchup_defaults);
    catchup_rules_destroy(rules);
}

static void a_client_asks_by_naming_a_moment(void **state)
{
    static const struct {
        const char *auth;
        enum catchup_wish wish;
        int64_t since_ms;
    } rows[] = {
        {"{\"last\":1763757600123}",                CATCHUP_ASKED,      1763757600123},
        {"{\"last\":\"2025-11-21T20:40:00.123Z\"}", CATCHUP_ASKED,      1763757600123},
        {"{\"last\":0}",                            CATCHUP_ASKED,      0            },
        {"{\"last\":null}",                         CATCHUP_UNASKED,    0            },
        {"{\"last\":\"\"}",                         CATCHUP_UNASKED,    0            },
        {"{\"last\":false}",                        CATCHUP_UNASKED,    0            },
        {"{}",                                      CATCHUP_UNASKED,    0            },
        {"",                                        CATCHUP_UNASKED,    0            },
        {"{\"last\":true}",                         CATCHUP_UNREADABLE, 0            },
        {"{\"last\":{}}",                           CATCHUP_UNREADABLE, 0            },
        {"{\"last\":\"soon\"}",                     CATCHUP_UNREADABLE, 0            },
    };
    struct catchup_rules *rules = compiled("catchup: {from: '{auth.last}'}\n");

    (void)state;
    assert_int_equal(catchup_rules_uses(rules) & TEMPLATE_BIT(TEMPLATE_AUTH),
                     TEMPLATE_BIT(TEMPLATE_AUTH));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t since_ms = 0;
        assert_int_equal(asked(rules, rows[i].auth, &since_ms), rows[i].wish);
        assert_int_equal(since_ms, rows[i].since_ms);
    }
    catchup_rules_destroy(rules);
}

static void the_file_sets_bounds_unit_order_and_the_last_word(void **state)
{
    struct catchup_rules *rules =
        compiled("catchup: {from: '{auth.last}', unit: s, per_room: 7, total: 9, "
                 "ttl: 1h, order: oldest, done: {event: done, payload: "
                 "{n: '{catchup.count}', cut: '{catchup.truncated}'}}}\n");
    const struct catchup_limits *limits = catchup_rules_limits(rules);
    const struct template_values values = {
        .catchup = SLICE("{\"count\":3,\"truncated\":true,\"rooms\":[\"a\"]}")};
    struct template_failure failure;
    struct buf out = {.max = 1000};
    int64_t since_ms;
    bool only_if_cut;

    (void)state;
    assert_true(limits->per_room == 7 && limits->total == 9);
    assert_true(limits->ttl_ms == 3600000 && limits->oldest_first);
    assert_int_equal(asked(rules, "{\"last\":12}", &since_ms), CATCHUP_ASKED);
    assert_int_equal(since_ms, 12000);
    const struct emission_list *done = catchup_rules_done(rules, &only_if_cut);
    assert_false(only_if_cut);
    assert_true(slice_is(emission_event(done, 0), "\"done\""));
    assert_int_equal(emission_args(done, 0, &values, &out, &failure), ST_OK);
    assert_true(slice_is(buf_slice(&out), "{\"n\":3,\"cut\":true}"));
    buf_finish(&out);
    catchup_rules_destroy(rules);
}

/* Who is not given all is told so, whatever the file forgot. */
static void without_a_last_word_there_is_one_when_events_are_missing(void **state)
{
    struct catchup_rules *rules = compiled("catchup: {from: '{auth.last}'}\n");
    const struct template_values values = {.catchup = SLICE("{\"count\":0}")};
    struct template_failure failure;
    struct buf out = {.max = 1000};
    bool only_if_cut;
    const struct emission_list *done = catchup_rules_done(rules, &only_if_cut);

    (void)state;
    assert_true(only_if_cut);
    assert_int_equal(emission_count(done), 1);
    assert_true(slice_is(emission_event(done, 0), "\"catchup\""));
    assert_int_equal(emission_args(done, 0, &values, &out, &failure), ST_OK);
    assert_true(slice_is(buf_slice(&out), "{\"count\":0}"));
    buf_finish(&out);
    catchup_rules_destroy(rules);
}

struct fault_row {
    const char *yaml;
    unsigned line, column;
    const char *message;
};

static void assert_fault(const struct faults *faults, const struct fault_row *row)
{
    assert_int_equal(faults->count, 1);
    assert_int_equal(faults->items[0].place.line, row->line);
    assert_int_equal(faults->items[0].place.column, row->column);
    assert_non_null(strstr(faults->items[0].message, row->message));
}

static void faults_are_found_at_load(void **state)
{
    static const struct fault_row rows[] = {
        {"catchup: x\n",                                                                  1, 10, "is a map"          },
        {"catchup: {}\n",                                                                 1, 10, "needs from"        },
        {"catchup: {from: now}\n",                                                        1, 17, "the same for every"},
        {"catchup: {from: '{payload.x}'}\n",                                              1, 17, "nothing here"      },
        {"catchup: {from: '{auth.x'}\n",                                                  1, 17, ""                  },
        {"catchup: {from: '{auth.x}', unit: h}\n",                                        1, 35, "cannot be"         },
        {"catchup: {from: '{auth.x}', order: new}\n",                                     1, 36, "cannot be"         },
        {"catchup: {from: '{auth.x}', per_room: 0}\n",                                    1, 39, "1 to 5000"         },
        {"catchup: {from: '{auth.x}', total: 5001}\n",                                    1, 36, "1 to 5000"         },
        {"catchup: {from: '{auth.x}', total: many}\n",                                    1, 36, "1 to 5000"         },
        {"catchup: {from: '{auth.x}', ttl: 300}\n",                                       1, 34, "unit"              },
        {"catchup: {from: '{auth.x}', done: ''}\n",                                       1, 35, "name of an event"  },
        {"catchup: {from: '{auth.x}', done: connect}\n",                                  1, 35, "protocol"          },
        {"catchup: {from: '{auth.x}', done: {payload: 1}}\n",                             1, 35, "event"             },
        {"catchup:\n  from: '{auth.x}'\n  done: {event: d, payload: '{catchup.rest}'}\n",
         3,                                                                                  29, "there is no"       },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document_node root = yaml_node(rows[i].yaml);
        struct faults faults = {0};
        assert_null(catchup_rules_compile(document_find(&root, "catchup"), &faults));
        assert_fault(&faults, &rows[i]);
        faults_finish(&faults);
        document_finish(&root);
    }
}

static void a_rooms_history_has_defaults_and_faults(void **state)
{
    static const struct fault_row rows[] = {
        {"history: on\n",                     1, 10, "is a map"       },
        {"history: {size: -1}\n",             1, 17, "0 to 5000"      },
        {"history: {ttl: 0s}\n",              1, 16, "ttl"            },
        {"history: {on_join: perhaps}\n",     1, 20, "cannot be"      },
        {"history: {size: 0, on_join: on}\n", 1, 29, "nothing to give"},
    };
    struct room_history history;
    struct faults faults = {0};

    (void)state;
    assert_true(room_history_read(NULL, &history, &faults));
    assert_false(history.is_set);
    struct document_node root = yaml_node("history: {size: 3, on_join: on}\n");
    assert_true(room_history_read(document_find(&root, "history"), &history, &faults));
    assert_true(history.is_set && history.size == 3 && history.ttl_ms == 300000 &&
                history.goes_to_join);
    document_finish(&root);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        root = yaml_node(rows[i].yaml);
        assert_false(
            room_history_read(document_find(&root, "history"), &history, &faults));
        assert_fault(&faults, &rows[i]);
        faults_finish(&faults);
        faults = (struct faults){0};
        document_finish(&root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_says_nothing_lets_nobody_ask),
        cmocka_unit_test(a_client_asks_by_naming_a_moment),
        cmocka_unit_test(the_file_sets_bounds_unit_order_and_the_last_word),
        cmocka_unit_test(without_a_last_word_there_is_one_when_events_are_missing),
        cmocka_unit_test(faults_are_found_at_load),
        cmocka_unit_test(a_rooms_history_has_defaults_and_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
