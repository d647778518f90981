/* Dialects of a load: see the header. */
#include "cli/load_dialect.h"

#include "proto/limits.h"

#include <stdio.h>
#include <string.h>

void load_room_name(char out[LOAD_ROOM_BYTES], size_t room)
{
    snprintf(out, LOAD_ROOM_BYTES, "load:%06zu", room % 1000000);
}

size_t load_seat_room(const struct load_seat *seat, size_t i)
{
    return (seat->first_room + i) % seat->rooms_in_all;
}

size_t load_seat_slot(const struct load_seat *seat, size_t room)
{
    size_t slot = room >= seat->first_room ? room - seat->first_room
                                           : room + seat->rooms_in_all - seat->first_room;

    return room < seat->rooms_in_all && slot < seat->room_count ? slot : seat->room_count;
}

static void say_buf(struct buf *text, load_say_fn *say, void *ctx)
{
    if (!buf_status(text))
        say(ctx, buf_slice(text));
    buf_finish(text);
}

/* --- native */

static enum load_step open_native(struct load_seat *seat, load_say_fn *say, void *ctx)
{
    struct buf text = {.max = LIMIT_CLIENT_MESSAGE_BYTES};
    char name[LOAD_ROOM_BYTES];

    buf_add_text(&text, "{\"t\":\"connect\"");
    if (seat->token) {
        buf_add_text(&text, ",\"token\":");
        buf_add_json_string(&text, slice_of(seat->token));
    }
    for (size_t i = 0; i < seat->room_count; i++) {
        load_room_name(name, load_seat_room(seat, i));
        buf_print(&text, "%s\"%s\"", i ? "," : ",\"rooms\":[", name);
    }
    buf_add_text(&text, seat->room_count ? "]}" : "}");
    say_buf(&text, say, ctx);
    return LOAD_STEP_MORE;
}

static enum load_step take_native(struct load_seat *seat, struct slice text,
                                  load_say_fn *say, void *ctx)
{
    (void)say;
    (void)ctx;
    if (slice_starts_with(text, "{\"t\":\"connected\"")) {
        seat->joined = seat->room_count;
        return LOAD_STEP_LIVE;
    }
    return slice_starts_with(text, "{\"t\":\"error\"") ? LOAD_STEP_REFUSED
                                                       : LOAD_STEP_MORE;
}

/* --- Socket.IO 5 over Engine.IO 4 */

static enum load_step open_socketio(struct load_seat *seat, load_say_fn *say, void *ctx)
{
    (void)seat;
    (void)say;
    (void)ctx;
    return LOAD_STEP_MORE; /* the server speaks first */
}

static void say_connect(const struct load_seat *seat, load_say_fn *say, void *ctx)
{
    struct buf text = {.max = LIMIT_CLIENT_MESSAGE_BYTES};

    buf_add_text(&text, "40");
    if (seat->token) {
        buf_add_text(&text, "{\"token\":");
        buf_add_json_string(&text, slice_of(seat->token));
        buf_add_byte(&text, '}');
    }
    say_buf(&text, say, ctx);
}

static enum load_step say_subscribe(const struct load_seat *seat, load_say_fn *say,
                                    void *ctx)
{
    char name[LOAD_ROOM_BYTES];

    for (size_t i = 0; i < seat->room_count; i++) {
        struct buf text = {.max = LIMIT_CLIENT_MESSAGE_BYTES};
        load_room_name(name, load_seat_room(seat, i));
        buf_print(&text, "42%zu[\"subscribe\",{\"room\":\"%s\"}]", i, name);
        say_buf(&text, say, ctx);
    }
    return seat->room_count ? LOAD_STEP_MORE : LOAD_STEP_LIVE;
}

/* "430[{"ok":true,"room":"load:000000"}]" */
static enum load_step take_ack(struct load_seat *seat, struct slice text)
{
    if (!memmem(text.ptr, text.len, "{\"ok\":true", strlen("{\"ok\":true")))
        return LOAD_STEP_REFUSED;
    return ++seat->joined == seat->room_count ? LOAD_STEP_LIVE : LOAD_STEP_MORE;
}

static enum load_step take_socketio(struct load_seat *seat, struct slice text,
                                    load_say_fn *say, void *ctx)
{
    if (slice_is(text, "2")) {
        say(ctx, SLICE("3"));
        return LOAD_STEP_MORE;
    }
    if (slice_starts_with(text, "0{")) {
        say_connect(seat, say, ctx);
        return LOAD_STEP_MORE;
    }
    if (slice_starts_with(text, "40"))
        return say_subscribe(seat, say, ctx);
    if (slice_starts_with(text, "43"))
        return take_ack(seat, text);
    /* CONNECT_ERROR, DISCONNECT, and Engine.IO's close */
    if (slice_starts_with(text, "44") || slice_starts_with(text, "41") ||
        slice_is(text, "1"))
        return LOAD_STEP_REFUSED;
    return LOAD_STEP_MORE;
}

/* --- raw */

static enum load_step open_raw(struct load_seat *seat, load_say_fn *say, void *ctx)
{
    (void)say;
    (void)ctx;
    seat->joined = seat->room_count;
    return LOAD_STEP_LIVE;
}

static enum load_step take_raw(struct load_seat *seat, struct slice text,
                               load_say_fn *say, void *ctx)
{
    (void)seat;
    (void)text;
    (void)say;
    (void)ctx;
    return LOAD_STEP_MORE;
}

static const struct load_dialect dialects[] = {
    {"native",  "/ws",                                   false, open_native,   take_native  },
    {"ws",      "/socket.io/?EIO=4&transport=websocket", false, open_socketio, take_socketio},
    {"polling", "/socket.io/?EIO=4&transport=polling",   true,  open_socketio,
     take_socketio                                                                          },
    {"raw",     "/",                                     false, open_raw,      take_raw     },
};

const struct load_dialect *load_dialect_find(const char *name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (strcmp(dialects[i].name, name) == 0)
            return &dialects[i];
    return NULL;
}
