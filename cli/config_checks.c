/* Checks of a whole configuration: see the header. */
#include "cli/config_checks.h"

#include "cli/bus_folder.h"
#include "cli/token_keys_load.h"
#include "proto/auth_rules.h"
#include "proto/ip_prefix.h"
#include "proto/namespace_rules.h"
#include "proto/origin.h"
#include "proto/route_rules.h"
#include "proto/units.h"
#include "publisher-api/api_keys_watch.h"

#include <string.h>
#include <sys/stat.h>

static void check_token_keys(const struct invocation *call, struct faults *faults)
{
    char reason[TOKEN_KEYS_REASON_BYTES];
    struct token_keys *keys = token_keys_load(&call->config.auth, NULL, NULL, reason);
    const char *key = strstr(reason, "auth.jwt.keys") == reason ? "auth.jwt.keys"
                                                                : "auth.jwt.hmac_secret";

    if (!keys)
        faults_add(faults, options_place(call->options, key), NULL, "%s", reason);
    token_keys_destroy(keys);
}

static void check_api_keys(const struct invocation *call, struct faults *faults)
{
    size_t before = faults->count;
    struct api_keys *keys = api_keys_of(&call->config.publisher, faults);

    for (size_t i = before; i < faults->count; i++)
        if (!faults->items[i].place.file)
            faults->items[i].place = options_place(call->options, "publisher.api_keys");
    api_keys_destroy(keys);
}

static bool is_public(const char *address)
{
    return strncmp(address, "127.", 4) != 0 && strncmp(address, "[::1]", 5) != 0;
}

/* Whether other machines reach the publisher. */
static bool reaches_strangers(const struct config *config)
{
    return is_public(has_single_port(config) ? config->gateway.listen
                                             : config->publisher.listen);
}

void config_checks_doors(const struct invocation *call, const struct config *listening,
                         struct faults *faults)
{
    const struct route_rules *routes = call->system ? call->system->routes : NULL;

    if (!reaches_strangers(listening))
        return;
    if (call->config.publisher.allow_none == CONFIG_ON)
        faults_add(faults, options_place(call->options, "publisher.allow_none"), NULL,
                   "publisher.allow_none: other machines reach publisher.listen: "
                   "everybody could publish");
    for (size_t i = 0; routes && i < route_rules_count(routes); i++) {
        const struct route_rule *rule = route_rules_at(routes, i);
        if (rule->act == ROUTE_PUBLISH && rule->auth == ROUTE_AUTH_NONE)
            faults_add(faults, rule->auth_place, NULL,
                       "auth: none publishes on the loopback only, and other machines "
                       "reach publisher.listen");
    }
}

/* "https://rt.example.com/base": it stands in what others read. */
static void check_public_url(const struct invocation *call, struct faults *faults)
{
    struct slice url = slice_of(call->config.public_url), rest = url;

    if (url.len == 0)
        return;
    if (slice_starts_with(url, "https://"))
        rest = slice_from(url, 8);
    else if (slice_starts_with(url, "http://"))
        rest = slice_from(url, 7);
    else
        rest.len = 0;
    if (rest.len == 0 || strchr("/:", rest.ptr[0]) || strpbrk(url.ptr, " \t?#@\"<>\\"))
        faults_add(faults, options_place(call->options, "public_url"),
                   "https://rt.example.com", "public_url is no address of a server");
}

void config_checks_keys(const struct invocation *call, struct faults *faults)
{
    check_token_keys(call, faults);
    check_api_keys(call, faults);
    config_checks_doors(call, &call->config, faults);
    check_public_url(call, faults);
}

/* --- allowed, but unsafe: one row each */

static bool allows_all_pages(const struct config *config)
{
    struct origin_list origins = {0};
    struct slice bad;
    const char *reason;

    return !origin_list_parse(slice_of(config->web.allowed_origins), &origins, &bad,
                              &reason) &&
           origins.allows_any;
}

static bool trusts_everybody(const struct config *config)
{
    struct ip_prefix_list list = {0};
    struct slice bad;

    if (ip_prefix_list_parse(slice_of(config->web.trusted_proxies), &list, &bad))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].bits == 0 || list.items[i].bits == 96)
            return true;
    return false;
}

static bool has_public_ops(const struct config *config)
{
    return is_public(config->ops.listen);
}

static bool has_endless_tokens(const struct config *config)
{
    return config->auth.max_ttl_ms == 0;
}

static bool has_no_api_key(const struct config *config)
{
    return config->publisher.api_keys[0] == '\0' &&
           config->publisher.api_keys_file[0] == '\0' &&
           config->publisher.allow_none == CONFIG_OFF;
}

static bool is_late_to_notice(const struct config *config)
{
    return config->gateway.ping_interval_ms + config->gateway.ping_timeout_ms > 120000;
}

static const struct {
    bool (*holds)(const struct config *config);
    const char *key;
    const char *text;
} unsafe[] = {
    {allows_all_pages,   "allowed_origins",
     "insecure:* lets the pages of every site connect"                                    },
    {trusts_everybody,   "trusted_proxies",
     "a prefix of all addresses lets everybody say which address is theirs"               },
    {reaches_strangers,  "publisher.listen",
     "other machines reach the publisher, and what they send is not encrypted"            },
    {has_public_ops,     "ops.listen",
     "other machines read metrics and statistics without a key"                           },
    {has_endless_tokens, "auth.jwt.max_ttl",      "0s accepts tokens that hardly ever end"},
    {has_no_api_key,     "publisher.api_keys",
     "there is no key, so only tokens for sidecast:publish may publish"                   },
    {is_late_to_notice,  "gateway.ping_interval",
     "a lost client is noticed only after more than two minutes"                          },
};

bool config_checks_has_token_keys(const struct config_auth *auth)
{
    return auth->hmac_secret[0] || auth->hmac_secret_file[0] || auth->keys[0] ||
           auth->jwks_file[0] || auth->jwks_url[0];
}

static void check_auth_mode(const struct invocation *call, struct faults *warnings)
{
    const struct document_node *mode =
        document_find(document_find(config_file_root(call->file), "auth"), "mode");
    bool is_open = mode && mode->kind == DOCUMENT_SCALAR && slice_is(mode->text, "none");

    if (is_open && is_public(call->config.gateway.listen))
        faults_add(warnings, mode->place, NULL,
                   "auth.mode: everybody who reaches gateway.listen may connect");
    if (!is_open && !config_checks_has_token_keys(&call->config.auth))
        faults_add(warnings, (struct place){0}, NULL,
                   "auth.jwt: there is no secret or key, so no client can connect");
}

void config_checks_window(const struct invocation *call, struct faults *warnings)
{
    const struct system *system = call->system;
    const struct config *config = &call->config;
    bool is_set = options_source(call->options, "recovery.window") != OPTION_DEFAULT;
    const char *key = is_set ? "recovery.window" : "log.keep.age";
    struct place place = options_place(call->options, key);
    bool is_late = system && system->auth && auth_rules_mode(system->auth) == AUTH_EVENT;
    bool recovers = !is_late && system && system->namespaces &&
                    namespace_rules_recover(system->namespaces);

    if (is_late && is_set)
        faults_add(warnings, place, NULL,
                   "recovery.window: with auth.mode: event nobody comes back to a "
                   "session; catchup brings what they missed");
    if (recovers && config->recovery.window_ms > config->log.keep_age_ms)
        faults_add(warnings, place, NULL,
                   "recovery.window: events are gone from the log before the session "
                   "is: log.keep.age is shorter");
}

static void check_past(const struct invocation *call, const struct document_node *node,
                       const char *key, struct faults *warnings)
{
    const char *reason;
    uint64_t ttl_ms;

    if (node && node->kind == DOCUMENT_SCALAR &&
        !units_parse_duration(node->text, &ttl_ms, &reason) &&
        ttl_ms > call->config.log.keep_age_ms)
        faults_add(warnings, node->place, NULL,
                   "%s: older events than log.keep.age are not in the log", key);
}

/* A past that nobody keeps. */
static void check_pasts(const struct invocation *call, struct faults *warnings)
{
    const struct document_node *root = config_file_root(call->file);
    const struct document_node *rooms = document_find(root, "rooms");

    check_past(call, document_find(document_find(root, "catchup"), "ttl"), "catchup.ttl",
               warnings);
    for (size_t i = 0; rooms && rooms->kind == DOCUMENT_LIST && i < rooms->count; i++)
        check_past(call, document_find(document_find(&rooms->items[i], "history"), "ttl"),
                   "rooms[].history.ttl", warnings);
}

static bool everybody_reads(const char *path)
{
    struct stat stat_of;

    return path && path[0] && !stat(path, &stat_of) && (stat_of.st_mode & S_IROTH);
}

static void check_readers(const struct invocation *call, struct faults *warnings)
{
    static const char keys_file[] = "publisher.api_keys_file";

    if (everybody_reads(call->config.publisher.api_keys_file))
        faults_add(warnings, options_place(call->options, keys_file), NULL,
                   "%s: every user of this machine can read that file: chmod o-r",
                   keys_file);
    if (!everybody_reads(config_file_path(call->file)))
        return;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const struct document_node *node =
            config_key_is_option(key) && config_key_is_secret(key)
                ? config_file_node(call->file, key)
                : NULL;
        if (node)
            faults_add(warnings, node->place, NULL,
                       "%s: every user of this machine can read it here: chmod o-r",
                       key->path);
    }
}

void config_checks_log(struct logger *log, const char *what, const struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        log_warn(
            log, what, LOG_TEXT("file", fault->place.file ? fault->place.file : "none"),
            LOG_NUM("line", fault->place.line), LOG_NUM("column", fault->place.column),
            LOG_TEXT("fault", fault->message),
            LOG_TEXT("hint", fault->hint ? fault->hint : ""));
    }
}

void config_checks_unsafe(const struct invocation *call, struct faults *warnings)
{
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
        if (unsafe[i].holds(&call->config))
            faults_add(warnings, options_place(call->options, unsafe[i].key), NULL,
                       "%s: %s", unsafe[i].key, unsafe[i].text);
    check_auth_mode(call, warnings);
    config_checks_window(call, warnings);
    check_pasts(call, warnings);
    check_readers(call, warnings);
}
