#!/bin/sh
# Static checks of the whole tree, in well under a minute: `sh tests/lint/run.sh [TREE]`.  One line per finding,
# exit status 1 when there is any.  Installs gcc, clang-format and python3 when they are missing and we are root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

missing=
command -v gcc >/dev/null || missing="$missing gcc libc6-dev"
command -v clang-format-14 >/dev/null || command -v clang-format >/dev/null || missing="$missing clang-format-14"
command -v python3 >/dev/null || missing="$missing python3"
if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "lint needs:$missing" >&2
        exit 2
    fi
    # shellcheck disable=SC2086 # a list of words
    (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing) >/dev/null
fi
exec python3 -B "$here/lint.py" "${1:-$here/../..}"
