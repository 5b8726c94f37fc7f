#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# postgres.sh hold|leak MIB: a server of its own, from the cluster beside this,
# and in a backend of it an array that grows.
set -euo pipefail

here=$(dirname "$0")
how=$1
mib=$2
dir=$(mktemp -d /tmp/postgres.XXXXXX)
bin=$(echo /usr/lib/postgresql/*/bin)

tar -xf "$here/cluster.tar" -C "$dir"
chown -R postgres: "$dir"
chmod 700 "$dir/cluster"
setpriv --reuid=postgres --regid=postgres --clear-groups \
	"$bin/postgres" -D "$dir/cluster" -k "$dir" -c listen_addresses= -c fsync=off \
	-c shared_buffers=64MB -c autovacuum=off -c max_parallel_workers=0 >"$dir/log" 2>&1 &
server=$!
trap 'kill -QUIT $server 2>/dev/null; wait $server || true; rm -rf "$dir"' EXIT

until "$bin/pg_isready" -qh "$dir"; do
	kill -0 $server 2>/dev/null || {
		tail -n 3 "$dir/log"
		exit 1
	}
	sleep 0.5
done

# The last line shows that a session goes on that was out of memory.
"$bin/psql" -qAt -h "$dir" -U postgres postgres 2>&1 <<SQL
DO \$\$
DECLARE
	kept text[] := '{}';
BEGIN
	FOR i IN 1..$mib LOOP
		kept[i] := repeat('x', (1 << 20) - 100);
		IF '$how' = 'leak' THEN
			RAISE NOTICE 'got %', i;
		END IF;
	END LOOP;
	IF '$how' = 'hold' THEN
		RAISE NOTICE 'ready % %', pg_backend_pid(),
			(SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts);
		PERFORM pg_sleep(3600);
	END IF;
END \$\$;
SELECT 'the session goes on';
SQL
