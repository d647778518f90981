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

static void add_text(struct buf *line, const struct logger *log, int64_t now_ms,
                     enum log_level level, const char *message)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char time[TIME_BYTES];

    localtime_r(&seconds, &tm);
    strftime(time, sizeof time, "%H:%M:%S", &tm);
    buf_print(line, "%s.%03d %-5s %-9s  ", time, (int)(now_ms % 1000), level_names[level],
              log->role);
    buf_add_text(line, log_names_find(log->names, message));
}

static void add_text_field(struct buf *line, const struct logger *log,
                           const struct log_field *field)
{
    buf_print(line, " %s=", log_names_find(log->names, field->name));
    if (!field->text.ptr)
        buf_print(line, "%" PRId64, field->number);
    else if (is_plain(field->text))
        buf_add(line, slice_first(field->text, TEXT_BYTES));
    else
        buf_add_json_string(line, slice_first(field->text, TEXT_BYTES));
}

static void add_json(struct buf *line, const struct logger *log, int64_t now_ms,
                     enum log_level level, const char *message)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char time[TIME_BYTES];

    gmtime_r(&seconds, &tm);
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_print(line, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"role\":", time,
              (int)(now_ms % 1000), level_names[level]);
    buf_add_json_string(line, slice_of(log->role));
    buf_add_text(line, ",\"message\":");
    buf_add_json_string(line, slice_of(log_names_find(log->names, message)));
}

static void add_json_field(struct buf *line, const struct logger *log,
                           const struct log_field *field)
{
    buf_add_byte(line, ',');
    buf_add_json_string(line, slice_of(log_names_find(log->names, field->name)));
    buf_add_byte(line, ':');
    if (field->text.ptr)
        buf_add_json_string(line, slice_first(field->text, TEXT_BYTES));
    else
        buf_print(line, "%" PRId64, field->number);
}

void log_line(const struct logger *log, enum log_level level, const char *message,
              const struct log_field *fields, size_t count)
{
    struct buf line = {.max = LINE_BYTES};
    int64_t now_ms = clock_wall_ms();

    if (level > log->level)
        return;
    if (log->format == LOG_FORMAT_JSON) {
        add_json(&line, log, now_ms, level, message);
        for (size_t i = 0; i < count; i++)
            add_json_field(&line, log, &fields[i]);
        buf_add_text(&line, "}\n");
    } else {
        add_text(&line, log, now_ms, level, message);
        for (size_t i = 0; i < count; i++)
            add_text_field(&line, log, &fields[i]);
        buf_add_byte(&line, '\n');
    }

    /* Nothing can be done about a closed or full stderr, and a second try would tear
     * lines of other threads apart. */
    if (line.len > 0 && write(STDERR_FILENO, line.ptr, line.len) < 0)
        line.len = 0;
    buf_finish(&line);
}
