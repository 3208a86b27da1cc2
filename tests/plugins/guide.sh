#!/bin/sh
# The plugins of sdk/README.md and the first plugin of README.md, taken out of the text and
# built out of the tree against an installed SDK alone, load by their INI names and do what
# the text says.
set -eu
work=$(mktemp -d "${TMPDIR:-/tmp}/parti-guide-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

fail() {
    echo "guide.sh: $*" >&2
    exit 1
}

# The SDK as 'make install' leaves it, below a private root.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL "${MAKE:-make}" -s DESTDIR="$work/root" \
    install-includeHEADERS install-pkgconfigDATA >"$work/install.log" 2>&1 ||
    { cat "$work/install.log"; fail "the SDK cannot be installed"; }
pc=$(find "$work/root" -name parti-plugin.pc)
[ -n "$pc" ] || fail "parti-plugin.pc is not installed"
cflags=$(PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work/root \
    "${PKG_CONFIG:-pkg-config}" --cflags parti-plugin)
case $cflags in
*"$work/root"*) ;;
*) # A prefix of /usr is left out by pkg-config, being the compiler's own.
    cflags="-I$(dirname "$(find "$work/root" -name parti_plugin.h)")" ;;
esac

awk -v to="$work" '
    /^```c [a-z_]+\.c$/ { file = to "/" $2; next }
    /^```/ { file = "" }
    file != "" { print > file }' "$PARTI_SRCDIR/sdk/README.md"

awk '
    /^## / { is_first = $0 == "## A first plugin" }
    /^```/ { is_code = is_first && $0 == "```c"; next }
    is_code { print }' "$PARTI_SRCDIR/README.md" >"$work/modulo.c"
[ "$(wc -l <"$work/modulo.c")" -eq 10 ] || fail "the first plugin has not ten lines"

for name in acme_steady acme_folders modulo; do
    [ -s "$work/$name.c" ] || fail "the guide has no $name.c"
    # shellcheck disable=SC2086
    ${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Werror $cflags -shared -fPIC \
        -fvisibility=hidden -Wl,-z,defs -o "$work/$name.so" "$work/$name.c"
    symbols=$(nm -D --defined-only "$work/$name.so" | awk '{ print $3 }')
    [ "$symbols" = parti_plugin_v1 ] || fail "$name exports: $symbols"
done

chmod go-w "$work" "$work"/*.so
mkdir -p "$work/tenants/ada" "$work/tenants/bob" "$work/tenants/cy" "$work/tenants/.no"
: >"$work/tenants/file"
cat >"$work/good.ini" <<INI
[parti]
group = guide
plugin_dir = .
[strategy]
plugin = acme_steady
[source]
plugin = acme_folders
root = tenants
INI
run=$PARTI_BUILDDIR/tests/plugins/run_plugin
"$run" "$work/good.ini" | sort >"$work/said" || fail "run_plugin failed"
awk '{ print $1 }' "$work/said" >"$work/parts"
printf 'folder/ada\nfolder/bob\nfolder/cy\n' | cmp - "$work/parts" ||
    fail "other partitions than the three folders"
[ "$(awk '{ print $2 }' "$work/said" | sort | tr -d '\n')" = 012 ] ||
    fail "three partitions and three workers, but not one each"

# The first plugin deals all three partitions out, among the three workers.
sed 's/acme_steady/modulo/' "$work/good.ini" >"$work/modulo.ini"
"$run" "$work/modulo.ini" >"$work/said" || fail "run_plugin failed: modulo"
[ "$(awk '$2 ~ /^[012]$/' "$work/said" | wc -l)" -eq 3 ] || fail "$(cat "$work/said")"

# A mistake in a plugin's section is told with file and line.
sed 's/^root/wurzel = x\nwieght = 5\nroot/; s/tenants/none/' "$work/good.ini" >"$work/bad.ini"
if "$run" "$work/bad.ini" >"$work/said" 2>&1; then
    fail "unknown keys passed"
fi
grep -q "bad.ini:9: unknown key 'wieght' in \[source\]; did you mean 'weight'?" \
    "$work/said" || fail "no hint at the key: $(cat "$work/said")"
sed 's/tenants/none/' "$work/good.ini" >"$work/gone.ini"
if "$run" "$work/gone.ini" >"$work/said" 2>&1; then
    fail "a missing folder passed"
fi
grep -q 'list answers 1: .*/none: No such file or directory' "$work/said" ||
    fail "$(cat "$work/said")"
echo "the guide's two plugins and the README's first one build, load and run"
