#!/bin/sh
# Makes the cluster on first start from POSTGRES_USER, POSTGRES_PASSWORD (or _FILE) and POSTGRES_DB, runs what is in
# /docker-entrypoint-initdb.d, then becomes the server.
set -eu

if [ "${1:-}" != postgres ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
    chown -R postgres:postgres "$PGDATA"
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

make_cluster() {
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    password=${POSTGRES_PASSWORD:-}
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then password=$(cat "$POSTGRES_PASSWORD_FILE"); fi
    if [ -z "$password" ]; then
        echo "postgres: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE" >&2
        exit 1
    fi
    secret=$(mktemp)
    printf '%s\n' "$password" >"$secret"
    initdb --username="$user" --pwfile="$secret" --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 >/dev/null
    rm "$secret"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl --silent --wait --options="-c listen_addresses=''" start
    if [ "$database" != postgres ]; then createdb --username="$user" "$database"; fi
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
            *.sh) (. "$script") ;;
            *.sql) psql --username="$user" --dbname="$database" --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --file="$script" ;;
        esac
    done
    pg_ctl --silent --wait stop
    touch "$PGDATA/ready"
}

# A cluster whose making was cut short is made again.
if [ ! -e "$PGDATA/ready" ]; then
    find "$PGDATA" -mindepth 1 -delete
    make_cluster
fi
shift
exec postgres -c listen_addresses='*' "$@"
