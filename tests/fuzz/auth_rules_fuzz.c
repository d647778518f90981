/*
 * Who a client is, by a file: the YAML of `auth`, a token's claims, and what a client
 * sent along. Whatever compiles is asked about both: who is let in has a name, and all
 * that is said is JSON.
 */
#include "bridge/config_yaml.h"
#include "proto/auth_rules.h"
#include "proto/sio.h"
#include "support/fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_emissions(const struct emission_list *list,
                            const struct template_values *values)
{
    struct template_failure failure;

    for (size_t i = 0; i < emission_count(list); i++) {
        struct buf out = {.max = 1 << 20};
        if (!fuzz_is_json(emission_event(list, i), JSON_GATE_STRING))
            abort();
        if (!emission_args(list, i, values, &out, &failure))
            fuzz_must_be_values(buf_slice(&out));
        buf_finish(&out);
    }
}

static void look_for_token(const struct auth_sources *sources, struct slice sent)
{
    const struct auth_handshake handshake = {sent, sent, sent, sent};
    struct buf memory = {.max = 1 << 16};
    struct auth_found found = auth_sources_in_handshake(sources, &handshake, &memory);

    auth_sources_strip(sources, found.token);
    buf_finish(&memory);
    if (fuzz_is_json(sent, JSON_GATE_OBJECT)) {
        const struct auth_found carried = {SLICE("x"), 1};
        auth_sources_in_connect(sources, (struct slice){0}, slice_trim(sent), &carried,
                                &memory);
        buf_finish(&memory);
    }
}

static void check_refusals(const struct auth_rules *rules,
                           const struct template_values *values)
{
    const struct auth_refusals *refusals = auth_rules_refusals(rules);

    for (int refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++) {
        struct buf out = {.max = 1 << 20};
        if (auth_refusal_text(refusals, (enum refusal)refusal).len == 0)
            abort();
        auth_refusal_data(refusals, (enum refusal)refusal, SLICE("a \"hint\""), values,
                          &out);
        fuzz_must_be_values(buf_slice(&out));
        buf_finish(&out);
    }
}

/* Gives whether somebody with these claims is let in, and who they are. */
static bool accept(const struct auth_rules *rules, struct slice claims, struct buf *user)
{
    struct buf json = {.max = 1 << 20};
    char hint[160] = "";
    bool has_user = auth_rules_has_user(rules);
    bool is_in = auth_rules_accept(rules, claims, user, hint) == REFUSAL_NONE;

    if (is_in ? has_user != (user->len > 0) : hint[0] == '\0')
        abort();
    if (is_in &&
        !auth_rules_user(rules, claims, has_user ? buf_slice(user) : SLICE("7"), &json))
        fuzz_must_be_values(buf_slice(&json));
    buf_finish(&json);
    return is_in;
}

static void ask(const struct auth_rules *rules, struct slice claims, struct slice sent)
{
    const struct auth_event *event = auth_rules_event(rules);
    struct buf user = {.max = 1 << 16}, token = {.max = 1 << 16};
    struct slice args = fuzz_is_json(sent, JSON_GATE_ARRAY)
                            ? sio_array_items(slice_trim(sent))
                            : (struct slice){0};
    const struct template_values values = {
        .claims = claims,
        .user = SLICE("{\"id\":\"7\"}"),
        .args = args,
        .auth = SLICE("{}"),
        .conn_id = SLICE("sid"),
        .conn_ip = SLICE("127.0.0.1"),
        .code = SLICE("E_X"),
        .message = SLICE("a \"word\""),
        .now_ms = 1,
    };
    const char *failed = NULL;

    accept(rules, claims, &user);
    look_for_token(auth_rules_sources(rules), sent);
    check_refusals(rules, &values);
    check_emissions(auth_rules_end_emits(rules), &values);
    if (event) {
        auth_event_token(event, args, &token);
        if (!auth_event_matches(event, claims, args, &failed) && !failed)
            abort();
        check_emissions(auth_event_ok(event), &values);
        check_emissions(auth_event_error(event), &values);
    }
    buf_finish(&user);
    buf_finish(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice yaml = fuzz_part(&rest, ""), claims = fuzz_part(&rest, "{}"),
                 sent = fuzz_part(&rest, "");
    struct faults faults = {0};
    struct document_node root;

    bool is_read = config_yaml_read("fuzz", yaml, &root, &faults);

    if (root.place.line != 0) { /* a whole tree, perhaps with faults */
        struct auth_rules *rules = auth_rules_compile(&root, &faults);
        if (!rules && faults_are_none(&faults))
            abort();
        if (is_read && rules && fuzz_is_json(claims, JSON_GATE_OBJECT))
            ask(rules, slice_trim(claims), sent);
        auth_rules_destroy(rules);
        document_finish(&root);
    }
    faults_finish(&faults);
    return 0;
}
