#!/bin/sh
# Measures a release build: `sh tests/bench/run.sh [--quick] [NAME...]`; see README.md.  On a fresh Debian 12 it
# installs what is missing when run as root.  All it makes is below build/ or in a scratch folder that it removes.
set -u
cd "$(dirname "$0")/../.." || exit 2

packages='gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libgnutls28-dev libosip2-dev libc-ares-dev libxml2-dev libhttp-parser-dev
libsqlite3-dev libinih-dev libjansson-dev libxmlsec1-dev libcunit1-dev openssl python3 nginx-light libnginx-mod-http-echo wrk kannel
kamailio sip-tester'

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "to be installed first:$missing" >&2
        exit 2
    fi
    # RUNLEVEL: the packages' own services stay off.
    # shellcheck disable=SC2086 # a list of words
    { apt-get update && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends $missing; } \
        >/dev/null || exit 2
fi

mkdir -p build
log=build/bench.log
{ cmake --preset release && cmake --build build/release -j "$(nproc)"; } >"$log" 2>&1 || {
    grep -v '^\[' "$log" | head -n 60
    exit 2
}
exec python3 -B tests/bench/run.py build/release "$@"
