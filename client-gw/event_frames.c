/* Frames of events from the log: see the header. */
#include "client-gw/event_frames.h"

#include "client-gw/dialect.h"

#include <stdlib.h>

enum {
    KEPT = 4096,       /* a power of two: what a crowd that returns has missed */
    KEPT_BYTES = 1024, /* of one: larger ones are not shared */
};

struct kept {
    struct position position;
    uint64_t client_at;
    struct voice *voice; /* shared, so that no other one can be taken for it */
    struct frame *frame; /* NULL: nothing is kept here */
};

struct event_frames {
    struct buf scratch;
    struct kept kept[KEPT];
};

struct event_frames *event_frames_create(void)
{
    struct event_frames *frames = calloc(1, sizeof *frames);

    if (frames)
        frames->scratch.max = 2 * (size_t)LIMIT_ENVELOPE_BYTES;
    return frames;
}

static void forget(struct kept *kept)
{
    if (!kept->frame)
        return;
    frame_drop(kept->frame);
    voice_drop(kept->voice);
    *kept = (struct kept){0};
}

void event_frames_clear(struct event_frames *frames)
{
    for (size_t i = 0; i < KEPT; i++)
        forget(&frames->kept[i]);
    buf_finish(&frames->scratch);
}

void event_frames_destroy(struct event_frames *frames)
{
    if (!frames)
        return;
    event_frames_clear(frames);
    free(frames);
}

static struct frame *encode(struct event_frames *frames, const struct event_place *place,
                            const struct envelope *envelope, const struct voice *voice)
{
    char text[LIMIT_POSITION_BYTES + 1], at[LIMIT_POSITION_BYTES + 1];
    const struct position client_at = {place->position.epoch, place->client_at};
    struct slice position = {text, position_print(&place->position, text)};
    struct slice offset = {at, position_print(&client_at, at)};
    const struct event_view view = {
        .envelope = envelope,
        .nsp = voice->name,
        .position = position,
        .offset = voice->is_recoverable ? offset : (struct slice){0},
        .room = session_set_told_room(place->sessions, envelope),
    };

    buf_clear(&frames->scratch);
    return voice->dialect->make_event(&view, &frames->scratch);
}

struct frame *event_frames_make(struct event_frames *frames,
                                const struct event_place *place,
                                const struct envelope *envelope, struct voice *voice)
{
    size_t at = (place->position.seq ^ (uint64_t)voice->number << 4) % KEPT;
    struct kept *kept = &frames->kept[at];

    if (kept->frame && kept->voice == voice &&
        kept->position.seq == place->position.seq &&
        kept->position.epoch == place->position.epoch &&
        kept->client_at == place->client_at)
        return frame_share(kept->frame);
    struct frame *frame = encode(frames, place, envelope, voice);
    if (!frame || frame_wire(frame).len > KEPT_BYTES)
        return frame;
    forget(kept);
    *kept = (struct kept){place->position, place->client_at, voice_share(voice),
                          frame_share(frame)};
    return frame;
}
