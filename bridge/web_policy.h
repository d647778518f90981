/*
 * Who may ask, on one listener: which web pages (proto/origin), through which proxies
 * (proto/forwarded), and what browsers are told about it (CORS). Judged for each request,
 * from its head. Constant once it is read.
 */
#ifndef BRIDGE_WEB_POLICY_H
#define BRIDGE_WEB_POLICY_H

#include "bridge/config.h"
#include "proto/origin.h"

struct web_policy {
    struct origin_list origins;
    struct ip_prefix_list proxies;
    bool takes_browsers; /* false: whatever has an Origin is refused, and no CORS */
    bool allows_credentials;
    char max_age[24]; /* seconds that a browser may remember a preflight */
};

/* Who asks. */
struct web_caller {
    struct ip_address address; /* the client's, as far as proxies are listed */
    enum origin_verdict origin;
    bool is_through_proxy;
};

/* Lent by `config`, which options have checked. */
void web_policy_read(const struct config_web *config, bool takes_browsers,
                     struct web_policy *policy);

/* ST_FORBIDDEN or ST_BAD_REQUEST with `*detail`, a string literal. `caller` is filled in
 * any case. `policy` NULL: no proxies, and nobody is asked for an origin. */
enum status web_policy_judge(const struct web_policy *policy,
                             const struct http_head *head, const struct ip_address *peer,
                             struct web_caller *caller, const char **detail);

/* The value of Access-Control-Allow-Origin, or an empty slice. Lent by the head. */
struct slice web_policy_allowed_origin(const struct http_head *head,
                                       enum origin_verdict verdict);
/* Whether the page may use cookies and read the answer. */
bool web_policy_allows_credentials(const struct web_policy *policy,
                                   const struct http_head *head,
                                   enum origin_verdict verdict);

#endif
