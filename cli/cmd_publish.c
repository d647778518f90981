/* sidecast publish: one event through the publisher's API. */
#include "bridge/secret_file.h"
#include "cli/cmd.h"
#include "cli/exit_code.h"
#include "cli/http_call.h"
#include "cli/invocation.h"
#include "cli/json_print.h"
#include "proto/json_gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_BYTES = 16 * 1024,
    BODY_BYTES = LIMIT_PUBLISH_BYTES + 4096
};

struct publish_args {
    const char *user;
    bool is_all;
    const char *id;
    const char *url;
    const char *key_file;
};

/* What is posted: the words, without those that the flags stand for. */
struct event {
    const char *room; /* NULL: --user or --all */
    const char *name;
    struct buf data; /* empty: the event has no argument */
};

static int fail(int code, const char *what, const char *detail)
{
    fprintf(stderr, "sidecast: %s%s\n", what, detail);
    return code;
}

static int read_words(const struct invocation *call, const struct publish_args *args,
                      struct event *event, const char **data)
{
    const struct flag_list *words = &call->words;
    size_t at = 0;

    if (args->user && args->is_all)
        return fail(EXIT_CODE_USAGE, "--user and --all exclude each other", "");
    if (!args->user && !args->is_all)
        event->room = words->items[at++];
    if (at >= words->count)
        return fail(EXIT_CODE_USAGE, "publish needs ROOM EVENT [JSON|@FILE|-]",
                    "; see 'sidecast help publish'");
    event->name = words->items[at++];
    *data = at < words->count ? words->items[at++] : NULL;
    if (at < words->count)
        return fail(EXIT_CODE_USAGE,
                    "unexpected word after the data: ", words->items[at]);
    return EXIT_CODE_OK;
}

static int read_stream(FILE *file, struct buf *out)
{
    for (;;) {
        char *room = buf_reserve(out, READ_BYTES);
        if (!room)
            return fail(EXIT_CODE_DATA, "the data is too large", "");
        size_t n = fread(room, 1, READ_BYTES, file);
        buf_grew(out, n);
        if (n == 0)
            return ferror(file) ? fail(EXIT_CODE_FAILED, "cannot read the data", "")
                                : EXIT_CODE_OK;
    }
}

/* JSON itself, "@file", or "-" for stdin. */
static int read_data(const char *text, struct buf *out)
{
    struct json_value value;
    struct json_fault fault;
    int code = EXIT_CODE_OK;

    if (!text)
        return code;
    if (strcmp(text, "-") == 0) {
        code = read_stream(stdin, out);
    } else if (text[0] == '@') {
        FILE *file = fopen(text + 1, "r");
        if (!file)
            return fail(EXIT_CODE_FAILED, "cannot open ", text + 1);
        code = read_stream(file, out);
        fclose(file);
    } else {
        buf_add_text(out, text);
    }
    if (code)
        return code;
    if (json_gate_check(buf_slice(out), &json_limits_default, &value, &fault)) {
        fprintf(stderr,
                "sidecast: the data is not JSON (%s, at byte %zu); a text needs quotes "
                "of its own: '\"hello\"'\n",
                fault.reason, fault.offset);
        return EXIT_CODE_DATA;
    }
    return EXIT_CODE_OK;
}

static void add_member(struct buf *body, const char *name, const char *text)
{
    if (!text)
        return;
    buf_print(body, ",\"%s\":", name);
    buf_add_json_string(body, slice_of(text));
}

static void encode(struct buf *body, const struct event *event,
                   const struct publish_args *args)
{
    buf_add_text(body, "{\"event\":");
    buf_add_json_string(body, slice_of(event->name));
    add_member(body, "room", event->room);
    add_member(body, "user", args->user);
    add_member(body, "id", args->id);
    if (args->is_all)
        buf_add_text(body, ",\"all\":true");
    if (event->data.len > 0) {
        buf_add_text(body, ",\"data\":");
        buf_add(body, buf_slice(&event->data));
    }
    buf_add_byte(body, '}');
}

static int exit_code_of(int status)
{
    if (status < 300)
        return EXIT_CODE_OK;
    if (status == 401 || status == 403)
        return EXIT_CODE_DENIED;
    if (status == 503)
        return EXIT_CODE_UNREACHABLE;
    return status == 400 || status == 409 || status == 413 || status == 422
               ? EXIT_CODE_DATA
               : EXIT_CODE_FAILED;
}

static void print_accepted(struct slice answer)
{
    struct json_value recipients = json_object_find(answer, "recipients");

    json_print_member(stdout, answer, "id", "");
    if (recipients.type == JSON_GATE_NUMBER)
        printf("  %.*s recipients\n", (int)recipients.text.len, recipients.text.ptr);
    else
        puts("  unknown recipients");
}

static int print_answer(const struct invocation *call, const struct http_answer *answer)
{
    int code = exit_code_of(answer->status);
    struct json_value value;

    if (json_gate_check(answer->body, &json_limits_default, &value, NULL) ||
        value.type != JSON_GATE_OBJECT) {
        fprintf(stderr, "sidecast: the server answered %d, but not as Sidecast does\n",
                answer->status);
        return code ? code : EXIT_CODE_FAILED;
    }
    if (call->is_json)
        printf("%.*s\n", (int)value.text.len, value.text.ptr);
    else if (code == EXIT_CODE_OK)
        print_accepted(value.text);
    if (code == EXIT_CODE_OK)
        return code;
    fputs("sidecast: ", stderr);
    json_print_member(stderr, value.text, "code", "");
    fputs(": ", stderr);
    json_print_sentence(stderr, value.text, "detail");
    fputc(' ', stderr);
    json_print_sentence(stderr, value.text, "hint");
    fputc('\n', stderr);
    return code;
}

static int post(const struct invocation *call, const struct publish_args *args,
                struct slice key, struct slice body)
{
    struct dial_address address;
    struct http_answer answer;
    struct buf memory = {0};
    char error[DIAL_ERROR_BYTES] = "";

    if (!dial_parse(args->url, &address, error))
        return fail(EXIT_CODE_USAGE, error, "");
    int code = http_call(&address, "/broadcast", key, body, &memory, &answer, error)
                   ? fail(EXIT_CODE_UNREACHABLE, error, "")
                   : print_answer(call, &answer);
    buf_finish(&memory);
    return code;
}

/* A line end in a key would be one in the request. */
static int read_key(const struct publish_args *args, char **key)
{
    const char *from_environment = getenv("SIDECAST_API_KEY");
    const char *reason;

    if (args->key_file) {
        if (secret_file_read(args->key_file, key, &reason)) {
            fprintf(stderr, "sidecast: %s: %s\n", args->key_file, reason);
            return EXIT_CODE_DENIED;
        }
    } else {
        *key = slice_dup(slice_of(from_environment));
    }
    if (*key && !(*key)[0])
        return fail(EXIT_CODE_DENIED,
                    "no API key: set SIDECAST_API_KEY or give --key-file", "");
    if (*key && strpbrk(*key, "\r\n \t"))
        return fail(EXIT_CODE_DENIED, "the API key has blanks in it", "");
    return *key ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

static int run(const struct command *self, int argc, char **argv)
{
    const char *url = getenv("SIDECAST_URL");
    struct publish_args args = {.url = url && url[0] ? url : "http://127.0.0.1:7411"};
    /* One read more than what may pass: it finds the end. */
    struct event event = {.data = {.max = LIMIT_PUBLISH_BYTES + READ_BYTES}};
    struct buf body = {.max = BODY_BYTES};
    struct invocation call;
    const char *data = NULL;
    char *key = NULL;
    int code;

    if (!invocation_begin(&call, self, argc, argv, &args, &code))
        return code;
    code = read_words(&call, &args, &event, &data);
    if (!code)
        code = read_key(&args, &key);
    if (!code)
        code = read_data(data, &event.data);
    if (!code) {
        encode(&body, &event, &args);
        code = buf_status(&body) ? fail(EXIT_CODE_DATA, "the event is too large", "")
                                 : post(&call, &args, slice_of(key), buf_slice(&body));
    }
    free(key);
    buf_finish(&event.data);
    buf_finish(&body);
    return code;
}

#define AT(field) offsetof(struct publish_args, field)
static const struct flag flags[] = {
    {"user",     FLAG_TEXT,   "ID",   "to all devices of this user; there is no ROOM then",
     AT(user),                                                                                          0},
    {"all",      FLAG_SWITCH, NULL,   "to everybody; there is no ROOM then",                AT(is_all), 0},
    {"id",       FLAG_TEXT,   "ID",   "of the event: the same id is accepted once",         AT(id),     0},
    {"url",      FLAG_TEXT,   "URL",
     "of the publisher (SIDECAST_URL, else http://127.0.0.1:7411)",                         AT(url),    0},
    {"key-file", FLAG_TEXT,   "FILE", "with the API key (else SIDECAST_API_KEY)",
     AT(key_file),                                                                                      0},
};

const struct command command_publish = {
    .name = "publish",
    .group = GROUP_DAILY,
    .operands = "ROOM EVENT [JSON|@FILE|-]",
    .summary = "Publish one event",
    .example = "  sidecast publish project:7 task:created '{\"id\":7}'\n"
               "  sidecast publish --user 42 notice @notice.json\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .min_words = 1,
    .max_words = 3,
    .run = run,
};
