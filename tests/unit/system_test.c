/* The compiled tables as one value: all parts, or none and all faults. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/system.h"
#include "support/yaml_node.h"

static struct system *compile(const char *text, struct faults *faults)
{
    struct document_node root = yaml_node(text);
    struct system *system = system_compile(&root, &system_no_files, faults);

    document_finish(&root);
    return system;
}

static void an_empty_file_gives_every_part(void **state)
{
    struct faults faults = {0};
    struct system *system = compile("", &faults);

    (void)state;
    assert_non_null(system);
    assert_true(faults_are_none(&faults));
    assert_non_null(system->auth);
    assert_non_null(system->connect);
    assert_non_null(system->rooms);
    assert_non_null(system->commands);
    assert_non_null(system->events);
    system_release(system);
}

static void it_lives_as_long_as_somebody_holds_it(void **state)
{
    struct faults faults = {0};
    struct system *system = compile("rooms: [{match: 'a:*', allow: any}]", &faults);

    (void)state;
    assert_ptr_equal(system_share(system), system);
    system_release(system);
    assert_non_null(system->rooms); /* the address sanitizer would tell */
    system_release(system);
    system_release(NULL);
}

/* One fault in each table, and all are told. */
static void the_faults_of_all_tables_are_told_at_once(void **state)
{
    static const char text[] = "auth: {mode: perhaps}\n"
                               "connect: {auto_join: ['{nothing.x}']}\n"
                               "rooms: [{match: 'a b'}]\n"
                               "commands: {x: {do: dance}}\n"
                               "events: {'': {}}\n"
                               "heartbeats: [{every: 1s}]\n";
    struct faults faults = {0};
    bool is_told[7] = {false};

    (void)state;
    assert_null(compile(text, &faults));
    for (size_t i = 0; i < faults.count; i++) {
        assert_true(faults.items[i].place.line >= 1 && faults.items[i].place.line <= 6);
        is_told[faults.items[i].place.line] = true;
    }
    for (size_t line = 1; line <= 6; line++)
        if (!is_told[line])
            fail_msg("nothing is told of line %zu", line);
    faults_finish(&faults);
}

struct asked {
    const char *text;
    unsigned line; /* of the only fault; 0: there is none */
};

static void
recovery_cannot_be_asked_for_where_clients_say_later_who_they_are(void **state)
{
#define EVENT "auth: {mode: event, event: {name: auth, token: '{args.0}'}}\n"
    static const struct asked rows[] = {
        {EVENT,                                                            0},
        {EVENT "namespaces: {/: {}, /a: {recovery: off}, /b: {alias: /}}", 0},
        {"namespaces: {/: {recovery: on}}",                                0},
        {"auth: {mode: none}\nnamespaces: {/: {recovery: on}}",            0},
        {EVENT "namespaces: {/: {recovery: on}}",                          2},
        {EVENT "namespaces: {/: {recovery: off},\n /a: {recovery: true}}", 3},
        {EVENT "namespaces: {/: {recovery: perhaps}}",                     2},
        {EVENT "namespaces: [recovery]",                                   2},
    };
#undef EVENT

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = {0};
        struct system *system = compile(rows[i].text, &faults);

        assert_int_equal(faults.count, rows[i].line > 0);
        assert_int_equal(system == NULL, rows[i].line > 0);
        if (rows[i].line)
            assert_int_equal(faults.items[0].place.line, rows[i].line);
        system_release(system);
        faults_finish(&faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_every_part),
        cmocka_unit_test(it_lives_as_long_as_somebody_holds_it),
        cmocka_unit_test(the_faults_of_all_tables_are_told_at_once),
        cmocka_unit_test(
            recovery_cannot_be_asked_for_where_clients_say_later_who_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
