"""`make bench`: lives a second of the real functions beside layouts written by hand, on one durable server.

Every layout runs in turn within each round, and the figure is the median of the rounds, so that a machine
that slows down slows all of them down. Nothing here is a test: nothing fails because it is slow.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import psycopg

from tests.bench.layouts import Floor, Layout, Orderlatch, Wide
from worker import embedded
from worker.applier import read_files
from worker.installer import ROOT, migrate

CONNECTIONS = 8
ROUNDS = 3
SECONDS = 4.0
BATCHES = (1, 100)
RESULTS = ROOT / ".bench" / "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Medians over the rounds of one layout."""

    layout: str
    batch: int
    lives_per_s: float
    wal_bytes_per_life: float


def main() -> None:
    """Measure, print a table with ratios, and keep the figures."""
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as connection:
        version = connection.execute("select current_setting('server_version')").fetchone()
        durability = connection.execute(
            "select current_setting('fsync'), current_setting('synchronous_commit'),"
            " current_setting('full_page_writes')"
        ).fetchone()
    assert version is not None
    assert durability is not None
    print(
        f"Postgres {version[0]}, fsync {durability[0]}, synchronous_commit {durability[1]}, "
        f"full_page_writes {durability[2]}; {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"psycopg {psycopg.__version__}; {CONNECTIONS} connections, "
        f"median of {ROUNDS} rounds of {SECONDS:g} s"
    )
    results = [result for batch in BATCHES for result in measure(url, batch)]
    print(f"{'layout':<12} {'batch':>5} {'lives/s':>9} {'of floor':>9} {'WAL bytes/life':>15}")
    floors = {result.batch: result.lives_per_s for result in results if result.layout == "floor"}
    for result in results:
        print(
            f"{result.layout:<12} {result.batch:>5} {result.lives_per_s:>9.0f} "
            f"{result.lives_per_s / floors[result.batch]:>9.2f} {result.wal_bytes_per_life:>15.0f}"
        )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps({"postgres": version[0], "results": [asdict(result) for result in results]}, indent=1)
    )
    print(f"kept in {RESULTS.relative_to(ROOT)}")


def fresh_database() -> str:
    """Create an empty database on the embedded server, migrate it, and return its URL."""
    url = embedded.ensure_running()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop database if exists orderlatch_bench with (force)")
        connection.execute("create database orderlatch_bench")
        bench = psycopg.conninfo.make_conninfo(url, dbname="orderlatch_bench")
    migrate(bench, read_files(ROOT / "sql"))
    return bench


def measure(url: str, batch: int) -> list[Result]:
    """Run every layout in each round."""
    layouts: dict[str, Layout] = {"floor": Floor(), "wide": Wide(), "orderlatch": Orderlatch()}
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in layouts}
    for _ in range(ROUNDS):
        for name, layout in layouts.items():
            url = fresh_database()
            seen[name].append(run(url, layout, batch))
    return [
        Result(
            layout=name,
            batch=batch,
            lives_per_s=statistics.median(speed for speed, _ in figures),
            wal_bytes_per_life=statistics.median(wal for _, wal in figures),
        )
        for name, figures in seen.items()
    ]


def run(url: str, layout: Layout, batch: int) -> tuple[float, float]:
    """Live for some seconds over all connections; lives a second, and bytes of WAL for each."""
    with psycopg.connect(url, autocommit=True) as connection:
        layout.prepare(connection, CONNECTIONS)
        before = wal_position(connection)
        began = time.monotonic()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            lives = sum(
                pool.map(lambda lane: live(url, layout, lane, batch, began + SECONDS), range(CONNECTIONS))
            )
        took = time.monotonic() - began
        return lives / took, (wal_position(connection) - before) / lives


def live(url: str, layout: Layout, lane: int, batch: int, until: float) -> int:
    """Live over one connection until the time is up; how many lives."""
    lives = 0
    with psycopg.connect(url, autocommit=True, prepare_threshold=1) as connection:
        layout.enter(connection, lane)
        while time.monotonic() < until:
            layout.live(connection, lane, lives, batch)
            lives += batch
    return lives


def wal_position(connection: psycopg.Connection) -> int:
    """Bytes of WAL written since the server was made."""
    row = connection.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    main()
