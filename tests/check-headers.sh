#!/bin/sh
# check-headers.sh SOURCE BUILD: each public header compiles alone and without
# a warning, as strict C11 and as GNU C, with gcc and with clang.
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
