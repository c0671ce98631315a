#!/bin/sh
# The long run: nodes are killed and stopped while they work, receivers do everything wrong, random workflows are played
# against the model. Prints one table of what was asked and what was measured, and fails when a figure is missed.
#
#   scripts/with_databases.sh scripts/soak.sh                 all of it
#   scripts/with_databases.sh scripts/soak.sh PostgreSQL      what concerns that database
#
# TASKS, KILLS, STOPS, DELIVERIES, RESTARTS (tasks while the server restarts), CASES and SEED say how much of it.
set -u
cd "$(dirname "$0")/.." || exit
[ $# -gt 0 ] || set -- SQLite PostgreSQL MariaDB model

export TRAWL_SOAK_FULL=1 TRAWL_SOAK_TASKS="${TASKS:-10000}" TRAWL_SOAK_KILLS="${KILLS:-200}" TRAWL_SOAK_STOPS="${STOPS:-40}"
export TRAWL_SOAK_SEED="${SEED:-1}" TRAWL_SOAK_RESTARTS="${RESTARTS:-5000}" TRAWL_FAULTS=full TRAWL_DELIVERIES="${DELIVERIES:-2000}" TRAWL_KILLS=50
# Futures of three drivers are large without optimisation.
export RUST_MIN_STACK=16000000
TRAWL_SOAK_TABLE=$(mktemp)
export TRAWL_SOAK_TABLE
trap 'rm -f "$TRAWL_SOAK_TABLE"' EXIT
missed=0

# row WHAT DATABASE ASKED COMMAND…: a line of the table for what says no more than whether it is so.
row() {
    what=$1 database=$2 asked=$3
    shift 3
    begun=$(date +%s)
    if "$@"; then ok=yes said="held"; else ok=NO said="see above" missed=1; fi
    printf '| %s | %s | %s | %s, %s s | %s |\n' "$what" "$database" "$asked" "$said" $(($(date +%s) - begun)) "$ok" >>"$TRAWL_SOAK_TABLE"
}

# Its own lines come before the one that says that none of them was forgotten.
integration() { nice -n 5 cargo test --workspace --locked --test integration -- --nocapture --test-threads 1 "$@"; }

on() {
    database=$1
    row "every test of the soak" "$database" "passes" integration soak::
    row "callbacks, receivers that do everything wrong" "$database" "$TRAWL_DELIVERIES messages, 50 kills" integration chaos::
    row "the faults, each in full" "$database" "held" integration faults::
}

for part; do
    unset TRAWL_TEST_DATABASE
    case $part in
    SQLite) on SQLite ;;
    PostgreSQL) export TRAWL_TEST_DATABASE="$TRAWL_TEST_POSTGRES"; on PostgreSQL ;;
    MariaDB) export TRAWL_TEST_DATABASE="$TRAWL_TEST_MARIADB"; on MariaDB ;;
    model)
        export TRAWL_CASES="${CASES:-10000}" TRAWL_SEED="$TRAWL_SOAK_SEED"
        row "random workflows against the model" SQLite "$TRAWL_CASES" \
            nice -n 5 cargo test --workspace --locked --lib queue::tests::model
        ;;
    *) printf '%s\n' "soak: there is no part $part: SQLite, PostgreSQL, MariaDB, model" >&2; exit 2 ;;
    esac
done

printf '\n| | database | asked | measured | ok |\n|---|---|---|---|---|\n'
cat "$TRAWL_SOAK_TABLE"
! grep -q '| NO |$' "$TRAWL_SOAK_TABLE" && [ "$missed" = 0 ]
