/*
 * The publishing side of a load: keep-alive connections with one request under way on
 * each. Open loop: events go out by the clock, and latency counts from when they were
 * due. Closed loop: each connection sends its next one when the answer to the last has
 * come. One thread.
 */
#ifndef CLI_LOAD_PUBLISHER_H
#define CLI_LOAD_PUBLISHER_H

#include "cli/load_histogram.h"
#include "cli/load_link.h"
#include "cli/load_loop.h"
#include "cli/load_schedule.h"
#include "cli/load_stamp.h"

enum {
    LOAD_PUBLISHER_CONNECTIONS = 1024,
    LOAD_PAYLOAD_FRAME_BYTES = 8, /* {"s":"…"} */
    LOAD_PAYLOAD_MIN = LOAD_STAMP_BYTES + LOAD_PAYLOAD_FRAME_BYTES,
    LOAD_PAYLOAD_MAX = 200 * 1024,
    LOAD_BATCH_MAX = 1000,
    LOAD_FAILURE_BYTES = 160
};

/* What is published. Texts are kept while it runs. */
struct load_publish_plan {
    const char *url;      /* "http://127.0.0.1:7411" */
    const char *key;      /* "Authorization: Bearer KEY"; NULL: none */
    size_t connections;   /* 0: one */
    size_t rooms;         /* the first of the load's; 0: all */
    uint64_t rate;        /* requests per second over all rooms; 0: closed loop */
    uint64_t duration_ms; /* 0: until `count` */
    uint64_t count;       /* requests; 0: until `duration_ms` */
    size_t payload_bytes; /* of `data`; less than LOAD_PAYLOAD_MIN is that */
    size_t batch;      /* events in a request, sent to /v1/batch; 0: one to /broadcast */
    uint64_t drain_ms; /* how long to wait for deliveries after the last answer */
};

struct load_publisher;

/* Opens the connections; gives the publisher, or NULL and a sentence. */
struct load_publisher *load_publisher_create(const struct load_publish_plan *plan,
                                             struct load_loop *loop, unsigned run,
                                             char error[DIAL_ERROR_BYTES]);
void load_publisher_destroy(struct load_publisher *publisher);

/* All are connected, or nothing more will come of it (load_publisher_is_done). */
bool load_publisher_is_open(const struct load_publisher *publisher);

void load_publisher_start(struct load_publisher *publisher, uint64_t now_us);
/* Sends what is due; gives when to come again (UINT64_MAX: at an answer). */
uint64_t load_publisher_run(struct load_publisher *publisher, uint64_t now_us);
/* Sends nothing more; it is done when the answers under way have come. */
void load_publisher_stop(struct load_publisher *publisher);
bool load_publisher_is_done(const struct load_publisher *publisher);

/* Lent; counted from load_publisher_start on. */
struct load_publisher_counts {
    struct load_lanes lanes;
    const uint64_t *accepted_in_lane;
    uint64_t sent, accepted, failed;  /* events */
    uint64_t start_us, last_us;       /* the start, and the last answer */
    char failure[LOAD_FAILURE_BYTES]; /* the last one; empty: none */
    struct load_histogram answer;     /* from due (open loop) or sent to answered */
};
const struct load_publisher_counts *
load_publisher_counts(const struct load_publisher *publisher);

#endif
