"""Lives a second of the real functions beside layouts written by hand, on one durable server.

Every layout runs in turn within each round, and the figure is the median of the rounds, so that a machine
that slows down slows all of them down. Nothing here is a test: nothing fails because it is slow.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import psycopg

from tests.bench.ground import Figures, Size, fresh_database, table, wal_position
from tests.bench.layouts import Floor, Layout, Orderlatch, Wide

CONNECTIONS = 8
ROUNDS = 3
SECONDS = 4.0
BATCHES = (1, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Medians over the rounds of one layout."""

    layout: str
    batch: int
    lives_per_s: float
    wal_bytes_per_life: float


def main(size: Size) -> Figures:
    """Measure each layout with each size of batch; ratios are to the floor."""
    rounds, seconds = (1, 2.0) if size.quick else (ROUNDS, SECONDS)
    results = [result for batch in BATCHES for result in measure(batch, rounds, seconds)]
    floors = {result.batch: result.lives_per_s for result in results if result.layout == "floor"}
    print(f"  {CONNECTIONS} connections, median of {rounds} rounds of {seconds:g} s")
    heads = ("layout", "batch", "lives/s", "of floor", "WAL bytes/life")
    table(
        heads,
        [
            (
                each.layout,
                each.batch,
                each.lives_per_s,
                each.lives_per_s / floors[each.batch],
                each.wal_bytes_per_life,
            )
            for each in results
        ],
    )
    return [dict(asdict(result)) for result in results]


def measure(batch: int, rounds: int, seconds: float) -> list[Result]:
    """Run every layout in each round."""
    layouts: dict[str, Layout] = {"floor": Floor(), "wide": Wide(), "orderlatch": Orderlatch()}
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in layouts}
    for _ in range(rounds):
        for name, layout in layouts.items():
            url = fresh_database()
            seen[name].append(run(url, layout, batch, seconds))
    return [
        Result(
            layout=name,
            batch=batch,
            lives_per_s=statistics.median(speed for speed, _ in figures),
            wal_bytes_per_life=statistics.median(wal for _, wal in figures),
        )
        for name, figures in seen.items()
    ]


def run(url: str, layout: Layout, batch: int, seconds: float) -> tuple[float, float]:
    """Live for some seconds over all connections; lives a second, and bytes of WAL for each."""
    with psycopg.connect(url, autocommit=True) as connection:
        layout.prepare(connection, CONNECTIONS)
        before = wal_position(connection)
        began = time.monotonic()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            lives = sum(
                pool.map(lambda lane: live(url, layout, lane, batch, began + seconds), range(CONNECTIONS))
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
