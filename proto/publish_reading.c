/* What the parts of the publish decoder share: see the header. */
#include "proto/publish_reading.h"

#include <stdarg.h>
#include <stdio.h>

enum status publish_refuse(struct publish_reading *reading, enum status status,
                           const char *expected, const char *format, ...)
{
    struct publish_fault *fault = reading->fault;
    va_list args;

    va_start(args, format);
    vsnprintf(fault->detail, sizeof fault->detail, format, args);
    va_end(args);
    snprintf(fault->expected, sizeof fault->expected, "%s", expected);
    return status;
}

void publish_point_at(struct publish_reading *reading, const char *field)
{
    snprintf(reading->fault->pointer, sizeof reading->fault->pointer, "/%s", field);
}

void publish_point_at_item(struct publish_reading *reading, const char *field,
                           size_t item)
{
    snprintf(reading->fault->pointer, sizeof reading->fault->pointer, "/%s/%zu", field,
             item);
}

void publish_advise(struct publish_reading *reading, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reading->fault->hint, sizeof reading->fault->hint, format, args);
    va_end(args);
}

struct slice publish_string(struct publish_reading *reading, struct slice quoted)
{
    struct buf *memory = &reading->request->memory;
    char *out = memory->ptr + memory->len;
    struct slice text = json_string_decode(quoted, out);

    if (text.ptr == out)
        buf_grew(memory, text.len);
    return text;
}
