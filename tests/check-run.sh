#!/bin/sh
# check-run.sh SOURCE BUILD: tools/run, from another folder, serves a config
# named relative to that folder, and asks for nothing when all is there.
set -eu
source=$1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; chmod -R u+w "$work"; rm -rf "$work"' EXIT

cd "$work"
echo '{ "transports": ["tcp"], "handlers": ["echo"] }' >mine.json
mkfifo out

# The first run may have to build build/release; the second has nothing to say.
for run in first second; do
    timeout 1700 "$source/tools/run" --port 0 mine.json >out 2>err </dev/null &
    server=$!
    exec 3<out
    read -r listening <&3
    read -r ready <&3
    echo "$run: $listening, $ready"
    [ "$ready" = ready ]
    kill "$server"
    wait "$server"
    server=
done
if grep tools/run err; then
    echo "the second run had something to do"
    exit 1
fi

# Without a CONFIG it is config/chat.json.
if ! timeout 600 "$source/tools/run" --host nonsense 2>err; then
    grep -q config/chat.json err
fi

# An option that ends the line has no value, and is not given the config.
if timeout 600 "$source/tools/run" --host 2>err; then
    exit 1
fi
grep -q "host needs a value" err

# Where nothing may be written it says what to do. Root may write anywhere.
give_up=
[ "$(id -u)" -ne 0 ] || give_up="setpriv --bounding-set=-all"
mkdir -p closed/tools
cp "$source/tools/run" "$source"/tools/setup* closed/tools
chmod a-w closed
if $give_up closed/tools/run 2>err; then
    exit 1
fi
grep -q "cannot make .*/closed/build; copy the project" err
chmod u+w closed
mkdir closed/build
chmod a-w closed/build
if $give_up closed/tools/run 2>err; then
    exit 1
fi
grep -q "cannot write to .*/closed/build; make it yours" err
[ "$(wc -l <err)" -eq 1 ]
