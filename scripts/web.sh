#!/usr/bin/env bash
# The web page: scripts/web.sh build | fresh | try | check | browse [NAME…] | pictures | memory [MINUTES]
#
# build   web/dist anew, which the daemon embeds
# fresh   the same, only if a source is newer than web/dist; without npm it says so and goes on, because trawl works without its page
# try     a daemon with the page, the small model and empty folders, until it is stopped; writes its address and that of a page with a clip
# check   types and unit tests
# browse  the tests in a browser against a real daemon; with names, only those: scripts/web.sh browse inbox
# pictures  those of docs/pages.md anew
# memory  whether the page's memory stays what it is, an hour long
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "web: $*" >&2; }

install() {
    scripts/bootstrap.sh web
    cd web
    if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
        npm ci --no-audit --no-fund --loglevel=error
        touch node_modules/.package-lock.json
    fi
    npm run --silent types >/dev/null
    cd ..
}

build() {
    install
    (cd web && npm run --silent build)
    touch web/dist/index.html
}

is_stale() {
    [ -e web/dist/index.html ] || return 0
    [ -n "$(find web/src web/public web/index.html web/vite.config.ts web/package-lock.json docs/openapi.json -newer web/dist/index.html -print -quit)" ]
}

fresh() {
    is_stale || return 0
    say "building the page"
    (build) && return
    say "the page could not be built, see above; trawl goes on with $([ -e web/dist/index.html ] && echo 'the older one' || echo 'a notice in its place')"
}

# Settings of a daemon that reaches nothing outside this machine: scripts/demo.sh has the same.
try() {
    local work pids=() tries=0
    [ -x target/debug/trawl ] || cargo build --locked --bin trawl
    [ -e web/dist/index.html ] || build
    work=$(mktemp -d "${TMPDIR:-/tmp}/trawl-try.XXXXXX")
    # shellcheck disable=SC2064 # the folder's name as it is now
    trap "kill \$(jobs -p) 2>/dev/null || true; wait || true; rm -rf '$work'" EXIT
    trap 'exit 130' INT TERM
    unset "${!TRAWL__@}"
    : >"$work/config.toml"
    python3 scripts/demo_site.py models/smoke/samples/en-known-04.flac "whsec_$(head -c 24 /dev/urandom | base64)" "$work/site" 2>/dev/null &
    pids+=($!)
    TRAWL__PATHS__DATA="$work/data" TRAWL__PATHS__TEMP="$work/temp" TRAWL__PATHS__WORKFLOWS="${WORKFLOWS:-workflows}" \
        TRAWL__MODELS__DIR=models TRAWL__MODELS__DEFAULT=smoke TRAWL__MODELS__OFFLINE=true TRAWL__NET__ALLOW_HOSTS=127.0.0.1 \
        target/debug/trawl serve --bind "127.0.0.1:${PORT:-0}" --config "$work/config.toml" 2>"$work/log" &
    pids+=($!)
    until [ -s "$work/data/url" ] && [ -s "$work/site" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] && kill -0 "${pids[1]}" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
        sleep 0.1
    done
    echo "page   $(cat "$work/data/url")/"
    echo "link   $(cat "$work/site")/page.html   (paste it)"
    echo "log    $work/log"
    wait "${pids[1]}"
}

check() {
    install
    cd web
    npm run --silent check
    npm run --silent test
}

# What a browser needs: itself, the page, and a daemon with it, if TRAWL names none.
ready() {
    install
    scripts/bootstrap.sh browser
    ! is_stale || build
    [ -n "${TRAWL:-}" ] || cargo build --quiet --locked --bin trawl
    cd web
}

browse() {
    ready
    local files=() name
    for name in "$@"; do files+=("tests/browser/$name.test.mjs"); done
    [ ${#files[@]} -gt 0 ] || files=(tests/browser/*.test.mjs)
    # Each has a daemon of its own, and waits most of the time; where times are measured, nothing else may run.
    node --test --test-concurrency="$([ -n "${TRAWL_TIMES:-}" ] && echo 1 || echo 2)" "${files[@]}"
}

command=${1:-}
shift || true
case $command in
build | fresh | try | check) "$command" ;;
browse) browse "$@" ;;
pictures) ready && node tests/browser/pictures.mjs >/dev/null ;;
memory) ready && node tests/browser/memory.mjs "$@" ;;
*)
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
