#!/usr/bin/env bash
# Includes point down (proto < bridge < publisher-api, client-gw < cli), and each
# third-party library is seen in its one home. The rules are first shown to bite on a
# tree made wrong on purpose.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

# What the sources of a folder may include of ours.
readonly MAY_SEE='
proto          ^proto/
bridge         ^(proto|bridge)/
publisher-api  ^(proto|bridge|publisher-api)/
client-gw      ^(proto|bridge|client-gw)/
cli            ^(proto|bridge|publisher-api|client-gw|cli)/
'

# Header (a pattern over what stands in <>), and the files that may include it.
readonly HOMES='
microhttpd\.h            ^bridge/http_server[a-z_]*\.c$
libwebsockets\.h         ^client-gw/(ws_server|transport_ws)\.c$
nng/.*                   ^bridge/engine_nng[a-z_]*\.[ch]$
jwt\.h                   ^bridge/token[a-z_]*\.c$
openssl/.*               ^bridge/(token[a-z_]*|digest)\.c$
sqlite3\.h               ^bridge/log_sqlite\.c$
yaml\.h                  ^bridge/config_yaml\.c$
curl/.*                  ^bridge/http_client\.c$
zlib\.h                  ^client-gw/gzip\.c$
pcre2\.h                 ^proto/contract_pattern\.c$
uv\.h                    ^(bridge|publisher-api|client-gw|cli)/
jansson\.h               ^(proto|bridge|publisher-api|client-gw|cli)/
'

# proto/ is bytes in, values out: of the system it sees only these headers (arpa/inet.h for
# addresses as text).
readonly PURE='^(arpa/inet|assert|ctype|endian|errno|inttypes|limits|math|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings|jansson|pcre2)\.h$'
# stdio.h is there for snprintf; this is what it, stdlib.h and string.h must not be used for.
readonly IMPURE='\b(printf|fprintf|puts|putchar|perror|fopen|fdopen|fread|fwrite|fputs|getenv|setenv|system|rand|srand|random|time|clock|clock_gettime|strerror|abort|exit)[ ]*\('

# "file kind header" for each include of the C files below $1; kind is < or ".
includes() {
    (cd "$1" && grep -rHoE --include='*.c' --include='*.h' '^[ ]*#[ ]*include[ ]*[<"][^>"]+' \
        proto bridge publisher-api client-gw cli 2>/dev/null || true) |
        sed -E 's/^([^:]+):[ ]*#[ ]*include[ ]*([<"])(.*)$/\1 \2 \3/'
}

# Prints one line per broken rule.
check() {
    local tree=$1

    includes "$tree" | awk -v may_see="$MAY_SEE" -v homes="$HOMES" -v pure="$PURE" '
        BEGIN {
            rows = split(may_see, line, "\n")
            for (i = 1; i <= rows; i++)
                if (split(line[i], word, " ") == 2) allowed[word[1]] = word[2]
            rows = split(homes, line, "\n")
            for (i = 1; i <= rows; i++)
                if (split(line[i], word, " ") == 2) home["^" word[1] "$"] = word[2]
        }
        {
            folder = $1
            sub(/\/.*/, "", folder)
            if ($2 == "\"") {
                if ($3 !~ /\//)
                    print $1 ": include \"" $3 "\" from the root, with its folder"
                else if ($3 !~ allowed[folder])
                    print $1 ": " folder " must not see " $3
                next
            }
            for (header in home)
                if ($3 ~ header && $1 !~ home[header])
                    print $1 ": <" $3 "> has another home"
            if (folder == "proto" && $3 !~ pure)
                print $1 ": proto does no I/O and must not see <" $3 ">"
        }'
    (cd "$tree" && grep -rHnE --include='*.c' "$IMPURE" proto 2>/dev/null || true) |
        sed 's/$/   (proto does no I\/O)/'
}

fail() {
    printf 'layering: %s\n' "$1" >&2
    exit 1
}

# Each row: a file, and a line that must be refused in it.
prove_that_it_bites() {
    local path line

    tree=$(mktemp -d)
    trap 'rm -rf "${tree:?}"' EXIT
    while IFS='|' read -r path line; do
        [ -n "$path" ] || continue
        rm -rf "${tree:?}"/*
        mkdir -p "$tree/$(dirname "$path")"
        printf '%s\n' "$line" >"$tree/$path"
        [ -n "$(check "$tree")" ] || fail "did not notice in $path: $line"
    done <<'ROWS'
proto/a.c|#include "bridge/clock.h"
proto/a.h|#include <uv.h>
proto/a.c|#include <time.h>
proto/a.c|#include <sys/socket.h>
proto/a.c|#include <pthread.h>
proto/a.c|    printf("hello");
bridge/a.c|#include "publisher-api/route.h"
bridge/testing/a.c|#include "client-gw/room.h"
bridge/front.c|#include <microhttpd.h>
bridge/engine.h|#include <nng/nng.h>
bridge/clock.c|#include <openssl/evp.h>
publisher-api/a.c|#include "client-gw/room.h"
publisher-api/a.c|#include <jwt.h>
client-gw/a.c|#include "publisher-api/route.h"
client-gw/room.c|#include <libwebsockets.h>
client-gw/ws_server.h|#include <libwebsockets.h>
client-gw/a.c|#include "room.h"
cli/a.c|# include <sqlite3.h>
ROWS
    rm -rf "${tree:?}"/*
    mkdir -p "$tree/bridge"
    printf '#include <microhttpd.h>\n#include "proto/slice.h"\n#include <uv.h>\n' \
        >"$tree/bridge/http_server.c"
    [ -z "$(check "$tree")" ] || fail "refused a good tree: $(check "$tree")"
}

prove_that_it_bites
[ -n "$(includes "$root")" ] || fail "found no sources in $root"
broken=$(check "$root")
[ -z "$broken" ] || fail "$(printf 'broken rules\n%s' "$broken")"
printf 'layering: %d includes obey\n' "$(includes "$root" | wc -l)"
