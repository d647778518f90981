/* Flags go where their rows say; what is wrong is said in one line. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/flags.h"

#include <string.h>

struct args {
    bool is_loud;
    const char *name;
    struct flag_number port;
    uint64_t ttl_ms;
    struct flag_list rooms;
};

#define AT(field) offsetof(struct args, field)
static const struct flag flags[] = {
    {"loud", FLAG_SWITCH,   NULL,       "", AT(is_loud), 0    },
    {"name", FLAG_TEXT,     "NAME",     "", AT(name),    0    },
    {"port", FLAG_NUMBER,   "N",        "", AT(port),    65533},
    {"ttl",  FLAG_DURATION, "DURATION", "", AT(ttl_ms),  0    },
    {"room", FLAG_LIST,     "ROOM",     "", AT(rooms),   0    },
};

static bool parse(struct args *args, struct flag_list *words, char *const *argv,
                  char error[FLAG_ERROR_BYTES])
{
    const struct flag_set set = {flags, sizeof flags / sizeof *flags, args};
    int argc = 0;

    *args = (struct args){0};
    *words = (struct flag_list){0};
    error[0] = '\0';
    while (argv[argc])
        argc++;
    return flags_parse(&set, 1, argc, (char **)argv, words, error);
}

static void values_come_attached_or_as_the_next_word(void **state)
{
    char *const argv[] = {"first",  "--name", "x",        "--port=0", "--ttl",  "5m",
                          "--room", "a",      "--room=b", "--loud",   "second", NULL};
    struct args args;
    struct flag_list words;
    char error[FLAG_ERROR_BYTES];

    (void)state;
    assert_true(parse(&args, &words, argv, error));
    assert_string_equal(args.name, "x");
    assert_true(args.port.is_set);
    assert_int_equal(args.port.value, 0);
    assert_int_equal(args.ttl_ms, 300000);
    assert_true(args.is_loud);
    assert_int_equal(args.rooms.count, 2);
    assert_string_equal(args.rooms.items[1], "b");
    assert_int_equal(words.count, 2);
    assert_string_equal(words.items[1], "second");
}

static void two_dashes_end_the_flags_and_one_is_a_word(void **state)
{
    char *const argv[] = {"-", "-5", "--", "--loud", NULL};
    struct args args;
    struct flag_list words;
    char error[FLAG_ERROR_BYTES];

    (void)state;
    assert_true(parse(&args, &words, argv, error));
    assert_false(args.is_loud);
    assert_int_equal(words.count, 3);
    assert_string_equal(words.items[2], "--loud");
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
    static const struct {
        char *argv[3];
        const char *error;
    } cases[] = {
        {{"--prot", "1"},     "unknown flag --prot: did you mean --port?"            },
        {{"--zzzzzz"},        "unknown flag --zzzzzz"                                },
        {{"--port"},          "--port needs N"                                       },
        {{"--port", "65534"}, "--port needs a number between 0 and 65533"            },
        {{"--port", "x"},     "--port needs a number between 0 and 65533"            },
        {{"--port="},         "--port needs a number between 0 and 65533"            },
        {{"--loud=1"},        "--loud takes no value"                                },
        {{"--ttl", "5"},      "--ttl needs a unit, for instance 250ms, 25s, 5m or 1h"},
        {{"--="},             "unknown flag --"                                      },
        {{"-h"},              "unknown flag --help"                                  },
    };
    struct args args;
    struct flag_list words;
    char error[FLAG_ERROR_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(parse(&args, &words, cases[i].argv, error));
        assert_string_equal(error, cases[i].error);
    }
}

static void a_list_has_an_end(void **state)
{
    char *argv[FLAG_LIST_MAX + 2] = {NULL};
    struct args args;
    struct flag_list words;
    char error[FLAG_ERROR_BYTES];

    (void)state;
    for (size_t i = 0; i <= FLAG_LIST_MAX; i++)
        argv[i] = "--room=x";
    assert_false(parse(&args, &words, argv, error));
    assert_string_equal(error, "too many --room");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_attached_or_as_the_next_word),
        cmocka_unit_test(two_dashes_end_the_flags_and_one_is_a_word),
        cmocka_unit_test(what_is_wrong_is_said_in_one_line),
        cmocka_unit_test(a_list_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
