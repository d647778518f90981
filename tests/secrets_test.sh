#!/usr/bin/env bash
# Secrets are compared in one place, slice_equal_secret (proto/slice.c), whose time tells
# nothing. A comparison that stops at the first difference and names a key, a token, a
# secret, a signature or a mac is refused, unless it stands below with the reason why it
# is none of those. The rule is first shown to bite.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

readonly COMPARE='\b(?:strn?cmp|strn?casecmp|memcmp|bcmp|slice_is|slice_is_nocase|slice_equal|slice_starts_with)'
readonly SECRET='(?i)(?<![a-z0-9])(?:keys?|tokens?|secrets?|sig|signatures?|macs?|hmac|passwords?|credentials?)(?![a-z0-9])'

# file|call|what the name stands for; the call * is any of the file's
readonly ALLOWED='
proto/native.c|*|keys of JSON
proto/http_gate.c|slice_is_nocase(slice_trim(item), token)|a word in a header, as RFC 9110 calls it
proto/http_gate.c|slice_is(slice_from(key, WEBSOCKET_KEY_BYTES - 2), "==")|the padding of Sec-WebSocket-Key, which hides nothing
proto/forwarded.c|*|names of parameters
proto/http_query.c|*|names of parameters and cookies
bridge/token_keys.c|slice_is(kid, token_key_kid(keys->rows[i]))|the public name of a key
bridge/config_keys.c|*|names of options
bridge/config_words.c|*|names of options
bridge/config_yaml.c|*|keys of a map
proto/document.c|*|keys of a map
proto/json_equal.c|*|keys of JSON
proto/ack_rules.c|*|names of options
proto/auth_event.c|*|names of options
proto/auth_rules.c|*|names of options
proto/auth_sources.c|slice_is_nocase(slice_first(token, len), sources->strip)|the word before a token, as Bearer
proto/command_compile.c|*|names of options
proto/contract_check.c|*|keys of JSON
proto/contract_compile.c|*|keys of JSON Schema
proto/contract_keywords.c|*|keys of JSON Schema
cli/config_markdown.c|*|names of options
proto/event_rules.c|*|names of events
proto/event_rules_row.c|*|names of options
proto/route_rules_row.c|*|names of options
client-gw/handle_relay.c|slice_equal(claims_user(session->claims), key->name)|the name of a room
cli/reload.c|strcmp(options_text(reload->current.options, key), options_text(reload->first->options, key))|our own values, before and after
bridge/options.c|*|names of options
proto/contract_types.c|*|keys of JSON Schema
proto/event_asyncapi.c|*|keys of JSON Schema
cli/token_watch.c|strcmp(token_url_name(source), url)|the address of public keys
proto/event_asyncapi.c|*|keys of JSON Schema
bridge/str_map.c|*|the keys of a map: names and ids
publisher-api/api_keys.c|slice_starts_with(secret, "sk_")|what all keys begin with
client-gw/deliver.c|slice_equal(session->voice->nsp, key->nsp)|the key of a room
publisher-api/idempotency.c|*|digests of ids and bodies
cli/listener.c|slice_is(key, name)|the name of a listener
'

# Prints "file|call" for each comparison below $1 that names a secret. Strings are not
# names: what stands in quotes is looked away from.
comparisons() {
    local file

    (cd "$1" && find proto bridge publisher-api client-gw cli -name '*.[ch]' 2>/dev/null) | sort |
        while read -r file; do
            tr -s ' \n\t' ' ' <"$1/$file" |
                { grep -oP "$COMPARE"'\s*(\((?:[^()"]|"(?:[^"\\]|\\.)*"|(?1))*\))' || true; } |
                while IFS= read -r call; do
                    bare=$(sed -E 's/"([^"\\]|\\.)*"//g; s/^[a-z_]+//' <<<"$call")
                    if grep -qP "$SECRET" <<<"${bare//_/ }"; then
                        printf '%s|%s\n' "$file" "$call"
                    fi
                done
        done
}

fail() {
    printf 'secrets: %s\n' "$1" >&2
    exit 1
}

prove_that_it_bites() {
    local line

    tree=$(mktemp -d)
    trap 'rm -rf "${tree:?}"' EXIT
    mkdir -p "$tree/bridge"
    while IFS= read -r line; do
        printf '%s\n' "$line" >"$tree/bridge/a.c"
        [ -n "$(comparisons "$tree")" ] || fail "did not notice: $line"
    done <<'ROWS'
if (strcmp(secret, text) == 0)
if (memcmp(mac, signature, 32))
if (slice_is(row->api_key, given))
if (slice_equal(config->hmac_secret, slice_trim(given)))
if (strncmp(api_token, "x", 1))
ROWS
    printf 'memcmp(\n    sent_sig,\n    wanted, 32)\n' >"$tree/bridge/a.c"
    [ -n "$(comparisons "$tree")" ] || fail "did not notice a call over several lines"
    printf 'slice_is(name, "token"); strcmp(monkey, machine); slice_equal_secret(mac, a);\n' \
        >"$tree/bridge/a.c"
    [ -z "$(comparisons "$tree")" ] || fail "refused what is harmless: $(comparisons "$tree")"
}

prove_that_it_bites
found=$(comparisons "$root" | sort -u)
allowed=$(sed '/^$/d; s/|[^|]*$//' <<<"$ALLOWED")

# Prints what only the first list has, or only the second.
compare() {
    awk -F '|' -v wanted="$1" '
        NR == FNR { file[$1] = 1; is_any[$1] = is_any[$1] || $2 == "*"; line[$0] = 1; next }
        wanted == "new" && !(is_any[$1] || line[$0])
        wanted == "stale" && !(line[$0] || ($2 == "*" && file[$1]))' "$2" "$3"
}
new=$(compare new <(printf '%s\n' "$allowed") <(printf '%s\n' "$found"))
[ -z "$new" ] || fail "$(printf 'compare these with slice_equal_secret, or say what they are in %s:\n%s' \
    tests/secrets_test.sh "$new")"
stale=$(compare stale <(printf '%s\n' "$found") <(printf '%s\n' "$allowed"))
[ -z "$stale" ] || fail "$(printf 'these exceptions are not needed any more:\n%s' "$stale")"
printf 'secrets: %d comparisons with such names, each explained\n' "$(wc -l <<<"$found")"
