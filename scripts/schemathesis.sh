#!/bin/sh
# Asks a running daemon everything that its OpenAPI document allows and much that it does not (schemathesis). The daemon
# is one of its own, with folders of its own, and reaches nothing outside this machine. Deterministic; a minute or two.
# EXAMPLES: how many random requests each operation gets besides the systematic ones. TRAWL: a program that is there already.
set -eu
cd "$(dirname "$0")/.."

scripts/clients.sh
program=${TRAWL:-}
if [ -z "$program" ]; then
    cargo build --quiet --locked --bin trawl
    program=${CARGO_TARGET_DIR:-target}/debug/trawl
fi
client=$PWD/target/clients/bin/schemathesis
folder=$(mktemp -d)
cat > "$folder/trawl.toml" <<CONFIG
server.bind = "127.0.0.1:0"
auth.mode = "on"
auth.submits_per_minute = 0
auth.failed_logins_per_minute = 0
paths.data = "$folder/data"
paths.temp = "$folder/temp"
paths.workflows = "$folder/workflows"
models.dir = "$PWD/models"
models.default = "smoke"
models.offline = true
net.connect_timeout = "1s"
net.ports = [80]
engine.devices = ["cpu"]
uploads.reserve_bytes = 0
queue.drain = "1s"
CONFIG
"$program" serve --config "$folder/trawl.toml" 2> "$folder/log" &
daemon=$!
trap 'kill "$daemon" 2> /dev/null || :; wait "$daemon" || :; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

tries=0
until [ -s "$folder/data/url" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$daemon" 2> /dev/null; then
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done

token=$("$program" token create --config "$folder/trawl.toml" --name schemathesis --scope admin)

# All checks (scripts/schemathesis.toml says which not). A live view never ends, and it must not revoke its own token.
url=$(cat "$folder/data/url")
SCHEMATHESIS_HOOKS=schemathesis_hooks PYTHONPATH=scripts PYTHONDONTWRITEBYTECODE=1 "$client" --config-file scripts/schemathesis.toml run "$url/openapi.json" \
    --header "Authorization: Bearer $token" \
    --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-3}" --generation-deterministic --no-shrink \
    --generation-allow-x00 false --request-timeout 30 --continue-on-failure --no-color \
    --exclude-path-regex 'events$' --exclude-operation-id revoke_token \
    || { grep -E 'ERROR|panicked' "$folder/log" | tail -40 >&2; exit 1; }
