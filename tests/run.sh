#!/bin/sh
# Builds and tests everything: `sh tests/run.sh`, or `--quick` for the debug build alone.  On a fresh Debian 12 it
# installs what is missing when run as root.  All it makes is below build/.  Last line: "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2

quick=no
case "${1:-}" in
--quick) quick=yes ;;
'') ;;
*) echo "usage: tests/run.sh [--quick]" >&2 && exit 2 ;;
esac

# What runs more than one thread, or may in the product; the rest would only be slower under this sanitizer.
threaded='^(unit\.(base\.(log|log_line|httpd|httpc|stream|tls)|security\.(digest|penalty)|ota\.(profile|registry)|ppg\.(config|store.*|server.*))'
threaded="$threaded"'|fault\..*|integration\.first_push)$'

packages='gcc libc6-dev cmake ninja-build pkg-config clang clang-format-14 libclang-rt-14-dev libuv1-dev
libgnutls28-dev libosip2-dev libc-ares-dev libxml2-dev libhttp-parser-dev libsqlite3-dev libinih-dev libjansson-dev libxmlsec1-dev libcunit1-dev curl openssl
baresip-core gdb gnutls-bin groff-base kamailio nginx sip-tester slowhttptest sqlite3 python3 python3-cryptography python3-jwt python3-prometheus-client libwbxml2-utils sipsak testssl.sh tshark xmlsec1'

passed=0
failed=0
faults=
tmp=$(mktemp -d) || exit 2 # short: UNIX sockets of the tests live here, and their paths are limited to 107 octets
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
export TMPDIR="$tmp"
jobs=$(nproc)
tests_at_once=$((jobs * 2)) # they wait for clocks and peers more than they compute

count() { # count PASSED FAILED NAME
    passed=$((passed + $1))
    failed=$((failed + $2))
    [ "$2" -eq 0 ] || faults="$faults $3"
}

finish() {
    [ -z "$faults" ] || echo "failed:$faults"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && exit 0
    exit 1
}

step() { # step NAME COMMAND...: one thing that passes or fails
    name=$1
    shift
    echo "== $name"
    if "$@"; then count 1 0 "$name"; else count 0 1 "$name"; return 1; fi
}

install_missing() {
    missing=
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "to be installed first:$missing" >&2
        return 1
    fi
    # A mirror may fail once; on a machine that has just been started another apt may still be at work.
    apt='apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=600'
    # shellcheck disable=SC2086 # lists of words
    { $apt update && DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends $missing; } \
        >"$tmp/apt" 2>&1 && return 0
    tail -n 20 "$tmp/apt"
    return 1
}

build() { # build PRESET
    cmake --preset "$1" >"$tmp/cmake" 2>&1 || { cat "$tmp/cmake"; return 1; }
    cmake --build "build/$1" -j "$jobs" >"$tmp/build" 2>&1 || { grep -v '^\[' "$tmp/build" | head -n 60; return 1; }
}

tests() { # tests PRESET [CTEST ARGUMENTS]: the tests of one build, each counted
    preset=$1
    shift
    echo "== test $preset"
    rm -f "build/$preset"/ran/*.ran
    $flat ctest --test-dir "build/$preset" -j "$tests_at_once" --output-on-failure --no-tests=ignore "$@" >"$tmp/ctest" 2>&1
    status=$?
    bad=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests* failed out of \([0-9]*\)$/\1/p' "$tmp/ctest")
    all=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests* failed out of \([0-9]*\)$/\2/p' "$tmp/ctest")
    if [ -z "$all" ]; then
        [ "$status" -eq 0 ] || { tail -n 20 "$tmp/ctest"; count 0 1 "$preset"; }
        return
    fi
    if [ "$bad" -eq 0 ]; then tail -n 3 "$tmp/ctest"; else cat "$tmp/ctest"; fi
    count $((all - bad)) "$bad" "$preset"
}

install_missing || { count 0 1 packages; finish; }
# The thread sanitizer of gcc 12 needs its address range free of what the kernel places at random.
flat=
setarch "$(uname -m)" -R true 2>/dev/null && flat="setarch $(uname -m) -R"

step lint sh tests/lint/run.sh
step 'build debug' build debug && tests debug && step conformance python3 -B tests/conformance/check.py build/debug
if [ "$quick" = no ]; then
    step 'build asan+ubsan' build asan+ubsan && tests asan+ubsan -LE lint
    step 'build tsan' build tsan && tests tsan -R "$threaded"
    step 'build clang' build clang
fi
finish
