#!/bin/sh
# Puts the foreign clients that tests use into a Python environment of their own: target/clients.
set -eu
cd "$(dirname "$0")/.."

home=target/clients
wanted='tuspy==1.1.0 schemathesis==4.32.5'
[ "$(cat "$home/wanted" 2>/dev/null)" = "$wanted" ] && exit 0
mkdir -p target
# Each stands for a name and its version.
# shellcheck disable=SC2086
if ! python3 -m venv "$home" || ! "$home/bin/pip" install --quiet --disable-pip-version-check $wanted; then
    echo "clients: the tests' clients could not be installed; those tests will fail" >&2
    exit 1
fi
echo "$wanted" > "$home/wanted"
