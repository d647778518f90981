/* Notes of users: back and forth, every prefix, names with their two parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/presence_note.h"

#include <string.h>

static struct slice encoded(const struct presence_note *note, char bytes[32])
{
    struct buf out = {.ptr = bytes, .cap = 32, .max = 32};

    presence_note_encode(note, &out);
    assert_int_equal(buf_status(&out), ST_OK);
    return buf_slice(&out);
}

static void a_note_comes_back_as_it_was(void **state)
{
    static const struct presence_note notes[] = {
        {false, 0            },
        {true,  1            },
        {true,  1700000000123},
        {false, INT64_MAX    }
    };
    char bytes[32];

    (void)state;
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        struct presence_note got = {0};
        struct slice wire = encoded(&notes[i], bytes);
        assert_int_equal(wire.len, PRESENCE_NOTE_BYTES);
        assert_int_equal(presence_note_decode(wire, &got), ST_OK);
        assert_true(got.is_online == notes[i].is_online &&
                    got.seen_ms == notes[i].seen_ms);
    }
}

static void only_a_whole_note_is_taken(void **state)
{
    static const struct {
        size_t at;
        char byte;
    } bad[] = {
        {0, 0     },
        {0, 2     },
        {1, 2     },
        {9, '\x80'}
    };
    const struct presence_note note = {true, 77};
    struct presence_note got;
    char bytes[32] = {0};

    (void)state;
    struct slice wire = encoded(&note, bytes);
    for (size_t len = 0; len < wire.len; len++)
        assert_int_equal(presence_note_decode((struct slice){bytes, len}, &got),
                         ST_BAD_PACKET);
    assert_int_equal(presence_note_decode((struct slice){bytes, wire.len + 1}, &got),
                     ST_BAD_PACKET);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        encoded(&note, bytes);
        bytes[bad[i].at] = bad[i].byte;
        assert_int_equal(presence_note_decode(wire, &got), ST_BAD_PACKET);
    }
}

static void a_name_has_a_namespace_and_a_user(void **state)
{
    static const struct {
        const char *nsp, *user;
    } names[] = {
        {"/",     "42"       },
        {"/news", "ada: no 1"},
        {"",      ""         }
    };
    char out[PRESENCE_NOTE_NAME_BYTES], many[PRESENCE_NOTE_NAME_BYTES];
    struct slice nsp, user;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct slice name =
            presence_note_name(out, slice_of(names[i].nsp), slice_of(names[i].user));
        assert_true(presence_note_parts(name, &nsp, &user));
        assert_true(slice_is(nsp, names[i].nsp) && slice_is(user, names[i].user));
    }
    memset(many, 'x', sizeof many);
    assert_false(presence_note_parts(SLICE("/42"), &nsp, &user));
    assert_int_equal(
        presence_note_name(out, SLICE("/"), (struct slice){many, LIMIT_USER_BYTES + 1})
            .len,
        0);
    assert_int_equal(presence_note_name(
                         out, (struct slice){many, LIMIT_NAMESPACE_BYTES + 1}, SLICE("u"))
                         .len,
                     0);
    assert_int_equal(presence_note_name(out, (struct slice){many, LIMIT_NAMESPACE_BYTES},
                                        (struct slice){many, LIMIT_USER_BYTES})
                         .len,
                     PRESENCE_NOTE_NAME_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_comes_back_as_it_was),
        cmocka_unit_test(only_a_whole_note_is_taken),
        cmocka_unit_test(a_name_has_a_namespace_and_a_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
