#!/bin/sh
# Runs a command beside a PostgreSQL and a MariaDB of its own: on free ports of loopback, in a folder that goes away with
# them. TRAWL_TEST_POSTGRES and TRAWL_TEST_MARIADB are their addresses.
#
#   scripts/with_databases.sh cargo test --workspace
#
# They do not wait for the disk (DURABLE=1 lets them): the tests kill trawl and the servers, not their machine.
# `$TRAWL_TEST_RESTART PostgreSQL` (or MariaDB) kills the server and starts it again.
set -eu

say() { printf '%s\n' "databases: $*" >&2; }

pg_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$pg_bin" ] || ! command -v mariadbd >/dev/null 2>&1; then
    say "PostgreSQL or MariaDB is missing; scripts/bootstrap.sh databases installs them"
    exit 1
fi

# A schema for each test is thousands of small files: in memory, if there is room for them.
place="${TMPDIR:-/tmp}"
if [ "${DURABLE:-0}" = 0 ] && [ -w /dev/shm ] && [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -gt 4000000 ]; then
    place=/dev/shm
fi
folder=$(mktemp -d "$place/trawl-databases.XXXXXX")
# PostgreSQL refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
    as_user() { setpriv --reuid postgres --regid postgres --clear-groups -- "$@"; }
    chown postgres: "$folder"
else
    as_user() { "$@"; }
fi
user=$(as_user id -un)

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
pg_port=$(port)
maria_port=$(port)

stop() {
    trap - EXIT INT TERM
    as_user "$pg_bin/pg_ctl" -D "$folder/pg" -m immediate stop >/dev/null 2>&1 || true
    [ ! -s "$folder/maria.pid" ] || kill -KILL "$(cat "$folder/maria.pid")" 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

if [ "${DURABLE:-0}" = 1 ]; then
    pg_speed="" maria_speed=""
else
    # What was committed outlives the server's process all the same.
    pg_speed="-c fsync=off -c full_page_writes=off"
    maria_speed="--innodb-flush-log-at-trx-commit=2 --sync-binlog=0 --innodb-doublewrite=0 --innodb-flush-method=nosync --skip-sync-frm"
fi

as_user "$pg_bin/initdb" -D "$folder/pg" -U trawl -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/log" 2>&1 ||
    { cat "$folder/log" >&2; exit 1; }
cat >"$folder/start-postgres" <<END
exec "$pg_bin/pg_ctl" -D "$folder/pg" -w -l "$folder/pg.log" -o "-c port=$pg_port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories=$folder -c max_connections=300 $pg_speed" start >>"$folder/start.log" 2>&1
END
as_user sh "$folder/start-postgres" || { cat "$folder/start.log" "$folder/pg.log" >&2; exit 1; }

as_user mariadb-install-db --no-defaults --datadir="$folder/maria" --auth-root-authentication-method=normal \
    --skip-test-db >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
# Its pid is in maria.pid while it runs.
cat >"$folder/start-mariadb" <<END
mariadbd --no-defaults --datadir="$folder/maria" --socket="$folder/maria.sock" --port="$maria_port" --pid-file="$folder/maria.pid" \
    --bind-address=127.0.0.1 --max-connections=300 --skip-log-bin --innodb-file-per-table=0 $maria_speed \
    >>"$folder/maria.log" 2>&1 &
tries=0
until mariadb-admin --no-defaults --socket="$folder/maria.sock" -u root ping >/dev/null 2>&1; do
    tries=\$((tries + 1))
    [ "\$tries" -le 300 ] && kill -0 \$! 2>/dev/null || exit 1
    sleep 0.1
done
END
as_user sh "$folder/start-mariadb" || { cat "$folder/maria.log" >&2; exit 1; }
mariadb --no-defaults --socket="$folder/maria.sock" -u root \
    -e "CREATE USER trawl@'127.0.0.1' IDENTIFIED BY 'trawl'; GRANT ALL ON *.* TO trawl@'127.0.0.1'"

# For tests that take a server away: it dies at once, as with its machine, and starts again.
cat >"$folder/restart" <<END
#!/bin/sh
case \$1 in
PostgreSQL) "$pg_bin/pg_ctl" -D "$folder/pg" -m immediate stop >/dev/null; exec sh "$folder/start-postgres" ;;
MariaDB)
    pid=\$(cat "$folder/maria.pid")
    kill -KILL "\$pid"
    while [ -e "/proc/\$pid/fd/0" ]; do sleep 0.05; done
    exec sh "$folder/start-mariadb"
    ;;
esac
END
cat >"$folder/restart-as" <<END
#!/bin/sh
$([ "$(id -u)" -ne 0 ] || printf 'exec setpriv --reuid postgres --regid postgres --clear-groups -- ')sh "$folder/restart" "\$1"
END
chmod 755 "$folder/restart-as"

TRAWL_TEST_RESTART="$folder/restart-as"
TRAWL_TEST_POSTGRES="postgres://trawl@127.0.0.1:$pg_port/postgres"
TRAWL_TEST_MARIADB="mysql://trawl:trawl@127.0.0.1:$maria_port"
export TRAWL_TEST_RESTART TRAWL_TEST_POSTGRES TRAWL_TEST_MARIADB
say "PostgreSQL on port $pg_port, MariaDB on port $maria_port (user $user)"
"$@"
