/* The demo's pages: see the header. */
#include "cli/demo_pages.h"

#include "bridge/clock.h"
#include "cli/demo_assets.h"
#include "cli/demo_forward.h"
#include "cli/demo_token.h"
#include "client-gw/trace.h"
#include "proto/publish_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENT_BYTES = 64 * 1024,
    CONFIG_BYTES = LIMIT_TOKEN_BYTES + 1024,
    TRACE_BYTES = 1024,
    URL_BYTES = 96
};

static http_handle_fn handle_root, handle_page, handle_asset, handle_config, handle_trace,
    handle_publish;

static const struct http_route table[] = {
    {HTTP_GET,  "/",                 0,           handle_root,    NULL, NULL},
    {HTTP_GET,  "/demo",             0,           handle_page,    NULL, NULL},
    {HTTP_GET,  "/demo/config.json", 0,           handle_config,  NULL, NULL},
    {HTTP_GET,  "/demo/trace/*",     0,           handle_trace,   NULL, NULL},
    {HTTP_POST, "/demo/publish",     EVENT_BYTES, handle_publish, NULL, NULL},
    {HTTP_GET,  "/demo/*",           0,           handle_asset,   NULL, NULL},
};

enum {
    ROUTES = sizeof table / sizeof *table
};

struct demo_pages {
    struct demo_pages_config config;
    struct demo_publisher publisher;
    char publisher_url[URL_BYTES];
    struct http_route routes[ROUTES];
};

/* The page uses nothing from elsewhere, and nobody may frame it. */
static const struct http_header headers[] = {
    {"Cache-Control",           "no-store"          },
    {"X-Content-Type-Options",  "nosniff"           },
    {"Referrer-Policy",         "no-referrer"       },
    {"Content-Security-Policy",
     "default-src 'self'; img-src 'self' data:; connect-src 'self' ws: "
     "wss:; frame-ancestors 'none'; base-uri 'none'"},
};

struct demo_pages *demo_pages_create(const struct demo_pages_config *config)
{
    struct demo_pages *pages = calloc(1, sizeof *pages);

    if (!pages)
        return NULL;
    pages->config = *config;
    snprintf(pages->publisher_url, sizeof pages->publisher_url, "http://%s",
             config->publisher);
    if (!demo_publisher_init(&pages->publisher, pages->publisher_url, config->key)) {
        free(pages);
        return NULL;
    }
    memcpy(pages->routes, table, sizeof table);
    for (size_t i = 0; i < ROUTES; i++)
        pages->routes[i].ctx = pages;
    return pages;
}

const struct http_route *demo_pages_routes(const struct demo_pages *pages, size_t *count)
{
    *count = ROUTES;
    return pages->routes;
}

void demo_pages_destroy(struct demo_pages *pages)
{
    free(pages);
}

static void reply(struct http_exchange *exchange, const char *content_type,
                  struct slice body)
{
    http_reply(exchange, &(struct http_reply){
                             .status = 200,
                             .content_type = content_type,
                             .body = body,
                             .headers = headers,
                             .header_count = sizeof headers / sizeof *headers,
                         });
}

static void refuse(struct http_exchange *exchange, enum status status, const char *detail,
                   const char *hint)
{
    struct problem problem = {.status = status, .detail = detail, .hint = hint};

    http_problem(exchange, &problem);
}

static void reply_asset(struct http_exchange *exchange, struct slice path)
{
    for (size_t i = 0; i < demo_asset_count; i++) {
        const struct asset *asset = &demo_assets[i];
        if (!slice_is(path, asset->path))
            continue;
        reply(exchange, asset->content_type,
              (struct slice){(const char *)asset->bytes, asset->len});
        return;
    }
    refuse(exchange, ST_NOT_FOUND, "the demo has no such file", "the page is at /demo");
}

static void handle_root(struct http_exchange *exchange,
                        const struct http_request *request, void *ctx)
{
    static const struct http_header location = {"Location", "/demo"};

    (void)request;
    (void)ctx;
    http_reply(exchange, &(struct http_reply){
                             .status = 302, .headers = &location, .header_count = 1});
}

static void handle_page(struct http_exchange *exchange,
                        const struct http_request *request, void *ctx)
{
    (void)request;
    (void)ctx;
    reply_asset(exchange, SLICE("index.html"));
}

static void handle_asset(struct http_exchange *exchange,
                         const struct http_request *request, void *ctx)
{
    (void)ctx;
    reply_asset(exchange, slice_from(request->head->path, strlen("/demo/")));
}

/* Credentials in the clear: they were made up for this run, and this is what it is for.
 */
static void handle_config(struct http_exchange *exchange,
                          const struct http_request *request, void *ctx)
{
    const struct demo_pages *pages = ctx;
    struct buf token = {.max = LIMIT_TOKEN_BYTES}, body = {.max = CONFIG_BYTES};
    enum status st = demo_token_mint(pages->config.keys, clock_wall_ms() / 1000, &token);

    (void)request;
    buf_print(&body,
              "{\"publisher\":\"%s\",\"key\":\"%s\",\"token\":\"%.*s\","
              "\"room\":\"" DEMO_ROOM "\"}",
              pages->publisher_url, pages->config.key, (int)token.len,
              token.ptr ? token.ptr : "");
    if (!st)
        st = buf_status(&body);
    if (st)
        refuse(exchange, st, "the page's token could not be made", NULL);
    else
        reply(exchange, "application/json", buf_slice(&body));
    buf_finish(&token);
    buf_finish(&body);
}

static void handle_trace(struct http_exchange *exchange,
                         const struct http_request *request, void *ctx)
{
    const struct demo_pages *pages = ctx;
    struct slice id = slice_from(request->head->path, strlen("/demo/trace/"));
    struct buf body = {.max = TRACE_BYTES};

    if (event_id_is_valid(id) && trace_log_print(pages->config.traces, id, &body))
        reply(exchange, "application/json", buf_slice(&body));
    else
        refuse(exchange, ST_NOT_FOUND, "no event with this id went through lately",
               "the last few hundred are kept");
    buf_finish(&body);
}

/*
 * Another site's page could make a visitor's browser post here, but not as JSON: that
 * needs a permission (CORS) which nobody gives.
 */
static void handle_publish(struct http_exchange *exchange,
                           const struct http_request *request, void *ctx)
{
    const struct demo_pages *pages = ctx;
    struct slice type, parameters;

    slice_cut(http_head_field(request->head, "Content-Type"), ';', &type, &parameters);
    if (!slice_is_nocase(slice_trim(type), "application/json"))
        refuse(exchange, ST_MEDIA_TYPE, "the page sends application/json", NULL);
    else
        demo_forward(pages->config.loop, &pages->publisher, exchange, request->body);
}
