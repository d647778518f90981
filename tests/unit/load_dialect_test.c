/* How clients of a load join in each dialect, and how their frames look. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/load_dialect.h"
#include "cli/load_frame.h"
#include "cli/ws_reader.h"

#include <stdlib.h>
#include <string.h>

struct talk {
    char said[400]; /* messages, each with a line end */
};

static void say(void *ctx, struct slice text)
{
    struct talk *talk = ctx;

    strncat(talk->said, text.ptr, text.len);
    strcat(talk->said, "\n");
}

static struct load_seat a_seat(void)
{
    return (struct load_seat){
        .token = "tok", .first_room = 2, .room_count = 2, .rooms_in_all = 3};
}

static void native_says_everything_at_once(void **state)
{
    const struct load_dialect *native = load_dialect_find("native");
    struct load_seat seat = a_seat();
    struct talk talk = {0};

    (void)state;
    assert_int_equal(native->open(&seat, say, &talk), LOAD_STEP_MORE);
    assert_string_equal(talk.said, "{\"t\":\"connect\",\"token\":\"tok\","
                                   "\"rooms\":[\"load:000002\",\"load:000000\"]}\n");
    assert_int_equal(
        native->take(&seat, SLICE("{\"t\":\"error\",\"code\":\"E\"}"), say, &talk),
        LOAD_STEP_REFUSED);
    assert_int_equal(native->take(&seat, SLICE("{\"t\":\"connected\"}"), say, &talk),
                     LOAD_STEP_LIVE);
    assert_int_equal(seat.joined, 2);
}

/* What it was told, said again: the server knows its rooms. */
static void native_comes_back_as_who_it_was(void **state)
{
    const struct load_dialect *native = load_dialect_find("native");
    struct load_recall recall = {.id = ""};
    struct load_seat seat = a_seat();
    struct talk talk = {0};

    (void)state;
    seat.recall = &recall;
    native->take(&seat,
                 SLICE("{\"t\":\"connected\",\"session\":\"abc\",\"recovered\":false}"),
                 say, &talk);
    native->note(&recall, SLICE("{\"t\":\"event\",\"position\":\"k3Jx9QaT-1z\"}"));
    assert_false(recall.is_recovered);
    native->open(&seat, say, &talk);
    assert_string_equal(talk.said,
                        "{\"t\":\"connect\",\"token\":\"tok\",\"session\":\"abc\","
                        "\"position\":\"k3Jx9QaT-1z\","
                        "\"rooms\":[\"load:000002\",\"load:000000\"]}\n");
    native->take(&seat,
                 SLICE("{\"t\":\"connected\",\"session\":\"abd\",\"recovered\":true}"),
                 say, &talk);
    assert_true(recall.is_recovered);
    assert_string_equal(recall.id, "abd");
}

static void socketio_comes_back_as_who_it_was(void **state)
{
    const struct load_dialect *ws = load_dialect_find("ws");
    struct load_recall recall = {.id = ""};
    struct load_seat seat = a_seat();
    struct talk talk = {0};

    (void)state;
    seat.recall = &recall;
    assert_int_equal(
        ws->take(&seat, SLICE("40{\"sid\":\"s\",\"pid\":\"p1\"}"), say, &talk),
        LOAD_STEP_MORE);
    ws->note(&recall, SLICE("42[\"load\",\"data\",\"k3Jx9QaT-1z\"]"));
    ws->note(&recall, SLICE("42[\"load\",1]")); /* says nothing of a position */
    talk.said[0] = '\0';
    ws->take(&seat, SLICE("0{}"), say, &talk);
    assert_string_equal(
        talk.said, "40{\"token\":\"tok\",\"pid\":\"p1\",\"offset\":\"k3Jx9QaT-1z\"}\n");
    assert_int_equal(
        ws->take(&seat, SLICE("40{\"sid\":\"s\",\"pid\":\"p1\"}"), say, &talk),
        LOAD_STEP_LIVE);
    assert_true(recall.is_recovered);
    assert_int_equal(seat.joined, 2);
    assert_int_equal(
        ws->take(&seat, SLICE("40{\"sid\":\"s\",\"pid\":\"p2\"}"), say, &talk),
        LOAD_STEP_MORE);
    assert_false(recall.is_recovered);
    assert_string_equal(recall.id, "p2");
}

static void socketio_joins_room_after_room(void **state)
{
    const struct load_dialect *ws = load_dialect_find("ws");
    struct load_seat seat = a_seat();
    struct talk talk = {0};

    (void)state;
    assert_int_equal(ws->open(&seat, say, &talk), LOAD_STEP_MORE);
    assert_int_equal(ws->take(&seat, SLICE("0{\"sid\":\"x\"}"), say, &talk),
                     LOAD_STEP_MORE);
    assert_int_equal(ws->take(&seat, SLICE("2"), say, &talk), LOAD_STEP_MORE);
    assert_int_equal(ws->take(&seat, SLICE("40{\"sid\":\"y\"}"), say, &talk),
                     LOAD_STEP_MORE);
    assert_string_equal(talk.said, "40{\"token\":\"tok\"}\n3\n"
                                   "420[\"subscribe\",{\"room\":\"load:000002\"}]\n"
                                   "421[\"subscribe\",{\"room\":\"load:000000\"}]\n");
    assert_int_equal(ws->take(&seat, SLICE("430[{\"ok\":true}]"), say, &talk),
                     LOAD_STEP_MORE);
    assert_int_equal(ws->take(&seat, SLICE("431[{\"ok\":true}]"), say, &talk),
                     LOAD_STEP_LIVE);
}

static void refusals_are_understood(void **state)
{
    static const char *const refusals[] = {"44{\"message\":\"Invalid token\"}", "41", "1",
                                           "430[{\"ok\":false}]"};
    const struct load_dialect *ws = load_dialect_find("ws");

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct load_seat seat = a_seat();
        struct talk talk = {0};
        assert_int_equal(ws->take(&seat, slice_of(refusals[i]), say, &talk),
                         LOAD_STEP_REFUSED);
    }
}

static void raw_clients_only_listen(void **state)
{
    const struct load_dialect *raw = load_dialect_find("raw");
    struct load_seat seat = a_seat();
    struct talk talk = {0};

    (void)state;
    assert_int_equal(raw->open(&seat, say, &talk), LOAD_STEP_LIVE);
    assert_string_equal(talk.said, "");
    assert_null(load_dialect_find("pigeons"));
}

static void a_seat_knows_its_rooms(void **state)
{
    struct load_seat seat = a_seat();

    (void)state;
    assert_int_equal(load_seat_room(&seat, 0), 2);
    assert_int_equal(load_seat_room(&seat, 1), 0);
    assert_int_equal(load_seat_slot(&seat, 2), 0);
    assert_int_equal(load_seat_slot(&seat, 0), 1);
    assert_int_equal(load_seat_slot(&seat, 1), seat.room_count);
    assert_int_equal(load_seat_slot(&seat, 3), seat.room_count);
}

static void frames_are_masked_and_read_back(void **state)
{
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf out = {.max = 100000};
        char *text = malloc(sizes[i] + 1);
        struct ws_head head;

        memset(text, 'x', sizes[i] + 1);
        load_frame_add(&out, WS_OP_TEXT, (struct slice){text, sizes[i]}, 0x01020304);
        assert_int_equal(buf_status(&out), ST_OK);
        /* a client's reader refuses the mask, so take it off as a server does */
        size_t len = out.len - sizes[i] - 4;
        assert_true(out.ptr[1] & 0x80);
        out.ptr[1] = (char)(out.ptr[1] & 0x7f);
        assert_int_equal(ws_head_read((struct slice){out.ptr, len}, &head), ST_OK);
        assert_int_equal(head.header_len, len);
        assert_int_equal(head.len, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(out.ptr[len + 4 + k] ^ out.ptr[len + k % 4], 'x');
        for (size_t k = 0; k < len; k++)
            assert_int_equal(ws_head_read((struct slice){out.ptr, k}, &head), ST_AGAIN);
        free(text);
        buf_finish(&out);
    }
}

static void an_upgrade_is_one_whole_answer_with_our_key(void **state)
{
    static const char good[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    static const char *const bad[] = {
        "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n\r\n",
        "HTTP/1.1 401 X\r\nContent-Length: 3\r\n\r\nno.", "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 503 X\r\n\r\n"};
    size_t head_len = 0;
    int http_status = 0;

    (void)state;
    assert_int_equal(load_frame_read_upgrade(SLICE(good), &head_len, &http_status),
                     ST_OK);
    assert_int_equal(head_len, sizeof good - 1);
    for (size_t len = 0; len < sizeof good - 1; len++)
        assert_int_equal(
            load_frame_read_upgrade((struct slice){good, len}, &head_len, &http_status),
            ST_AGAIN);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            load_frame_read_upgrade(slice_of(bad[i]), &head_len, &http_status),
            ST_BAD_PACKET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native_says_everything_at_once),
        cmocka_unit_test(native_comes_back_as_who_it_was),
        cmocka_unit_test(socketio_comes_back_as_who_it_was),
        cmocka_unit_test(socketio_joins_room_after_room),
        cmocka_unit_test(refusals_are_understood),
        cmocka_unit_test(raw_clients_only_listen),
        cmocka_unit_test(a_seat_knows_its_rooms),
        cmocka_unit_test(frames_are_masked_and_read_back),
        cmocka_unit_test(an_upgrade_is_one_whole_answer_with_our_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
