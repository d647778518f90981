/* Publishing a load: see the header. */
#include "cli/load_publisher.h"

#include "bridge/clock.h"
#include "cli/http_answer.h"
#include "cli/load_dialect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    ROOM_NAME = LOAD_ROOM_BYTES - 1,
    REQUEST_BYTES = 400 * 1024,
    MS_US = 1000,
    ANSWER_TIMEOUT_US = 10 * 1000 * MS_US
};

enum sender_state {
    SENDER_CLOSED,
    SENDER_CONNECTING,
    SENDER_IDLE,
    SENDER_WAITING /* for an answer */
};

struct sender {
    struct load_link link; /* first: links are cast back to their sender */
    struct load_publisher *publisher;
    enum sender_state state;
    uint64_t k; /* the next one, or the one under way */
    uint64_t from_us;
};

struct load_publisher {
    struct load_publish_plan plan;
    struct load_loop *loop;
    struct load_peer peer;
    struct load_schedule schedule;
    uint64_t end_us;  /* closed loop: no more requests after it */
    uint64_t sent_us; /* the last request */
    unsigned run;
    bool is_started, is_stopped;
    size_t batch;

    struct buf request; /* of every sender: written anew for each */
    size_t first_room, first_stamp, event_bytes; /* offsets of what changes in it */

    struct load_publisher_counts counts;
    uint64_t *accepted_in_lane;
    size_t sender_count;
    struct sender senders[];
};

/* --- the request */

static void add_event(struct load_publisher *pub, size_t padding)
{
    struct buf *out = &pub->request;
    char stamp[LOAD_STAMP_BYTES];
    char room[LOAD_ROOM_BYTES];

    load_stamp_write(stamp, &(struct load_stamp){0});
    load_room_name(room, 0);
    buf_add_text(out, "{\"room\":\"");
    if (pub->first_room == 0)
        pub->first_room = out->len;
    buf_print(out, "%s\",\"event\":\"load\",\"data\":{\"s\":\"", room);
    if (pub->first_stamp == 0)
        pub->first_stamp = out->len;
    buf_add(out, (struct slice){stamp, sizeof stamp});
    for (size_t i = 0; i < padding; i++)
        buf_add_byte(out, (char)('a' + i % 26));
    buf_add_text(out, "\"}}");
}

static enum status add_body(struct load_publisher *pub)
{
    size_t payload = pub->plan.payload_bytes;
    size_t padding = payload > LOAD_PAYLOAD_MIN ? payload - LOAD_PAYLOAD_MIN : 0;
    struct buf *out = &pub->request;

    for (size_t i = 0; i < pub->batch; i++) {
        size_t before = out->len;
        if (pub->plan.batch > 0)
            buf_add_byte(out, i == 0 ? '[' : ',');
        add_event(pub, padding);
        pub->event_bytes = out->len - before;
    }
    if (pub->plan.batch > 0)
        buf_add_byte(out, ']');
    return buf_status(out);
}

/* The body first, for the head says how long it is. */
static enum status write_request(struct load_publisher *pub)
{
    struct buf head = {.max = REQUEST_BYTES}, body;
    const char *key = pub->plan.key;

    pub->request = (struct buf){.max = REQUEST_BYTES};
    enum status st = add_body(pub);
    if (st)
        return st;
    body = pub->request;
    buf_print(&head, "POST %s HTTP/1.1\r\nHost: %s\r\n",
              pub->plan.batch > 0 ? "/v1/batch" : "/broadcast", pub->peer.authority);
    if (key)
        buf_print(&head, "Authorization: Bearer %s\r\n", key);
    buf_print(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
              body.len);
    pub->first_room += head.len;
    pub->first_stamp += head.len;
    buf_add(&head, buf_slice(&body));
    buf_finish(&body);
    pub->request = head;
    return buf_status(&head);
}

static void stamp_request(struct load_publisher *pub, const struct sender *sender)
{
    size_t lane = load_lanes_lane(&pub->counts.lanes, sender->k);
    char room[LOAD_ROOM_BYTES];

    load_room_name(room, load_lanes_room(&pub->counts.lanes, sender->k));
    for (size_t i = 0; i < pub->batch; i++) {
        size_t offset = i * pub->event_bytes;
        const struct load_stamp stamp = {
            .run = pub->run,
            .lane = lane,
            .seq = pub->accepted_in_lane[lane] + i,
            .due_us = sender->from_us,
        };
        memcpy(pub->request.ptr + pub->first_room + offset, room, ROOM_NAME);
        load_stamp_write(pub->request.ptr + pub->first_stamp + offset, &stamp);
    }
}

/* --- sending */

static void fail(struct load_publisher *pub, const char *what, const char *detail)
{
    snprintf(pub->counts.failure, LOAD_FAILURE_BYTES, "%.60s%.99s", what, detail);
}

static void lose(struct sender *sender, const char *why)
{
    struct load_publisher *pub = sender->publisher;

    if (sender->state == SENDER_WAITING) {
        pub->counts.failed += pub->batch;
        fail(pub, "the publisher closed a connection with a request under way", "");
    } else if (sender->state == SENDER_CONNECTING) {
        fail(pub, "no connection to the publisher: ", why);
        pub->is_stopped = true;
    }
    sender->state = SENDER_CLOSED;
    load_link_close(&sender->link);
}

static bool is_within_time(const struct load_publisher *pub, uint64_t now_us)
{
    return pub->schedule.rate > 0 || pub->end_us == 0 || now_us < pub->end_us;
}

static bool has_more(const struct load_publisher *pub, const struct sender *sender)
{
    return !pub->is_stopped && pub->is_started && sender->k < pub->schedule.count;
}

static void open_sender(struct sender *sender);

static void send_next(struct sender *sender, uint64_t now_us)
{
    struct load_publisher *pub = sender->publisher;
    uint64_t due_us = load_schedule_due_us(&pub->schedule, sender->k);

    if (!has_more(pub, sender) || due_us > now_us || !is_within_time(pub, now_us))
        return;
    if (sender->state == SENDER_CLOSED)
        open_sender(sender);
    if (sender->state != SENDER_IDLE)
        return;
    sender->from_us = pub->schedule.rate ? due_us : now_us;
    stamp_request(pub, sender);
    sender->state = SENDER_WAITING;
    pub->counts.sent += pub->batch;
    pub->sent_us = now_us;
    if (load_link_send(&sender->link, buf_slice(&pub->request), pub->loop->epoll))
        lose(sender, "the connection was lost");
}

/* --- answers */

/* What will not change by trying again. */
static bool is_final_refusal(int http_status)
{
    return http_status >= 400 && http_status < 500 && http_status != 429 &&
           http_status != 408;
}

static void take_refusal(struct load_publisher *pub, const struct http_answer *answer)
{
    struct slice body = slice_first(answer->body, 100);
    char text[LOAD_FAILURE_BYTES];

    pub->counts.failed += pub->batch;
    snprintf(text, sizeof text, "%d %.*s", answer->status, (int)body.len,
             body.len ? body.ptr : "");
    fail(pub, "the publisher answered ", text);
    if (is_final_refusal(answer->status))
        pub->is_stopped = true;
}

static void take_answer(struct sender *sender, const struct http_answer *answer)
{
    struct load_publisher *pub = sender->publisher;
    uint64_t now_us = (uint64_t)clock_us();

    load_histogram_add(&pub->counts.answer,
                       now_us > sender->from_us ? now_us - sender->from_us : 0);
    pub->counts.last_us = now_us;
    if (answer->status >= 200 && answer->status < 300) {
        pub->counts.accepted += pub->batch;
        pub->accepted_in_lane[load_lanes_lane(&pub->counts.lanes, sender->k)] +=
            pub->batch;
    } else {
        take_refusal(pub, answer);
    }
    sender->k = load_lanes_after(&pub->counts.lanes, sender->k);
    sender->state = SENDER_IDLE;
    send_next(sender, now_us);
}

static void receive(struct sender *sender)
{
    struct http_answer answer = {0};
    struct slice bytes;
    enum status st =
        load_link_receive(&sender->link, sender->publisher->loop->scratch, &bytes);

    if (st == ST_AGAIN)
        return;
    if (!st)
        st = http_answer_read(bytes, false, &answer);
    if (st == ST_AGAIN)
        st = load_link_keep(&sender->link, bytes);
    else if (!st && sender->state == SENDER_WAITING &&
             !(st = load_link_keep(&sender->link, SLICE("")))) {
        take_answer(sender, &answer);
        return;
    }
    if (st)
        lose(sender, "it speaks no HTTP");
}

static void on_ready(struct load_link *link, uint32_t events)
{
    struct sender *sender = (struct sender *)link;

    if (sender->state == SENDER_CONNECTING) {
        int failure = load_link_failure(link);
        if (failure) {
            lose(sender, strerror(failure));
            return;
        }
        sender->state = SENDER_IDLE;
        send_next(sender, (uint64_t)clock_us());
    }
    if (link->fd >= 0 && (events & EPOLLOUT) &&
        load_link_flush(link, sender->publisher->loop->epoll))
        lose(sender, "the connection was lost");
    if (link->fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        receive(sender);
}

/* --- life */

static void open_sender(struct sender *sender)
{
    struct load_publisher *pub = sender->publisher;

    sender->state = SENDER_CONNECTING;
    sender->link.on_ready = on_ready;
    if (load_link_open(&sender->link, &pub->peer, 0, pub->loop->epoll))
        lose(sender, "no socket");
}

static struct load_publisher *allocate(const struct load_publish_plan *plan)
{
    struct load_lanes lanes = load_lanes_for(plan->rooms, plan->connections);
    struct load_publisher *pub =
        calloc(1, sizeof *pub + lanes.connections * sizeof pub->senders[0]);

    if (!pub)
        return NULL;
    pub->plan = *plan;
    pub->batch = plan->batch ? plan->batch : 1;
    pub->counts.lanes = lanes;
    pub->sender_count = lanes.connections;
    pub->accepted_in_lane = calloc(lanes.rooms * lanes.lanes, sizeof(uint64_t));
    pub->counts.accepted_in_lane = pub->accepted_in_lane;
    for (size_t i = 0; i < pub->sender_count; i++) {
        pub->senders[i].publisher = pub;
        pub->senders[i].link.fd = -1;
        pub->senders[i].k = i;
    }
    return pub;
}

struct load_publisher *load_publisher_create(const struct load_publish_plan *plan,
                                             struct load_loop *loop, unsigned run,
                                             char error[DIAL_ERROR_BYTES])
{
    struct load_publisher *pub = allocate(plan);

    snprintf(error, DIAL_ERROR_BYTES, "out of memory");
    if (!pub)
        return NULL;
    pub->loop = loop;
    pub->run = run;
    if (!pub->accepted_in_lane || !load_peer_find(plan->url, &pub->peer, error) ||
        write_request(pub)) {
        load_publisher_destroy(pub);
        return NULL;
    }
    for (size_t i = 0; i < pub->sender_count; i++)
        open_sender(&pub->senders[i]);
    return pub;
}

void load_publisher_destroy(struct load_publisher *pub)
{
    if (!pub)
        return;
    for (size_t i = 0; i < pub->sender_count; i++)
        load_link_close(&pub->senders[i].link);
    buf_finish(&pub->request);
    free(pub->accepted_in_lane);
    free(pub);
}

static size_t count_in(const struct load_publisher *pub, enum sender_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < pub->sender_count; i++)
        count += pub->senders[i].state == state;
    return count;
}

bool load_publisher_is_open(const struct load_publisher *pub)
{
    return count_in(pub, SENDER_CONNECTING) == 0;
}

void load_publisher_start(struct load_publisher *pub, uint64_t now_us)
{
    uint64_t duration_us = pub->plan.duration_ms * MS_US;
    uint64_t count = pub->plan.count ? pub->plan.count : UINT64_MAX;

    pub->schedule = (struct load_schedule){now_us, pub->plan.rate, count};
    if (duration_us > 0) {
        uint64_t in_time = load_schedule_due(&pub->schedule, now_us + duration_us - 1);
        pub->schedule.count = in_time;
        pub->end_us = now_us + duration_us;
    }
    pub->counts.start_us = pub->counts.last_us = now_us;
    pub->is_started = true;
}

uint64_t load_publisher_run(struct load_publisher *pub, uint64_t now_us)
{
    uint64_t wake_us = UINT64_MAX;

    for (size_t i = 0; i < pub->sender_count; i++) {
        struct sender *sender = &pub->senders[i];
        send_next(sender, now_us);
        if (!has_more(pub, sender) || sender->state == SENDER_WAITING ||
            sender->state == SENDER_CONNECTING)
            continue;
        uint64_t due_us = load_schedule_due_us(&pub->schedule, sender->k);
        if (due_us > now_us && due_us < wake_us)
            wake_us = due_us;
    }
    return wake_us;
}

void load_publisher_stop(struct load_publisher *pub)
{
    pub->is_stopped = true;
}

/* Nothing was sent or answered for too long. */
static bool is_silent(const struct load_publisher *pub, uint64_t now_us)
{
    return now_us > pub->sent_us + ANSWER_TIMEOUT_US &&
           now_us > pub->counts.last_us + ANSWER_TIMEOUT_US;
}

bool load_publisher_is_done(const struct load_publisher *pub)
{
    uint64_t now_us = (uint64_t)clock_us();

    if (count_in(pub, SENDER_WAITING) > 0)
        return is_silent(pub, now_us);
    if (pub->is_stopped || !is_within_time(pub, now_us))
        return true;
    for (size_t i = 0; i < pub->sender_count; i++)
        if (has_more(pub, &pub->senders[i]))
            return false;
    return pub->is_started;
}

const struct load_publisher_counts *
load_publisher_counts(const struct load_publisher *pub)
{
    return &pub->counts;
}
