/* Log lines: see the header. */
#include "bridge/logger.h"

#include "bridge/clock.h"
#include "proto/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_BYTES = 64 * 1024,
    TEXT_BYTES = 512,
    TIME_BYTES = 40
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
};

static void add_value(struct buf *out, const struct log_field *field, bool is_quoted)
{
    struct slice text = slice_first(field->text, TEXT_BYTES);

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
            add_value(out, field, is_for_people && needs_quotes_in_name(field));
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
        add_value(out, field, needs_quotes(field));
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
        add_value(out, field, true);
    }
    buf_add_byte(out, '}');
}

void log_line(const struct logger *log, enum log_level level, const char *message,
              const struct log_field *fields, size_t count)
{
    struct line line = {log, message, NULL, fields, count};
    struct buf out = {.max = LINE_BYTES};

    if (level > log->level)
        return;
    line.name = log_names_find(log->names, message);
    if (log->format == LOG_FORMAT_JSON)
        add_json(&out, &line, clock_wall_ms(), level);
    else
        add_text(&out, &line, clock_wall_ms(), level);
    buf_add_byte(&out, '\n');

    /* Nothing can be done about a closed or full stderr, and a second try would tear
     * lines of other threads apart. */
    if (out.len > 0 && write(STDERR_FILENO, out.ptr, out.len) < 0)
        out.len = 0;
    buf_finish(&out);
}
