/* Who a published event is for: rooms, users, sockets or everybody, less the sids of
 * `except`. */
#include "proto/publish_reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_integer(struct slice number)
{
    return !memchr(number.ptr, '.', number.len) && !memchr(number.ptr, 'e', number.len) &&
           !memchr(number.ptr, 'E', number.len);
}

static bool read_room(struct publish_reading *reading, const struct json_value *value,
                      struct envelope_target *target)
{
    struct room_key key;

    if (value->type != JSON_GATE_STRING)
        return false;
    struct slice text = publish_string(reading, value->text);
    if (room_target_decode((struct slice){0}, text, &key))
        return false;
    *target = (struct envelope_target){key.kind, key.name};
    return true;
}

static bool read_user(struct publish_reading *reading, const struct json_value *value,
                      struct envelope_target *target)
{
    struct slice id = {0};

    if (value->type == JSON_GATE_STRING)
        id = publish_string(reading, value->text);
    else if (value->type == JSON_GATE_NUMBER && is_integer(value->text))
        id = value->text;
    *target = (struct envelope_target){ROOM_USER, id};
    return user_id_is_valid(id);
}

static bool read_socket(struct publish_reading *reading, const struct json_value *value,
                        struct envelope_target *target)
{
    struct slice sid = {0};

    if (value->type == JSON_GATE_STRING)
        sid = publish_string(reading, value->text);
    *target = (struct envelope_target){ROOM_SOCKET, sid};
    return socket_sid_is_valid(sid);
}

/* How each kind of target is written: its reader, and what it wants to see. */
struct spelling {
    bool (*read)(struct publish_reading *reading, const struct json_value *value,
                 struct envelope_target *target);
    const char *noun;
    const char *expected;
};

static const struct spelling spellings[ROOM_KIND_COUNT] = {
    [ROOM_NAMED] =
        {read_room,   "room",
                      "1-128 of [A-Za-z0-9_.@+=|~-] a segment, joined by ':', 200 bytes in all"},
    [ROOM_USER] = {read_user,   "user id",
                      "an integer, or a string of 1-128 bytes without control characters"      },
    [ROOM_SOCKET] = {read_socket, "sid",
                      "20 characters of [A-Za-z0-9_-], as the client knows it"                 },
};

enum status publish_take_one(struct publish_reading *reading,
                             const struct json_value *value)
{
    const struct spelling *spelling = &spellings[reading->field->spelling];

    if (spelling->read(reading, value, &reading->request->room.targets[0])) {
        reading->request->envelope.target_count = 1;
        return ST_OK;
    }
    if (value->type == JSON_GATE_ARRAY)
        publish_advise(reading, "Use \"%ss\" for a list.", reading->field->name);
    return publish_refuse(reading, ST_BAD_TARGET, spelling->expected,
                          "%s is not a valid %s", reading->field->name, spelling->noun);
}

static enum status refuse_list(struct publish_reading *reading, enum status status,
                               const char *what, size_t max)
{
    char expected[sizeof reading->fault->expected];

    snprintf(expected, sizeof expected, "an array of 1-%zu items", max);
    return publish_refuse(reading, status, expected, "%s %s", reading->field->name, what);
}

enum status publish_take_list(struct publish_reading *reading,
                              const struct json_value *value)
{
    const struct spelling *spelling = &spellings[reading->field->spelling];
    struct envelope_target *targets = reading->request->room.targets;
    struct json_cursor cursor = {0};
    struct json_value item;
    size_t count = 0;

    if (value->type != JSON_GATE_ARRAY)
        return refuse_list(reading, ST_BAD_TARGET, "is not an array", LIMIT_TARGETS);
    while (json_array_next(value->text, &cursor, &item)) {
        if (count == LIMIT_TARGETS)
            return refuse_list(reading, ST_BAD_TARGET, "has too many items",
                               LIMIT_TARGETS);
        if (!spelling->read(reading, &item, &targets[count])) {
            publish_point_at_item(reading, reading->field->name, count);
            return publish_refuse(reading, ST_BAD_TARGET, spelling->expected,
                                  "item %zu of %s is not a valid %s", count,
                                  reading->field->name, spelling->noun);
        }
        count++;
    }
    if (count == 0)
        return refuse_list(reading, ST_BAD_TARGET, "is empty", LIMIT_TARGETS);
    reading->request->envelope.target_count = count;
    return ST_OK;
}

enum status publish_take_all(struct publish_reading *reading,
                             const struct json_value *value)
{
    if (value->type != JSON_GATE_TRUE) {
        publish_advise(reading,
                       "Leave all out unless every client of the namespace is meant.");
        return publish_refuse(reading, ST_BAD_TARGET, "true", "all is not true");
    }
    reading->request->room.targets[0] = (struct envelope_target){.kind = ROOM_ALL};
    reading->request->envelope.target_count = 1;
    return ST_OK;
}

enum status publish_take_except(struct publish_reading *reading,
                                const struct json_value *value)
{
    struct slice *except = reading->request->room.except;
    struct json_cursor cursor = {0};
    struct envelope_target target;
    struct json_value item;
    size_t count = 0;

    if (value->type != JSON_GATE_ARRAY)
        return refuse_list(reading, ST_BAD_PAYLOAD, "is not an array", LIMIT_EXCEPT);
    while (json_array_next(value->text, &cursor, &item)) {
        if (count == LIMIT_EXCEPT)
            return refuse_list(reading, ST_BAD_PAYLOAD, "has too many items",
                               LIMIT_EXCEPT);
        if (!read_socket(reading, &item, &target)) {
            publish_point_at_item(reading, reading->field->name, count);
            return publish_refuse(reading, ST_BAD_PAYLOAD,
                                  spellings[ROOM_SOCKET].expected,
                                  "item %zu of except is not a valid sid", count);
        }
        except[count++] = target.name;
    }
    reading->request->envelope.except_count = count;
    return ST_OK;
}

/* Equal targets stand together, in the order in which they came. */
static int compare_targets(const void *left, const void *right)
{
    const struct envelope_target *a = *(const struct envelope_target *const *)left;
    const struct envelope_target *b = *(const struct envelope_target *const *)right;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->name.len != b->name.len)
        return a->name.len < b->name.len ? -1 : 1;
    int order = a->name.len ? memcmp(a->name.ptr, b->name.ptr, a->name.len) : 0;
    return order ? order : (a > b) - (a < b);
}

/* A thousand long names that differ in their last byte must stay cheap: sorted, not
 * crossed. */
void publish_drop_repeated(struct publish_request *request)
{
    struct envelope_target *sorted[LIMIT_TARGETS];
    bool is_repeated[LIMIT_TARGETS] = {false};
    struct envelope_target *targets = request->envelope.targets;
    size_t count = request->envelope.target_count, kept = 0;

    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &targets[i];
    qsort(sorted, count, sizeof *sorted, compare_targets);
    for (size_t i = 1; i < count; i++) {
        is_repeated[sorted[i] - targets] =
            sorted[i]->kind == sorted[i - 1]->kind &&
            slice_equal(sorted[i]->name, sorted[i - 1]->name);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_repeated[i])
            targets[kept++] = targets[i];
    }
    request->envelope.target_count = kept;
}
