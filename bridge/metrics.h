/*
 * Counters and gauges: one table, one row each (metrics.c). Counting is an atomic add,
 * from any thread. Gateways send theirs to the publisher as plain numbers
 * (metrics_snapshot), which shows them with gateway="g1".
 */
#ifndef BRIDGE_METRICS_H
#define BRIDGE_METRICS_H

#include "proto/buf.h"

#include <stdatomic.h>

enum metric {
    METRIC_HTTP_REQUESTS,
    METRIC_HTTP_REFUSED,     /* heads refused by the gate, limits, deadlines */
    METRIC_HTTP_CONNECTIONS, /* gauge */
    METRIC_PUBLISHED,        /* events accepted */
    METRIC_PUBLISH_REFUSED,
    METRIC_CONTRACT_REFUSED,   /* of these: a payload that keeps no contract */
    METRIC_PUBLISH_DUPLICATES, /* answered from the idempotency window */
    METRIC_IDEMPOTENCY_EVICTED,
    METRIC_LOG_EVENTS, /* gauge: events the log holds */
    METRIC_LOG_BYTES,  /* gauge */
    METRIC_LOG_EVICTED,
    METRIC_LOG_DOWN, /* gauge: 1 while it cannot be written, or its disk stands still */
    METRIC_LOG_COMMITS,   /* batches that were kept */
    METRIC_LOG_COMMIT_US, /* what they took, added up */
    METRIC_BUS_SENT,      /* bus messages */
    METRIC_BUS_RECEIVED,
    METRIC_BUS_GAPS,
    METRIC_BUS_DUPLICATES,
    METRIC_BUS_DROPPED, /* inbox full: repaired by a replay */
    METRIC_REPLAYS,
    METRIC_REPLAYED_EVENTS,
    METRIC_REPLAYS_NEAR,     /* answered from what the gateway had applied lately */
    METRIC_CONNECTIONS,      /* gauge: of all transports, with a dialect */
    METRIC_POLLING,          /* gauge: of these, those that poll */
    METRIC_SERVES_WEBSOCKET, /* gauge: 1 where a mount takes clients that way */
    METRIC_SERVES_POLLING,
    METRIC_SESSIONS,         /* gauge */
    METRIC_SESSIONS_PARKED,  /* gauge: whose clients may come back */
    METRIC_SESSIONS_EVICTED, /* of these, that went before their time */
    METRIC_USERS,            /* gauge */
    METRIC_ROOMS,            /* gauge */
    METRIC_MEMBERSHIPS,      /* gauge */
    METRIC_DELIVERIES,       /* frames handed to a connection's socket or outbox */
    METRIC_DROPPED,          /* volatile or expired, not delivered */
    METRIC_CONNECTS,
    METRIC_POLLS,    /* polls that were answered */
    METRIC_UPGRADES, /* from polling to a WebSocket */
    METRIC_CONNECT_REFUSED,
    METRIC_TOKEN_CACHE_HITS,
    METRIC_TOKEN_CACHE_MISSES,
    METRIC_SLOW_CONSUMERS,
    METRIC_CLIENT_EVENTS,
    METRIC_CLIENT_EVENTS_UNKNOWN, /* that are no command */
    METRIC_COMMANDS_FAILED,
    METRIC_RATE_LIMITED,     /* commands beyond a named rate */
    METRIC_RELAYED,          /* events that clients sent to rooms */
    METRIC_BEATS,            /* heartbeats of the application that were answered */
    METRIC_BEAT_RTT_US,      /* the sum of their round trips */
    METRIC_SOCKETS_PASSED,   /* to the process whose request came to us */
    METRIC_SOCKETS_RECEIVED, /* from one that it came to */
    METRIC_SOCKETS_RETURNED, /* whose owner did not take them */
    METRIC_PRESENCE_TOLD,    /* events about users who came and went */
    METRIC_USERS_KNOWN,      /* gauge: of whom it is known when they were last seen */
    METRIC_USERS_FORGOTTEN,  /* of these: too many were known */
    METRIC_LOOP_LAG_US,      /* gauge: the longest delay of its loop lately */
    METRIC_EVENTS,           /* of the log, that reached delivery, each once */
    METRIC_EVENTS_PASSED,    /* seqs that a replay passed over: they were volatile */
    METRIC_EVENTS_MISSING,   /* seqs that neither came nor were passed over: our fault */
    /* Members of the targets of events that were delivered here, those of two targets
     * counting twice. It is METRIC_DELIVERIES and what was waived. */
    METRIC_ADDRESSED,
    METRIC_WAIVED_REPEATED, /* it had the event by another target */
    METRIC_WAIVED_EXCEPT,
    METRIC_WAIVED_EXPIRED,
    METRIC_WAIVED_VOLATILE_BUSY,
    METRIC_WAIVED_SLOW_CONSUMER,
    METRIC_WAIVED_CLOSED,
    METRIC_WAIVED_NO_MEMORY,
    /* Frames, not only of events, that waited when their connection ended. */
    METRIC_DISCARDED_SLOW_CONSUMER,
    METRIC_DISCARDED_CLOSED,
    METRIC_PROBE_SENT, /* events of the gateway's own that go round */
    METRIC_PROBE_RECEIVED,
    METRIC_PROBE_LOST,
    METRIC_PROBE_LATENCY_US,   /* gauge: of the last one */
    METRIC_PROBE_FAILING,      /* gauge: 1 */
    METRIC_HANDSHAKES_REFUSED, /* by admission */
    METRIC_OVERLOADED,         /* gauge: 1 while new clients are refused for the lag */
    METRIC_LATE_MS,            /* that its loop was away, and deadlines with it */
    METRIC_RECOVERED,          /* clients that came back and miss nothing */
    METRIC_NOT_RECOVERED,      /* one for each reason of proto/recovery_proof.h: */
    METRIC_NOT_RECOVERED_EPOCH,
    METRIC_NOT_RECOVERED_UNKNOWN,
    METRIC_NOT_RECOVERED_EXPIRED,
    METRIC_NOT_RECOVERED_FORBIDDEN,
    METRIC_NOT_RECOVERED_BUS,
    METRIC_MISSED_EVENTS, /* that clients got when they came back */
    METRIC_CATCHUPS,      /* that reached their end: of who said since when … */
    METRIC_CATCHUPS_JOIN, /* … and of who joined */
    METRIC_CATCHUPS_CUT,  /* of these, those that were not given everything */
    METRIC_CATCHUPS_CUT_JOIN,
    METRIC_CATCHUP_EVENTS, /* that they were given of the past */
    METRIC_COUNT
};

struct metrics {
    _Atomic uint64_t values[METRIC_COUNT];
};

struct metrics_snapshot {
    uint64_t values[METRIC_COUNT];
};

static inline void metrics_add(struct metrics *metrics, enum metric metric, int64_t n)
{
    atomic_fetch_add_explicit(&metrics->values[metric], (uint64_t)n,
                              memory_order_relaxed);
}

void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value);
void metrics_snapshot(const struct metrics *metrics, struct metrics_snapshot *snapshot);

/*
 * Prometheus text. One group of samples per metric; each source is one labelled sample
 * (label NULL: none).
 */
struct metrics_source {
    const char *label; /* `gateway="g1"` */
    const struct metrics_snapshot *snapshot;
};
void metrics_print(struct buf *out, const struct metrics_source *sources, size_t count);

#endif
