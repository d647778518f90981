/* Who may ask: see the header. */
#include "bridge/web_policy.h"

#include <inttypes.h>
#include <stdio.h>

void web_policy_read(const struct config_web *config, bool takes_browsers,
                     struct web_policy *policy)
{
    struct slice bad;
    const char *reason;

    *policy = (struct web_policy){
        .takes_browsers = takes_browsers,
        .allows_credentials = config->cors_credentials == CONFIG_ON,
    };
    origin_list_parse(slice_of(config->allowed_origins), &policy->origins, &bad, &reason);
    ip_prefix_list_parse(slice_of(config->trusted_proxies), &policy->proxies, &bad);
    snprintf(policy->max_age, sizeof policy->max_age, "%" PRIu64,
             config->cors_max_age_ms / 1000);
}

static enum status judge_origin(const struct web_policy *policy,
                                const struct http_head *head,
                                const struct forwarded *forwarded,
                                struct web_caller *caller, const char **detail)
{
    if (!policy->takes_browsers) {
        caller->origin =
            http_head_field(head, "Origin").ptr ? ORIGIN_REFUSED : ORIGIN_ABSENT;
        *detail = "This listener is not for web pages: the request has an Origin.";
    } else {
        caller->origin = origin_judge(&policy->origins, head, forwarded);
        *detail = http_head_field(head, "Origin").ptr
                      ? "This page's origin is not allowed: see allowed_origins."
                      : "A request with a cookie must say its Origin.";
    }
    return caller->origin == ORIGIN_REFUSED ? ST_FORBIDDEN : ST_OK;
}

enum status web_policy_judge(const struct web_policy *policy,
                             const struct http_head *head, const struct ip_address *peer,
                             struct web_caller *caller, const char **detail)
{
    struct forwarded forwarded = {.client = *peer};
    enum status st = ST_OK;

    *caller = (struct web_caller){.origin = ORIGIN_ABSENT};
    if (policy)
        st = forwarded_read(head, &policy->proxies, peer, &forwarded, detail);
    caller->address = forwarded.client;
    caller->is_through_proxy = forwarded.is_through_proxy;
    if (st)
        caller->origin = ORIGIN_REFUSED;
    return st || !policy ? st : judge_origin(policy, head, &forwarded, caller, detail);
}

struct slice web_policy_allowed_origin(const struct http_head *head,
                                       enum origin_verdict verdict)
{
    if (verdict == ORIGIN_LISTED)
        return http_head_field(head, "Origin");
    return verdict == ORIGIN_ANY ? SLICE("*") : (struct slice){0};
}

bool web_policy_allows_credentials(const struct web_policy *policy,
                                   const struct http_head *head,
                                   enum origin_verdict verdict)
{
    /* "null" is no page in particular. */
    return policy->allows_credentials && verdict == ORIGIN_LISTED &&
           !slice_is(http_head_field(head, "Origin"), "null");
}
