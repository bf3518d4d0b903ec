"""The real worker over HTTP against the sandbox: every process as it is in use, all on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx

from tests.bench.ground import cpu_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

PROGRAM = Path(sys.executable).parent / "orderlatch"
# A worker's own question comes first, and what is not answered yet was not counted.
READ = """
select count(*) = %s from orderlatch_data.worker_accounts as w
  join orderlatch_data.broker_reads as r on r.account_id = w.account_id and r.purpose = 'positions'
 where w.verified_at is not null and r.covered_at is not null
"""
BACKENDS = "select a.pid from pg_stat_activity as a where a.datname = current_database()"


def clean_environment() -> dict[str, str]:
    """The environment without what a person has set for a worker of their own."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("ORDERLATCH_", "APCA_"))
    }


@contextmanager
def sandbox(names: Sequence[str], **settings: object) -> Iterator[Sandbox]:
    """Run the sandbox in memory, with a key for each account and money enough."""
    accounts = [{"name": name, "key": f"K{name}", "secret": f"S{name}"} for name in names]
    with subprocess.Popen(
        [PROGRAM, "sandbox", "--in-memory"],
        env={**clean_environment(), "ORDERLATCH_SANDBOX_ACCOUNTS": json.dumps(accounts)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("sandbox: ").strip()
            with httpx.Client(base_url=url, timeout=300, trust_env=False) as client:
                broker = Sandbox(client, process)
                broker.tell("PUT", "settings", settings)
                for name in names:
                    broker.tell("PUT", f"accounts/{name}", {"cash": "1000000000000"})
                yield broker
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox and its admin API."""

    client: httpx.Client
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Where its API is."""
        return str(self.client.base_url).rstrip("/")

    def tell(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """An admin call, and what it says."""
        said: dict[str, object] = (
            self.client.request(method, f"/admin/{path}", json=body).raise_for_status().json()
        )
        return said

    def rates(self) -> dict[str, dict[str, int]]:
        """What came in, counted by the broker, for each account."""
        shown: dict[str, dict[str, int]] = self.client.get("/admin/rates").raise_for_status().json()
        return shown


@contextmanager
def workers(
    url: str, broker_url: str, carried: Sequence[Sequence[str]], *, slots: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run a worker for each list of accounts; they are stopped in good order."""
    with TemporaryDirectory() as logs, ExitStack() as running:
        started = []
        for number, names in enumerate(carried):
            environment = clean_environment() | {
                "DATABASE_URL": url,
                "ORDERLATCH_ACCOUNTS": ",".join(names),
                "ORDERLATCH_STREAM": "off",
                "ORDERLATCH_SLOTS": str(slots),
            }
            for name in names:
                environment |= {
                    f"ORDERLATCH_{name.upper()}_KEY_ID": f"K{name}",
                    f"ORDERLATCH_{name.upper()}_SECRET_KEY": f"S{name}",
                    f"ORDERLATCH_{name.upper()}_BASE_URL": broker_url,
                }
            log = running.enter_context(Path(logs, f"worker-{number}").open("wb"))
            process = running.enter_context(
                subprocess.Popen([PROGRAM, "worker"], env=environment, stdout=log, stderr=log)
            )
            running.callback(process.terminate)
            started.append(process)
        yield started


@dataclass(slots=True)
class Meter:
    """CPU of the parts while something runs: the database's sessions, the workers, the sandbox."""

    connection: psycopg.Connection
    broker: Sandbox
    carriers: Sequence[subprocess.Popen[bytes]]
    before: dict[str, float] = field(default_factory=dict)
    began: float = 0

    def read(self) -> dict[str, float]:
        """Seconds of CPU of each part so far. A session that ends takes its own with it: none should."""
        pids = [pid for (pid,) in self.connection.execute(BACKENDS).fetchall()]
        return {
            "database": sum(cpu_s(pid) for pid in pids),
            "workers": sum(cpu_s(each.pid) for each in self.carriers),
            "sandbox": cpu_s(self.broker.process.pid),
        }

    def start(self) -> None:
        """From now on."""
        self.before, self.began = self.read(), time.monotonic()

    def stop(self, requests: int) -> dict[str, float]:
        """Milliseconds of CPU for each request since the start, and requests a second."""
        took_s = time.monotonic() - self.began
        used = {
            f"{part}_cpu_ms": 1000 * (now - self.before[part]) / requests for part, now in self.read().items()
        }
        return {"seconds": took_s, "requests": requests, "requests_per_s": requests / took_s, **used}


def wait_for_reads(session: psycopg.Connection, many: int) -> None:
    """Until workers have read what they read at their start; many: accounts, by each that carries them."""
    while session.execute(READ, [many]).fetchone() != (True,):
        time.sleep(0.1)
