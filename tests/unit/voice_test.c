/* Voices: one for all that are spoken to alike, and one frame for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client-gw/dialect.h"
#include "client-gw/voice.h"

#include <stdio.h>
#include <string.h>

static void who_is_spoken_to_alike_has_one_voice(void **state)
{
    struct voice_set *set = voice_set_create();
    struct voice *one = voice_take(set, &dialect_socketio, SLICE("/"), SLICE("/"), false);
    struct voice *again =
        voice_take(set, &dialect_socketio, SLICE("/"), SLICE("/"), false);
    struct voice *alias =
        voice_take(set, &dialect_socketio, SLICE("/"), SLICE("/ws"), false);
    struct voice *other =
        voice_take(set, &dialect_socketio, SLICE("/x"), SLICE("/ws"), false);
    struct voice *native =
        voice_take(set, &dialect_native, SLICE("/"), SLICE("/"), false);

    (void)state;
    assert_ptr_equal(one, again);
    assert_int_equal(one->number, 0);
    assert_int_equal(alias->number, 1);
    assert_int_equal(other->number, 2);
    assert_int_equal(native->number, 3);
    assert_true(slice_is(alias->nsp, "/") && slice_is(alias->name, "/ws"));
    voice_drop(one);
    voice_drop(alias);
    struct voice *next =
        voice_take(set, &dialect_native, SLICE("/"), SLICE("/new"), false);
    assert_int_equal(next->number, 1); /* of the one that has gone */
    voice_drop(again);
    voice_drop(other);
    voice_drop(native);
    voice_drop(next);
    voice_set_destroy(set);
}

static void there_are_so_many_and_no_more(void **state)
{
    struct voice_set *set = voice_set_create();
    struct voice *voices[VOICE_COUNT];
    char name[16];

    (void)state;
    for (int i = 0; i < VOICE_COUNT; i++) {
        snprintf(name, sizeof name, "/%d", i);
        voices[i] = voice_take(set, &dialect_socketio, SLICE("/"), slice_of(name), false);
        assert_int_equal(voices[i]->number, i);
    }
    assert_null(voice_take(set, &dialect_socketio, SLICE("/"), SLICE("/more"), false));
    voice_drop(voices[77]);
    voices[77] = voice_take(set, &dialect_socketio, SLICE("/"), SLICE("/more"), false);
    assert_int_equal(voices[77]->number, 77);
    for (int i = 0; i < VOICE_COUNT; i++)
        voice_drop(voices[i]);
    voice_set_destroy(set);
}

static void a_frame_is_kept_for_each_number(void **state)
{
    static const uint8_t numbers[] = {0, 1, 63, 64, 200, 255};
    struct voice_frames frames;

    (void)state;
    memset(frames.made, 0, sizeof frames.made);
    for (size_t i = 0; i < sizeof numbers; i++) {
        struct frame *frame = frame_create(WS_OP_TEXT, SLICE("x"));
        assert_null(voice_frames_find(&frames, numbers[i]));
        voice_frames_put(&frames, numbers[i], frame);
        assert_ptr_equal(voice_frames_find(&frames, numbers[i]), frame);
    }
    voice_frames_put(&frames, 7, NULL);
    assert_null(voice_frames_find(&frames, 7));
    voice_frames_drop(&frames);
    for (size_t i = 0; i < sizeof numbers; i++)
        assert_null(voice_frames_find(&frames, numbers[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_spoken_to_alike_has_one_voice),
        cmocka_unit_test(there_are_so_many_and_no_more),
        cmocka_unit_test(a_frame_is_kept_for_each_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
