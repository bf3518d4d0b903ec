"""From the commit of a decision to the first byte of its POST, beside how fast others pick up a job.

Put in at a steady rate from one session; the clock starts when the commit is known there. Ours and the bare
carrier end at the broker, so they include an HTTP call; the peers' real workers end when a handler that does
nothing begins. Each is alone on the machine while it is measured, all of them in each round.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.bench import peers
from tests.bench.ground import Figures, Size, blank_database, fresh_database, table
from tests.bench.layouts import Floor
from tests.bench.orderlatch import create_accounts
from tests.bench.putting import PUTTERS, Put
from tests.bench.queues import installed
from tests.bench.wire import clean_environment, wait_for_reads, workers
from worker.installer import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PICKERS = Path(__file__).parent / "pickers"
A_SECOND = 50


@dataclass(frozen=True, slots=True)
class Picked:
    """Milliseconds from commit to pick-up, sorted; how many were never picked up in time."""

    ms: list[float]
    lost: int

    def at(self, share: float) -> float:
        """A quantile."""
        return self.ms[min(len(self.ms) - 1, int(share * len(self.ms)))]


def main(size: Size) -> Figures:
    """All of them in turn, in each round."""
    rounds, seconds = (1, 3.0) if size.quick else (3, 20.0)
    systems = [name for name in PUTTERS if name != "graphile-worker" or peers.graphile()]
    seen: dict[str, list[Picked]] = {name: [] for name in systems}
    for _ in range(rounds):
        for name in systems:
            with TemporaryDirectory() as place, picking(name, Path(place)) as (url, log):
                seen[name].append(measure(PUTTERS[name], url, log, seconds))
    figures = {
        name: {
            "p50_ms": statistics.median(each.at(0.5) for each in picked),
            "p99_ms": statistics.median(each.at(0.99) for each in picked),
            "jobs": sum(len(each.ms) for each in picked),
            "lost": sum(each.lost for each in picked),
        }
        for name, picked in seen.items()
    }
    heads = (f"{A_SECOND} a second", "p50 ms", "p99 ms", "jobs", "lost")
    table(heads, [(name, *one.values()) for name, one in figures.items()])
    if "graphile-worker" not in systems:
        print("  graphile-worker was not measured: there is no npm, or it could not be fetched")
    return {
        "rounds": rounds,
        "seconds": seconds,
        "a_second": A_SECOND,
        "systems": {name: dict(one) for name, one in figures.items()},
    }


def measure(put: Put, url: str, log: Path, seconds: float) -> Picked:
    """Put in at the rate, and match what was noted when it was picked up."""
    committed: dict[str, int] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        put.prepare(connection)
        for number in range(-5, 0):  # what is slow only once is none of it
            put.put(connection, number)
            time.sleep(0.2)
        began = time.monotonic()
        for number in range(int(seconds * A_SECOND)):
            time.sleep(max(0, began + number / A_SECOND - time.monotonic()))
            key = put.put(connection, number)
            committed[key] = time.monotonic_ns()
    time.sleep(1)
    picked = dict(line.split(" ") for line in log.read_text().splitlines())
    ms = sorted((int(picked[key]) - at) / 1e6 for key, at in committed.items() if key in picked)
    return Picked(ms, len(committed) - len(ms))


@contextmanager
def picking(name: str, place: Path) -> Iterator[tuple[str, Path]]:
    """Run a system's worker in a fresh database; its URL, and the log of what was picked up."""
    log = place / "picked"
    with ExitStack() as running:
        match name:
            case "orderlatch":
                url = fresh_database("orderlatch_bench_pickup")
                broker = running.enter_context(
                    spoken([sys.executable, "-m", "tests.bench.minimal_broker", log])
                )
                running.enter_context(our_worker(url, broker))
            case "bare":
                url = Floor().create(1)
                broker = running.enter_context(
                    spoken([sys.executable, "-m", "tests.bench.minimal_broker", log])
                )
                running.enter_context(spoken([sys.executable, PICKERS / "bare.py", url, broker]))
            case "procrastinate":
                url = installed(name)
                running.enter_context(spoken([peers.PYTHON, PICKERS / "with_procrastinate.py", url, log]))
            case "pgqueuer":
                url = blank_database("orderlatch_bench_pgqueuer")
                running.enter_context(spoken([peers.PYTHON, PICKERS / "with_pgqueuer.py", url, log]))
            case _:
                url = blank_database("orderlatch_bench_graphile")
                command: list[str | Path] = [
                    "node",
                    PICKERS / "with_graphile.cjs",
                    log,
                    peers.NODE / "node_modules",
                ]
                running.enter_context(spoken(command, pg_variables(url)))
        time.sleep(1)  # from ready to listening
        yield url, log


@contextmanager
def our_worker(url: str, broker_url: str) -> Iterator[None]:
    """The real worker with one account, when it has read what it reads at its start."""
    with psycopg.connect(url, autocommit=True) as connection:
        create_accounts(connection, ["paper"])
        with workers(url, broker_url, [["paper"]], slots=16):
            wait_for_reads(connection, 1)
            yield


def pg_variables(url: str) -> dict[str, str]:
    """A database as libpq's variables name it."""
    names = {"host": "PGHOST", "user": "PGUSER", "dbname": "PGDATABASE"}
    return {names[key]: str(value) for key, value in conninfo_to_dict(url).items() if key in names}


@contextmanager
def spoken(command: Sequence[str | Path], variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a process; the first line that it prints."""
    environment = clean_environment() | dict(variables or {})
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            assert line, f"{command} did not start"
            yield line
        finally:
            process.terminate()
