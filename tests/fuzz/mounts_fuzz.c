/*
 * Mounts and namespaces of a file: YAML up to a line of its own, "---", and a path or a
 * name on each line behind it. Whatever compiles is asked for them: what is found is
 * there, and covers what was asked.
 */
#include "bridge/config_yaml.h"
#include "proto/mount_rules.h"
#include "proto/namespace_rules.h"
#include "proto/room_name.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_mounts(const struct mount_rules *rules, struct slice path)
{
    static const struct mount_settings defaults = {1,    2, 3, 4, 5, MOUNT_WEBSOCKET,
                                                   true, 0, ""};
    size_t index;

    if (!mount_rules_find(rules, path, &index))
        return;
    if (index >= mount_rules_count(rules))
        abort();
    struct mount_settings settings =
        mount_rule_settle(mount_rules_at(rules, index), &defaults);
    if (settings.ping_interval_ms == 0 || settings.ping_timeout_ms == 0 ||
        settings.upgrade_timeout_ms == 0 || settings.connect_timeout_ms == 0 ||
        settings.max_message_bytes == 0 || settings.transports == 0)
        abort();
}

static void ask_namespaces(const struct namespace_rules *rules,
                           const struct command_rules *commands, struct slice name)
{
    const struct namespace_rule *rule = namespace_rules_find(rules, name);
    const struct template_values values = {.code = SLICE("E_FORBIDDEN")};
    struct buf out = {.max = 1 << 16};

    if (!rule)
        return;
    if (!slice_equal(rule->name, name) || !namespace_is_valid(name) ||
        rule->real->real != rule->real)
        abort();
    if (rule->refusal) {
        if (!namespace_refusal_message(rule->refusal).ptr || rule->real != rule)
            abort();
        namespace_refusal_data(rule->refusal, &values, &out);
        if (buf_status(&out) != ST_OK)
            abort();
    }
    for (size_t i = 0; i < command_rules_count(commands); i++)
        namespace_rules_allow(rules, rule->real->name, command_rules_at(commands, i));
    buf_finish(&out);
}

static void ask_all(const struct document_node *root, struct slice questions)
{
    struct faults faults = {0};
    struct mount_rules *mounts =
        mount_rules_compile(document_find(root, "mounts"), &faults);
    struct command_rules *commands = command_rules_compile(root, &faults);
    struct namespace_rules *namespaces =
        namespace_rules_compile(document_find(root, "namespaces"), commands, &faults);
    bool is_whole = mounts && commands && namespaces;

    if (is_whole != faults_are_none(&faults))
        abort();
    while (is_whole && questions.len > 0) {
        struct slice line;
        slice_cut(questions, '\n', &line, &questions);
        ask_mounts(mounts, line);
        ask_namespaces(namespaces, commands, line);
    }
    namespace_rules_destroy(namespaces);
    command_rules_destroy(commands);
    mount_rules_destroy(mounts);
    faults_finish(&faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "\n---\n";
    struct slice yaml = {(const char *)data, size};
    struct slice questions = {0};
    struct faults faults = {0};
    struct document_node root;
    const char *end = size ? memmem(data, size, mark, strlen(mark)) : NULL;

    if (end) {
        questions = slice_from(yaml, (size_t)(end - yaml.ptr) + strlen(mark));
        yaml.len = (size_t)(end - yaml.ptr) + 1;
    }
    if (config_yaml_read("fuzz", yaml, &root, &faults))
        ask_all(&root, questions);
    document_finish(&root);
    faults_finish(&faults);
    return 0;
}
