#!/bin/sh
# Installs what building and testing trawl needs, and only what is missing. Debian and its relatives. With `databases`, the
# servers of scripts/with_databases.sh, too; with `web`, what builds the web page; with `browser`, also a browser that tests it.
set -eu
cd "$(dirname "$0")/.."

has() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%s\n' "bootstrap: $*" >&2; }

# rustup puts cargo where a fresh shell may not look yet.
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if ! has cargo; then
    say "there is no Rust toolchain. Install Rust $wanted or newer from https://rustup.rs, then run this again."
    exit 1
fi
have=$(rustc --version)
have=${have#rustc }
have=${have%% *}
if [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" != "$wanted" ]; then
    say "Rust $have is too old, trawl needs $wanted. Run: rustup update stable"
    exit 1
fi

missing=""
need() {
    has "$1" && return
    case " $missing " in *" $2 "*) ;; *) missing="$missing $2" ;; esac
}
need ffmpeg ffmpeg
need ffprobe ffmpeg
need cmake cmake
need clang clang
need gcc gcc
need g++ g++
need make make
need pkg-config pkg-config
need python3 python3
need curl curl
# The tests put yt-dlp and OpenAI's SDKs into Python environments of their own.
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"
# bindgen loads libclang as a library; the compiler alone is not enough.
find /usr/lib /usr/local/lib "${LIBCLANG_PATH:-/usr/lib}" -name 'libclang*.so*' 2>/dev/null | grep -q . ||
    missing="$missing libclang-dev"
if [ "${1:-}" = databases ]; then
    [ -n "$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null)" ] || missing="$missing postgresql"
    need mariadbd mariadb-server
    # A clock that tests put forward and back.
    find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | grep -q . || missing="$missing libfaketime"
fi
case ${1:-} in web | browser)
    need node nodejs
    need npm npm
    [ "$1" = web ] || need chromium chromium
    # Chinese needs a font that has it.
    [ "$1" = web ] || find /usr/share/fonts -name 'NotoSansCJK*' 2>/dev/null | grep -q . || missing="$missing fonts-noto-cjk"
    if has node && ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
        say "Node $(node --version) is too old to build the web page, it needs 20.19 or newer."
        exit 1
    fi
    ;;
esac
[ -n "$missing" ] || exit 0

if ! has apt-get; then
    say "these are missing, and there is no apt-get to install them with:$missing"
    say "install them with this system's package manager, then run this again."
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    root=""
elif has sudo; then
    root="sudo"
else
    say "these are missing:$missing"
    say "run this as root, or run: apt-get install$missing"
    exit 1
fi
say "installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # lists on purpose
install() {
    $root apt-get update &&
        $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}
if ! install >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    say "apt-get failed, see above."
    exit 1
fi
