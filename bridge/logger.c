/* Log lines: see the header. */
#include "bridge/logger.h"

#include "bridge/clock.h"
#include "proto/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_BYTES = PIPE_BUF, /* goes into a pipe whole or not at all */
    TEXT_BYTES = 512,
    SHORT_TEXT_BYTES = 64, /* where a line would be longer than that */
    TIME_BYTES = 40,
    PATIENCE_MS = 100,
};

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

/* Safe to show as it is: a value with anything else is written as a JSON string. */
static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return text.len > 0;
}

/* One line that is being written. */
struct line {
    const struct logger *log;
    const char *message; /* ours */
    const char *name;    /* the system's; perhaps with fields in braces */
    const struct log_field *fields;
    size_t count;
    size_t text_bytes; /* at which texts are cut */
};

static void add_value(struct buf *out, const struct line *line,
                      const struct log_field *field, bool is_quoted)
{
    struct slice text = slice_first(field->text, line->text_bytes);

    if (!field->text.ptr)
        buf_print(out, "%" PRId64, field->number);
    else if (is_quoted)
        buf_add_json_string(out, text);
    else
        buf_add(out, text);
}

/* For people: what could be mistaken, or fool a terminal. */
static bool needs_quotes(const struct log_field *field)
{
    return field->text.ptr && !is_plain(field->text);
}

/* Inside the name of a line nothing follows a blank that could be mistaken. */
static bool needs_quotes_in_name(const struct log_field *field)
{
    struct slice rest = field->text, word;

    while (slice_cut(rest, ' ', &word, &rest))
        if (!is_plain(word))
            return true;
    return field->text.ptr && !is_plain(word);
}

static void add_shown(struct buf *out, const struct line *line, struct slice name,
                      bool is_for_people)
{
    for (size_t i = 0; i < line->count; i++) {
        const struct log_field *field = &line->fields[i];
        if (slice_is(name, field->name)) {
            add_value(out, line, field, is_for_people && needs_quotes_in_name(field));
            return;
        }
    }
    buf_add_byte(out, '-');
}

static void add_message(struct buf *out, const struct line *line, bool is_for_people)
{
    const char *prefix =
        log_names_prefix(line->log->names, line->message, line->log->part);
    struct slice rest = slice_of(line->name), text, field;

    buf_add_text(out, prefix);
    if (prefix[0])
        buf_add_byte(out, ' ');
    while (log_names_cut(&rest, &text, &field)) {
        buf_add(out, text);
        add_shown(out, line, field, is_for_people);
    }
    buf_add(out, text);
}

static void add_text(struct buf *out, const struct line *line, int64_t now_ms,
                     enum log_level level)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char time[TIME_BYTES];

    localtime_r(&seconds, &tm);
    strftime(time, sizeof time, "%H:%M:%S", &tm);
    buf_print(out, "%s.%03d %-5s %-9s  ", time, (int)(now_ms % 1000), level_names[level],
              line->log->role);
    add_message(out, line, true);
    for (size_t i = 0; i < line->count; i++) {
        const struct log_field *field = &line->fields[i];
        if (log_names_shows(line->name, field->name))
            continue;
        buf_print(out, " %s=", log_names_find(line->log->names, field->name));
        add_value(out, line, field, needs_quotes(field));
    }
}

static void add_json(struct buf *out, const struct line *line, int64_t now_ms,
                     enum log_level level)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct buf message = {.max = LINE_BYTES};
    struct tm tm;
    char time[TIME_BYTES];

    gmtime_r(&seconds, &tm);
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_print(out, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"role\":", time,
              (int)(now_ms % 1000), level_names[level]);
    buf_add_json_string(out, slice_of(line->log->role));
    buf_add_text(out, ",\"message\":");
    add_message(&message, line, false);
    buf_add_json_string(out, buf_slice(&message));
    buf_finish(&message);
    for (size_t i = 0; i < line->count; i++) {
        const struct log_field *field = &line->fields[i];
        buf_add_byte(out, ',');
        buf_add_json_string(out, slice_of(log_names_find(line->log->names, field->name)));
        buf_add_byte(out, ':');
        add_value(out, line, field, true);
    }
    buf_add_byte(out, '}');
}

static void build(struct buf *out, const struct line *line, enum log_level level)
{
    if (line->log->format == LOG_FORMAT_JSON)
        add_json(out, line, clock_wall_ms(), level);
    else
        add_text(out, line, clock_wall_ms(), level);
    buf_add_byte(out, '\n');
}

static bool has_room(int patience_ms)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&out, 1, patience_ms) == 1 && (out.revents & POLLOUT);
}

/* A socket takes more than it says to poll(2). What is none was made not to block, or
 * asks first. A second try would tear lines of other threads apart. */
static bool offer(struct slice line)
{
    ssize_t sent = send(STDERR_FILENO, line.ptr, line.len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0 && errno == ENOTSOCK)
        sent = has_room(0) ? write(STDERR_FILENO, line.ptr, line.len) : -1;
    return sent == (ssize_t)line.len;
}

static bool is_losing(const struct logger *log)
{
    return log->lost && atomic_load_explicit(log->lost, memory_order_relaxed) > 0;
}

/* False: nobody takes it. */
static bool put(const struct logger *log, enum log_level level, const char *message,
                const struct log_field *fields, size_t count)
{
    struct line line = {log,    message, log_names_find(log->names, message),
                        fields, count,   TEXT_BYTES};
    struct buf out = {.max = LINE_BYTES};

    build(&out, &line, level);
    if (buf_status(&out) == ST_TOO_LARGE) {
        buf_finish(&out);
        out = (struct buf){.max = LINE_BYTES};
        line.text_bytes = SHORT_TEXT_BYTES;
        build(&out, &line, level);
    }
    bool is_out = out.len > 0 && offer(buf_slice(&out));
    if (!is_out && out.len > 0 && has_room(PATIENCE_MS))
        is_out = offer(buf_slice(&out));
    buf_finish(&out);
    return is_out;
}

static void lose(const struct logger *log, uint64_t lines)
{
    if (log->lost)
        atomic_fetch_add_explicit(log->lost, lines, memory_order_relaxed);
}

/* Before the first line that goes again, whatever the level. False: none goes yet. */
static bool tell_lost(const struct logger *log)
{
    if (!has_room(0))
        return false;
    uint64_t lines = atomic_exchange_explicit(log->lost, 0, memory_order_relaxed);
    bool is_told = lines == 0 || put(log, LOG_LEVEL_WARN, "log lines were lost",
                                     LOG_FIELDS(LOG_NUM("lines", lines)));
    if (!is_told)
        lose(log, lines);
    return is_told;
}

void log_line(const struct logger *log, enum log_level level, const char *message,
              const struct log_field *fields, size_t count)
{
    if (level > log->level)
        return;
    bool is_open = !is_losing(log) || tell_lost(log);
    if (!is_open || !put(log, level, message, fields, count))
        lose(log, 1);
}

void log_never_block(void)
{
    struct stat err;
    int fd;

    if (fstat(STDERR_FILENO, &err) || (!S_ISFIFO(err.st_mode) && !S_ISCHR(err.st_mode)))
        return;
    fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    dup2(fd, STDERR_FILENO);
    close(fd);
}
