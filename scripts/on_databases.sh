#!/bin/sh
# Runs the tests of everything that touches the database on PostgreSQL and on MariaDB. Started by with_databases.sh.
set -eu
cd "$(dirname "$0")/.."

# Futures of three drivers are large without optimisation.
export RUST_MIN_STACK=16000000
# Random workflows against the model: each is hundreds of transactions.
export TRAWL_CASES="${TRAWL_CASES:-20}"

on() {
    printf '%s\n' "databases: the tests on $1" >&2
    TRAWL_TEST_DATABASE=$2 cargo test --workspace --locked --lib -- \
        backup:: crawl::identities delivery:: follow:: queue:: retention:: schedule:: search:: secrets:: store:: watch::
    TRAWL_TEST_DATABASE=$2 cargo test --workspace --locked --test integration -- \
        chaos:: faults::drain:: faults::outage:: faults::points::while_the_tables kill:: moves:: nodes:: road:: runs:: soak::
}

# A database of MariaDB after all migrations, for the tests to begin with (src/store/test_url.rs).
template() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    (cd "$folder" && TRAWL__DATABASE__URL="$TRAWL_TEST_MARIADB/template" "$1" migrate >/dev/null)
    mariadb-dump --no-defaults -h 127.0.0.1 -P "${TRAWL_TEST_MARIADB##*:}" -u trawl -ptrawl template >"$folder/template.sql"
    export TRAWL_TEST_TEMPLATE="$folder/template.sql"
}

on PostgreSQL "$TRAWL_TEST_POSTGRES"
template "$(realpath "${CARGO_TARGET_DIR:-target}/debug/trawl")"
on MariaDB "$TRAWL_TEST_MARIADB"
