#!/bin/sh
# The whole way of a plugin vendor, against a Parti that is really installed: the tree is
# built by the README's ordinary route and installed under a prefix of its own; the two
# plugins of sdk/README.md are built out of the tree with what pkg-config says, dropped
# into the installed plugin folder, named by their bare names, and the installed parti
# lists, describes, checks, plans and runs them against a real nats-server.
set -eu
LC_ALL=C
export LC_ALL
unset PARTI_NATS_URL NATS_URL PARTI_PLUGIN_DIR PKG_CONFIG_PATH MAKEFLAGS MFLAGS MAKELEVEL \
    DESTDIR
work=$(mktemp -d "${TMPDIR:-/tmp}/parti-installed-XXXXXX")
server=
first=
second=

finish() {
    for pid in $first $second $server; do
        kill -KILL "$pid" 2>/dev/null || :
    done
    chmod -R u+w "$work" && rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
    echo "installed.sh: $*" >&2
    exit 1
}

# quietly LOG COMMAND ...
quietly() {
    log=$work/$1
    shift
    "$@" >"$log" 2>&1 </dev/null || { tail -n 40 "$log"; fail "failed: $*"; }
}

# has FILE TEXT: the file has a line with this text.
has() {
    grep -qF -- "$2" "$1" || { cat "$1"; fail "'$2' is not in what it said"; }
}

# until_has FILE TEXT: the same, at the latest after half a minute.
until_has() {
    looks=0
    until grep -qF -- "$2" "$1" 2>/dev/null; do
        looks=$((looks + 1))
        [ $looks -le 300 ] || { cat "$1"; fail "'$2' does not come"; }
        sleep 0.1
    done
}

# says_json WORD ...: what the installed parti says, without its layout.
says_json() {
    "$parti" "$@" -o json >"$work/json" || fail "parti $1 exits $?"
    tr -d ' \n' <"$work/json" >"$work/said"
}

# ---- installed

mkdir "$work/source"
(cd "$PARTI_SRCDIR" && tar -cf - --exclude='./_*' --exclude=.git --exclude='*.o' \
    --exclude='*.l[oa]' --exclude=.libs --exclude=.deps --exclude=autom4te.cache \
    --exclude=config.status --exclude=./Makefile .) | tar -xf - -C "$work/source"
chmod -R u+w "$work/source"
prefix=$work/prefix
cd "$work/source"
quietly configure.log ./configure --prefix="$prefix" CC="${CC:-cc}" CFLAGS='-O1'
quietly make.log "${MAKE:-make}" -j2 install
cd "$work"
rm -rf "$work/source" # nothing of what follows may need it
parti=$prefix/bin/parti
quietly version.log "$parti" --version

# ---- built out of the tree

pkg() {
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig "${PKG_CONFIG:-pkg-config}" "$@" parti-plugin
}
plugins=$(pkg --variable=plugindir)
[ -f "$plugins/round_robin.so" ] || fail "the built-in plugins are not in '$plugins'"
awk -v to="$work" '
    /^```c [a-z_]+\.c$/ { file = to "/" $2; next }
    /^```/ { file = "" }
    file != "" { print > file }' "$PARTI_SRCDIR/sdk/README.md"
for name in acme_steady acme_folders; do
    # shellcheck disable=SC2046
    ${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Werror $(pkg --cflags) -shared -fPIC \
        -fvisibility=hidden -Wl,-z,defs -o "$work/$name.so" "$work/$name.c"
    install -m 644 "$work/$name.so" "$plugins/$name.so"
done

# A worker of one's own, in C: the shipped one, as its first lines say.
docs=$prefix/share/doc/parti
for file in messages.py messages.sh telemetry.py worker.py worker.sh; do
    [ -x "$docs/$file" ] || fail "$docs/$file is not there to be run"
done
for file in orders-kafka.ini telemetry-jetstream.ini; do
    [ -f "$docs/$file" ] || fail "$docs/$file is not there"
done
# shellcheck disable=SC2046
(cd "$work" && ${CC:-cc} "$docs/messages.c" $(PKG_CONFIG_PATH=$prefix/lib/pkgconfig \
    "${PKG_CONFIG:-pkg-config}" --cflags --libs parti) -o messages)
rc=0
LD_LIBRARY_PATH=$prefix/lib "$work/messages" >"$work/said" 2>&1 || rc=$?
[ $rc -eq 2 ] || fail "messages without a file exits $rc"
has "$work/said" 'usage: messages FILE.ini'

# ---- named by their names

"$parti" plugins list >"$work/list"
for name in acme_steady acme_folders round_robin static; do
    has "$work/list" "$name"
done
"$parti" plugins describe acme_steady >"$work/described"
has "$work/described" "moves nothing that has an owner"
has "$work/described" "$plugins/acme_steady.so"
"$parti" plugins describe acme_folders >"$work/described"
has "$work/described" "The folder whose sub-folders are the partitions."

mkdir -p "$work/tenants/ada" "$work/tenants/bob" "$work/tenants/cy" "$work/tenants/dan"
cat >"$work/group.ini" <<INI
[parti]
group = vendor
[nats]
url = URL
[strategy]
plugin = acme_steady
[source]
plugin = acme_folders
root = tenants
[timing]
cold_start_window = 300 ms
planned_scale_window = 200 ms
min_rebalance_interval = 100 ms
INI
sed 's/^root/wieght = 5\nroot/' "$work/group.ini" >"$work/bad.ini"
if "$parti" config check "$work/bad.ini" >"$work/said" 2>&1; then
    fail "config check passes an unknown key of the vendor's section"
fi
has "$work/said" "bad.ini:9: unknown key 'wieght' in [source]; did you mean 'weight'?"

# ---- against a server

PATH=$PATH:/usr/sbin
program=${PARTI_NATS_SERVERS:-}
program=${program%%:*}
[ -n "$program" ] || program=$(command -v nats-server || :)
for one in "$PARTI_BUILDDIR"/servers/*/nats-server; do
    [ -n "$program" ] || [ ! -x "$one" ] || program=$one
done
[ -n "$program" ] || fail "no nats-server found: apt install nats-server"
mkdir "$work/ports"
"$program" -a 127.0.0.1 -p -1 -js -sd "$work/store" --ports_file_dir "$work/ports" \
    >"$work/server.log" 2>&1 &
server=$!
until_has "$work/ports/nats-server_$server.ports" nats://
url=$(sed -n 's/.*"\(nats:[^"]*\)".*/\1/p' "$work/ports/nats-server_$server.ports")
sed "s,URL,$url," "$work/group.ini" >"$work/live.ini"

quietly check.log "$parti" config check "$work/live.ini"
"$parti" run -c "$work/live.ini" --events "$work/first.events" 2>"$work/first.log" &
first=$!
until_has "$work/first.events" '"event":"assigned"'
for name in ada bob cy dan; do
    has "$work/first.events" "\"id\":\"folder/$name\""
done

# Steady: a second worker is given nothing of what the first has; any other would share.
says_json plan -c "$work/live.ini" --add worker-1
has "$work/said" '"moved":0,"moved_least":0'
says_json plan -c "$work/live.ini" --add worker-1 --strategy round_robin
has "$work/said" '"moved":2,"moved_least":2'
"$parti" run -c "$work/live.ini" --events "$work/second.events" 2>"$work/second.log" &
second=$!
until_has "$work/second.events" '"to":"Stable"'

# What the source lists from now on goes to the one who has least.
mkdir "$work/tenants/eve"
"$parti" refresh -c "$work/live.ini" >"$work/said" 2>&1
until_has "$work/second.events" '"id":"folder/eve"'
if grep -q '"event":"revoking"' "$work/first.events"; then
    fail "a strategy that moves nothing has moved something"
fi
says_json status -c "$work/live.ini"
has "$work/said" '"strategy":"acme_steady"'
has "$work/said" '"partitions":["folder/ada","folder/bob","folder/cy","folder/dan"]'
has "$work/said" '"partitions":["folder/eve"]'

# Whoever leaves hands over what he has.
kill -TERM "$first"
rc=0
wait "$first" || rc=$?
[ $rc -eq 0 ] || { cat "$work/first.log"; fail "the first worker exits $rc"; }
first=
for name in ada bob cy dan; do
    until_has "$work/second.events" "\"id\":\"folder/$name\""
done
kill -TERM "$second"
rc=0
wait "$second" || rc=$?
[ $rc -eq 0 ] || { cat "$work/second.log"; fail "the second worker exits $rc"; }
second=
echo "two plugins built out of the tree run in an installed parti"
