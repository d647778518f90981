/* Error bodies: see the header. */
#include "proto/problem.h"

/* Whoever reads an error wants to know whether it is worth sending the same thing again.
 */
static const char *general_hint(enum status status)
{
    if (status_is_passing(status))
        return "Nothing is wrong with the request: send it again after a moment.";
    if (status_http(status) >= 500)
        return "This is a fault of the server: look for the instance in its log.";
    return "Correct the request before you send it again.";
}

static const char *text_or(const char *text, const char *otherwise)
{
    return text && *text ? text : otherwise;
}

static void add_member(struct buf *out, const char *key, const char *text)
{
    buf_add_text(out, key);
    buf_add_json_string(out, slice_of(text));
}

static void add_error(struct buf *out, const struct problem_error *error)
{
    add_member(out, "{\"pointer\":", text_or(error->pointer, ""));
    add_member(out, ",\"detail\":", text_or(error->detail, ""));
    if (error->expected && *error->expected)
        add_member(out, ",\"expected\":", error->expected);
    buf_add_byte(out, '}');
}

void problem_encode(struct buf *out, const struct problem *problem)
{
    enum status status = problem->status;
    const char *title = status_title(status);

    buf_add_text(out, "{\"type\":\"urn:sidecast:error:");
    buf_add_text(out, status_code(status));
    add_member(out, "\",\"title\":", title);
    buf_add_text(out, ",\"status\":");
    buf_add_u64(out, (uint64_t)status_http(status));
    add_member(out, ",\"code\":", status_code(status));
    add_member(out, ",\"detail\":", text_or(problem->detail, title));
    add_member(out, ",\"hint\":", text_or(problem->hint, general_hint(status)));
    buf_add_text(out, ",\"instance\":");
    buf_add_json_string(out, problem->instance);

    for (size_t i = 0; i < problem->error_count && i < PROBLEM_MAX_ERRORS; i++) {
        buf_add_text(out, i == 0 ? ",\"errors\":[" : ",");
        add_error(out, &problem->errors[i]);
    }
    buf_add_text(out, problem->error_count > 0 ? "]}" : "}");
}
