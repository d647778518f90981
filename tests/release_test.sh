#!/usr/bin/env bash
# What is shipped: hardened, no sanitizer inside, and no sabotage switch. `./dev test` builds
# it first.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly PROGRAM=build/release/sidecast

fail() {
    printf 'release: %s\n' "$1" >&2
    exit 1
}

[ -x $PROGRAM ] || fail "there is none: ./dev build release"

status=0
said=$(timeout 10 $PROGRAM serve --test-hook no-replay 2>&1) || status=$?
[ $status = 2 ] || fail "--test-hook is answered with exit $status, not 2: $said"
[ "$(wc -l <<<"$said")" = 1 ] || fail "--test-hook is answered with more than a line: $said"

dynamic=$(readelf -dW $PROGRAM)
grep -q BIND_NOW <<<"$dynamic" || fail "symbols are bound lazily"
grep -qE 'PIE' <<<"$dynamic" || fail "not position independent"
grep -q GNU_RELRO <<<"$(readelf -lW $PROGRAM)" || fail "relocations stay writable"
grep -q __stack_chk_fail <<<"$(readelf -sW $PROGRAM)" || fail "no stack protector"
! grep -qE 'bus_fate|run_shim' <<<"$(readelf -sW $PROGRAM)" || fail "the bus shim is linked in"
! grep -qE 'libasan|libubsan|libtsan' <<<"$dynamic" || fail "a sanitizer is linked in"
printf 'release: hardened, and knows no test switch\n'
