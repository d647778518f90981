/* An HTTP client: see the header. curl's multi interface, driven by the loop. */
#include "bridge/http_client.h"

#include "proto/buf.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ETAG_BYTES = 200,
    HEAD_BYTES = 64 * 1024, /* of an answer; curl has no ceiling of its own */
};

struct http_client {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    struct transfer *transfers;
};

struct transfer {
    struct http_client *client; /* NULL: somebody waits for it */
    struct transfer *next;
    CURL *easy;
    struct curl_slist *fields;
    struct buf body;
    size_t head_bytes;
    char etag[ETAG_BYTES];
    http_fetched_fn *on_fetched;
    void *ctx;
};

/* One socket of curl's that the loop watches. */
struct watch {
    uv_poll_t poll; /* first: libuv hands it back */
    struct http_client *client;
    curl_socket_t socket;
};

/* --- which urls --- */

static bool is_loopback(const char *host)
{
    struct in_addr address; /* a name may begin with 127. as well */

    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &address) == 1 &&
            ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET);
}

bool http_client_may_fetch(const char *url, const char **reason)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;
    bool is_read = parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
                   !curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) &&
                   !curl_url_get(parts, CURLUPART_HOST, &host, 0);
    bool may = false;

    if (is_read)
        (void)curl_url_get(parts, CURLUPART_USER, &user, 0);
    if (!is_read)
        *reason = "is no URL, for instance https://id.example.com/jwks.json";
    else if (user)
        *reason = "must not have a user or password in it";
    else if (strcmp(scheme, "https") != 0 &&
             (strcmp(scheme, "http") != 0 || !is_loopback(host)))
        *reason = "must be https; http is for this machine's loopback address only";
    else
        may = true;
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parts);
    return may;
}

/* --- one transfer --- */

/* libcurl's signature. NOLINTNEXTLINE(readability-non-const-parameter) */
static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = ctx;

    buf_add(&transfer->body, (struct slice){bytes, size * count});
    return buf_status(&transfer->body) ? 0 : size * count;
}

/* NOLINTNEXTLINE(readability-non-const-parameter) */
static size_t on_field(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = ctx;
    struct slice line = {bytes, size * count}, name, value;

    transfer->head_bytes += line.len;
    if (transfer->head_bytes > HEAD_BYTES)
        return 0;
    if (slice_starts_with(line, "HTTP/"))
        transfer->etag[0] = '\0'; /* an answer before the answer */
    if (line.len >= 2 && slice_cut(slice_first(line, line.len - 2), ':', &name, &value) &&
        slice_is_nocase(slice_trim(name), "etag")) {
        value = slice_trim(value);
        if (value.len < sizeof transfer->etag) {
            memcpy(transfer->etag, value.ptr, value.len);
            transfer->etag[value.len] = '\0';
        }
    }
    return line.len;
}

static void transfer_destroy(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->fields);
    buf_finish(&transfer->body);
    free(transfer);
}

static bool set_fields(struct transfer *transfer, const struct http_fetch *fetch)
{
    char field[ETAG_BYTES + 20];

    if (!fetch->etag || !fetch->etag[0] || strlen(fetch->etag) >= ETAG_BYTES)
        return true;
    snprintf(field, sizeof field, "If-None-Match: %s", fetch->etag);
    transfer->fields = curl_slist_append(NULL, field);
    return transfer->fields &&
           !curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
}

static bool set_options(struct transfer *transfer, const struct http_fetch *fetch)
{
    CURL *easy = transfer->easy;

    return !curl_easy_setopt(easy, CURLOPT_URL, fetch->url) &&
           !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
           !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_PROXY, "") &&
           !curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)fetch->timeout_ms) &&
           !curl_easy_setopt(easy, CURLOPT_USERAGENT, "sidecast") &&
           !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) &&
           !curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) &&
           !curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_field) &&
           !curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) &&
           !curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) &&
           set_fields(transfer, fetch);
}

static struct transfer *transfer_create(const struct http_fetch *fetch,
                                        http_fetched_fn *on_fetched, void *ctx)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    if (!transfer)
        return NULL;
    transfer->on_fetched = on_fetched;
    transfer->ctx = ctx;
    transfer->body.max = fetch->max_bytes;
    transfer->easy = curl_easy_init();
    if (transfer->easy && set_options(transfer, fetch))
        return transfer;
    transfer_destroy(transfer);
    return NULL;
}

static void tell(struct transfer *transfer, CURLcode code)
{
    struct http_fetched fetched = {.etag = transfer->etag, .reason = ""};
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (buf_status(&transfer->body) == ST_TOO_LARGE)
        fetched.reason = "the answer is too large";
    else if (code)
        fetched.reason = curl_easy_strerror(code);
    else
        fetched.status = (unsigned)status;
    if (fetched.status == 200)
        fetched.body = buf_slice(&transfer->body);
    transfer->on_fetched(transfer->ctx, &fetched);
}

/* --- the loop --- */

static void unlink_transfer(struct transfer *transfer)
{
    struct transfer **link = &transfer->client->transfers;

    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
}

/* What has ended; a callback may begin another, but not destroy the client. */
static void finish_transfers(struct http_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct transfer *transfer = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        curl_multi_remove_handle(client->multi, transfer->easy);
        unlink_transfer(transfer);
        tell(transfer, code);
        transfer_destroy(transfer);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = (struct watch *)poll;
    struct http_client *client = watch->client;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    int running;

    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(client->multi, watch->socket, flags, &running);
    finish_transfers(client);
}

static void on_time(uv_timer_t *timer)
{
    struct http_client *client = timer->data;
    int running;

    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_transfers(client);
}

/* curl says when it wants to be called; never from here, as it has it. */
static int set_timer(CURLM *multi, long in_ms, void *ctx)
{
    struct http_client *client = ctx;

    (void)multi;
    if (in_ms < 0) {
        uv_timer_stop(&client->timer);
    } else {
        uv_update_time(client->loop);
        uv_timer_start(&client->timer, on_time, (uint64_t)in_ms, 0);
    }
    return 0;
}

static void free_watch(uv_handle_t *handle)
{
    free(handle);
}

static struct watch *watch_socket(struct http_client *client, curl_socket_t socket)
{
    struct watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return NULL;
    watch->client = client;
    watch->socket = socket;
    if (uv_poll_init_socket(client->loop, &watch->poll, socket)) {
        free(watch);
        return NULL;
    }
    curl_multi_assign(client->multi, socket, watch);
    return watch;
}

static int set_socket(CURL *easy, curl_socket_t socket, int what, void *ctx,
                      void *socket_ctx)
{
    struct http_client *client = ctx;
    struct watch *watch = socket_ctx;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            uv_close((uv_handle_t *)&watch->poll, free_watch);
        curl_multi_assign(client->multi, socket, NULL);
        return 0;
    }
    if (!watch)
        watch = watch_socket(client, socket);
    if (!watch)
        return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
                 (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&watch->poll, events, on_ready);
}

/* --- life --- */

struct http_client *http_client_create(uv_loop_t *loop)
{
    struct http_client *client = calloc(1, sizeof *client);

    if (client && !curl_global_init(CURL_GLOBAL_DEFAULT))
        client->multi = curl_multi_init();
    if (!client || !client->multi) {
        free(client);
        return NULL;
    }
    client->loop = loop;
    uv_timer_init(loop, &client->timer);
    client->timer.data = client;
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    return client;
}

static void free_client(uv_handle_t *handle)
{
    free(handle->data);
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    while (client->transfers) {
        struct transfer *transfer = client->transfers;
        client->transfers = transfer->next;
        curl_multi_remove_handle(client->multi, transfer->easy);
        transfer_destroy(transfer);
    }
    curl_multi_cleanup(client->multi);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&client->timer, free_client);
}

/* Gives a transfer for an address that may be fetched. */
static enum status prepare(const struct http_fetch *fetch, http_fetched_fn *on_fetched,
                           void *ctx, struct transfer **transfer)
{
    const char *reason;

    if (!http_client_may_fetch(fetch->url, &reason))
        return ST_BAD_REQUEST;
    *transfer = transfer_create(fetch, on_fetched, ctx);
    return *transfer ? ST_OK : ST_NO_MEMORY;
}

enum status http_client_get(struct http_client *client, const struct http_fetch *fetch,
                            http_fetched_fn *on_fetched, void *ctx)
{
    struct transfer *transfer;
    enum status st = prepare(fetch, on_fetched, ctx, &transfer);

    if (st)
        return st;
    transfer->client = client;
    if (curl_multi_add_handle(client->multi, transfer->easy)) {
        transfer_destroy(transfer);
        return ST_NO_MEMORY;
    }
    transfer->next = client->transfers;
    client->transfers = transfer;
    return ST_OK;
}

enum status http_client_get_now(const struct http_fetch *fetch,
                                http_fetched_fn *on_fetched, void *ctx)
{
    struct transfer *transfer;
    enum status st = prepare(fetch, on_fetched, ctx, &transfer);

    if (st)
        return st;
    tell(transfer, curl_easy_perform(transfer->easy));
    transfer_destroy(transfer);
    return ST_OK;
}
