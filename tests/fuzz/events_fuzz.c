/*
 * A catalog and a publish: YAML up to a line of its own, "---", the request's body behind
 * it. What comes out of a catalog that compiles goes to clients: it must be JSON, for
 * rooms that can be.
 */
#include "bridge/config_yaml.h"
#include "proto/event_asyncapi.h"
#include "proto/event_publish.h"
#include "proto/event_types.h"
#include "proto/json_gate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_targets(const struct envelope *envelope)
{
    if (envelope->target_count == 0 || envelope->target_count > LIMIT_TARGETS)
        abort();
    for (size_t i = 0; i < envelope->target_count; i++) {
        const struct envelope_target *target = &envelope->targets[i];
        if ((target->kind == ROOM_NAMED && !room_name_is_valid(target->name)) ||
            (target->kind == ROOM_USER && !user_id_is_valid(target->name)))
            abort();
    }
}

/* An envelope may nest deeper than a request, and than the gate looks. */
static bool is_flat(struct slice json)
{
    size_t opened = 0;

    for (size_t i = 0; i < json.len; i++)
        opened += json.ptr[i] == '[' || json.ptr[i] == '{';
    return opened < LIMIT_JSON_DEPTH;
}

static void check_payload(struct slice json)
{
    struct json_value value;

    if (json.len > 0 && is_flat(json) &&
        json_gate_check(json, &json_limits_default, &value, NULL))
        abort();
}

static void publish(const struct event_rules *rules, struct slice body)
{
    static struct publish_request request;
    static struct event_publish shape;
    static const struct event_moment moment = {
        1700000000000, SLICE("r-1"), SLICE("00000000-0000-4000-8000-000000000000")};
    struct publish_fault fault;

    request.target_is_optional = true;
    if (publish_request_decode(body, &request, &fault) ||
        event_publish_begin(&shape, rules, &request, &fault) ||
        event_publish_check(&shape, &request, &moment, &fault))
        return;
    check_targets(&request.envelope);
    if (event_publish_shape(&shape, &request, &moment, &fault))
        return;
    check_payload(request.envelope.data);
    check_payload(request.envelope.args);
}

/* What is shown of a catalog: TypeScript, and JSON. */
static void show(const struct event_rules *rules, const struct document_node *root,
                 const struct system_files *files)
{
    struct buf out = {.max = 1 << 22};

    event_types_write(rules, root, files, &out);
    buf_clear(&out);
    event_asyncapi_write(rules, root, files, SLICE("https://rt.example.com"), &out);
    if (!buf_status(&out))
        check_payload(buf_slice(&out));
    buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size}, yaml = text, body = {0};
    struct document_node root = {0};
    struct event_rules *rules = NULL;
    struct faults faults = {0};
    const char *mark = size ? memmem(data, size, "\n---\n", 5) : NULL;

    if (mark) {
        yaml = slice_first(text, (size_t)(mark - text.ptr) + 1);
        body = slice_from(text, yaml.len + 4);
    }
    if (config_yaml_read("fuzz.yaml", yaml, &root, &faults)) {
        rules = event_rules_compile(&root, &system_no_files, &faults);
        if ((rules == NULL) != (faults.count > 0))
            abort();
    }
    if (rules) {
        show(rules, &root, &system_no_files);
        publish(rules, body);
    }
    event_rules_destroy(rules);
    document_finish(&root);
    faults_finish(&faults);
    return 0;
}
