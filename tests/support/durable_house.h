/*
 * A durable log in a folder of its own, with events whose bytes say which they are.
 * Include cmocka first.
 */
#ifndef TESTS_SUPPORT_DURABLE_HOUSE_H
#define TESTS_SUPPORT_DURABLE_HOUSE_H

#include "bridge/event_log_durable.h"
#include "proto/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct logger quiet = {.level = LOG_LEVEL_ERROR, .role = "test"};

struct house {
    char folder[64];
    struct event_log_config config;
    struct event_log *log;
    const char *reason;
};

static inline enum status open_log(struct house *house)
{
    house->log = NULL;
    return event_log_open(&house->config, &house->log, &house->reason);
}

static inline void house_open(struct house *house)
{
    *house = (struct house){0};
    /* In memory where there is such a folder: these tests sync files by the hundred. */
    snprintf(house->folder, sizeof house->folder, "%s/durable_test.XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(house->folder));
    house->config = (struct event_log_config){
        .log = &quiet,
        .folder = house->folder,
        .key_age_ms = 300000,
        .mark_age_ms = 240000,
        .session_age_ms = 120000,
        .keep = {1000000, 100000, 1 << 30},
    };
    assert_int_equal(open_log(house), ST_OK);
    if (!house->log)
        abort(); /* for analysers */
}

static inline void house_remove(struct house *house)
{
    char command[128];

    event_log_destroy(house->log);
    snprintf(command, sizeof command, "rm -rf '%s'", house->folder);
    assert_int_equal(system(command), 0);
}

/* An event for one room whose data is `n`. */
static inline struct event_log_entry event_for(const char *room, uint64_t n, size_t bytes)
{
    struct buf wire = {.max = LIMIT_ENVELOPE_BYTES};
    struct buf data = {.max = LIMIT_ENVELOPE_BYTES};
    struct envelope_target target = {ROOM_NAMED, slice_of(room)};
    struct envelope envelope = {
        .id = SLICE("id"),
        .nsp = SLICE("/"),
        .event = SLICE("e"),
        .event_json = SLICE("\"e\""),
        .targets = &target,
        .target_count = 1,
    };

    buf_add_byte(&data, '"');
    for (size_t i = 0; i < bytes; i++)
        buf_add_byte(&data, (char)('a' + (n + i) % 26));
    buf_add_byte(&data, '"');
    envelope.data = buf_slice(&data);
    envelope_encode(&envelope, &wire);
    assert_int_equal(buf_status(&wire), ST_OK);
    buf_finish(&data);
    struct event_log_entry entry = {.len = wire.len};
    entry.bytes = buf_release(&wire);
    return entry;
}

/* Appends `count` events in batches of `batch`. */
static inline void append(struct house *house, const char *room, size_t count,
                          size_t batch, uint64_t now_ms)
{
    struct event_log_entry entries[100];
    struct event_log_state state;
    uint64_t first;

    for (size_t at = 0; at < count; at += batch) {
        event_log_state(house->log, &state);
        for (size_t i = 0; i < batch; i++)
            entries[i] = event_for(room, state.head.seq + 1 + i, 200);
        assert_int_equal(event_log_append(house->log, entries, batch, now_ms, &first),
                         ST_OK);
        assert_int_equal(first, state.head.seq + 1);
    }
}

struct reading {
    struct house *house;
    const char *room; /* NULL: of any */
    uint64_t first, last, count;
};

static inline bool visit(void *ctx, uint64_t seq, struct slice envelope)
{
    struct reading *reading = ctx;
    static struct envelope_room room;
    struct envelope decoded;

    assert_true(seq > reading->last);
    assert_int_equal(envelope_decode(envelope, &room, &decoded), ST_OK);
    if (reading->room && !slice_is(decoded.targets[0].name, reading->room))
        return true;
    for (size_t i = 1; i + 1 < decoded.data.len; i++) /* these bytes, no others */
        if (decoded.data.ptr[i] != (char)('a' + (seq + i - 1) % 26))
            fail_msg("byte %zu of event %zu is wrong", i, (size_t)seq);
    reading->first = reading->first ? reading->first : seq;
    reading->last = seq;
    reading->count++;
    return true;
}

static inline struct reading read_all(struct house *house, uint64_t after,
                                      const struct room_wishes *wishes, const char *room)
{
    struct reading reading = {.house = house, .room = room};
    struct event_log_state state;
    uint64_t through = after, before;

    do {
        before = through;
        event_log_read(house->log, before, UINT64_MAX, wishes, visit, &reading, &state,
                       &through);
    } while (through < state.head.seq && through > before && !state.is_lost);
    return reading;
}

static inline struct event_log_state state_of(struct house *house)
{
    struct event_log_state state;

    event_log_state(house->log, &state);
    return state;
}

/* As after the death of the process, or after a clean stop. */
static inline void restart(struct house *house, bool is_clean)
{
    if (is_clean)
        event_log_close(house->log);
    event_log_destroy(house->log);
    assert_int_equal(open_log(house), ST_OK);
    if (!house->log)
        abort(); /* for analysers */
}

#endif
