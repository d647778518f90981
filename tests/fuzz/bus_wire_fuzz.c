/* Every message between our processes, decoded and walked to its end. */
#include "proto/bus_wire.h"
#include "proto/directory_wire.h"
#include "proto/past_wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_events(struct slice bytes)
{
    struct bus_frame frame;
    struct replay_request request;
    struct replay_page page;
    struct room_key room;
    struct slice envelope;
    uint64_t seq, base;

    if (!bus_frame_decode(bytes, &frame)) {
        for (size_t i = 0; i < frame.span.count; i++) {
            if (!bus_frame_next(&frame.blocks, &envelope))
                abort(); /* the decoder promised it */
        }
    }
    if (!replay_request_decode(bytes, &request)) {
        for (size_t i = 0; i < request.room_count; i++) {
            if (!replay_room_next(&request.rooms, &room, &base))
                abort();
        }
    }
    if (!replay_page_decode(bytes, &page)) {
        for (size_t i = 0; i < page.count; i++) {
            if (!replay_page_next(&page.items, &seq, &envelope))
                abort();
        }
    }
}

static void walk_past(struct slice bytes)
{
    struct past_request request;
    struct past_answer answer;
    struct past_wish wish;
    struct past_range range;

    if (!past_request_decode(bytes, &request)) {
        for (size_t i = 0; i < request.room_count; i++) {
            if (!past_wish_next(&request.rooms, &wish) || wish.asked_ms > wish.since_ms)
                abort();
        }
    }
    if (!past_answer_decode(bytes, &answer)) {
        for (size_t i = 0; i < answer.room_count; i++) {
            if (!past_range_next(&answer.ranges, &range) || range.base > range.top)
                abort();
        }
    }
}

static void walk_named(struct slice items, size_t count)
{
    struct wire_named item;

    for (size_t i = 0; i < count; i++) {
        if (!wire_named_next(&items, &item))
            abort();
    }
}

static void walk_session(const struct wire_session *session)
{
    walk_named(session->rooms, session->room_count);
}

static void walk_directory(struct slice bytes)
{
    struct directory_request request;
    struct directory_answer answer;
    struct directory_op op;
    struct directory_result result;
    struct directory_record record;
    struct directory_published published;

    directory_published_decode(bytes, &published);
    if (!directory_request_decode(bytes, &request)) {
        for (size_t i = 0; i < request.count; i++) {
            if (!directory_op_next(&request.ops, &op))
                abort();
            walk_session(&op.session);
            walk_named(op.proofs, op.proof_count);
        }
    }
    if (!directory_record_decode(bytes, &record))
        walk_session(&record.session);
    if (!directory_answer_decode(bytes, &answer)) {
        walk_named(answer.moved, answer.moved_count);
        for (size_t i = 0; i < answer.count; i++) {
            if (!directory_result_next(&answer.results, &result))
                abort();
            walk_session(&result.session);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {(const char *)data, size};

    walk_events(bytes);
    walk_past(bytes);
    walk_directory(bytes);
    return 0;
}
