#!/usr/bin/env bash
# Fuzzes the crawlers' parsers: scripts/fuzz.sh SECONDS [TARGET…], each target for so long, one after the other. Begins with
# the fixtures and what earlier runs have kept. A finding ends it; the input is then in crawlers/fuzz/artifacts.
set -euo pipefail
seconds=$1
shift

cd "$(dirname "$0")/../crawlers"
fail() {
    echo "fuzz: $*" >&2
    exit 1
}
cargo fuzz --version >/dev/null 2>&1 || fail 'cargo-fuzz is needed; run: cargo install cargo-fuzz --locked'
command -v c++ >/dev/null || fail 'a C++ compiler is needed for libFuzzer, for instance g++'
# libFuzzer's instrumentation wants a flag that only nightly takes; a stable compiler takes it, too, when it is told to.
if cargo +nightly --version >/dev/null 2>&1; then
    toolchain=+nightly
else
    echo 'fuzz: there is no nightly toolchain (rustup toolchain install nightly); trying the usual one' >&2
    toolchain=
    export RUSTC_BOOTSTRAP=1
fi

# The post that a target asks for must be the one that a seed tells of.
seeds() {
    local into=$1
    shift
    for file in "$@"; do
        sed -E 's/76000000000000[0-9]{5}/7600000000000000101/g; s/761111111111111[0-9]{4}/7611111111111111111/g
            s/MEDIA_HOST/media.example/g' "$file" >"$into/$(basename "$(dirname "$file")")-$(basename "$file")"
    done
}

[ $# -gt 0 ] || set -- links douyin tiktok web streams feed ytdlp vectors
for target in "$@"; do
    corpus=fuzz/corpus/$target
    mkdir -p "$corpus"
    case $target in
        links) sed -nE 's/^ *"input": "(.*)",?$/\1/p' fixtures/links.json | split -l 1 - "$corpus/link-" ;;
        douyin) seeds "$corpus" fixtures/douyin/* fixtures/tikhub/* ;;
        tiktok) seeds "$corpus" fixtures/tiktok/* ;;
        web) seeds "$corpus" fixtures/generic/* ;;
        streams) seeds "$corpus" fixtures/generic/*.m3u8 ;;
        feed) seeds "$corpus" fixtures/generic/*.rss ;;
        ytdlp) seeds "$corpus" fixtures/ytdlp/* ;;
        vectors) cp fixtures/abogus_vectors.json "$corpus" ;;
    esac
    echo "fuzz: $target, $seconds s" >&2
    # The crate is safe Rust, so no sanitizer: panics, overflows, hangs and the assertions are what is looked for.
    nice -n 19 cargo $toolchain fuzz run --sanitizer none "$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1
done
