#!/bin/sh
# check-exports.sh SOURCE BUILD: what the program exports is exactly what the
# public headers declare as PG_API.
set -eu
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Declarations become one line each; the macro's own definition goes, and so do
# the two symbols that plugins export.
cat "$source"/core/include/playground/*.h |
    sed -e '/^#/d' -e '/^extern /d' | tr '\n' ' ' |
    grep -oE 'PG_API [^;(]*\(' | sed 's/ *($//; s/.*[ *]//' |
    sort -u >"$work/declared"

# With a version (stderr@GLIBC_2.2.5) it is the C library's; _start, data_start
# and the like come from the linker.
nm -D --defined-only "$build/bin/playground" | sed 's/.* //' |
    grep -vE '@|^_|^data_start$' | sort -u >"$work/exported"

[ "$(wc -l <"$work/declared")" -gt 40 ] || {
    echo "only $(wc -l <"$work/declared") PG_API functions found: mend this script"
    exit 1
}
diff -u --label declared --label exported "$work/declared" "$work/exported" || {
    echo "- is declared in a header but not exported, + the other way round"
    exit 1
}
