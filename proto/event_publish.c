/* One publish and its rule: see the header. */
#include "proto/event_publish.h"

#include "proto/event_rules_parts.h"
#include "proto/publish_reading.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_SHOWN = 40 /* of a wrong name, in a message */
};

/* --- the rule */

static enum status refuse_unknown(struct publish_reading *reading, struct slice event,
                                  const char *meant)
{
    /* The name is plain UTF-8; what is cut off at its end is left out whole. */
    struct slice shown = slice_first(event, MAX_SHOWN);
    while (shown.len < event.len && shown.len > 0 &&
           ((unsigned char)event.ptr[shown.len] & 0xc0) == 0x80)
        shown.len--;

    publish_point_at(reading, "event");
    if (meant)
        publish_advise(reading, "Rename it to \"%s\".", meant);
    else
        publish_advise(reading, "Add it to the events of the configuration, or give it a "
                                "contract.");
    return publish_refuse(reading, ST_UNKNOWN_EVENT, "an event of the catalog",
                          "\"%.*s\" is not in the catalog%s%s%s", (int)shown.len,
                          shown.ptr, meant ? "; did you mean \"" : "", meant ? meant : "",
                          meant ? "\"?" : "");
}

enum status event_publish_begin(struct event_publish *publish,
                                const struct event_rules *rules,
                                struct publish_request *request,
                                struct publish_fault *fault)
{
    struct publish_reading reading = {.request = request, .fault = fault};
    struct envelope *envelope = &request->envelope;
    const char *meant = NULL;

    publish->report.count = 0;
    publish->rule = event_rules_find(rules, envelope->event, &meant);
    if (!publish->rule)
        return refuse_unknown(&reading, envelope->event, meant);
    if (publish->rule->name.text) {
        envelope->event = slice_of(publish->rule->name.text);
        envelope->event_json = slice_of(publish->rule->name.json);
    }
    return ST_OK;
}

/* --- what templates see */

/* Several arguments are one payload as the list that they are. */
static struct template_values values_of(const struct envelope *envelope,
                                        const struct event_moment *moment)
{
    bool has_args = envelope->args.len > 0;
    struct slice inside = {0};

    if (has_args)
        inside = (struct slice){envelope->args.ptr + 1, envelope->args.len - 2};
    return (struct template_values){
        .payload = has_args ? envelope->args : envelope->data,
        .args = has_args ? inside : envelope->data,
        .event = envelope->event,
        .now_ms = moment->now_ms,
        .uuid = moment->uuid,
        .request_id = moment->request_id,
    };
}

/* "payload.user.id" stands at /data/user/id of the request; {args.0.x}, too. */
static void point_at_placeholder(struct publish_reading *reading,
                                 struct slice placeholder)
{
    const struct envelope *envelope = &reading->request->envelope;
    bool has_args = envelope->args.len > 0;
    char *pointer = reading->fault->pointer;
    size_t max = sizeof reading->fault->pointer - 1, at;
    struct slice source, rest, path;

    slice_cut(placeholder, '[', &path, &rest);
    slice_cut(path, '.', &source, &rest);
    at = (size_t)snprintf(pointer, max, "%s", has_args ? "/args" : "/data");
    if (slice_is(source, "args") && !has_args)
        slice_cut(rest, '.', &source, &rest); /* the only argument is data */
    else if (!slice_is(source, "args") && !slice_is(source, "payload"))
        at = 0;
    if (at > 0 && rest.len > 0)
        pointer[at++] = '/';
    for (size_t i = 0; at > 0 && i < rest.len && at + 2 < max; i++) {
        char c = rest.ptr[i];
        pointer[at++] = c == '.' ? '/' : (char)(c == '/' ? '~' : c);
        if (c == '~' || c == '/')
            pointer[at++] = c == '~' ? '0' : '1';
    }
    pointer[at] = '\0';
}

/* Says which value of the request is missing or does not fit, and for what. */
static enum status refuse_rendering(struct publish_reading *reading, enum status status,
                                    const struct template_failure *failure,
                                    const char *what)
{
    if (status == ST_TOO_LARGE) {
        reading->fault->pointer[0] = '\0';
        return publish_refuse(reading, status, "at most 256KiB",
                              "the event is too large in its envelope");
    }
    if (!failure->reason)
        return publish_refuse(reading, status, "", "out of memory");
    point_at_placeholder(reading, failure->placeholder);
    return publish_refuse(reading, status, what, "{%.*s} %s",
                          (int)failure->placeholder.len, failure->placeholder.ptr,
                          failure->reason);
}

/* --- target */

struct targets {
    struct publish_request *request;
    struct buf *names; /* of all, one behind the other */
    bool is_spelled;   /* by the payload */
};

/* To everybody only where the catalog says so itself, or the request beside its payload.
 */
static enum status add_target(void *ctx, struct slice name)
{
    struct targets *targets = ctx;
    struct envelope *envelope = &targets->request->envelope;
    struct room_key key;

    if (room_target_decode((struct slice){0}, name, &key))
        return ST_BAD_TARGET;
    if (key.kind == ROOM_ALL && targets->is_spelled)
        return ST_BAD_TARGET;
    if (envelope->target_count == LIMIT_TARGETS)
        return ST_LIMIT;
    buf_add(targets->names, key.name);
    envelope->targets[envelope->target_count++] = (struct envelope_target){
        key.kind, {NULL, key.name.len}
    };
    return buf_status(targets->names);
}

/* The names do not move any more. */
static void settle_targets(struct envelope *envelope, const struct buf *names)
{
    const char *at = names->ptr;

    for (size_t i = 0; i < envelope->target_count; i++) {
        struct slice *name = &envelope->targets[i].name;
        name->ptr = name->len > 0 ? at : NULL;
        at += name->len;
    }
}

/* Everything that the rule names, or the first that the payload has values for. */
static enum status render_targets(const struct event_rule *rule,
                                  const struct template_values *values,
                                  struct targets *targets,
                                  struct template_failure *failure)
{
    struct buf scratch = {.max = LIMIT_ROOM_BYTES + LIMIT_USER_BYTES};
    enum status st = ST_OK;

    for (size_t i = 0; i < rule->to_count; i++) {
        /* Of one that could not be filled in, nothing stays. */
        if (rule->is_first_of) {
            targets->request->envelope.target_count = 0;
            buf_clear(targets->names);
        }
        targets->is_spelled = template_uses(rule->to[i]) != 0;
        st = template_rooms(rule->to[i], values, &scratch, add_target, targets, failure);
        bool is_missing = st == ST_BAD_PAYLOAD;
        if (rule->is_first_of ? !is_missing : st != ST_OK)
            break;
    }
    buf_finish(&scratch);
    return st;
}

static enum status refuse_target(struct publish_reading *reading, enum status status,
                                 const struct template_failure *failure)
{
    static const char expected[] = "a value that names who gets the event";

    publish_advise(reading, "Send it in the payload, or name a target, for instance "
                            "\"room\":\"project:7\".");
    if (status == ST_LIMIT)
        return publish_refuse(reading, ST_BAD_TARGET, "at most 1,000 targets",
                              "the payload names too many targets");
    if (status == ST_BAD_TARGET)
        return publish_refuse(reading, status, expected,
                              "a payload may name rooms and users, and not everybody");
    if (status != ST_BAD_PAYLOAD)
        return publish_refuse(reading, status, "", "out of memory");
    refuse_rendering(reading, status, failure, expected);
    return ST_BAD_TARGET;
}

static enum status derive_target(struct event_publish *publish,
                                 struct publish_request *request,
                                 const struct template_values *values,
                                 struct publish_fault *fault)
{
    struct publish_reading reading = {.request = request, .fault = fault};
    struct targets targets = {.request = request, .names = &publish->rooms};
    struct template_failure failure = {0};

    if (publish->rule->to_count == 0) {
        publish_advise(&reading, "Say who gets it, for instance \"room\":\"project:7\".");
        return publish_refuse(
            &reading, ST_BAD_TARGET,
            "exactly one of room, rooms, user, users, sockets, all",
            "the target is missing, and the catalog names none for this event");
    }
    publish->rooms.max = (size_t)LIMIT_TARGETS * LIMIT_ROOM_BYTES;
    buf_clear(&publish->rooms);
    enum status st = render_targets(publish->rule, values, &targets, &failure);
    if (st)
        return refuse_target(&reading, st, &failure);
    settle_targets(&request->envelope, &publish->rooms);
    if (request->envelope.target_count == 0)
        return publish_refuse(&reading, ST_BAD_TARGET,
                              "a value that names who gets the event",
                              "the payload names nobody who gets the event");
    publish_drop_repeated(request);
    return ST_OK;
}

/* --- flags and contract */

static void set_flag(struct publish_request *request, unsigned flag,
                     enum event_default value)
{
    unsigned *flags = &request->envelope.flags;

    if (value == EVENT_UNSAID || request->given_flags & flag)
        return;
    *flags = value == EVENT_ON ? *flags | flag : *flags & ~flag;
}

static void set_flags(const struct event_rule *rule, struct publish_request *request)
{
    set_flag(request, ENVELOPE_VOLATILE, rule->is_volatile);
    set_flag(request, ENVELOPE_HISTORY, rule->history);
    if (request->envelope.flags & ENVELOPE_VOLATILE)
        request->envelope.flags &= ~(unsigned)ENVELOPE_HISTORY;
}

static enum status check_contract(struct event_publish *publish,
                                  struct publish_request *request, struct slice payload,
                                  struct publish_fault *fault)
{
    struct publish_reading reading = {.request = request, .fault = fault};

    publish->root = request->envelope.args.len > 0 ? "/args" : "/data";
    if (!event_rule_check(publish->rule, payload, &publish->report))
        return ST_OK;
    publish_advise(&reading, "Compare the payload with the contract of the event.");
    return publish_refuse(&reading, ST_BAD_PAYLOAD, "a payload that keeps the contract",
                          "the payload breaks the contract of \"%.40s\"",
                          publish->rule->name.text);
}

enum status event_publish_check(struct event_publish *publish,
                                struct publish_request *request,
                                const struct event_moment *moment,
                                struct publish_fault *fault)
{
    struct template_values values = values_of(&request->envelope, moment);
    enum status st = check_contract(publish, request, values.payload, fault);

    if (st)
        return st;
    set_flags(publish->rule, request);
    if (request->envelope.target_count > 0)
        return ST_OK;
    return derive_target(publish, request, &values, fault);
}

/* --- shape */

/* A template may take some attachments over, none, or one twice. */
static enum status check_shaped(struct publish_reading *reading)
{
    if (!(reading->request->envelope.flags & ENVELOPE_BINARY))
        return ST_OK;
    enum status st = publish_check_binary(reading);
    reading->fault->pointer[0] = '\0'; /* it would point into what nobody has sent */
    return st;
}

enum status event_publish_shape(struct event_publish *publish,
                                struct publish_request *request,
                                const struct event_moment *moment,
                                struct publish_fault *fault)
{
    const struct event_rule *rule = publish->rule;
    struct publish_reading reading = {.request = request, .fault = fault};
    struct envelope *envelope = &request->envelope;
    struct template_values values = values_of(envelope, moment);
    struct template_failure failure = {0};
    struct buf *shaped = &publish->shaped;

    if (!rule->shape)
        return ST_OK;
    bool is_open = rule->has_args && !rule->is_list;
    shaped->max = LIMIT_PUBLISH_BYTES;
    buf_clear(shaped);
    if (is_open)
        buf_add_byte(shaped, '[');
    enum status st = template_json(rule->shape, &values, shaped, &failure);
    if (!st && is_open) {
        buf_add_byte(shaped, ']');
        st = buf_status(shaped);
    }
    if (st)
        return refuse_rendering(&reading, st, &failure,
                                "a value that the event's envelope is made of");
    envelope->data = envelope->args = (struct slice){0};
    *(rule->has_args ? &envelope->args : &envelope->data) = buf_slice(shaped);
    return check_shaped(&reading);
}

void event_publish_finish(struct event_publish *publish)
{
    buf_finish(&publish->rooms);
    buf_finish(&publish->shaped);
}
