/* The JSON gate: see the header. */
#include "proto/json_gate.h"

#include "proto/json_keys.h"
#include "proto/utf8.h"

#include <string.h>

const struct json_limits json_limits_default = {
    .depth = LIMIT_JSON_DEPTH,
    .nodes = LIMIT_JSON_NODES,
    .string_bytes = SIZE_MAX,
    .number_bytes = LIMIT_JSON_NUMBER_BYTES,
};

/* A container that is open. */
struct frame {
    const char *from;
    bool is_object;
    struct json_keys_object keys;
};

struct scan {
    const char *from;
    const char *at;
    const char *end;
    const struct json_limits *limits;
    size_t max_depth;
    size_t nodes;

    struct frame frames[LIMIT_JSON_DEPTH];
    size_t depth;
    struct json_keys keys;

    /* What is asked for: the top value, and its parts into one of the two arrays. */
    struct json_value *top;
    struct json_member *members;
    struct json_value *items;
    size_t max;
    size_t count;
    struct slice key; /* of the member of the top object that is being read */

    enum status status;
    const char *reason;
};

/* Every refusal ends here; `at` is where the text went wrong. */
static bool refuse(struct scan *s, const char *at, const char *reason)
{
    s->status = ST_BAD_REQUEST;
    s->at = at;
    s->reason = reason;
    return false;
}

static void skip_blanks(struct scan *s)
{
    const char *at = s->at;

    while (at < s->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    s->at = at;
}

/* A byte of eight that ends a run of plain characters: below 0x20, above 0x7f, '"', '\'.
 */
static bool has_special_byte(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones * 0x80;
    uint64_t quotes = word ^ ones * '"';
    uint64_t slashes = word ^ ones * '\\';
    uint64_t found = word | ((word - ones * 0x20) & ~word) | ((quotes - ones) & ~quotes) |
                     ((slashes - ones) & ~slashes);

    return (found & tops) != 0;
}

static const char *skip_plain(const char *at, const char *end)
{
    uint64_t word;

    while (end - at >= 8) {
        memcpy(&word, at, 8);
        if (has_special_byte(word))
            break;
        at += 8;
    }
    while (at < end) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            break;
        at++;
    }
    return at;
}

static bool has_hex_unit(const char *at, const char *end)
{
    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char lower = (char)(at[i] | 0x20);
        if (!(at[i] >= '0' && at[i] <= '9') && !(lower >= 'a' && lower <= 'f'))
            return false;
    }
    return true;
}

/* `at` is on the backslash; gives what follows the escape, or NULL. */
static const char *read_escape(struct scan *s, const char *at)
{
    char name = s->end - at > 1 ? at[1] : '\0';

    if (name != 'u') {
        if (name && strchr("\"\\/bfnrt", name))
            return at + 2;
        refuse(s, at, "unknown escape in a string");
        return NULL;
    }

    if (!has_hex_unit(at + 2, s->end)) {
        refuse(s, at, "\\u needs four hex digits");
        return NULL;
    }
    /* Half of a surrogate pair passes: JavaScript writes it for an emoji that was cut in
     * two. */
    return at + 6;
}

/* Steps over characters above U+007F; NULL when they are not UTF-8. */
static const char *read_wide(struct scan *s, const char *at)
{
    do {
        size_t n = utf8_sequence((struct slice){at, (size_t)(s->end - at)});
        if (n == 0) {
            refuse(s, at, "not UTF-8");
            return NULL;
        }
        at += n;
    } while (at < s->end && (unsigned char)*at >= 0x80);
    return at;
}

/* s->at is on the opening quote. `raw` is what stands between the quotes. */
static bool read_string(struct scan *s, struct slice *raw, bool *is_escaped)
{
    const char *from = s->at + 1;
    const char *at = from;

    *is_escaped = false;
    for (;;) {
        at = skip_plain(at, s->end);
        if (at == s->end)
            return refuse(s, at, "a string does not end");
        unsigned char c = (unsigned char)*at;
        if (c == '"')
            break;
        if (c < 0x20)
            return refuse(s, at, "control character in a string");
        if (c == '\\')
            *is_escaped = true;
        at = c == '\\' ? read_escape(s, at) : read_wide(s, at);
        if (!at)
            return false;
    }

    *raw = (struct slice){from, (size_t)(at - from)};
    if (raw->len > s->limits->string_bytes)
        return refuse(s, s->at, "a string is too long");
    s->at = at + 1;
    return true;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* RFC 8259 §6. What follows a number is the next reader's business: "01" and "1x" end
 * there. */
static bool read_number(struct scan *s)
{
    const char *at = s->at;
    const char *digits = at + (*at == '-');

    at = digits < s->end && *digits == '0' ? digits + 1 : skip_digits(digits, s->end);
    if (at == digits)
        return refuse(s, s->at, "neither a value nor a number");
    if (at < s->end && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits, s->end);
        if (at == digits)
            return refuse(s, at, "a number needs digits after its point");
    }
    if (at < s->end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < s->end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        at = skip_digits(digits, s->end);
        if (at == digits)
            return refuse(s, at, "a number needs digits in its exponent");
    }
    if ((size_t)(at - s->at) > s->limits->number_bytes)
        return refuse(s, s->at, "a number is too long");
    s->at = at;
    return true;
}

static bool read_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return refuse(s, s->at, "neither a value nor a number");
    s->at += len;
    return true;
}

static bool read_scalar(struct scan *s, struct json_value *value)
{
    const char *from = s->at;
    struct slice raw;
    bool is_escaped;
    bool is_good;

    switch (*from) {
    case '"':
        value->type = JSON_GATE_STRING;
        is_good = read_string(s, &raw, &is_escaped);
        break;
    case 't':
        value->type = JSON_GATE_TRUE;
        is_good = read_word(s, "true");
        break;
    case 'f':
        value->type = JSON_GATE_FALSE;
        is_good = read_word(s, "false");
        break;
    case 'n':
        value->type = JSON_GATE_NULL;
        is_good = read_word(s, "null");
        break;
    default:
        value->type = JSON_GATE_NUMBER;
        is_good = read_number(s);
        break;
    }
    value->text = (struct slice){from, (size_t)(s->at - from)};
    return is_good;
}

/* A key, its colon, and the blanks around them. */
static bool read_key(struct scan *s)
{
    struct slice raw;
    bool is_escaped;

    skip_blanks(s);
    if (s->at == s->end || *s->at != '"')
        return refuse(s, s->at, "a key is missing");
    const char *from = s->at;
    if (!read_string(s, &raw, &is_escaped))
        return false;

    enum status st =
        json_keys_add(&s->keys, &s->frames[s->depth - 1].keys, raw, is_escaped);
    if (st) {
        refuse(s, from, "duplicate key");
        s->status = st == ST_CONFLICT ? ST_BAD_REQUEST : st;
        return false;
    }
    if (s->depth == 1)
        s->key = raw;

    skip_blanks(s);
    if (s->at == s->end || *s->at != ':')
        return refuse(s, s->at, "a colon is missing");
    s->at++;
    return true;
}

/* s->at is on the closing bracket. */
static bool close_container(struct scan *s, struct json_value *value)
{
    const struct frame *frame = &s->frames[s->depth - 1];

    if (frame->is_object) {
        enum status st = json_keys_close(&s->keys, &frame->keys);
        if (st) {
            refuse(s, frame->from, "duplicate key");
            s->status = st == ST_CONFLICT ? ST_BAD_REQUEST : st;
            return false;
        }
    }
    s->at++;
    s->depth--;
    value->type = frame->is_object ? JSON_GATE_OBJECT : JSON_GATE_ARRAY;
    value->text = (struct slice){frame->from, (size_t)(s->at - frame->from)};
    return true;
}

/* s->at is on the opening bracket. An empty container is closed at once: `*is_done`. */
static bool open_container(struct scan *s, struct json_value *value, bool *is_done)
{
    if (s->depth == s->max_depth)
        return refuse(s, s->at, "nested too deep");

    bool is_object = *s->at == '{';
    s->frames[s->depth++] = (struct frame){s->at, is_object, json_keys_open(&s->keys)};
    s->at++;
    skip_blanks(s);
    *is_done = s->at < s->end && *s->at == (is_object ? '}' : ']');
    if (*is_done)
        return close_container(s, value);
    return !is_object || read_key(s);
}

/* Reads a scalar or an empty container, or enters a container. */
static bool begin_value(struct scan *s, struct json_value *value, bool *is_done)
{
    skip_blanks(s);
    if (s->at == s->end)
        return refuse(s, s->at, "a value is missing");
    if (s->nodes++ == s->limits->nodes)
        return refuse(s, s->at, "too many values");
    if (*s->at == '{' || *s->at == '[')
        return open_container(s, value, is_done);
    *is_done = true;
    return read_scalar(s, value);
}

static void hand_out(struct scan *s, const struct json_value *value)
{
    if (s->depth == 0)
        *s->top = *value;
    if (s->depth != 1)
        return;
    if (s->count < s->max && s->members)
        s->members[s->count] = (struct json_member){s->key, *value};
    if (s->count < s->max && s->items)
        s->items[s->count] = *value;
    s->count++;
}

/* A value has ended: closes what ends with it, until a comma calls for the next one.
 * `*is_over`: the whole text has been read. */
static bool end_value(struct scan *s, struct json_value *value, bool *is_over)
{
    for (;;) {
        hand_out(s, value);
        skip_blanks(s);
        *is_over = s->depth == 0;
        if (*is_over)
            return s->at == s->end || refuse(s, s->at, "more text after the value");

        bool is_object = s->frames[s->depth - 1].is_object;
        char c = s->at < s->end ? *s->at : '\0';
        if (c == ',') {
            s->at++;
            return !is_object || read_key(s);
        }
        if (c != (is_object ? '}' : ']'))
            return refuse(s, s->at,
                          is_object ? "a comma or } is missing"
                                    : "a comma or ] is missing");
        if (!close_container(s, value))
            return false;
    }
}

static void scan_values(struct scan *s)
{
    bool is_over = false;

    while (!is_over) {
        struct json_value value;
        bool is_done = false;
        if (!begin_value(s, &value, &is_done))
            return;
        if (is_done && !end_value(s, &value, &is_over))
            return;
    }
}

static enum status run(struct scan *s, struct slice text,
                       const struct json_limits *limits, struct json_fault *fault)
{
    s->from = s->at = text.len ? text.ptr : "";
    s->end = s->from + text.len;
    s->limits = limits;
    s->max_depth = limits->depth < LIMIT_JSON_DEPTH ? limits->depth : LIMIT_JSON_DEPTH;
    s->nodes = s->depth = s->count = 0;
    s->status = ST_OK;
    s->reason = NULL;
    json_keys_init(&s->keys);

    if (text.len > UINT32_MAX)
        refuse(s, s->from, "too long");
    else
        scan_values(s);
    json_keys_finish(&s->keys);
    if (fault && s->status)
        *fault = (struct json_fault){(size_t)(s->at - s->from), s->reason};
    return s->status;
}

/* The text is JSON; is it also what the caller can take? */
static enum status take_parts(const struct scan *s, enum json_type wanted, size_t *count,
                              struct json_fault *fault)
{
    const char *reason = NULL;

    *count = s->count;
    if (s->top->type != wanted)
        reason = wanted == JSON_GATE_OBJECT ? "not an object" : "not an array";
    else if (s->count > s->max)
        reason = "too many members";
    if (!reason)
        return ST_OK;
    *count = 0;
    if (fault)
        *fault = (struct json_fault){(size_t)(s->top->text.ptr - s->from), reason};
    return ST_BAD_PAYLOAD;
}

enum status json_gate_check(struct slice text, const struct json_limits *limits,
                            struct json_value *value, struct json_fault *fault)
{
    struct scan scan;

    scan.top = value;
    scan.members = NULL;
    scan.items = NULL;
    scan.max = 0;
    return run(&scan, text, limits, fault);
}

enum status json_gate_object(struct slice text, const struct json_limits *limits,
                             struct json_member *members, size_t max, size_t *count,
                             struct json_fault *fault)
{
    struct json_value top;
    struct scan scan;

    scan.top = &top;
    scan.members = members;
    scan.items = NULL;
    scan.max = max;
    enum status st = run(&scan, text, limits, fault);
    return st ? st : take_parts(&scan, JSON_GATE_OBJECT, count, fault);
}

enum status json_gate_array(struct slice text, const struct json_limits *limits,
                            struct json_value *items, size_t max, size_t *count,
                            struct json_fault *fault)
{
    struct json_value top;
    struct scan scan;

    scan.top = &top;
    scan.members = NULL;
    scan.items = items;
    scan.max = max;
    enum status st = run(&scan, text, limits, fault);
    return st ? st : take_parts(&scan, JSON_GATE_ARRAY, count, fault);
}
