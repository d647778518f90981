/* What proxies say: see the header. */
#include "proto/forwarded.h"

/* Cuts the last item off a comma list. A comma in quotes makes an item that is no
 * address, where the reading ends. */
static struct slice cut_last(struct slice *list)
{
    size_t i = list->len;

    while (i > 0 && list->ptr[i - 1] != ',')
        i--;
    struct slice item = slice_from(*list, i);
    *list = slice_first(*list, i > 0 ? i - 1 : 0);
    return slice_trim(item);
}

static struct slice unquote(struct slice text)
{
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        return slice_first(slice_from(text, 1), text.len - 2);
    return text;
}

/* "10.1.2.3", "10.1.2.3:80", "2001:db8::1", "[2001:db8::1]:80" */
static bool parse_node(struct slice node, struct ip_address *address)
{
    struct slice host, rest;

    if (ip_address_parse(node, address))
        return true;
    if (node.len > 0 && node.ptr[0] == '[')
        return slice_cut(slice_from(node, 1), ']', &host, &rest) &&
               (rest.len == 0 || rest.ptr[0] == ':') && ip_address_parse(host, address);
    return slice_cut(node, ':', &host, &rest) && ip_address_parse(host, address);
}

/* The value of `name` in one element of Forwarded: `for=a;proto=b`. */
static struct slice parameter(struct slice element, const char *name)
{
    while (element.len > 0) {
        struct slice pair, key, value;
        slice_cut(element, ';', &pair, &element);
        slice_cut(pair, '=', &key, &value);
        if (slice_is_nocase(slice_trim(key), name))
            return unquote(slice_trim(value));
    }
    return (struct slice){0};
}

/* Which header is read, and how an item of it names an address. */
struct source {
    const char *name;
    const char *parameter; /* NULL: the item is the address */
};

static const struct source sources[] = {
    {"X-Forwarded-For", NULL },
    {"Forwarded",       "for"},
};

/*
 * Walks from the peer towards the client while the hops are listed. False: the header is
 * not there. What is no address ends the walk: the last good hop is all that is known.
 */
static bool find_client(const struct http_head *head, const struct source *source,
                        const struct ip_prefix_list *proxies, struct ip_address *client)
{
    bool is_there = false;

    for (size_t i = head->field_count; i-- > 0;) {
        struct slice list = head->fields[i].value;
        if (!slice_is_nocase(head->fields[i].name, source->name))
            continue;
        is_there = true;
        while (list.len > 0) {
            struct slice item = cut_last(&list);
            struct ip_address hop;
            if (source->parameter)
                item = parameter(item, source->parameter);
            if (!parse_node(item, &hop))
                return true;
            *client = hop;
            if (!ip_prefix_list_has(proxies, &hop))
                return true;
        }
    }
    return is_there;
}

/* The last value of a field that may occur several times: the nearest proxy's. */
static struct slice last_value(const struct http_head *head, const char *name)
{
    for (size_t i = head->field_count; i-- > 0;) {
        struct slice list = head->fields[i].value;
        if (slice_is_nocase(head->fields[i].name, name))
            return cut_last(&list);
    }
    return (struct slice){0};
}

/* Some proxies call the scheme of an upgrade by its own name. */
static enum http_scheme scheme_of(struct slice word)
{
    if (slice_is_nocase(word, "https") || slice_is_nocase(word, "wss"))
        return HTTP_SCHEME_HTTPS;
    if (slice_is_nocase(word, "http") || slice_is_nocase(word, "ws"))
        return HTTP_SCHEME_HTTP;
    return HTTP_SCHEME_UNKNOWN;
}

static void read_site(const struct http_head *head, struct forwarded *forwarded)
{
    struct slice element = last_value(head, "Forwarded");
    struct slice proto = last_value(head, "X-Forwarded-Proto");
    struct slice host = last_value(head, "X-Forwarded-Host");

    if (proto.len == 0)
        proto = parameter(element, "proto");
    if (host.len == 0)
        host = parameter(element, "host");
    forwarded->scheme = scheme_of(proto);
    if (host.len > 0)
        forwarded->host = host;
}

enum status forwarded_read(const struct http_head *head,
                           const struct ip_prefix_list *proxies,
                           const struct ip_address *peer, struct forwarded *forwarded,
                           const char **reason)
{
    struct ip_address clients[2] = {*peer, *peer};

    *reason = NULL;
    *forwarded = (struct forwarded){
        .client = *peer,
        .is_through_proxy = ip_prefix_list_has(proxies, peer),
        .host = http_head_field(head, "Host"),
    };
    if (!forwarded->is_through_proxy)
        return ST_OK;
    bool has_first = find_client(head, &sources[0], proxies, &clients[0]);
    bool has_second = find_client(head, &sources[1], proxies, &clients[1]);
    if (has_first && has_second && !ip_address_equal(&clients[0], &clients[1])) {
        *reason = "X-Forwarded-For and Forwarded name different clients: "
                  "the proxy must set one and remove the other";
        return ST_BAD_REQUEST;
    }
    forwarded->client = clients[has_first ? 0 : 1];
    read_site(head, forwarded);
    return ST_OK;
}
