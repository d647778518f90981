/* The gate for HTTP heads: see the header. */
#include "proto/http_gate.h"

#include <string.h>

enum {
    MAX_LENGTH_DIGITS = 10,
    WEBSOCKET_KEY_BYTES = 24, /* 16 bytes in base64 */
};

static const char *const method_names[] = {
    [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",         [HTTP_DELETE] = "DELETE", [HTTP_PATCH] = "PATCH",
    [HTTP_OPTIONS] = "OPTIONS",
};

const char *http_method_name(enum http_method method)
{
    return method_names[method];
}

static enum status refuse(const char **reason, enum status status, const char *text)
{
    *reason = text;
    return status;
}

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Is `text` made of letters, digits and the bytes of `others` only? */
static bool is_made_of(struct slice text, const char *others)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!is_alnum((unsigned char)c) && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return true;
}

static bool is_token(struct slice text)
{
    return text.len > 0 && is_made_of(text, "!#$%&'*+-.^_`|~");
}

static bool is_hex(char c)
{
    char lower = (char)(c | 0x20);
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
}

/* RFC 9112 §3: method, target and version, one blank between them. */
static enum status check_method(struct slice method, struct http_head *head,
                                const char **reason)
{
    if (!is_token(method))
        return refuse(reason, ST_BAD_REQUEST, "malformed request line");
    for (size_t i = 0; i < sizeof method_names / sizeof *method_names; i++) {
        if (slice_is(method, method_names[i])) {
            head->method = (enum http_method)i;
            return ST_OK;
        }
    }
    return refuse(reason, ST_METHOD, "unknown method");
}

static enum status check_version(struct slice version, struct http_head *head,
                                 const char **reason)
{
    if (!slice_is(version, "HTTP/1.1") && !slice_is(version, "HTTP/1.0"))
        return refuse(reason, ST_BAD_REQUEST, "not HTTP/1.0 or HTTP/1.1");
    head->minor = version.ptr[version.len - 1] - '0';
    return ST_OK;
}

static bool path_is_good(struct slice path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] != '%')
            continue;
        if (path.len - i < 3 || !is_hex(path.ptr[i + 1]) || !is_hex(path.ptr[i + 2]))
            return false;
        if (path.ptr[i + 1] == '0' && path.ptr[i + 2] == '0')
            return false;
    }
    return true;
}

static enum status check_target(struct http_head *head, const char **reason)
{
    struct slice target = head->target;

    if (target.len == 0 || target.ptr[0] != '/')
        return refuse(reason, ST_BAD_REQUEST, "the target must begin with /");
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '#')
            return refuse(reason, ST_BAD_REQUEST, "byte not allowed in the target");
    }
    slice_cut(target, '?', &head->path, &head->query);
    if (!path_is_good(head->path))
        return refuse(reason, ST_BAD_REQUEST, "malformed escape in the path");
    return ST_OK;
}

static bool value_is_good(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static enum status check_field(struct http_field *field, const char **reason)
{
    if (!is_token(field->name))
        return refuse(reason, ST_BAD_REQUEST, "malformed field name");
    if (!value_is_good(field->value))
        return refuse(reason, ST_BAD_REQUEST, "control character in a field");
    field->value = slice_trim(field->value);
    return ST_OK;
}

/* How often a field occurs; `value` is its first one. */
static size_t count_field(const struct http_head *head, const char *name,
                          struct slice *value)
{
    size_t count = 0;

    *value = (struct slice){0};
    for (size_t i = 0; i < head->field_count; i++) {
        if (slice_is_nocase(head->fields[i].name, name) && count++ == 0)
            *value = head->fields[i].value;
    }
    return count;
}

struct slice http_head_field(const struct http_head *head, const char *name)
{
    struct slice value;

    count_field(head, name, &value);
    return value;
}

bool http_head_has_token(const struct http_head *head, const char *name,
                         const char *token)
{
    for (size_t i = 0; i < head->field_count; i++) {
        struct slice list = head->fields[i].value;
        if (!slice_is_nocase(head->fields[i].name, name))
            continue;
        while (list.len > 0) {
            struct slice item;
            slice_cut(list, ',', &item, &list);
            if (slice_is_nocase(slice_trim(item), token))
                return true;
        }
    }
    return false;
}

static enum status check_host(const struct http_head *head, const char **reason)
{
    struct slice host;
    size_t count = count_field(head, "Host", &host);

    /* Load balancers' health checks are HTTP/1.0 without Host. */
    if (count == 0 && head->minor > 0)
        return refuse(reason, ST_BAD_REQUEST, "no Host");
    if (count > 1)
        return refuse(reason, ST_BAD_REQUEST, "several Hosts");
    if (!is_made_of(host, "-._~:[]%"))
        return refuse(reason, ST_BAD_REQUEST, "malformed Host");
    return ST_OK;
}

/* RFC 9112 §6: where the body ends must not be a matter of taste. */
static enum status check_framing(struct http_head *head, const char **reason)
{
    struct slice length, coding;
    size_t lengths = count_field(head, "Content-Length", &length);
    size_t codings = count_field(head, "Transfer-Encoding", &coding);

    if (lengths > 0 && codings > 0)
        return refuse(reason, ST_BAD_REQUEST, "Content-Length and Transfer-Encoding");
    if (lengths > 1)
        return refuse(reason, ST_BAD_REQUEST, "several Content-Lengths");
    if (codings > 1 || (codings == 1 && !slice_is(coding, "chunked")))
        return refuse(reason, ST_BAD_ENCODING, "Transfer-Encoding is not chunked");
    if (codings == 1 && head->minor == 0)
        return refuse(reason, ST_BAD_REQUEST, "Transfer-Encoding in HTTP/1.0");
    if (lengths == 1 &&
        (length.len > MAX_LENGTH_DIGITS || !slice_to_u64(length, &head->length)))
        return refuse(reason, ST_BAD_REQUEST, "malformed Content-Length");
    head->has_length = lengths == 1;
    head->is_chunked = codings == 1;
    return ST_OK;
}

static bool is_websocket_key(struct slice key)
{
    return key.len == WEBSOCKET_KEY_BYTES &&
           is_made_of(slice_first(key, WEBSOCKET_KEY_BYTES - 2), "+/") &&
           slice_is(slice_from(key, WEBSOCKET_KEY_BYTES - 2), "==");
}

/* RFC 6455 §4.1 and §4.2.1. */
static enum status check_upgrade(struct http_head *head, const char **reason)
{
    struct slice version, key;

    if (!http_head_has_token(head, "Upgrade", "websocket"))
        return ST_OK;
    if (head->method != HTTP_GET || head->minor == 0)
        return refuse(reason, ST_BAD_REQUEST, "a WebSocket begins with GET, HTTP/1.1");
    if (!http_head_has_token(head, "Connection", "upgrade"))
        return refuse(reason, ST_BAD_REQUEST, "Upgrade without Connection: upgrade");
    if (head->has_length || head->is_chunked)
        return refuse(reason, ST_BAD_REQUEST, "a WebSocket request has no body");
    if (count_field(head, "Sec-WebSocket-Version", &version) != 1)
        return refuse(reason, ST_BAD_REQUEST, "no single Sec-WebSocket-Version");
    if (!slice_is(version, "13"))
        return refuse(reason, ST_UPGRADE_NEEDED, "Sec-WebSocket-Version is not 13");
    if (count_field(head, "Sec-WebSocket-Key", &key) != 1 || !is_websocket_key(key))
        return refuse(reason, ST_BAD_REQUEST, "no single good Sec-WebSocket-Key");
    head->is_websocket = true;
    return ST_OK;
}

/* What both feeds share: all that needs the whole list of fields. */
static enum status check_fields(struct http_head *head, const char **reason)
{
    enum status st = check_host(head, reason);
    if (!st)
        st = check_framing(head, reason);
    if (!st)
        st = check_upgrade(head, reason);
    if (st)
        return st;

    bool closes = http_head_has_token(head, "Connection", "close");
    bool keeps = head->minor > 0 || http_head_has_token(head, "Connection", "keep-alive");
    head->keeps_alive = keeps && !closes;
    return ST_OK;
}

static enum status read_request_line(struct slice line, struct http_head *head,
                                     const char **reason)
{
    struct slice method, version;

    slice_cut(line, ' ', &method, &line);
    slice_cut(line, ' ', &head->target, &version);
    if (!is_token(method) || head->target.len == 0)
        return refuse(reason, ST_BAD_REQUEST, "malformed request line");
    enum status st = check_version(version, head, reason);
    if (!st)
        st = check_method(method, head, reason);
    return st ? st : check_target(head, reason);
}

static enum status read_field_line(struct slice line, struct http_head *head,
                                   const char **reason)
{
    struct http_field field;

    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return refuse(reason, ST_BAD_REQUEST, "folded field");
    if (!slice_cut(line, ':', &field.name, &field.value))
        return refuse(reason, ST_BAD_REQUEST, "a field without a colon");
    enum status st = check_field(&field, reason);
    if (st)
        return st;
    if (head->field_count == LIMIT_HTTP_FIELDS)
        return refuse(reason, ST_HEAD_TOO_LARGE, "too many fields");
    head->fields[head->field_count++] = field;
    return ST_OK;
}

/* Cuts a line off `rest`. ST_AGAIN: it has no end yet, but nothing wrong either. */
static enum status cut_line(struct slice *rest, struct slice *line, const char **reason)
{
    bool is_whole = slice_cut(*rest, '\n', line, rest);

    if (is_whole && (line->len == 0 || line->ptr[line->len - 1] != '\r'))
        return refuse(reason, ST_BAD_REQUEST, "a line ends without CR");
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    if (!value_is_good(*line))
        return refuse(reason, ST_BAD_REQUEST, "control character in the head");
    return is_whole ? ST_OK : ST_AGAIN;
}

enum status http_gate_raw(struct slice bytes, struct http_head *head, const char **reason)
{
    struct slice rest = slice_first(bytes, LIMIT_HTTP_HEAD_BYTES);
    bool is_first = true;

    *head = (struct http_head){0};
    *reason = NULL;
    for (;;) {
        struct slice line;
        enum status st = cut_line(&rest, &line, reason);
        if (st == ST_AGAIN && bytes.len >= LIMIT_HTTP_HEAD_BYTES)
            return refuse(reason, ST_HEAD_TOO_LARGE, "the head is too large");
        if (st)
            return st;
        if (line.len == 0 && !is_first) {
            head->head_bytes = (size_t)(line.ptr - bytes.ptr) + 2;
            return check_fields(head, reason);
        }
        st = is_first ? read_request_line(line, head, reason)
                      : read_field_line(line, head, reason);
        if (st)
            return st;
        is_first = false;
    }
}

enum status http_gate_fields(struct slice method, struct slice version,
                             struct http_head *head, const char **reason)
{
    size_t size = method.len + head->target.len + version.len;

    *reason = NULL;
    if (head->field_count > LIMIT_HTTP_FIELDS)
        return refuse(reason, ST_HEAD_TOO_LARGE, "too many fields");
    head->has_length = head->is_chunked = head->is_websocket = false;
    head->length = 0;
    head->head_bytes = 0;

    enum status st = check_version(version, head, reason);
    if (!st)
        st = check_method(method, head, reason);
    if (!st)
        st = check_target(head, reason);
    for (size_t i = 0; i < head->field_count && !st; i++) {
        size += head->fields[i].name.len + head->fields[i].value.len;
        st = check_field(&head->fields[i], reason);
    }
    if (!st && size > LIMIT_HTTP_HEAD_BYTES)
        return refuse(reason, ST_HEAD_TOO_LARGE, "the head is too large");
    return st ? st : check_fields(head, reason);
}
