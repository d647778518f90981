/* Dialects of a load: see the header. */
#include "cli/load_dialect.h"

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

/* --- coming back */

/* The string behind `mark`, `"pid":"` for instance; nothing in it is escaped. */
static struct slice find_text(struct slice text, const char *mark)
{
    const char *at = memmem(text.ptr, text.len, mark, strlen(mark));
    struct slice value = {0}, rest;

    if (at)
        slice_cut(slice_from(text, (size_t)(at - text.ptr) + strlen(mark)), '"', &value,
                  &rest);
    return value;
}

static void keep_text(char *out, size_t size, struct slice text)
{
    if (text.len < size)
        snprintf(out, size, "%.*s", (int)text.len, text.ptr);
}

/* The server says who it is now. True: the one it was, with its rooms. */
static bool takes_up(struct load_seat *seat, struct slice id, bool is_recovered)
{
    struct load_recall *recall = seat->recall;

    if (!recall)
        return false;
    recall->is_recovered = is_recovered;
    keep_text(recall->id, sizeof recall->id, id);
    if (is_recovered)
        seat->joined = seat->room_count;
    return is_recovered;
}

static void add_member(struct buf *text, const char *name, const char *value)
{
    if (value[0])
        buf_print(text, ",\"%s\":\"%s\"", name, value);
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
    if (seat->recall) {
        add_member(&text, "session", seat->recall->id);
        add_member(&text, "position", seat->recall->position);
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
        takes_up(seat, find_text(text, "\"session\":\""),
                 memmem(text.ptr, text.len, "\"recovered\":true", 16) != NULL);
        seat->joined = seat->room_count;
        return LOAD_STEP_LIVE;
    }
    return slice_starts_with(text, "{\"t\":\"error\"") ? LOAD_STEP_REFUSED
                                                       : LOAD_STEP_MORE;
}

static void note_native(struct load_recall *recall, struct slice text)
{
    keep_text(recall->position, sizeof recall->position,
              find_text(text, "\"position\":\""));
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
        if (seat->recall) {
            add_member(&text, "pid", seat->recall->id);
            add_member(&text, "offset", seat->recall->position);
        }
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

/* The same pid again says that it was recovered. */
static bool is_back(struct load_seat *seat, struct slice text)
{
    struct slice pid = find_text(text, "\"pid\":\"");

    return seat->recall &&
           takes_up(seat, pid, pid.len > 0 && slice_is(pid, seat->recall->id));
}

/* The position is the last argument: `,"k3Jx9QaT-1z4"]`. */
static void note_socketio(struct load_recall *recall, struct slice text)
{
    size_t at = text.len < 2 ? 0 : text.len - 2; /* of the quote that ends it */
    size_t from = at;

    if (at == 0 || text.ptr[at] != '"')
        return;
    while (from > 0 && text.ptr[from - 1] != '"')
        from--;
    keep_text(recall->position, sizeof recall->position,
              (struct slice){text.ptr + from, at - from});
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
        return is_back(seat, text) ? LOAD_STEP_LIVE : say_subscribe(seat, say, ctx);
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
    {"native",  "/ws",                                   false, open_native,   take_native,   note_native},
    {"ws",      "/socket.io/?EIO=4&transport=websocket", false, open_socketio, take_socketio,
     note_socketio                                                                                       },
    {"polling", "/socket.io/?EIO=4&transport=polling",   true,  open_socketio, take_socketio,
     note_socketio                                                                                       },
    {"raw",     "/",                                     false, open_raw,      take_raw,      NULL       },
};

const struct load_dialect *load_dialect_find(const char *name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (strcmp(dialects[i].name, name) == 0)
            return &dialects[i];
    return NULL;
}
