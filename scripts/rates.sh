#!/bin/sh
# What the queue does in a second on each database, and how long a claim takes among 100,000 rows. To be started with
# DURABLE=1 by with_databases.sh.
set -eu
cd "$(dirname "$0")/.."

export RUST_MIN_STACK=16000000
measure() {
    for figure in rates claims; do
        cargo test --release --locked --lib "queue::tests::measured::measured_$figure" -- --ignored --nocapture |
            sed -n "s/^\(steps_per_second\|claim_ms\)/$1\t&/p"
    done
}

measure SQLite
TRAWL_TEST_DATABASE=$TRAWL_TEST_POSTGRES measure PostgreSQL
TRAWL_TEST_DATABASE=$TRAWL_TEST_MARIADB measure MariaDB
