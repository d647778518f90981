/* The table of routes: which row a request belongs to. */
#include "bridge/http_server_parts.h"

#include <string.h>

static bool path_matches(const struct http_route *route, struct slice path)
{
    size_t len = strlen(route->path);

    if (len > 0 && route->path[len - 1] == '*')
        return path.len >= len - 1 && memcmp(path.ptr, route->path, len - 1) == 0;
    return slice_is(path, route->path);
}

static bool method_matches(const struct http_route *route, enum http_method method)
{
    return route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD);
}

/* `*policy` only where a route has one of its own. */
static const struct http_route *find(const struct http_server_config *config,
                                     enum http_method method, struct slice path,
                                     const struct web_policy **policy,
                                     enum status *verdict)
{
    *verdict = ST_NOT_FOUND;
    if (config->find) {
        const struct http_route *route =
            config->find(config->ctx, method, path, policy, verdict);
        if (route)
            return route;
    }
    for (size_t i = 0; i < config->route_count; i++) {
        const struct http_route *route = &config->routes[i];
        if (!path_matches(route, path))
            continue;
        if (method_matches(route, method)) {
            *verdict = ST_OK;
            return route;
        }
        *verdict = ST_METHOD;
    }
    return NULL;
}

const struct http_route *http_route_find(const struct http_server_config *config,
                                         enum http_method method, struct slice path,
                                         enum status *verdict)
{
    const struct web_policy *policy;

    return find(config, method, path, &policy, verdict);
}

void http_route_allow(const struct http_server_config *config, struct slice path,
                      char out[64])
{
    size_t len = 0;

    out[0] = '\0';
    for (int method = HTTP_GET; method <= HTTP_OPTIONS; method++) {
        enum status verdict;
        if (!http_route_find(config, (enum http_method)method, path, &verdict))
            continue;
        const char *name = http_method_name((enum http_method)method);
        size_t blank = len > 0 ? 2 : 0;
        memcpy(out + len, ", ", blank);
        memcpy(out + len + blank, name, strlen(name) + 1);
        len += blank + strlen(name);
    }
}

/* The method that a browser asks about, or the request's own. */
static enum http_method wanted_method(const struct http_head *head)
{
    struct slice wanted = http_head_field(head, "Access-Control-Request-Method");

    for (int method = HTTP_GET; origin_is_preflight(head) && method <= HTTP_PATCH;
         method++)
        if (slice_is(wanted, http_method_name((enum http_method)method)))
            return (enum http_method)method;
    return head->method;
}

const struct web_policy *http_route_policy(const struct http_server_config *config,
                                           const struct http_head *head)
{
    const struct web_policy *policy = config->policy;
    enum status verdict;

    if (config->find)
        find(config, wanted_method(head), head->path, &policy, &verdict);
    return policy;
}
