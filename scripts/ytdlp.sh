#!/bin/sh
# Puts yt-dlp where the tests look for it, in a Python environment of its own: target/ytdlp.
set -eu
cd "$(dirname "$0")/.."

home=target/ytdlp
[ -x "$home/bin/yt-dlp" ] && exit 0
mkdir -p target
if ! python3 -m venv "$home" || ! "$home/bin/pip" install --quiet --disable-pip-version-check yt-dlp; then
    echo "ytdlp: yt-dlp could not be installed; its tests will fail" >&2
    exit 1
fi
