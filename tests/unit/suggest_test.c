/* The word that was probably meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/suggest.h"

static const char *const words[] = {"event", "room",     "rooms", "user",
                                    "users", "volatile", "id",    "namespace"};

static const char *nearest(const char *word)
{
    return suggest_nearest(slice_of(word), words, sizeof words / sizeof *words);
}

static void the_nearest_word_is_found(void **state)
{
    static const struct {
        const char *word;
        const char *meant;
    } rows[] = {
        {"roms",      "rooms"    },
        {"rom",       "room"     },
        {"Room",      "room"     },
        {"evnet",     "event"    },
        {"namespcae", "namespace"},
        {"volatil",   "volatile" },
        {"usres",     "users"    },
        {"idd",       "id"       },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(nearest(rows[i].word), rows[i].meant);
}

static void what_is_far_from_every_word_gets_none(void **state)
{
    static const char *const far[] = {"", "x", "payload", "priority", "zzzzzzzzzzzz"};
    char longest[200] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        assert_null(nearest(far[i]));
    assert_null(suggest_nearest((struct slice){longest, sizeof longest}, words, 3));
    assert_null(suggest_nearest(SLICE("room"), words, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(what_is_far_from_every_word_gets_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
