"""Where a drill finds its tables: a fresh database of the embedded server, or a fresh server of its own."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg.conninfo import make_conninfo

from worker import OrderlatchError, embedded
from worker.applier import InstallError, read_files
from worker.embedded import ROOT, Login, Server
from worker.installer import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPLATE: Final = "drill_template"


def name_of(drill: str) -> str:
    """The database of a drill."""
    return f"drill_{drill.replace('-', '_')}"


def database_of(drill: str) -> str:
    """How to connect to the database of a drill."""
    return _on_embedded(name_of(drill))


def fresh_database(drill: str, place: Path) -> str:
    """Make the database of a drill anew, without what its last run left; returns how to connect to it."""
    # migrating twice at once would create the same roles twice, and a template in use cannot be copied
    with (
        _locked(place.parent / "template.lock"),
        psycopg.connect(_on_embedded("postgres"), autocommit=True) as connection,
    ):
        try:
            _bring_up_to_date(connection)
        except InstallError:  # made by another checkout: nothing is in it that cannot be made anew
            connection.execute(f"drop database {TEMPLATE} with (force)".encode())
            _bring_up_to_date(connection)
        connection.execute(f"drop database if exists {name_of(drill)} with (force)".encode())
        connection.execute(f"create database {name_of(drill)} template {TEMPLATE}".encode())
    return database_of(drill)


def _bring_up_to_date(connection: psycopg.Connection) -> None:
    """Migrate the template of all drills; make it first unless it is there."""
    if connection.execute("select from pg_database where datname = %s", [TEMPLATE]).rowcount == 0:
        connection.execute(f"create database {TEMPLATE}".encode())
    migrate(_on_embedded(TEMPLATE), read_files(ROOT / "sql"), say=lambda _: None)


def own_server(place: Path) -> Server:
    """The server of a drill that needs one of its own, whether it runs or not."""
    return Server(
        binaries=embedded.reachable_binaries(embedded.home()),
        data=place / "pg18",
        sockets=embedded.socket_directory(place),
    )


def fresh_server(place: Path) -> Server:
    """Make and start the server of a drill, with everything installed in its database `postgres`."""
    server = own_server(place)
    server.initialise(Login.for_new_server())
    server.start()
    migrate(server.url("postgres"), read_files(ROOT / "sql"), say=lambda _: None)
    return server


@contextmanager
def place_of(drill: str) -> Iterator[Path]:
    """The directory of a drill, empty, for one run at a time."""
    drills = embedded.home() / "drills"
    drills.mkdir(parents=True, exist_ok=True)
    place = drills / drill
    with _locked(drills / f"{drill}.lock", busy=f"the drill {drill} is running already"):
        if own_server(place).running():  # a run that was killed has left it
            own_server(place).stop("immediate")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        yield place


@contextmanager
def _locked(file: Path, busy: str | None = None) -> Iterator[None]:
    """Hold the lock of a file; wait for it, or, given words, raise them when another process has it."""
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise OrderlatchError(busy or "") from None
        yield


def _on_embedded(database: str) -> str:
    """How to connect to a database of the embedded server, which is started when needed."""
    return make_conninfo(embedded.ensure_running(), dbname=database)
