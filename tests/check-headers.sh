#!/bin/sh
# check-headers.sh SOURCE BUILD: each public header compiles alone and without
# a warning, as strict C11 and as GNU C, with gcc and with clang. The handler
# that handler.h shows is the plugin ping, to the letter.
set -eu
include=$1/core/include

for compiler in gcc clang; do
    for standard in c11 gnu17; do
        for header in "$include"/playground/*.h; do
            echo "$compiler -std=$standard $(basename "$header")"
            printf '#include <playground/%s>\n' "$(basename "$header")" |
                "$compiler" -std=$standard -Wall -Wextra -Wpedantic -Wshadow \
                    -Wstrict-prototypes -Werror -I"$include" -fsyntax-only \
                    -x c -
        done
    done
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -n 's/^ \*     //p; s/^ \*$//p; /^ \*\/$/q' "$include/playground/handler.h" |
    sed -n '/^#include/,/^};/p' >"$work/shown"
sed -n '/^#include/,$p' "$1/plugins/handler/ping.c" >"$work/ping"
diff -u --label handler.h --label ping.c "$work/shown" "$work/ping"
