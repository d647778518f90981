/* Hop times of the last events: see the header. */
#include "client-gw/trace.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRACES_KEPT = 256,
    HOPS = 4,
};

struct trace {
    char id[LIMIT_EVENT_ID_BYTES];
    size_t id_len;
    int64_t hop_us[HOPS]; /* since acceptance */
};

struct trace_log {
    struct trace traces[TRACES_KEPT];
    size_t next;
};

static const char *const hop_names[HOPS] = {"publisher", "bus", "gateway", "written"};

struct trace_log *trace_log_create(void)
{
    return calloc(1, sizeof(struct trace_log));
}

void trace_log_destroy(struct trace_log *traces)
{
    free(traces);
}

void trace_log_add(struct trace_log *traces, const struct engine_event *event,
                   const struct envelope *envelope, int64_t taken_us, int64_t written_us)
{
    struct trace *trace = &traces->traces[traces->next++ % TRACES_KEPT];
    int64_t from = envelope->accepted_us;

    trace->id_len = slice_first(envelope->id, sizeof trace->id).len;
    memcpy(trace->id, envelope->id.ptr, trace->id_len);
    /* A replayed event was not sent by the bus: it came when it came. */
    trace->hop_us[0] = (event->sent_us ? event->sent_us : event->received_us) - from;
    trace->hop_us[1] = event->received_us - from;
    trace->hop_us[2] = taken_us - from;
    trace->hop_us[3] = written_us - from;
}

bool trace_log_print(const struct trace_log *traces, struct slice id, struct buf *out)
{
    for (size_t i = 0; i < TRACES_KEPT; i++) {
        const struct trace *trace = &traces->traces[i];
        if (trace->id_len == 0 ||
            !slice_equal((struct slice){trace->id, trace->id_len}, id))
            continue;
        buf_add_text(out, "{\"id\":");
        buf_add_json_string(out, id);
        buf_add_text(out, ",\"hops\":[");
        for (int hop = 0; hop < HOPS; hop++)
            buf_print(out, "%s{\"name\":\"%s\",\"us\":%lld}", hop ? "," : "",
                      hop_names[hop], (long long)trace->hop_us[hop]);
        buf_add_text(out, "]}");
        return true;
    }
    return false;
}
