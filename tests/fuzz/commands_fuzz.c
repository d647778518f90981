/*
 * A file's commands and a call: YAML up to a line of its own, "---", the arguments behind
 * it, as a JSON array. Whatever compiles is run on them: what is sent must be JSON, and a
 * room must be one.
 */
#include "bridge/config_yaml.h"
#include "proto/command_rules.h"
#include "proto/room_name.h"
#include "proto/sio.h"
#include "support/fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_output(const struct command_output *output,
                         const struct template_values *from)
{
    struct buf out = {.max = 1 << 20};
    struct template_failure failure;
    struct slice values;

    if (!command_output_render(output, from, &out, &values, &failure))
        fuzz_must_be_values(values);
    buf_finish(&out);
}

static enum status check_room(void *ctx, struct slice name)
{
    struct room_key key;

    ++*(size_t *)ctx;
    if (room_target_decode(SLICE("/"), name, &key))
        abort();
    return ST_OK;
}

static void call(const struct command_rule *rule, const struct template_values *values)
{
    struct buf scratch = {.max = 1 << 16};
    struct template_failure failure;
    char why[COMMAND_ARGS_WHY_BYTES];
    size_t rooms = 0;

    if (rule->args)
        command_args_hold(rule->args, values->args, why);
    if (rule->room &&
        !template_rooms(rule->room, values, &scratch, check_room, &rooms, &failure) &&
        rooms != 1)
        abort();
    if (rule->allow)
        command_rule_allows(rule, values, SLICE("project:7"), &scratch);
    check_output(&rule->output, values);
    check_output(&rule->ok, values);
    check_output(&(struct command_output){rule->error, false}, values);
    buf_finish(&scratch);
}

static void call_all(const struct command_rules *rules, struct slice args)
{
    struct template_values values = {
        .claims = SLICE("{\"sub\":\"7\",\"team\":\"red\",\"teams\":[\"a\",1]}"),
        .user = SLICE("{\"id\":\"7\"}"),
        .payload = SLICE("[\"a\"]"),
        .args = args,
        .conn_id = SLICE("sid"),
        .conn_ip = SLICE("127.0.0.1"),
        .conn_transport = SLICE("websocket"),
        .event = SLICE("e"),
        .room = SLICE("project:7"),
        .code = SLICE("E_X"),
        .message = SLICE("a \"word\""),
        .uuid = SLICE("00000000-0000-4000-8000-000000000000"),
        .now_ms = 1,
    };

    for (size_t i = 0; i < command_rules_count(rules); i++)
        call(command_rules_at(rules, i), &values);
    command_rules_uses(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice yaml = fuzz_part(&rest, ""), args = fuzz_part(&rest, "[]");
    struct faults faults = {0};
    struct document_node root;

    bool is_read = config_yaml_read("fuzz", yaml, &root, &faults);

    if (root.place.line != 0) { /* a whole tree, perhaps with faults */
        struct command_rules *rules = command_rules_compile(&root, &faults);
        if (!rules && faults_are_none(&faults))
            abort();
        if (is_read && rules && fuzz_is_json(args, JSON_GATE_ARRAY))
            call_all(rules, sio_array_items(slice_trim(args)));
        command_rules_destroy(rules);
        document_finish(&root);
    }
    faults_finish(&faults);
    return 0;
}
