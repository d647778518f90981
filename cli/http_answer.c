/* HTTP answers: see the header. */
#include "cli/http_answer.h"

#include <string.h>

/* "HTTP/1.1 202 Accepted" */
static bool read_status(struct slice line, int *status)
{
    uint64_t number;
    struct slice version, rest, digits, reason;

    if (!slice_cut(line, ' ', &version, &rest) ||
        !(slice_is(version, "HTTP/1.1") || slice_is(version, "HTTP/1.0")))
        return false;
    slice_cut(rest, ' ', &digits, &reason);
    if (digits.len != 3 || !slice_to_u64(digits, &number) || number < 100)
        return false;
    *status = (int)number;
    return true;
}

static bool next_line(struct slice *text, struct slice *line)
{
    if (!slice_cut(*text, '\n', line, text))
        return false;
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

struct slice http_answer_field(const struct http_answer *answer, const char *name)
{
    struct slice rest = answer->head, line, field, value;

    while (next_line(&rest, &line))
        if (slice_cut(line, ':', &field, &value) && slice_is_nocase(field, name))
            return slice_trim(value);
    return (struct slice){0};
}

enum status http_answer_read(struct slice bytes, bool has_ended,
                             struct http_answer *answer)
{
    enum status more = has_ended ? ST_BAD_REQUEST : ST_AGAIN;
    struct slice line;
    uint64_t length;

    const char *end = bytes.len ? memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return more;
    answer->head = slice_first(bytes, (size_t)(end - bytes.ptr) + 2);
    answer->body = slice_from(bytes, answer->head.len + 2);

    struct slice rest = answer->head;
    if (!next_line(&rest, &line) || !read_status(line, &answer->status))
        return ST_BAD_REQUEST;
    if (answer->status == 101)
        return ST_OK;
    if (answer->status < 200 || http_answer_field(answer, "Transfer-Encoding").len > 0)
        return ST_BAD_REQUEST;
    if (answer->status == 204 || answer->status == 304) {
        answer->body.len = 0;
        return ST_OK;
    }

    struct slice text = http_answer_field(answer, "Content-Length");
    if (text.len == 0)
        return has_ended ? ST_OK : ST_AGAIN;
    if (!slice_to_u64(text, &length))
        return ST_BAD_REQUEST;
    if (answer->body.len < length)
        return more;
    answer->body = slice_first(answer->body, (size_t)length);
    return ST_OK;
}
