/*
 * A file's routes and a request: YAML up to a line of its own, "---", a method and a raw
 * path in the line behind it, and a body. Whatever compiles takes the request: what is
 * made of a body that is JSON is JSON, and pointers stay inside their buffer.
 */
#include "bridge/config_yaml.h"
#include "proto/json_gate.h"
#include "proto/limits.h"
#include "proto/route_mapping.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A template may nest deeper than a client, and than the gate looks. */
static bool is_flat(struct slice json)
{
    size_t opened = 0;

    for (size_t i = 0; i < json.len; i++)
        opened += json.ptr[i] == '[' || json.ptr[i] == '{';
    return opened < LIMIT_JSON_DEPTH - 1;
}

static void map(const struct route_rule *rule, const struct template_values *values)
{
    struct buf out = {.max = 1 << 20};
    struct publish_fault fault = {0};
    struct publish_request request = {.target_is_optional = true};
    struct json_value value;
    char pointer[32];

    enum status st = route_map(rule, values, &out, &fault);
    if (!st && is_flat(buf_slice(&out)) &&
        json_gate_check(buf_slice(&out), &json_limits_default, &value, NULL) ==
            ST_BAD_REQUEST)
        abort();
    if (!st && publish_request_decode(buf_slice(&out), &request, &fault)) {
        route_pointer(rule, fault.pointer, pointer, sizeof pointer);
        if (memchr(pointer, '\0', sizeof pointer) == NULL)
            abort();
    }
    publish_request_finish(&request);
    buf_finish(&out);
}

static void ask(const struct route_rules *rules, struct slice line, struct slice body)
{
    struct template_values values = {.now_ms = 1, .request_id = SLICE("r")};
    struct template_pair path[ROUTE_PATH_SEGMENTS];
    struct json_value value;
    struct slice method, raw;
    enum status verdict;
    char *memory;

    slice_cut(line, ' ', &method, &raw);
    const struct route_rule *rule = route_rules_find(
        rules, slice_is(method, "GET") ? HTTP_GET : HTTP_POST, raw, &verdict);
    if ((verdict == ST_NOT_FOUND) == route_rules_have_path(rules, raw))
        abort();
    if (!rule || rule->act != ROUTE_PUBLISH)
        return;
    memory = malloc(raw.len + 1); /* so small that what is written beyond it is seen */
    values.path = path;
    if (!json_gate_check(body, &json_limits_default, &value, NULL))
        values.body = value.text;
    if (memory && route_path_values(&rule->path, raw, memory, path, &values.path_count))
        map(rule, &values);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size}, yaml = text, line = {0}, body = {0};
    struct document_node root = {0};
    struct faults faults = {0};
    struct route_rules *rules = NULL;
    const char *cut = size > 5 ? memmem(text.ptr, size, "\n---\n", 5) : NULL;

    if (cut) {
        yaml = slice_first(text, (size_t)(cut - text.ptr) + 1);
        slice_cut(slice_from(text, yaml.len + 4), '\n', &line, &body);
    }
    if (config_yaml_read("f", yaml, &root, &faults))
        rules = route_rules_compile(&root, &faults);
    if (!rules && faults_are_none(&faults))
        abort();
    if (rules)
        ask(rules, line, body);
    route_rules_destroy(rules);
    document_finish(&root);
    faults_finish(&faults);
    return 0;
}
