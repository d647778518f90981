/* Voices: see the header. */
#include "client-gw/voice.h"

#include <stdlib.h>
#include <string.h>

struct voice_set {
    struct voice *voices[VOICE_COUNT]; /* by number; NULL: free */
    size_t used;                       /* none is beyond */
};

struct voice_set *voice_set_create(void)
{
    return calloc(1, sizeof(struct voice_set));
}

void voice_set_destroy(struct voice_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->used; i++)
        if (set->voices[i])
            set->voices[i]->set = NULL;
    free(set);
}

static bool is_it(const struct voice *voice, const struct dialect *dialect,
                  struct slice nsp, struct slice name, bool is_recoverable)
{
    return voice && voice->dialect == dialect &&
           voice->is_recoverable == is_recoverable && slice_equal(voice->nsp, nsp) &&
           slice_equal(voice->name, name);
}

static struct voice *make(struct voice_set *set, const struct dialect *dialect,
                          struct slice nsp, struct slice name)
{
    struct voice *voice = malloc(sizeof *voice + nsp.len + name.len);

    if (!voice)
        return NULL;
    memcpy(voice->text, nsp.ptr, nsp.len);
    memcpy(voice->text + nsp.len, name.ptr, name.len);
    voice->set = set;
    voice->dialect = dialect;
    voice->nsp = (struct slice){voice->text, nsp.len};
    voice->name = (struct slice){voice->text + nsp.len, name.len};
    voice->references = 1;
    return voice;
}

struct voice *voice_take(struct voice_set *set, const struct dialect *dialect,
                         struct slice nsp, struct slice name, bool is_recoverable)
{
    size_t place = set->used;

    for (size_t i = 0; i < set->used; i++) {
        if (is_it(set->voices[i], dialect, nsp, name, is_recoverable)) {
            set->voices[i]->references++;
            return set->voices[i];
        }
        if (!set->voices[i])
            place = i;
    }
    struct voice *voice = place < VOICE_COUNT ? make(set, dialect, nsp, name) : NULL;
    if (!voice)
        return NULL;
    voice->is_recoverable = is_recoverable;
    voice->number = (uint8_t)place;
    set->voices[place] = voice;
    if (place == set->used)
        set->used++;
    return voice;
}

struct voice *voice_share(struct voice *voice)
{
    voice->references++;
    return voice;
}

void voice_drop(struct voice *voice)
{
    if (--voice->references > 0)
        return;
    struct voice_set *set = voice->set;
    if (set)
        set->voices[voice->number] = NULL;
    while (set && set->used > 0 && !set->voices[set->used - 1])
        set->used--;
    free(voice);
}

void voice_frames_put(struct voice_frames *frames, uint8_t number, struct frame *frame)
{
    if (!frame)
        return;
    frames->made[number / 64] |= UINT64_C(1) << number % 64;
    frames->frames[number] = frame;
}

void voice_frames_drop(struct voice_frames *frames)
{
    for (size_t word = 0; word < VOICE_COUNT / 64; word++) {
        while (frames->made[word]) {
            size_t bit = (size_t)__builtin_ctzll(frames->made[word]);
            frame_drop(frames->frames[word * 64 + bit]);
            frames->made[word] &= frames->made[word] - 1;
        }
    }
}
