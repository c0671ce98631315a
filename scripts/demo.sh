#!/usr/bin/env bash
# `make demo`: paste a link, get the words, hear back. Everything happens on the loopback address.
#
# A local page holds a clip; the daemon gets the page's link, finds the clip, downloads and decodes it, recognises the
# words with the small model in models/smoke, and sends a signed callback, which the receiver checks by itself.
#
# The build is the dev profile on purpose: `make test` shares it, and what loops over samples is optimised there too.
set -euo pipefail
cd "$(dirname "$0")/.."

expected="the music is near the long box"
patience=180 # seconds for the whole task
work=$(mktemp -d "${TMPDIR:-/tmp}/trawl-demo.XXXXXX")
pids=()

stop() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do
        for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null && sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null || true
    done
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() {
    printf '\ndemo: %s\n' "$*" >&2
    [ -s "$work/daemon.log" ] && { echo "--- the end of the daemon's log:"; tail -n 40 "$work/daemon.log"; } >&2
    exit 1
}
# address FILE PID WHAT: the address that a server writes once it listens
address() {
    for _ in $(seq 600); do
        [ -s "$1" ] && { cat "$1"; return; }
        kill -0 "$2" 2>/dev/null || fail "$3 has ended before it listened"
        sleep 0.1
    done
    fail "$3 does not listen after a minute"
}
# get URL [CURL OPTION…]: the body; any answer but a 2xx ends the demo
get() {
    local status
    status=$(curl --silent --show-error --noproxy '*' --max-time 70 --output "$work/body" --write-out '%{http_code}' "$@") ||
        fail "no answer from $1"
    [[ $status == 2* ]] || fail "$1 answered $status: $(cat "$work/body")"
    cat "$work/body"
}
# field PATH: one value of the JSON on stdin, such as result.text
field() {
    python3 -c '
import functools, json, sys
value = functools.reduce(lambda value, key: (value or {}).get(key), sys.argv[1].split("."), json.load(sys.stdin))
print("" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))' "$1"
}

say "Building (the first time takes minutes)"
cargo build --locked --bin trawl

# Nothing of this machine's own settings: no TRAWL__ variables, no config/local.toml.
unset "${!TRAWL__@}"
: >"$work/config.toml"
secret="whsec_$(head -c 24 /dev/urandom | base64)"

say "A page with a clip"
python3 scripts/demo_site.py models/smoke/samples/en-known-04.flac "$secret" "$work/site" 2>"$work/site.log" &
pids+=($!)
site=$(address "$work/site" $! "the page's server")
curl --silent --noproxy '*' "$site/page.html"

say "The daemon, on a free port, with an empty SQLite database"
TRAWL__PATHS__DATA="$work/data" TRAWL__PATHS__TEMP="$work/temp" TRAWL__CALLBACKS__SECRET="$secret" \
    TRAWL__MODELS__DIR=models TRAWL__MODELS__DEFAULT=smoke TRAWL__MODELS__OFFLINE=true \
    TRAWL__NET__ALLOW_HOSTS=127.0.0.1 \
    cargo run --quiet --locked --bin trawl -- serve --bind 127.0.0.1:0 --config "$work/config.toml" 2>"$work/daemon.log" &
pids+=($!)
url=$(address "$work/data/url" $! "the daemon")
get "$url/ready" --retry 30 --retry-delay 1 >/dev/null
echo "$url"

say "The page's link is pasted"
body="{\"link\": \"$site/page.html\", \"callback_url\": \"$site/callback\"}"
echo "curl $url/api/tasks --json '$body'"
id=$(get "$url/api/tasks" --header 'content-type: application/json' --data "$body" | field id)

started=$SECONDS
while true; do
    task=$(get "$url/api/tasks/$id?wait=30")
    status=$(field status <<<"$task")
    echo "task $id: $status"
    case $status in completed) break ;; failed | cancelled) fail "$(field error <<<"$task")" ;; esac
    ((SECONDS - started < patience)) || fail "the task has not ended after $patience seconds: $task"
    sleep 0.5
done

say "The transcript"
text=$(field result.text <<<"$task")
echo "$text"
say "As subtitles"
srt=$(get "$url/api/tasks/$id/transcript?format=srt")
echo "$srt"
say "The callback, its signature verified by the receiver"
callback=$(get "$site/received")
field type <<<"$callback"
field data.result.text <<<"$callback"

plain() { tr '[:upper:]' '[:lower:]' <<<"$1" | tr -cd '[:alpha:] '; }
[ "$(plain "$text")" = "$expected" ] || fail "the words are wrong, they should be: $expected"
[[ $srt == *" --> "* ]] || fail "there are no times in the subtitles"
[ "$(field type <<<"$callback")" = task.completed ] || fail "the callback tells of something else"
[ "$(field data.id <<<"$callback")" = "$id" ] || fail "the callback is about another task"
say "It works. Now: make run"
