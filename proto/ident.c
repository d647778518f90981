/* Identifiers as text: see the header. */
#include "proto/ident.h"

#include <string.h>

static const char base64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char hex[] = "0123456789abcdef";

/* Adds one; false when all bits were set. */
static bool count_on(uint8_t random[IDENT_ULID_RANDOM_BYTES])
{
    for (size_t i = IDENT_ULID_RANDOM_BYTES; i-- > 0;) {
        if (++random[i] != 0)
            return true;
    }
    return false;
}

void ident_ulid_next(struct ident_ulids *ulids, int64_t now_ms,
                     const uint8_t fresh[IDENT_ULID_RANDOM_BYTES],
                     char out[IDENT_ULID_BYTES + 1])
{
    uint64_t now = now_ms > 0 ? (uint64_t)now_ms : 0;

    if (now > ulids->ms) {
        ulids->ms = now;
        memcpy(ulids->random, fresh, IDENT_ULID_RANDOM_BYTES);
    } else if (!count_on(ulids->random)) {
        ulids->ms++;
        memcpy(ulids->random, fresh, IDENT_ULID_RANDOM_BYTES);
    }

    uint64_t ms = ulids->ms;
    for (int i = 9; i >= 0; i--) {
        out[i] = crockford[ms & 31];
        ms >>= 5;
    }
    /* 80 bits are two times 40: eight characters of five bits each. */
    for (int half = 0; half < 2; half++) {
        uint64_t bits = 0;
        for (int i = 0; i < 5; i++)
            bits = bits << 8 | ulids->random[half * 5 + i];
        for (int i = 7; i >= 0; i--) {
            out[10 + half * 8 + i] = crockford[bits & 31];
            bits >>= 5;
        }
    }
    out[IDENT_ULID_BYTES] = '\0';
}

size_t ident_base64url_encode(const void *bytes, size_t n, char *out)
{
    const uint8_t *at = bytes;
    size_t len = 0;
    uint32_t bits = 0;
    int have = 0;

    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | at[i];
        have += 8;
        while (have >= 6) {
            have -= 6;
            out[len++] = base64url[bits >> have & 63];
        }
    }
    if (have > 0)
        out[len++] = base64url[bits << (6 - have) & 63];
    out[len] = '\0';
    return len;
}

static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool ident_base64url_decode(struct slice text, uint8_t *out, size_t *len)
{
    uint32_t bits = 0;
    size_t written = 0;
    int have = 0;

    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64url_value(text.ptr[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[written++] = (uint8_t)(bits >> have);
        }
    }
    if ((bits & ((1u << have) - 1)) != 0)
        return false;
    *len = written;
    return true;
}

size_t ident_hex_encode(const void *bytes, size_t n, char *out)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex[at[i] >> 4];
        out[2 * i + 1] = hex[at[i] & 15];
    }
    out[2 * n] = '\0';
    return 2 * n;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool ident_hex_decode(struct slice text, uint8_t *out, size_t n)
{
    if (text.len != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text.ptr[2 * i]), low = hex_value(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void ident_uuid(const uint8_t fresh[IDENT_UUID_RANDOM_BYTES],
                char out[IDENT_UUID_BYTES + 1])
{
    static const size_t groups[] = {4, 2, 2, 2, 6};
    uint8_t bytes[IDENT_UUID_RANDOM_BYTES];
    const uint8_t *at = bytes;

    memcpy(bytes, fresh, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant */
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (i > 0)
            *out++ = '-';
        out += ident_hex_encode(at, groups[i], out);
        at += groups[i];
    }
}
