/*
 * sidecast sub: a real client in the terminal, in the native dialect. It comes back by
 * itself to its session when the connection is lost, and says so when it missed events.
 */
#include "bridge/clock.h"
#include "bridge/secret_file.h"
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"
#include "cli/json_print.h"
#include "cli/ws_client.h"
#include "proto/json_gate.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOST = -1, /* beside exit codes: the connection, not the cause */
    FIRST_PAUSE_MS = 50,
    MAX_PAUSE_MS = 2000,
    MIN_SILENCE_MS = 2000, /* a slow machine is not a lost one */
};

struct sub_args {
    const char *url;
    const char *token_file;
    struct flag_number count;
    uint64_t timeout_ms;
    uint64_t retry_ms;
};

struct sub {
    const struct invocation *call;
    const struct sub_args *args;
    struct ws_client client;
    uint64_t deadline_ms; /* 0: none */
    size_t rooms_joined;
    uint64_t events;
    uint64_t lost_ms;  /* since when there is no connection; 0: there is one */
    uint64_t pause_ms; /* before the next attempt */
    bool is_heard;     /* it has told that it listens */
    char session[2 * LIMIT_PID_BYTES];       /* as JSON; empty: none so far */
    char position[2 * LIMIT_POSITION_BYTES]; /* the same: of the last event */
};

static int fail(int code, const char *what, const char *detail)
{
    fprintf(stderr, "sidecast: %s%s\n", what, detail);
    return code;
}

/* --- what the server says */

static bool member_is(struct slice object, const char *name, const char *quoted)
{
    return slice_is(json_object_find(object, name).text, quoted);
}

static int fail_as_told(struct slice object, const char *code_name)
{
    bool is_denied = member_is(object, code_name, "\"E_UNAUTH\"") ||
                     member_is(object, code_name, "\"E_FORBIDDEN\"");

    fputs("sidecast: ", stderr);
    json_print_member(stderr, object, code_name, "-");
    fputs(": ", stderr);
    json_print_member(stderr, object, "message", "-");
    fputc('\n', stderr);
    return is_denied ? EXIT_CODE_DENIED : EXIT_CODE_DATA;
}

/* What comes back with the next connection. Ours are short; others are not kept. */
static void keep(char *kept, size_t size, struct slice object, const char *name)
{
    struct slice text = json_object_find(object, name).text;

    if (text.len > 0 && text.len < size)
        snprintf(kept, size, "%.*s", (int)text.len, text.ptr);
}

static void keep_place(struct sub *sub, struct slice object)
{
    keep(sub->session, sizeof sub->session, object, "session");
    keep(sub->position, sizeof sub->position, object, "position");
}

static void tell_missing(struct slice object)
{
    fputs("sidecast: events may be missing: ", stderr);
    json_print_member(stderr, object, "reason", "unknown_session");
    fputc('\n', stderr);
}

static void print_event(struct sub *sub, struct slice event)
{
    struct json_value data = json_object_find(event, "data");

    sub->events++;
    if (sub->call->is_json) {
        printf("%.*s\n", (int)event.len, event.ptr);
    } else {
        if (data.type == JSON_GATE_NONE)
            data = json_object_find(event, "args");
        json_print_member(stdout, event, "room", "-");
        putchar(' ');
        json_print_member(stdout, event, "event", "-");
        if (data.text.len > 0)
            printf(" %.*s", (int)data.text.len, data.text.ptr);
        putchar('\n');
    }
    fflush(stdout);
}

/* --- what we say */

static int say(struct sub *sub, struct buf *message)
{
    enum status st = buf_status(message);

    if (!st)
        st = ws_client_send(&sub->client, WS_OP_TEXT, buf_slice(message));
    buf_finish(message);
    return st ? LOST : EXIT_CODE_OK;
}

static int say_connect(struct sub *sub, const char *token)
{
    struct buf message = {.max = LIMIT_CLIENT_MESSAGE_BYTES};

    buf_add_text(&message, "{\"t\":\"connect\"");
    if (token) {
        buf_add_text(&message, ",\"token\":");
        buf_add_json_string(&message, slice_of(token));
    }
    if (sub->session[0])
        buf_print(&message, ",\"session\":%s,\"position\":%s", sub->session,
                  sub->position);
    buf_add_byte(&message, '}');
    return say(sub, &message);
}

static int say_subscribe(struct sub *sub)
{
    int code = EXIT_CODE_OK;

    for (size_t i = 0; !code && i < sub->call->words.count; i++) {
        struct buf message = {.max = LIMIT_CLIENT_MESSAGE_BYTES};
        buf_add_text(&message, "{\"t\":\"subscribe\",\"room\":");
        buf_add_json_string(&message, slice_of(sub->call->words.items[i]));
        buf_print(&message, ",\"n\":%zu}", i);
        code = say(sub, &message);
    }
    return code;
}

/* --- the conversation */

static int take_ack(struct sub *sub, struct slice ack)
{
    struct slice data = json_object_find(ack, "data").text;

    if (!member_is(data, "ok", "true"))
        return fail_as_told(data, "error");
    if (++sub->rooms_joined < sub->call->words.count || sub->is_heard)
        return EXIT_CODE_OK;
    sub->is_heard = true;
    if (!sub->call->is_quiet)
        fprintf(stderr, "listening\n");
    return EXIT_CODE_OK;
}

/* It pings that often: twice as long without a byte, and it is gone. */
static void keep_pace(struct sub *sub, struct slice hello)
{
    uint64_t interval_ms;

    if (!slice_to_u64(json_object_find(hello, "ping_interval").text, &interval_ms))
        return;
    sub->client.silence_ms =
        2 * interval_ms > MIN_SILENCE_MS ? 2 * interval_ms : (uint64_t)MIN_SILENCE_MS;
}

/* The rooms of a session that it came back to are its rooms. */
static int take_connected(struct sub *sub, struct slice hello)
{
    bool came_back = sub->session[0] != '\0';
    bool is_recovered = member_is(hello, "recovered", "true");

    sub->lost_ms = 0;
    sub->pause_ms = FIRST_PAUSE_MS;
    keep_place(sub, hello);
    keep_pace(sub, hello);
    if (came_back && !is_recovered)
        tell_missing(hello);
    if (is_recovered && sub->rooms_joined == sub->call->words.count)
        return EXIT_CODE_OK;
    sub->rooms_joined = 0;
    return say_subscribe(sub);
}

static int take_text(struct sub *sub, struct slice text)
{
    struct json_value value;

    if (json_gate_check(text, &json_limits_default, &value, NULL))
        return fail(EXIT_CODE_FAILED, "the server sent what is not JSON", "");
    if (member_is(value.text, "t", "\"connected\""))
        return take_connected(sub, value.text);
    if (member_is(value.text, "t", "\"ack\""))
        return take_ack(sub, value.text);
    if (member_is(value.text, "t", "\"error\""))
        return fail_as_told(value.text, "code");
    if (member_is(value.text, "t", "\"resync\""))
        tell_missing(value.text);
    if (member_is(value.text, "t", "\"event\""))
        print_event(sub, value.text);
    keep(sub->position, sizeof sub->position, value.text, "position");
    return EXIT_CODE_OK;
}

/* Those after which a client returns by itself. */
static bool is_passing(unsigned code)
{
    return code == 1001 || code == 1006 || code == 1011 || code == 4429 || code == 4503;
}

static int take_close(const struct ws_message *message)
{
    if (is_passing(message->close_code))
        return LOST;
    fprintf(stderr, "sidecast: the server closed the connection (%u%s%.*s)\n",
            message->close_code, message->data.len > 0 ? " " : "", (int)message->data.len,
            message->data.ptr ? message->data.ptr : "");
    return message->close_code == 4401 || message->close_code == 4403
               ? EXIT_CODE_DENIED
               : EXIT_CODE_UNREACHABLE;
}

static bool has_all(const struct sub *sub)
{
    return sub->args->count.is_set && sub->events >= sub->args->count.value;
}

/* The time is up: fine, unless more was waited for. */
static int end_of_time(const struct sub *sub)
{
    if (sub->rooms_joined < sub->call->words.count)
        return fail(EXIT_CODE_UNREACHABLE, "no answer in time", "");
    if (!sub->args->count.is_set)
        return EXIT_CODE_OK;
    fprintf(stderr, "sidecast: %" PRIu64 " of %" PRIu64 " events came in time\n",
            sub->events, sub->args->count.value);
    return EXIT_CODE_FAILED;
}

static int listen_to(struct sub *sub)
{
    uint64_t joined_by = clock_ms() + DIAL_TIMEOUT_MS;

    while (!has_all(sub)) {
        struct ws_message message;
        bool is_joining = sub->rooms_joined < sub->call->words.count;
        uint64_t deadline = sub->deadline_ms;
        int code = EXIT_CODE_OK;

        if (is_joining && (!deadline || joined_by < deadline))
            deadline = joined_by;
        enum status st = ws_client_read(&sub->client, deadline, &message);
        if (st == ST_TIMEOUT)
            return end_of_time(sub);
        if (st)
            return LOST;
        if (message.opcode == WS_OP_CLOSE)
            return take_close(&message);
        if (message.opcode == WS_OP_TEXT)
            code = take_text(sub, message.data);
        if (code)
            return code;
    }
    return EXIT_CODE_OK;
}

/* One connection. Who never had one is told why. */
static int attempt(struct sub *sub, const struct dial_address *address, const char *token)
{
    char error[DIAL_ERROR_BYTES] = "";
    int code = EXIT_CODE_OK;

    if (ws_client_open(&sub->client, address, "/ws", error))
        code = sub->session[0] ? LOST : fail(EXIT_CODE_UNREACHABLE, error, "");
    if (!code)
        code = say_connect(sub, token);
    if (!code)
        code = listen_to(sub);
    if (!code)
        ws_client_send(&sub->client, WS_OP_CLOSE, SLICE("\x03\xe8"));
    ws_client_close(&sub->client);
    return code;
}

/* Waits longer each time. False: it has waited enough, or the time of the command is up.
 */
static bool waits_again(struct sub *sub)
{
    uint64_t now_ms = clock_ms();

    if (sub->lost_ms == 0)
        sub->lost_ms = now_ms;
    if (!sub->session[0] || now_ms - sub->lost_ms >= sub->args->retry_ms)
        return false;
    if (sub->deadline_ms && now_ms + sub->pause_ms >= sub->deadline_ms)
        return false;
    poll(NULL, 0, (int)sub->pause_ms);
    sub->pause_ms =
        sub->pause_ms < MAX_PAUSE_MS / 2 ? 2 * sub->pause_ms : (uint64_t)MAX_PAUSE_MS;
    return true;
}

static int converse(struct sub *sub, const char *token)
{
    struct dial_address address;
    char error[DIAL_ERROR_BYTES] = "";
    int code;

    if (!dial_parse(sub->args->url, &address, error))
        return fail(EXIT_CODE_USAGE, error, "");
    do {
        code = attempt(sub, &address, token);
    } while (code == LOST && waits_again(sub));
    return code == LOST ? fail(EXIT_CODE_UNREACHABLE, "the connection was lost", "")
                        : code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct sub_args args = {.url = "http://127.0.0.1:7410", .retry_ms = 30000};
    struct invocation call;
    struct sub sub = {.call = &call, .args = &args, .pause_ms = FIRST_PAUSE_MS};
    char *token = NULL;
    const char *reason;
    int code;

    if (!invocation_begin(&call, self, argc, argv, &args, &code))
        return code;
    if (args.token_file && secret_file_read(args.token_file, &token, &reason)) {
        fprintf(stderr, "sidecast: %s: %s\n", args.token_file, reason);
        return EXIT_CODE_DENIED;
    }
    if (args.timeout_ms)
        sub.deadline_ms = clock_ms() + args.timeout_ms;
    code = converse(&sub, token);
    free(token);
    return code;
}

#define AT(field) offsetof(struct sub_args, field)
static const struct flag flags[] = {
    {"url",        FLAG_TEXT,     "URL",      "of the gateway (http://127.0.0.1:7410)", AT(url),        0         },
    {"token-file", FLAG_TEXT,     "FILE",     "with the token that grants the rooms",
     AT(token_file),                                                                                    0         },
    {"count",      FLAG_NUMBER,   "N",        "end after N events",                     AT(count),      UINT64_MAX},
    {"timeout",    FLAG_DURATION, "DURATION",
     "end after this time; a failure when --count events did not come",                 AT(timeout_ms),
     0                                                                                                            },
    {"retry",      FLAG_DURATION, "DURATION",
     "how long to come back after a lost connection (30s)",                             AT(retry_ms),   0         },
};

const struct command command_sub = {
    .name = "sub",
    .group = GROUP_DAILY,
    .operands = "ROOM…",
    .summary = "Print the events of rooms as a client gets them",
    .example = "  sidecast gentoken --user 42 --room 'project:*' > my.token\n"
               "  sidecast sub project:7 --token-file my.token\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .min_words = 1,
    .max_words = FLAG_LIST_MAX,
    .run = run,
};
