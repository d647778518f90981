/* Log lines: what people and machines read, and nothing that fools a terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bridge/logger.h"
#include "support/yaml_node.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct logger text = {
    .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_TEXT, .role = "publisher"};
static const struct logger json = {
    .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_JSON, .role = "g1"};

/* What a call wrote to stderr. */
struct capture {
    int saved;
    int fds[2];
    char line[8192];
};

static void capture_begin(struct capture *c)
{
    fflush(stderr);
    c->saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(c->fds), 0);
    assert_true(dup2(c->fds[1], STDERR_FILENO) >= 0);
    close(c->fds[1]);
}

static const char *capture_end(struct capture *c)
{
    assert_true(dup2(c->saved, STDERR_FILENO) >= 0); /* closes the pipe's writing end */
    close(c->saved);

    size_t len = 0;
    ssize_t n;
    while ((n = read(c->fds[0], c->line + len, sizeof c->line - 1 - len)) > 0)
        len += (size_t)n;
    close(c->fds[0]);
    c->line[len] = '\0';
    return c->line;
}

static void a_text_line_has_time_level_role_message_and_fields(void **state)
{
    struct capture c;

    (void)state;
    capture_begin(&c);
    log_info(&text, "ready", LOG_NUM("port", 7411), LOG_TEXT("id", "g1"));
    const char *line = capture_end(&c);
    assert_string_equal(line + strlen("12:03:04.123 "),
                        "info  publisher  ready port=7411 id=g1\n");
    assert_int_equal(line[2], ':');
    assert_int_equal(line[8], '.');
}

static void a_text_that_is_not_plain_is_quoted_and_escaped(void **state)
{
    static const struct {
        const char *value;
        const char *shown;
    } cases[] = {
        {"two words",   "=\"two words\"\n"     },
        {"",            "=\"\"\n"              },
        {"a=b",         "=\"a=b\"\n"           },
        {"a\nb",        "=\"a\\nb\"\n"         },
        {"\x1b[31mred", "=\"\\u001b[31mred\"\n"},
        {"caf\xc3\xa9", "=\"caf\xc3\xa9\"\n"   },
        {"\xff",        "=\"\xef\xbf\xbd\"\n"  },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capture c;
        capture_begin(&c);
        log_info(&text, "x", LOG_TEXT("v", cases[i].value));
        assert_string_equal(strchr(capture_end(&c), '='), cases[i].shown);
    }
}

static void a_json_line_is_one_object(void **state)
{
    struct capture c;

    (void)state;
    capture_begin(&c);
    log_warn(&json, "a \"quote\"", LOG_NUM("n", -3), LOG_TEXT("room", "a\nb"));
    const char *line = capture_end(&c);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);

    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(root, "role")), "g1");
    assert_string_equal(json_string_value(json_object_get(root, "message")),
                        "a \"quote\"");
    assert_string_equal(json_string_value(json_object_get(root, "room")), "a\nb");
    assert_int_equal(json_integer_value(json_object_get(root, "n")), -3);
    assert_int_equal(strlen(json_string_value(json_object_get(root, "time"))), 24);
    json_decref(root);
}

static void a_line_above_the_level_is_not_written(void **state)
{
    struct capture c;

    (void)state;
    capture_begin(&c);
    log_debug(&text, "x", LOG_NUM("n", 1));
    assert_string_equal(capture_end(&c), "");
}

static void a_long_text_is_cut(void **state)
{
    struct capture c;
    char value[2000];

    (void)state;
    memset(value, 'a', sizeof value);
    capture_begin(&c);
    log_info(&text, "x", LOG_SLICE("v", ((struct slice){value, sizeof value})));
    assert_int_equal(strlen(strchr(capture_end(&c), '=')), 512 + 2);
}

/* What a logger of that system writes of a client that has connected. */
static const char *line_of(struct capture *c, enum log_format format, const char *logs,
                           const char *sid)
{
    struct document_node node = yaml_node(logs);
    struct faults faults = {0};
    struct log_names *names = log_names_compile(&node, &faults);
    const struct logger log = {LOG_LEVEL_INFO, format, "g1", names, "gateway", NULL};

    assert_non_null(names);
    capture_begin(c);
    log_info(&log, "client connected", LOG_TEXT("sid", sid), LOG_TEXT("user", "7"));
    const char *line = capture_end(c);
    log_names_destroy(names);
    document_finish(&node);
    return format == LOG_FORMAT_TEXT ? line + strlen("12:03:04.123 info  g1         ")
                                     : line;
}

static void a_line_is_written_in_the_words_of_the_system(void **state)
{
    static const struct {
        const char *logs, *sid, *line;
    } cases[] = {
        {"{names: {client connected: 'Socket: {sid} ({user})'}}",   "ab",
         "Socket: ab (7)\n"                                                                                            },
        {"{names: {client connected: 'Socket: {sid}', user: who}}", "ab",
         "Socket: ab who=7\n"                                                                                          },
        {"{names: {client connected: '{room} {sid}'}}",             "a\nb",     "- \"a\\nb\" user=7\n"                 },
        {"{names: {client connected: 'In: {sid}.'}}",               "to be",    "In: to be. user=7\n"                  },
        {"{names: {client connected: 'In: {sid}.'}}",               "to  \x1b",
         "In: \"to  \\u001b\". user=7\n"                                                                               },
        {"{prefixes: {gateway: '[IO]'}}",                           "ab",       "[IO] client connected sid=ab user=7\n"},
        {"{prefixes: {gateway: '[IO]', client connected: '[In]'}}", "ab",
         "[In] client connected sid=ab user=7\n"                                                                       },
        {"{prefixes: {publisher: '[P]'}}",                          "ab",       "client connected sid=ab user=7\n"     },
    };
    struct capture c;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(line_of(&c, LOG_FORMAT_TEXT, cases[i].logs, cases[i].sid),
                            cases[i].line);
}

static void a_json_line_in_the_words_of_the_system_keeps_its_fields(void **state)
{
    struct capture c;
    const char *line = line_of(&c, LOG_FORMAT_JSON,
                               "{names: {client connected: 'Socket {sid}', sid: socket}, "
                               "prefixes: {gateway: '[IO]'}}",
                               "a\"b");
    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    (void)state;
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "message")),
                        "[IO] Socket a\"b");
    assert_string_equal(json_string_value(json_object_get(root, "socket")), "a\"b");
    assert_string_equal(json_string_value(json_object_get(root, "user")), "7");
    json_decref(root);
}

static void every_line_fits_a_pipe_and_stays_whole(void **state)
{
    struct capture c;
    char value[2000];

    (void)state;
    memset(value, '\x1b', sizeof value);
    const struct slice hostile = {value, sizeof value};
    capture_begin(&c);
    log_info(&json, "x", LOG_SLICE("a", hostile), LOG_SLICE("b", hostile));
    const char *line = capture_end(&c);
    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_true(strlen(line) <= 4096);
    assert_non_null(root);
    assert_int_equal(json_string_length(json_object_get(root, "b")), 64);
    json_decref(root);
}

static bool make_pipe(int fds[2])
{
    return pipe(fds) == 0;
}

static bool make_sockets(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0;
}

/* What the next line says, with the one before it, once somebody reads. */
static void check_stalled(bool (*make)(int fds[2]), bool is_own)
{
    enum {
        LINES = 5000, /* more than fits */
    };
    _Atomic uint64_t lost = 0;
    const struct logger log = {.level = LOG_LEVEL_ERROR, .role = "g1", .lost = &lost};
    int saved = dup(STDERR_FILENO), fds[2];
    char bytes[4096];

    assert_true(make(fds));
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    if (is_own)
        log_never_block();
    alarm(20); /* a line that waits for ever ends the test */
    for (int i = 0; i < LINES; i++)
        log_error(&log, "a line of some length, as many are in a log", LOG_NUM("i", i));
    uint64_t told = lost;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    while (read(fds[0], bytes, sizeof bytes) > 0)
        ;
    log_error(&log, "room again", LOG_NUM("i", LINES));
    alarm(0);
    ssize_t len = read(fds[0], bytes, sizeof bytes - 1);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(fds[0]);

    assert_in_range(told, 1, LINES - 1);
    assert_int_equal(lost, 0);
    assert_true(len > 0);
    bytes[len] = '\0';
    const char *last = strstr(bytes, "log lines were lost lines=");
    assert_non_null(last);
    assert_int_equal(strtoull(strchr(last, '=') + 1, NULL, 10), told);
    assert_non_null(strstr(last, "room again"));
}

/* Reads as late as a busy reader does, and not at all would be too late. */
static void *read_late(void *fd)
{
    char bytes[65536];
    size_t lines = 0;
    ssize_t len;

    usleep(30000);
    while ((len = read(*(int *)fd, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < len; i++)
            lines += bytes[i] == '\n';
    return (void *)lines;
}

static void check_late_reader(bool (*make)(int fds[2]))
{
    enum {
        LINES = 5000,
    };
    _Atomic uint64_t lost = 0;
    const struct logger log = {.level = LOG_LEVEL_ERROR, .role = "g1", .lost = &lost};
    int saved = dup(STDERR_FILENO), fds[2];
    pthread_t reader;
    void *lines;

    assert_true(make(fds));
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    log_never_block();
    assert_int_equal(pthread_create(&reader, NULL, read_late, &fds[0]), 0);
    for (int i = 0; i < LINES; i++)
        log_error(&log, "a line of some length, as many are in a log", LOG_NUM("i", i));
    dup2(saved, STDERR_FILENO);
    close(saved);
    pthread_join(reader, &lines);
    close(fds[0]);
    assert_int_equal(lost, 0);
    assert_int_equal((size_t)lines, LINES);
}

static void a_reader_that_is_late_gets_every_line(void **state)
{
    (void)state;
    check_late_reader(make_pipe);
    check_late_reader(make_sockets);
}

static void a_line_waits_a_moment_and_what_is_lost_is_told(void **state)
{
    (void)state;
    check_stalled(make_pipe, true);
    check_stalled(make_pipe, false);
    check_stalled(make_sockets, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_has_time_level_role_message_and_fields),
        cmocka_unit_test(a_text_that_is_not_plain_is_quoted_and_escaped),
        cmocka_unit_test(a_json_line_is_one_object),
        cmocka_unit_test(a_line_above_the_level_is_not_written),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(every_line_fits_a_pipe_and_stays_whole),
        cmocka_unit_test(a_reader_that_is_late_gets_every_line),
        cmocka_unit_test(a_line_waits_a_moment_and_what_is_lost_is_told),
        cmocka_unit_test(a_line_is_written_in_the_words_of_the_system),
        cmocka_unit_test(a_json_line_in_the_words_of_the_system_keeps_its_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
