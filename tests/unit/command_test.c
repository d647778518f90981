/* The table of commands: words are found, helps begin with an example, nothing is long.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/command.h"

#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

/* What a help wrote (free). */
static char *text_of(const struct command *command)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    if (command)
        help_command(out, command);
    else
        help_overview(out);
    fclose(out);
    return text;
}

static void hyphens_do_not_count_in_a_command(void **state)
{
    (void)state;
    assert_string_equal(command_find("serve")->name, "serve");
    assert_string_equal(command_find("gen-token")->name, "gentoken");
    assert_null(command_find("serv"));
    assert_null(command_find("serves"));
    assert_null(command_find(""));
    assert_null(command_find("-"));
}

static void the_overview_fits_a_terminal_and_names_every_command(void **state)
{
    char *text = text_of(NULL);
    size_t lines = 0;

    (void)state;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_true(lines <= 24);
    for (size_t i = 0; i < command_count; i++)
        assert_non_null(strstr(text, command_table[i]->name));
    free(text);
}

static void every_help_begins_with_an_example_and_names_its_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = command_table[i];
        char call[64], flag[64];
        char *text = text_of(command);

        snprintf(call, sizeof call, "sidecast %s", command->name);
        assert_non_null(strstr(command->example, call));
        assert_memory_equal(text, "  ", 2);
        assert_memory_equal(text, command->example, strlen(command->example));
        for (size_t k = 0; k < command->flag_count; k++) {
            snprintf(flag, sizeof flag, "  --%s ", command->flags[k].name);
            assert_non_null(strstr(text, flag));
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hyphens_do_not_count_in_a_command),
        cmocka_unit_test(the_overview_fits_a_terminal_and_names_every_command),
        cmocka_unit_test(every_help_begins_with_an_example_and_names_its_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
