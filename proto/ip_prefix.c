/* Addresses and prefixes: see the header. */
#include "proto/ip_prefix.h"

#include "proto/buf.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    V4_OFFSET = 12, /* where the four bytes of a mapped address begin */
    SITE_BYTES = 8,
};

static const unsigned char mapped[V4_OFFSET] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const struct ip_address *address)
{
    return memcmp(address->bytes, mapped, V4_OFFSET) == 0;
}

bool ip_address_parse(struct slice text, struct ip_address *address)
{
    char terminated[IP_TEXT_BYTES];

    if (text.len == 0 || text.len >= sizeof terminated ||
        memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(terminated, text.ptr, text.len);
    terminated[text.len] = '\0';
    memcpy(address->bytes, mapped, V4_OFFSET);
    return inet_pton(AF_INET, terminated, address->bytes + V4_OFFSET) == 1 ||
           inet_pton(AF_INET6, terminated, address->bytes) == 1;
}

/* inet_ntop prints each number by sprintf, and this is done for every request. */
static void print_v4(const unsigned char numbers[4], char out[IP_TEXT_BYTES])
{
    struct buf text = {.cap = IP_TEXT_BYTES, .max = IP_TEXT_BYTES};

    text.ptr = out;
    for (size_t i = 0; i < 4; i++) {
        if (i > 0)
            buf_add_byte(&text, '.');
        buf_add_u64(&text, numbers[i]);
    }
    buf_add_byte(&text, '\0');
}

void ip_address_print(const struct ip_address *address, char out[IP_TEXT_BYTES])
{
    if (is_v4(address))
        print_v4(address->bytes + V4_OFFSET, out);
    else
        inet_ntop(AF_INET6, address->bytes, out, IP_TEXT_BYTES);
}

bool ip_address_equal(const struct ip_address *a, const struct ip_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool ip_address_is_loopback(const struct ip_address *address)
{
    static const struct ip_address v6_loopback = {.bytes = {[15] = 1}};

    return (is_v4(address) && address->bytes[V4_OFFSET] == 127) ||
           ip_address_equal(address, &v6_loopback);
}

struct ip_address ip_address_site(const struct ip_address *address)
{
    struct ip_address site = *address;

    if (!is_v4(address))
        memset(site.bytes + SITE_BYTES, 0, sizeof site.bytes - SITE_BYTES);
    return site;
}

bool ip_prefix_parse(struct slice text, struct ip_prefix *prefix)
{
    struct slice host, length;
    uint64_t bits;
    bool has_length = slice_cut(text, '/', &host, &length);

    if (!ip_address_parse(host, &prefix->address))
        return false;
    /* "::ffff:10.0.0.0/104" counts as IPv6 does. */
    unsigned mapped_bits = memchr(host.ptr, ':', host.len) ? 0 : V4_OFFSET * 8;
    prefix->bits = 128;
    if (!has_length)
        return true;
    if (length.len > 3 || !slice_to_u64(length, &bits) || bits > 128 - mapped_bits)
        return false;
    prefix->bits = (unsigned)bits + mapped_bits;
    return true;
}

bool ip_prefix_matches(const struct ip_prefix *prefix, const struct ip_address *address)
{
    size_t whole = prefix->bits / 8;
    unsigned rest = prefix->bits % 8;

    if (memcmp(prefix->address.bytes, address->bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    return ((prefix->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

enum status ip_prefix_list_parse(struct slice text, struct ip_prefix_list *list,
                                 struct slice *bad)
{
    *list = (struct ip_prefix_list){0};
    *bad = (struct slice){0};
    while (text.len > 0) {
        struct slice item;
        slice_cut(text, ',', &item, &text);
        item = slice_trim(item);
        if (list->count == LIMIT_TRUSTED_PROXIES)
            return ST_LIMIT;
        *bad = item;
        if (!ip_prefix_parse(item, &list->items[list->count]))
            return ST_BAD_PAYLOAD;
        list->count++;
    }
    return ST_OK;
}

bool ip_prefix_list_has(const struct ip_prefix_list *list,
                        const struct ip_address *address)
{
    for (size_t i = 0; i < list->count; i++) {
        if (ip_prefix_matches(&list->items[i], address))
            return true;
    }
    return false;
}
