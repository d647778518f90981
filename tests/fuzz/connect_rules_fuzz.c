/*
 * How clients are received, by a file: the YAML of `connect`, and a token's claims. Who
 * connects is put into rooms that can be, and is greeted in JSON.
 */
#include "bridge/config_yaml.h"
#include "proto/connect_rules.h"
#include "proto/room_name.h"
#include "support/fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status check_room(void *ctx, struct slice name)
{
    struct room_key key;

    if (room_target_decode(SLICE("/"), name, &key) || ++*(size_t *)ctx > 100000)
        abort();
    return ST_OK;
}

static void connect(const struct connect_rules *rules, struct slice claims)
{
    const struct template_values values = {
        .claims = claims,
        .user = SLICE("{\"id\":\"7\",\"teams\":[\"a\",1]}"),
        .auth = claims,
        .conn_id = SLICE("sid"),
        .conn_ip = SLICE("127.0.0.1"),
        .conn_transport = SLICE("websocket"),
        .uuid = SLICE("00000000-0000-4000-8000-000000000000"),
        .now_ms = 1,
    };
    const struct emission_list *emits = connect_rules_emits(rules);
    struct buf scratch = {.max = 1 << 16};
    struct template_failure failure;
    size_t rooms = 0;

    connect_rules_rooms(rules, &values, &scratch, check_room, &rooms, &failure);
    for (size_t i = 0; i < emission_count(emits); i++) {
        struct buf out = {.max = 1 << 20};
        if (!fuzz_is_json(emission_event(emits, i), JSON_GATE_STRING))
            abort();
        if (!emission_args(emits, i, &values, &out, &failure))
            fuzz_must_be_values(buf_slice(&out));
        buf_finish(&out);
    }
    buf_finish(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice yaml = fuzz_part(&rest, ""), claims = fuzz_part(&rest, "{}");
    struct faults faults = {0};
    struct document_node root;

    bool is_read = config_yaml_read("fuzz", yaml, &root, &faults);

    if (root.place.line != 0) { /* a whole tree, perhaps with faults */
        struct connect_rules *rules = connect_rules_compile(&root, &faults);
        if (!rules && faults_are_none(&faults))
            abort();
        if (is_read && rules && fuzz_is_json(claims, JSON_GATE_OBJECT))
            connect(rules, slice_trim(claims));
        connect_rules_destroy(rules);
        document_finish(&root);
    }
    faults_finish(&faults);
    return 0;
}
