"""Throw-away Postgres servers, one for each major version, and databases cloned from a migrated template."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from worker import OrderlatchError, embedded
from worker.embedded import Login, Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
SUPPORT_SQL = ROOT / "tests" / "support" / "test_support.sql"
FIXTURES_SQL = ROOT / "tests" / "database" / "fixtures.sql"
ORDERLATCH = Path(sys.executable).with_name("orderlatch")
TEMPLATE = "orderlatch_template"
PREFIX = "orderlatch-test-"
MAJORS = (18, 15)

# These servers lose everything in a crash of the machine, and may: they live as long as one run of the tests.
# synchronous_commit stays on, because functions and tests look at it.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "log_min_messages": "warning",
    # compiling a view that is read once costs more than reading it
    "jit": "off",
}

# Servers that profile PL/pgSQL with Debian's plpgsql_check.
PROFILER = {
    "shared_preload_libraries": "plpgsql,plpgsql_check",
    "plpgsql_check.profiler": "on",
    "plpgsql_check.profiler_max_shared_chunks": "50000",
}

# Postgres 18 takes pgTAP from where Debian puts it for another version: it is SQL only.
DEBIAN_EXTENSIONS = "/usr/share/postgresql/15"


class ServerError(Exception):
    """A server or its template could not be made; every test that wants it fails with this message."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of a test's own."""

    server: TestServer
    name: str

    @property
    def url(self) -> str:
        """The URL of this database for the superuser."""
        return self.server.url(self.name)

    def connect(self, *, login: str = "postgres", autocommit: bool = True) -> psycopg.Connection:
        """Open a session of this database."""
        return psycopg.connect(self.server.url(self.name, login), autocommit=autocommit)


@dataclass(frozen=True, slots=True)
class TestServer:
    """A running throw-away server."""

    __test__ = False

    major: int
    server: Server
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str = "postgres", login: str = "postgres") -> str:
        """The URL of a database of this server."""
        return self.server.url(database).replace("postgres@", f"{login}@", 1)

    def execute(self, *statements: str) -> None:
        """Run statements that belong to the server rather than to a database."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def ensure_login(self, login: str, *roles: str) -> None:
        """Create a login unless an earlier test did, and make it a member of exactly these roles."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            if connection.execute("select from pg_roles where rolname = %s", [login]).rowcount == 0:
                connection.execute(f"create role {login} login".encode())
            query = "select m.roleid::regrole::text from pg_auth_members as m where m.member = %s::regrole"
            for (role,) in connection.execute(query, [login]).fetchall():
                connection.execute(f"revoke {role} from {login}".encode())
            for role in roles:
                connection.execute(f"grant {role} to {login}".encode())

    @contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[Database]:
        """A clone of the template for one test; copying files takes 10 ms, the WAL strategy twice that."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"create database {name} template {template} strategy file_copy")
        try:
            yield Database(self, name)
        finally:
            self.execute(f"drop database {name} with (force)")

    def psql(self, database: str, file: Path) -> subprocess.CompletedProcess[str]:
        """Run a file with psql, as a person would; it stops at the first error and names the line."""
        options = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", str(file))
        settings = "-c client_min_messages=warning -c statement_timeout=60s"
        return subprocess.run(
            [embedded.wheel_binaries() / "psql", *options, self.url(database)],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PGOPTIONS": settings},
        )

    def prepare_template(self) -> None:
        """Migrate the template as a user would, and load what the tests need besides."""
        self.execute(f"create database {TEMPLATE}")
        migrated = subprocess.run(
            [ORDERLATCH, "migrate"],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": self.url(TEMPLATE)},
        )
        if migrated.returncode != 0:
            raise ServerError(f"the template could not be migrated\n{migrated.stderr}")
        if not Path(DEBIAN_EXTENSIONS, "extension", "pgtap.control").exists():
            raise ServerError("pgTAP is not installed: `make test` installs it")
        with psycopg.connect(self.url(TEMPLATE), autocommit=True) as connection:
            connection.execute("create extension pgtap")
        for file in (SUPPORT_SQL, FIXTURES_SQL):
            if file.exists() and (loaded := self.psql(TEMPLATE, file)).returncode != 0:
                raise ServerError(loaded.stderr)


class Servers:
    """The servers of one run of the tests, started together when the first is wanted."""

    def __init__(self, majors: Iterable[int]) -> None:
        self.majors = tuple(majors)
        self._home: Path | None = None
        self._lock: TextIO | None = None
        self._shared: dict[int, TestServer | ServerError] = {}
        self._numbers = count()

    def get(self, major: int) -> TestServer:
        """The shared server of a major version."""
        if not self._shared:
            self.home()
            with ThreadPoolExecutor(len(self.majors)) as pool:
                started = pool.map(self._start_shared, self.majors)
                self._shared = dict(zip(self.majors, started, strict=True))
        server = self._shared[major]
        if isinstance(server, ServerError):
            raise server
        return server

    def _start_shared(self, major: int) -> TestServer | ServerError:
        try:
            return self.start(major)
        except (ServerError, OrderlatchError, psycopg.Error) as error:
            return ServerError(f"Postgres {major}: {error}")

    def start(self, major: int, *, migrated: bool = True, **settings: str) -> TestServer:
        """Start one more server, with a migrated template or bare; the end of the run removes it."""
        place = self.home() / f"pg{major}-{next(self._numbers)}"
        server = TestServer(major, start_server(major, place, **settings))
        if migrated:
            server.prepare_template()
        return server

    def home(self) -> Path:
        """The directory of all servers of this run, on a file system where cloning is fast."""
        if self._home is None:
            place = roomy_memory() or Path(tempfile.gettempdir())
            _sweep(place)
            self._home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            self._home.chmod(0o755)
            self._lock = (self._home / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self._home

    def stop_all(self) -> None:
        """Stop and remove everything."""
        if self._home is not None:
            _remove(self._home)
            self._home = None
        if self._lock is not None:
            self._lock.close()


def start_server(major: int, place: Path, **settings: str) -> Server:
    """Create and start a server of a major version in a directory of its own."""
    place.mkdir(mode=0o755)
    if major == 18:
        binaries = embedded.reachable_binaries(place.parent)
        settings = {"extension_control_path": f"$system:{DEBIAN_EXTENSIONS}", **settings}
    else:
        binaries = Path(f"/usr/lib/postgresql/{major}/bin")
        if not binaries.exists():
            raise ServerError("not installed: `make test` installs it, or choose --pg=18")
    (place / "binaries").write_text(str(binaries))
    server = Server(
        binaries=binaries, data=place / "data", sockets=place / "run", settings={**SETTINGS, **settings}
    )
    server.initialise(Login.for_new_server())
    server.start()
    return server


def roomy_memory() -> Path | None:
    """A file system in memory with room for a few databases: cloning there is ten times as fast."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30:
        return memory
    return None


def _sweep(place: Path) -> None:
    """Remove what runs that were killed have left: directories whose lock nobody holds."""
    for home in place.glob(f"{PREFIX}*"):
        try:
            with (home / "lock").open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(home)
        except OSError:
            continue


def _remove(home: Path) -> None:
    for note in home.glob("pg*/binaries"):
        place, binaries = note.parent, Path(note.read_text())
        server = Server(binaries=binaries, data=place / "data", sockets=place / "run")
        if server.running():
            server.stop("immediate")
    shutil.rmtree(home)
