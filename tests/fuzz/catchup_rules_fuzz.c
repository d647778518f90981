/*
 * Who asks for the past: the YAML of `catchup` and what a client says with its CONNECT. A
 * moment that is read is one, and what is told in the end is JSON.
 */
#include "bridge/config_yaml.h"
#include "proto/catchup_rules.h"
#include "proto/limits.h"
#include "support/fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t year_10000 = 253402300800000;

static void ask(const struct catchup_rules *rules, struct slice auth)
{
    const struct template_values values = {
        .claims = auth,
        .user = SLICE("{\"id\":\"7\"}"),
        .auth = auth,
        .catchup = SLICE("{\"count\":1,\"truncated\":true,\"rooms\":[\"a\",\"b\"]}"),
        .conn_id = SLICE("sid"),
        .conn_ip = SLICE("127.0.0.1"),
        .conn_transport = SLICE("websocket"),
        .uuid = SLICE("00000000-0000-4000-8000-000000000000"),
        .now_ms = 1,
    };
    const struct catchup_limits *limits = catchup_rules_limits(rules);
    struct buf scratch = {.max = 1 << 16};
    struct template_failure failure;
    int64_t since_ms = -1;
    bool only_if_cut;

    if (catchup_rules_since(rules, &values, &scratch, &since_ms) == CATCHUP_ASKED &&
        (since_ms < 0 || since_ms >= year_10000))
        abort();
    if (limits->per_room > LIMIT_PAST_EVENTS || limits->total > LIMIT_PAST_EVENTS)
        abort();
    const struct emission_list *done = catchup_rules_done(rules, &only_if_cut);
    for (size_t i = 0; done && i < emission_count(done); i++) {
        struct buf out = {.max = 1 << 20};
        if (!fuzz_is_json(emission_event(done, i), JSON_GATE_STRING))
            abort();
        if (!emission_args(done, i, &values, &out, &failure))
            fuzz_must_be_values(buf_slice(&out));
        buf_finish(&out);
    }
    buf_finish(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice yaml = fuzz_part(&rest, ""), auth = fuzz_part(&rest, "{}");
    struct faults faults = {0};
    struct document_node root;
    struct room_history history;

    bool is_read = config_yaml_read("fuzz", yaml, &root, &faults);

    if (root.place.line != 0) { /* a whole tree, perhaps with faults */
        struct catchup_rules *rules = catchup_rules_compile(&root, &faults);
        if (!rules && faults_are_none(&faults))
            abort();
        if (room_history_read(&root, &history, &faults) &&
            history.size > LIMIT_PAST_EVENTS)
            abort();
        if (is_read && rules && fuzz_is_json(auth, JSON_GATE_OBJECT))
            ask(rules, slice_trim(auth));
        catchup_rules_destroy(rules);
        document_finish(&root);
    }
    faults_finish(&faults);
    return 0;
}
