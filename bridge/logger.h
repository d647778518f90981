/*
 * Log lines, to stderr: text for people, or JSON. Any thread: a line is one write(2), of
 * 4,096 bytes at most. A line waits 100 ms for who reads them, and not at all while lines
 * are being lost; one that finds no room is lost, and the next one that finds some comes
 * after the number of those that were. Never a token, a key or a payload: fields are
 * names, ids, counts and reasons.
 *
 *   log_info(log, "gateway is ready", LOG_NUM("port", port), LOG_TEXT("id", id));
 */
#ifndef BRIDGE_LOGGER_H
#define BRIDGE_LOGGER_H

#include "proto/log_names.h"
#include "proto/slice.h"

#include <stdatomic.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

enum log_format {
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON
};

struct log_field {
    const char *name;
    struct slice text; /* when ptr is set */
    int64_t number;    /* else */
};

/* Plain memory: set up once by the process' main, read by all threads. */
struct logger {
    enum log_level level;
    enum log_format format;
    const char *role;              /* "publisher", "g1", "serve" */
    const struct log_names *names; /* what the system calls lines and fields, or NULL */
    const char *part;              /* to them: "publisher", "gateway", "serve" */
    _Atomic uint64_t *lost;        /* keeps: lines not yet told of; NULL: never mind */
};

#define LOG_TEXT(field, string) ((struct log_field){(field), slice_of(string), 0})
#define LOG_SLICE(field, slice) ((struct log_field){(field), (slice), 0})
#define LOG_NUM(field, value) ((struct log_field){(field), {0}, (int64_t)(value)})

/* Every call names at least one field. */
#define LOG_FIELDS(...)                                                                  \
    (const struct log_field[]){__VA_ARGS__},                                             \
        sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)
#define log_error(log, message, ...)                                                     \
    log_line((log), LOG_LEVEL_ERROR, (message), LOG_FIELDS(__VA_ARGS__))
#define log_warn(log, message, ...)                                                      \
    log_line((log), LOG_LEVEL_WARN, (message), LOG_FIELDS(__VA_ARGS__))
#define log_info(log, message, ...)                                                      \
    log_line((log), LOG_LEVEL_INFO, (message), LOG_FIELDS(__VA_ARGS__))
#define log_debug(log, message, ...)                                                     \
    log_line((log), LOG_LEVEL_DEBUG, (message), LOG_FIELDS(__VA_ARGS__))

/* Borrows everything. Control characters in text are escaped; a text is cut at 512 bytes,
 * or at 64 in a line that would become too long. */
void log_line(const struct logger *log, enum log_level level, const char *message,
              const struct log_field *fields, size_t count);

/*
 * At the start of a process that serves: gives stderr a description of this process' own
 * that does not block, where it is a pipe or terminal; what others share with us stays as
 * it is. Elsewhere, or where that is not to be had, a line asks poll(2) whether there is
 * room, which another process may take first.
 */
void log_never_block(void);

#endif
