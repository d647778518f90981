/* Clients of a load: see the header. */
#include "cli/load_client.h"

#include "bridge/clock.h"
#include "cli/load_frame.h"
#include "cli/ws_reader.h"
#include "proto/eio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

static void leave(struct load_client *client, const char *reason)
{
    bool was_live = client->state == LOAD_CLIENT_LIVE;

    client->state = LOAD_CLIENT_GONE;
    load_link_close(&client->link);
    load_poller_finish(&client->poller);
    client->crowd->on_gone(client->crowd, client, was_live, reason);
}

static bool is_over(const struct load_client *client)
{
    return client->state == LOAD_CLIENT_GONE;
}

/* --- what it says */

static void send_frame(struct load_client *client, enum ws_opcode opcode,
                       struct slice text)
{
    struct buf frame = {.max = LOAD_MESSAGE_BYTES};
    uint32_t mask = (uint32_t)(client->index * 2654435761U) | 1;

    load_frame_add(&frame, opcode, text, mask);
    enum status st = buf_status(&frame);
    if (!st)
        st = load_link_send(&client->link, buf_slice(&frame), client->crowd->loop->epoll);
    buf_finish(&frame);
    if (st)
        leave(client, "the connection was lost");
}

static void say(void *ctx, struct slice text)
{
    struct load_client *client = ctx;

    if (client->crowd->dialect->polls)
        load_poller_say(&client->poller, text);
    else if (!is_over(client))
        send_frame(client, WS_OP_TEXT, text);
}

static void send_upgrade(struct load_client *client)
{
    struct load_crowd *crowd = client->crowd;
    struct buf request = {.max = LOAD_MESSAGE_BYTES};

    client->state = LOAD_CLIENT_UPGRADING;
    load_frame_add_upgrade(&request, crowd->peer->authority, crowd->dialect->target);
    enum status st = buf_status(&request);
    if (!st)
        st = load_link_send(&client->link, buf_slice(&request), crowd->loop->epoll);
    buf_finish(&request);
    if (st)
        leave(client, "the connection was lost");
}

/* The next request of one that polls. */
static void send_request(struct load_client *client)
{
    struct load_crowd *crowd = client->crowd;
    struct buf request = {.max = LOAD_MESSAGE_BYTES};

    load_poller_ask(&client->poller, crowd->peer->authority, crowd->dialect->target,
                    &request);
    enum status st = buf_status(&request);
    if (!st)
        st = load_link_send(&client->link, buf_slice(&request), crowd->loop->epoll);
    buf_finish(&request);
    if (st)
        leave(client, "the connection was lost");
}

static void send_first(struct load_client *client)
{
    if (!client->crowd->dialect->polls) {
        send_upgrade(client);
        return;
    }
    client->state = LOAD_CLIENT_JOINING;
    send_request(client);
}

/* --- what it hears */

static void step(struct load_client *client, enum load_step next, struct slice text)
{
    char reason[LOAD_REASON_BYTES];

    if (is_over(client))
        return;
    if (next == LOAD_STEP_REFUSED) {
        snprintf(reason, sizeof reason, "the server says %.*s",
                 (int)slice_first(text, 90).len, text.ptr);
        leave(client, reason);
    } else if (next == LOAD_STEP_LIVE && client->state == LOAD_CLIENT_JOINING) {
        client->state = LOAD_CLIENT_LIVE;
        client->crowd->on_live(client->crowd, client);
    }
}

static void take_text(struct load_client *client, struct slice text, uint64_t now_us)
{
    struct load_crowd *crowd = client->crowd;
    struct load_stamp stamp;

    if (load_stamp_find(text, &crowd->hint, &stamp)) {
        size_t room = stamp.lane / crowd->measure->lanes;
        if (client->seat.recall && crowd->dialect->note)
            crowd->dialect->note(client->seat.recall, text);
        load_measure_take(crowd->measure, client->index,
                          load_seat_slot(&client->seat, room), &stamp, text.len, now_us);
        return;
    }
    step(client, crowd->dialect->take(&client->seat, text, say, client), text);
}

static void take_close(struct load_client *client, struct slice data)
{
    char reason[LOAD_REASON_BYTES];
    unsigned code = 1005;

    if (data.len >= 2)
        code = (unsigned)(unsigned char)data.ptr[0] << 8 | (unsigned char)data.ptr[1];
    snprintf(reason, sizeof reason, "the server closed with %u %.*s", code,
             (int)slice_from(data, 2).len, slice_from(data, 2).ptr);
    leave(client, reason);
}

static void take_frame(struct load_client *client, const struct ws_head *head,
                       struct slice data, uint64_t now_us)
{
    if (head->opcode == WS_OP_TEXT && head->is_final)
        take_text(client, data, now_us);
    else if (head->opcode == WS_OP_PING)
        send_frame(client, WS_OP_PONG, data);
    else if (head->opcode == WS_OP_CLOSE)
        take_close(client, data);
    else if (head->opcode == 0 || !head->is_final)
        leave(client, "the server sent a message in fragments");
}

/* Gives what is left: the beginning of a frame. */
static struct slice take_frames(struct load_client *client, struct slice bytes)
{
    uint64_t now_us = (uint64_t)clock_us();

    while (!is_over(client)) {
        struct ws_head head;
        enum status st = ws_head_read(bytes, &head);
        if (st == ST_AGAIN || (!st && bytes.len - head.header_len < head.len))
            return bytes;
        if (st) {
            leave(client, "the server sent what is no WebSocket frame");
            break;
        }
        struct slice rest = slice_from(bytes, head.header_len);
        take_frame(client, &head, slice_first(rest, (size_t)head.len), now_us);
        bytes = slice_from(rest, (size_t)head.len);
    }
    return (struct slice){0};
}

/* Gives what is left. */
static struct slice take_answer(struct load_client *client, struct slice bytes)
{
    char reason[LOAD_REASON_BYTES];
    size_t head_len;
    int http_status;
    enum status st = load_frame_read_upgrade(bytes, &head_len, &http_status);

    if (st == ST_AGAIN)
        return bytes;
    if (st) {
        snprintf(reason, sizeof reason, "the server answered %d instead of a WebSocket",
                 http_status);
        leave(client, reason);
        return (struct slice){0};
    }
    client->state = LOAD_CLIENT_JOINING;
    step(client, client->crowd->dialect->open(&client->seat, say, client), SLICE(""));
    return take_frames(client, slice_from(bytes, head_len));
}

/* Gives what is left: the beginning of an answer. */
static struct slice take_poll(struct load_client *client, struct slice bytes)
{
    struct slice packets, rest, packet;
    char reason[LOAD_REASON_BYTES];
    int status;
    enum status st = load_poller_take(&client->poller, bytes, &packets, &rest, &status);

    if (st == ST_AGAIN)
        return bytes;
    if (st) {
        snprintf(reason, sizeof reason, "the server answered %d to a poll", status);
        leave(client, reason);
        return (struct slice){0};
    }
    uint64_t now_us = (uint64_t)clock_us();
    struct eio_payload payload = {packets, packets.len > 0};
    while (!is_over(client) && eio_payload_next(&payload, &packet))
        take_text(client, packet, now_us);
    if (!is_over(client))
        send_request(client);
    return rest;
}

static void receive(struct load_client *client)
{
    struct slice bytes;
    enum status st =
        load_link_receive(&client->link, client->crowd->loop->scratch, &bytes);

    if (st == ST_AGAIN)
        return;
    if (st) {
        leave(client, "the connection was lost");
        return;
    }
    struct slice rest;
    if (client->crowd->dialect->polls)
        rest = take_poll(client, bytes);
    else if (client->state == LOAD_CLIENT_UPGRADING)
        rest = take_answer(client, bytes);
    else
        rest = take_frames(client, bytes);
    if (!is_over(client) && load_link_keep(&client->link, rest))
        leave(client, "the server sent a message that is too large");
}

static void take_connected(struct load_client *client)
{
    char reason[LOAD_REASON_BYTES];
    int failure = load_link_failure(&client->link);

    if (failure) {
        snprintf(reason, sizeof reason, "no connection: %s", strerror(failure));
        leave(client, reason);
        return;
    }
    send_first(client);
}

static void on_ready(struct load_link *link, uint32_t events)
{
    struct load_client *client = (struct load_client *)link;

    if (client->state == LOAD_CLIENT_CONNECTING)
        take_connected(client);
    if (!is_over(client) && (events & EPOLLOUT) &&
        load_link_flush(link, client->crowd->loop->epoll))
        leave(client, "the connection was lost");
    if (!is_over(client) && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        receive(client);
}

void load_client_start(struct load_client *client)
{
    struct load_crowd *crowd = client->crowd;

    client->state = LOAD_CLIENT_CONNECTING;
    client->seat.joined = 0;
    client->started_us = (uint64_t)clock_us();
    client->link.on_ready = on_ready;
    if (load_link_open(&client->link, crowd->peer, client->index, crowd->loop->epoll))
        leave(client, strerror(errno));
}

void load_client_stop(struct load_client *client)
{
    if (client->state != LOAD_CLIENT_NEW)
        load_link_close(&client->link);
    load_poller_finish(&client->poller);
    client->state = LOAD_CLIENT_NEW;
}
