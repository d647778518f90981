#!/usr/bin/env bash
# The size and the manners of the files: no source over 600 lines, half of them at most
# 300; nothing left to do in a comment; no #ifdef inside code; each header says what it is.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly FOLDERS="proto bridge publisher-api client-gw cli clients tests"
readonly LONGEST=600 MEDIAN=300
bad=0

complain() {
    printf 'house: %s\n' "$1" >&2
    bad=1
}

# shellcheck disable=SC2086 # the list is words
sources() {
    find $FOLDERS \( -name '*.c' -o -name '*.h' -o -name '*.mjs' -o -name '*.sh' -o -name '*.js' \) |
        sort
}

lengths=$(sources | xargs wc -l | awk '$2 != "total" {print $1, $2}' | sort -n)
while read -r lines file; do
    [ "$lines" -le $LONGEST ] || complain "$file has $lines lines; $LONGEST is the most"
done <<<"$lengths"

count=$(wc -l <<<"$lengths")
median=$(sed -n "$(((count + 1) / 2))p" <<<"$lengths" | cut -d' ' -f1)
[ "$median" -le $MEDIAN ] || complain "the median source has $median lines; $MEDIAN is the most"

found=$(sources | grep -v '^tests/house_test.sh$' | xargs grep -nE 'TODO|FIXME|\bXXX\b' || true)
[ -z "$found" ] || complain "$(printf 'left to do:\n%s' "$found")"

found=$(find $FOLDERS -name '*.c' | xargs grep -nE '^[ ]*#[ ]*(if|ifdef|ifndef|elif)\b' || true)
[ -z "$found" ] || complain "$(printf 'conditional code:\n%s' "$found")"

for header in $(find $FOLDERS -name '*.h'); do
    head -1 "$header" | grep -q '^/\*' || complain "$header does not begin by saying what it is"
done

printf 'house: %d sources, median %d lines, longest %s\n' "$count" "$median" \
    "$(tail -1 <<<"$lengths")"
exit $bad
