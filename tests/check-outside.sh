#!/bin/sh
# check-outside.sh SOURCE BUILD: the program is installed, copied elsewhere, the
# first place removed; then the copy builds the plugin of tests/outside by
# CMake, by pkg-config and by `playground build`, and serves with each.
set -eu
source=$1 build=$2
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/installed" >/dev/null
cp -a "$work/installed" "$work/a copy"
rm -rf "$work/installed"
copy="$work/a copy"
program="$copy/bin/playground"

for config in "$copy"/share/playground/config/*.json; do
    "$program" check "$config"
done

mkdir "$work/cmake" "$work/pkgconfig" "$work/build"
cmake -S "$source/tests/outside" -B "$work/cmake" \
    -DCMAKE_PREFIX_PATH="$copy" >/dev/null
cmake --build "$work/cmake" >/dev/null

# What happens to the space in the folder's name is each pkg-config's own.
ln -s "$copy" "$work/copy"
export PKG_CONFIG_PATH="$work/copy/lib/pkgconfig"
plugins=$(pkg-config --variable=plugindir playground)
[ -e "$plugins/handler/echo.so" ] || {
    echo "plugindir $plugins: no plugins there"
    exit 1
}
# shellcheck disable=SC2046 # options
cc -shared -fPIC $(pkg-config --cflags playground) \
    -o "$work/pkgconfig/outside.so" "$source/tests/outside/outside.c"

cp "$source/tests/outside/outside.c" "$work/build"
"$program" build "$work/build/outside.c"

# serve_with FOLDER: a server whose config and plugin are in FOLDER.
serve_with() {
    cat >"$1/my.json" <<'END'
{ "transports": [{ "plugin": "tcp", "port": 0 }],
  "handlers": ["lines", "outside"] }
END
    mkfifo "$1/out"
    timeout 600 "$program" run "$1/my.json" >"$1/out" &
    server=$!
    exec 3<"$1/out"
    read -r listening transport address <&3
    read -r ready <&3
    [ "$listening $transport $ready" = "listening tcp ready" ] || {
        echo "$1: no server, but: $listening $transport $address, $ready"
        exit 1
    }
}

for folder in cmake pkgconfig build; do
    serve_with "$work/$folder"
    answer=$(printf 'hello\n' |
        timeout 600 "$program" client --quiet "tcp://$address")
    [ "$answer" = "outside heard:
hello" ] || {
        echo "$folder: the answer was: $answer"
        exit 1
    }
    kill "$server"
    wait "$server"
    server=
    echo "$folder: ok"
done
