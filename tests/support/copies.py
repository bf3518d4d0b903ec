"""What becomes of a Postgres server that fails: a standby takes over, a backup or a dump is restored."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.servers import Database, ServerError, TestServer
from worker.embedded import Login

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 30
REPLAYED = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"
RECEIVING = "select exists (select from pg_stat_wal_receiver)"


@contextmanager
def copy_of(origin: TestServer) -> Iterator[TestServer]:
    """A base backup of a running server, not started yet; removed with everything else after the run."""
    place = origin.server.data.parent.with_name(f"{origin.server.data.parent.name}-copy")
    place.mkdir(mode=0o755)
    (place / "binaries").write_text(str(origin.server.binaries))
    server = replace(origin.server, data=place / "data", sockets=place / "run")
    Login.owning(origin.server.data).make_directory(server.data)
    _run(
        origin,
        *("pg_basebackup", "--no-sync", "--checkpoint=fast", "--wal-method=stream", "--username=postgres"),
        *(f"--host={origin.server.sockets}", f"--pgdata={server.data}"),
    )
    try:
        yield TestServer(origin.major, server)
    finally:
        if server.running():
            server.stop("immediate")


def follow(copy: TestServer, origin: TestServer) -> None:
    """Start a copy as a hot standby of its origin."""
    _run(copy, "touch", copy.server.data / "standby.signal")
    _configure(copy, primary_conninfo=f"host={origin.server.sockets} user=postgres")
    copy.server.start()


def catch_up(copy: TestServer, origin: Database) -> None:
    """Return once a standby has replayed all that its origin has committed.

    What an open transaction has written may stay in memory, and away from every standby, for 15 seconds.
    """
    with origin.connect() as connection:
        row = connection.execute("select pg_current_wal_flush_lsn()::text").fetchone()
    assert row is not None
    _wait_until(copy, REPLAYED, *row)


def cut_off(copy: TestServer) -> None:
    """Let a standby receive nothing more."""
    copy.execute("alter system set primary_conninfo = ''", "select pg_reload_conf()")
    _wait_until(copy, f"select not ({RECEIVING})")


def restore_to(copy: TestServer, origin: TestServer, point: str) -> None:
    """Start a copy as a restore of its origin, which has stopped, to a named point."""
    _run(copy, "touch", copy.server.data / "recovery.signal")
    _configure(
        copy,
        restore_command=f"cp {origin.server.data}/pg_wal/%f %p",
        recovery_target_name=point,
        recovery_target_action="promote",
    )
    copy.server.start()
    _wait_until(copy, "select not pg_is_in_recovery()")


def restore_dump(dump: str, roles: str, server: TestServer, name: str) -> Database:
    """Restore the dump of a database into a server that has never seen it."""
    psql(server, "postgres", roles)
    server.execute(f"create database {name}")
    psql(server, name, dump, "--set=ON_ERROR_STOP=1")
    return Database(server, name)


def dump(database: Database) -> str:
    """A dump of a database, as SQL."""
    return _client(database.server, "pg_dump", f"--dbname={database.url}")


def dump_roles(server: TestServer) -> str:
    """The roles of a server, as SQL."""
    return _client(server, "pg_dumpall", "--roles-only", f"--dbname={server.url()}")


def psql(server: TestServer, database: str, script: str, *options: str) -> None:
    """Run a script."""
    _client(server, "psql", "-X", "-q", *options, f"--dbname={server.url(database)}", script=script)


def _client(server: TestServer, program: str, *options: str, script: str | None = None) -> str:
    result = subprocess.run(
        [server.server.binaries / program, *options],
        check=False,
        capture_output=True,
        text=True,
        input=script,
    )
    if result.returncode != 0:
        raise ServerError(f"{program}: {result.stderr}")
    return result.stdout


def _run(server: TestServer, program: str, *options: object) -> None:
    """Run a program as the user that owns the servers."""
    binary = server.server.binaries / program
    result = Login.owning(server.server.data).run(
        str(binary if binary.exists() else program), *map(str, options)
    )
    if result.returncode != 0:
        raise ServerError(f"{program}: {result.stderr}")


def _configure(copy: TestServer, **settings: str) -> None:
    with (copy.server.data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


def _wait_until(server: TestServer, query: str, *arguments: object) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with Database(server, "postgres").connect() as connection:
        while connection.execute(query.encode(), arguments or None).fetchone() != (True,):
            if time.monotonic() > deadline:
                raise AssertionError(f"within {PATIENCE_S} s it did not come to this: {query}")
            time.sleep(0.01)
