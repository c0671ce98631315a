#!/bin/sh
# Runs the tests of everything that touches the database on PostgreSQL and on MariaDB. Started by with_databases.sh.
set -eu
cd "$(dirname "$0")/.."

# Futures of three drivers are large without optimisation.
export RUST_MIN_STACK=16000000
# Random workflows against the model: each is hundreds of transactions.
export TRAWL_CASES="${TRAWL_CASES:-40}"

on() {
    printf '%s\n' "databases: the tests on $1" >&2
    TRAWL_TEST_DATABASE=$2 cargo test --locked --lib -- \
        access:: api:: app:: backup:: crawl::identities delivery:: follow:: intake:: queue:: retention:: schedule:: \
        secrets:: store:: watch::
    TRAWL_TEST_DATABASE=$2 cargo test --locked --test integration -- \
        cancel:: chaos:: daemon:: delete:: events:: kill:: kinds:: nodes:: priority:: road:: runs:: triggers::
}

on PostgreSQL "$TRAWL_TEST_POSTGRES"
on MariaDB "$TRAWL_TEST_MARIADB"
