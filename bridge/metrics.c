/* The table of counters and its Prometheus text: see the header. */
#include "bridge/metrics.h"

#include <inttypes.h>
#include <string.h>

struct metric_row {
    const char *name;
    const char *type;
    const char *help;
};

static const char waived_help[] =
    "Members of the targets of events that were not delivered to, and why.";
static const char discarded_help[] =
    "Frames that waited for a client when its connection ended.";

static const char not_recovered_help[] =
    "Clients that came back and got a new session, or were told to come again "
    "(bus_down).";

static const char catchups_help[] =
    "Clients that were given the past: since their last event, or of a room they joined.";
static const char catchups_cut_help[] =
    "Of these, those that lack some: beyond catchup.per_room, total or ttl, or gone from "
    "the log.";

/* clang-format off */
static const struct metric_row rows[METRIC_COUNT] = {
    [METRIC_HTTP_REQUESTS] = {"sidecast_http_requests_total", "counter", "HTTP requests read."},
    [METRIC_HTTP_REFUSED] = {"sidecast_http_refused_total", "counter", "Requests refused by the gate, a ceiling or a deadline."},
    [METRIC_HTTP_CONNECTIONS] = {"sidecast_http_connections", "gauge", "Open HTTP connections."},
    [METRIC_PUBLISHED] = {"sidecast_published_total", "counter", "Events accepted."},
    [METRIC_PUBLISH_REFUSED] = {"sidecast_publish_refused_total", "counter", "Publish requests that were refused."},
    [METRIC_CONTRACT_REFUSED] = {"sidecast_contract_refused_total", "counter", "Payloads that did not keep their event's contract."},
    [METRIC_PUBLISH_DUPLICATES] = {"sidecast_publish_duplicates_total", "counter", "Publish requests answered from the idempotency window."},
    [METRIC_IDEMPOTENCY_EVICTED] = {"sidecast_idempotency_evicted_total", "counter", "Idempotency keys dropped before their window ended."},
    [METRIC_LOG_EVENTS] = {"sidecast_log_events", "gauge", "Events the log holds."},
    [METRIC_LOG_BYTES] = {"sidecast_log_bytes", "gauge", "Bytes the log holds."},
    [METRIC_LOG_EVICTED] = {"sidecast_log_evicted_total", "counter", "Events that retention removed."},
    [METRIC_LOG_DOWN] = {"sidecast_log_down", "gauge", "1 while the log cannot be written: publishes are refused, or wait for the disk."},
    [METRIC_LOG_COMMITS] = {"sidecast_log_commits_total", "counter", "Batches of events that were kept."},
    [METRIC_LOG_COMMIT_US] = {"sidecast_log_commit_microseconds_total", "counter", "What keeping them took, added up."},
    [METRIC_BUS_SENT] = {"sidecast_bus_sent_total", "counter", "Bus messages sent."},
    [METRIC_BUS_RECEIVED] = {"sidecast_bus_received_total", "counter", "Bus messages received."},
    [METRIC_BUS_GAPS] = {"sidecast_bus_gaps_total", "counter", "Gaps seen on the bus, each repaired by a replay."},
    [METRIC_BUS_DUPLICATES] = {"sidecast_bus_duplicates_total", "counter", "Bus messages that came again and were ignored."},
    [METRIC_BUS_DROPPED] = {"sidecast_bus_dropped_total", "counter", "Bus messages dropped by a full inbox, repaired by a replay."},
    [METRIC_REPLAYS] = {"sidecast_replays_total", "counter", "Replays asked for."},
    [METRIC_REPLAYS_NEAR] = {"sidecast_replays_near_total", "counter", "Replays answered from what the gateway had got lately."},
    [METRIC_REPLAYED_EVENTS] = {"sidecast_replayed_events_total", "counter", "Events that came by a replay."},
    [METRIC_CONNECTIONS] = {"sidecast_connections", "gauge", "Client connections."},
    [METRIC_POLLING] = {"sidecast_polling_connections", "gauge", "Client connections that poll."},
    [METRIC_SERVES_WEBSOCKET] = {"sidecast_serves_websocket", "gauge", "1 where clients may come over WebSocket."},
    [METRIC_SERVES_POLLING] = {"sidecast_serves_polling", "gauge", "1 where clients may come by long-polling."},
    [METRIC_SESSIONS] = {"sidecast_sessions", "gauge", "Client sessions."},
    [METRIC_SESSIONS_PARKED] = {"sidecast_sessions_parked", "gauge", "Sessions whose clients are away and may come back."},
    [METRIC_SESSIONS_EVICTED] = {"sidecast_sessions_parked_evicted_total", "counter", "Parked sessions that were given up before their time, to make room."},
    [METRIC_USERS] = {"sidecast_users", "gauge", "Users with a session."},
    [METRIC_ROOMS] = {"sidecast_rooms", "gauge", "Rooms with a member."},
    [METRIC_MEMBERSHIPS] = {"sidecast_memberships", "gauge", "Memberships in rooms."},
    [METRIC_DELIVERIES] = {"sidecast_deliveries_total", "counter", "Events handed to a connection."},
    [METRIC_DROPPED] = {"sidecast_dropped_total", "counter", "Volatile or expired events that were not delivered."},
    [METRIC_CONNECTS] = {"sidecast_connects_total", "counter", "Client connections opened."},
    [METRIC_POLLS] = {"sidecast_polls_total", "counter", "Polls of clients that were answered."},
    [METRIC_UPGRADES] = {"sidecast_upgrades_total", "counter", "Polling clients that went on as a WebSocket."},
    [METRIC_CONNECT_REFUSED] = {"sidecast_connect_refused_total", "counter", "Tokens of clients refused."},
    [METRIC_TOKEN_CACHE_HITS] = {"sidecast_token_cache_hits_total", "counter", "Tokens that had been verified before."},
    [METRIC_TOKEN_CACHE_MISSES] = {"sidecast_token_cache_misses_total", "counter", "Tokens whose signature was looked at, good or bad."},
    [METRIC_SLOW_CONSUMERS] = {"sidecast_slow_consumers_total", "counter", "Connections closed because more waited for them than may."},
    [METRIC_CLIENT_EVENTS] = {"sidecast_client_events_total", "counter", "Events and commands received from clients."},
    [METRIC_CLIENT_EVENTS_UNKNOWN] = {"sidecast_client_events_unknown_total", "counter", "Events of clients that are no command."},
    [METRIC_COMMANDS_FAILED] = {"sidecast_commands_failed_total", "counter", "Commands of clients that failed."},
    [METRIC_RATE_LIMITED] = {"sidecast_rate_limited_total", "counter", "Commands beyond a named rate."},
    [METRIC_RELAYED] = {"sidecast_relayed_total", "counter", "Events that clients sent to rooms."},
    [METRIC_BEATS] = {"sidecast_heartbeats_answered_total", "counter", "Heartbeats of the application that clients answered."},
    [METRIC_BEAT_RTT_US] = {"sidecast_heartbeat_round_trip_microseconds_total", "counter", "Round trips of answered heartbeats, added up."},
    [METRIC_SOCKETS_PASSED] = {"sidecast_sockets_passed_total", "counter", "Clients' sockets handed to another process."},
    [METRIC_SOCKETS_RECEIVED] = {"sidecast_sockets_received_total", "counter", "Clients' sockets that another process handed on."},
    [METRIC_SOCKETS_RETURNED] = {"sidecast_sockets_returned_total", "counter", "Requests refused because their process did not take them."},
    [METRIC_PRESENCE_TOLD] = {"sidecast_presence_told_total", "counter", "Events that told of users who came or went."},
    [METRIC_USERS_KNOWN] = {"sidecast_users_known", "gauge", "Users of whom presence knows when they were last connected."},
    [METRIC_USERS_FORGOTTEN] = {"sidecast_users_forgotten_total", "counter", "Users whose last connection was forgotten for those of others."},
    [METRIC_LOOP_LAG_US] = {"sidecast_loop_lag_microseconds", "gauge", "The longest that the event loop was late in the last 10 to 20 s."},
    [METRIC_EVENTS] = {"sidecast_events_total", "counter", "Events of the log that reached delivery, each once."},
    [METRIC_EVENTS_PASSED] = {"sidecast_events_passed_total", "counter", "Volatile events that had gone when a gap was repaired."},
    [METRIC_EVENTS_MISSING] = {"sidecast_events_missing_total", "counter", "Events that neither came nor were accounted for: always 0."},
    [METRIC_ADDRESSED] = {"sidecast_addressed_total", "counter", "Members of the targets of events: deliveries and waived, added up."},
    [METRIC_WAIVED_REPEATED] = {"sidecast_waived_total", "counter", waived_help},
    [METRIC_WAIVED_EXCEPT] = {"sidecast_waived_total", "counter", waived_help},
    [METRIC_WAIVED_EXPIRED] = {"sidecast_waived_total", "counter", waived_help},
    [METRIC_WAIVED_VOLATILE_BUSY] = {"sidecast_waived_total", "counter", waived_help},
    [METRIC_WAIVED_SLOW_CONSUMER] = {"sidecast_waived_total", "counter", waived_help},
    [METRIC_WAIVED_CLOSED] = {"sidecast_waived_total", "counter", waived_help},
    [METRIC_WAIVED_NO_MEMORY] = {"sidecast_waived_total", "counter", waived_help},
    [METRIC_DISCARDED_SLOW_CONSUMER] = {"sidecast_discarded_frames_total", "counter", discarded_help},
    [METRIC_DISCARDED_CLOSED] = {"sidecast_discarded_frames_total", "counter", discarded_help},
    [METRIC_PROBE_SENT] = {"sidecast_probe_sent_total", "counter", "Events of the gateway's own that it sent on the way of all events."},
    [METRIC_PROBE_RECEIVED] = {"sidecast_probe_received_total", "counter", "Of these, those that came back."},
    [METRIC_PROBE_LOST] = {"sidecast_probe_lost_total", "counter", "Of these, those that are lost or too late."},
    [METRIC_PROBE_LATENCY_US] = {"sidecast_probe_latency_microseconds", "gauge", "How long the last one took."},
    [METRIC_PROBE_FAILING] = {"sidecast_probe_failing", "gauge", "1 while they do not come back as they should."},
    [METRIC_HANDSHAKES_REFUSED] = {"sidecast_handshakes_refused_total", "counter", "New clients told to come back in a moment."},
    [METRIC_OVERLOADED] = {"sidecast_overloaded", "gauge", "1 while new clients are refused because the event loop is late."},
    [METRIC_LATE_MS] = {"sidecast_loop_late_milliseconds_total", "counter", "How late the event loop was, added up: clients had so much longer to answer."},
    [METRIC_RECOVERED] = {"sidecast_recovered_total", "counter", "Clients that came back to their session and missed nothing."},
    [METRIC_NOT_RECOVERED] = {"sidecast_not_recovered_total", "counter", not_recovered_help},
    [METRIC_NOT_RECOVERED_EPOCH] = {"sidecast_not_recovered_total", "counter", not_recovered_help},
    [METRIC_NOT_RECOVERED_UNKNOWN] = {"sidecast_not_recovered_total", "counter", not_recovered_help},
    [METRIC_NOT_RECOVERED_EXPIRED] = {"sidecast_not_recovered_total", "counter", not_recovered_help},
    [METRIC_NOT_RECOVERED_FORBIDDEN] = {"sidecast_not_recovered_total", "counter", not_recovered_help},
    [METRIC_NOT_RECOVERED_BUS] = {"sidecast_not_recovered_total", "counter", not_recovered_help},
    [METRIC_MISSED_EVENTS] = {"sidecast_missed_events_total", "counter", "Events that clients got from the log when they came back."},
    [METRIC_CATCHUPS] = {"sidecast_catchups_total", "counter", catchups_help},
    [METRIC_CATCHUPS_JOIN] = {"sidecast_catchups_total", "counter", catchups_help},
    [METRIC_CATCHUPS_CUT] = {"sidecast_catchups_cut_total", "counter", catchups_cut_help},
    [METRIC_CATCHUPS_CUT_JOIN] = {"sidecast_catchups_cut_total", "counter", catchups_cut_help},
    [METRIC_CATCHUP_EVENTS] = {"sidecast_catchup_events_total", "counter", "Events of the past that clients got by time, or of the rooms they joined."},
};
/* clang-format on */

/* Of rows with one name, which follow one another. */
static const char *const labels[METRIC_COUNT] = {
    [METRIC_WAIVED_REPEATED] = "reason=\"repeated\"",
    [METRIC_WAIVED_EXCEPT] = "reason=\"except\"",
    [METRIC_WAIVED_EXPIRED] = "reason=\"expired\"",
    [METRIC_WAIVED_VOLATILE_BUSY] = "reason=\"volatile_busy\"",
    [METRIC_WAIVED_SLOW_CONSUMER] = "reason=\"slow_consumer\"",
    [METRIC_WAIVED_CLOSED] = "reason=\"closed\"",
    [METRIC_WAIVED_NO_MEMORY] = "reason=\"no_memory\"",
    [METRIC_DISCARDED_SLOW_CONSUMER] = "reason=\"slow_consumer\"",
    [METRIC_DISCARDED_CLOSED] = "reason=\"closed\"",
    [METRIC_NOT_RECOVERED] = "reason=\"history_overflow\"",
    [METRIC_NOT_RECOVERED_EPOCH] = "reason=\"epoch_changed\"",
    [METRIC_NOT_RECOVERED_UNKNOWN] = "reason=\"unknown_session\"",
    [METRIC_NOT_RECOVERED_EXPIRED] = "reason=\"expired\"",
    [METRIC_NOT_RECOVERED_FORBIDDEN] = "reason=\"forbidden\"",
    [METRIC_NOT_RECOVERED_BUS] = "reason=\"bus_down\"",
    [METRIC_CATCHUPS] = "reason=\"since\"",
    [METRIC_CATCHUPS_JOIN] = "reason=\"join\"",
    [METRIC_CATCHUPS_CUT] = "reason=\"since\"",
    [METRIC_CATCHUPS_CUT_JOIN] = "reason=\"join\"",
};

void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value)
{
    atomic_store_explicit(&metrics->values[metric], value, memory_order_relaxed);
}

void metrics_snapshot(const struct metrics *metrics, struct metrics_snapshot *snapshot)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        snapshot->values[i] =
            atomic_load_explicit(&metrics->values[i], memory_order_relaxed);
}

/* Either label may be NULL. */
static void print_sample(struct buf *out, const char *name, const char *source,
                         const char *reason, uint64_t value)
{
    bool has_label = source || reason;

    buf_print(out, "%s%s%s%s%s%s %" PRIu64 "\n", name, has_label ? "{" : "",
              source ? source : "", source && reason ? "," : "", reason ? reason : "",
              has_label ? "}" : "", value);
}

void metrics_print(struct buf *out, const struct metrics_source *sources, size_t count)
{
    const char *last = "";

    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = &rows[i];

        if (strcmp(row->name, last) != 0)
            buf_print(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
                      row->name, row->type);
        last = row->name;
        for (size_t k = 0; k < count; k++)
            print_sample(out, row->name, sources[k].label, labels[i],
                         sources[k].snapshot->values[i]);
    }
}
