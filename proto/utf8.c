/* UTF-8: see the header. */
#include "proto/utf8.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t utf8_sequence(struct slice text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t need = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;

    if (text.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        need = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        need = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        need = 4;
    if (need == 0 || text.len < need)
        return 0;

    /* RFC 3629 §4: these lead bytes narrow what the second may be. */
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++) {
        if (!is_tail(p[i]))
            return 0;
    }
    return need;
}

bool utf8_is_valid(struct slice text)
{
    while (text.len > 0) {
        size_t n = utf8_sequence(text);
        if (n == 0)
            return false;
        text = slice_from(text, n);
    }
    return true;
}

bool utf8_is_plain(struct slice text)
{
    if (!utf8_is_valid(text))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        /* U+0080 to U+009F are C2 80 to C2 9F; a C2 is never the last byte of valid text.
         */
        bool is_c1 = c == 0xc2 && (unsigned char)text.ptr[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f || is_c1)
            return false;
    }
    return true;
}
