"""Lives a second of the real functions beside layouts by hand and beside the peers, on one durable server.

Every one of them runs in turn within each round, and the figure is the median of the rounds, so that a
machine that slows down slows all of them down. Each round has a fresh database.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psycopg

from tests.bench.ground import Figures, Size, table, wal_position
from tests.bench.layouts import Floor, Layout, Wide
from tests.bench.orderlatch import Orderlatch
from tests.bench.queues import Absurd, Pgmq, Procrastinate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECTIONS = 8
ROUNDS = 3
SECONDS = 5.0
WARM_UP = 6
BATCHES = (1, 100)
LAYOUTS: Mapping[str, Callable[[], Layout]] = {
    "floor": Floor,
    "wide": Wide,
    "pgmq": Pgmq,
    "procrastinate": Procrastinate,
    "absurd": Absurd,
    "orderlatch": Orderlatch,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Medians over the rounds of one layout, the slowest and the fastest of them."""

    layout: str
    batch: int
    lives_per_s: float
    slowest: float
    fastest: float
    wal_bytes_per_life: float
    ours_over_it: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: lives, the seconds that they took, bytes of WAL for each."""

    lives: int
    seconds: float
    wal_bytes_per_life: float

    @property
    def lives_per_s(self) -> float:
        """What it is about."""
        return self.lives / self.seconds


def main(size: Size) -> Figures:
    """Measure each layout with each size of batch."""
    rounds, seconds = (1, 1.5) if size.quick else (ROUNDS, SECONDS)
    results = [result for batch in BATCHES for result in measure(batch, rounds, seconds)]
    print(f"  {CONNECTIONS} connections, median of {rounds} rounds of {seconds:g} s")
    heads = ("layout", "batch", "lives/s", "slowest", "fastest", "ours over it", "WAL bytes/life")
    table(
        heads,
        [
            (each.layout, each.batch, each.lives_per_s, each.slowest, each.fastest, each.ours_over_it,
             each.wal_bytes_per_life)
            for each in results
        ],
    )  # fmt: skip
    return {
        "rounds": rounds,
        "seconds": seconds,
        "connections": CONNECTIONS,
        "results": [dict(asdict(result)) for result in results],
    }


def measure(batch: int, rounds: int, seconds: float) -> list[Result]:
    """Run every layout in each round."""
    seen: dict[str, list[Run]] = {name: [] for name in LAYOUTS}
    for _ in range(rounds):
        for name, make in LAYOUTS.items():
            layout = make()
            seen[name].append(run(layout.create(CONNECTIONS), layout, batch, seconds))
    speeds = {name: statistics.median(each.lives_per_s for each in runs) for name, runs in seen.items()}
    return [
        Result(
            layout=name,
            batch=batch,
            lives_per_s=speeds[name],
            slowest=min(each.lives_per_s for each in runs),
            fastest=max(each.lives_per_s for each in runs),
            wal_bytes_per_life=statistics.median(each.wal_bytes_per_life for each in runs),
            ours_over_it=speeds["orderlatch"] / speeds[name],
        )
        for name, runs in seen.items()
    ]


def run(url: str, layout: Layout, batch: int, seconds: float, first: int = 0) -> Run:
    """Live for some seconds over all connections, once all of them are ready and have planned."""
    connections = connected(url)
    try:
        for lane, connection in enumerate(connections):
            layout.enter(connection, lane)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            # a session plans its statements at their first calls; that is no part of a life, of anybody's
            lanes = range(CONNECTIONS)
            list(pool.map(lambda lane: warm_up(connections[lane], layout, lane, batch, first), lanes))
            before = wal_position(connections[0])
            began = time.monotonic()
            lives = sum(
                pool.map(
                    lambda lane: live(
                        connections[lane], layout, lane, batch, began + seconds, first + WARM_UP * batch
                    ),
                    lanes,
                )
            )
            took = time.monotonic() - began
        written = wal_position(connections[0]) - before
    finally:
        for connection in connections:
            connection.close()
    return Run(lives=lives, seconds=took, wal_bytes_per_life=written / lives)


def connected(url: str) -> list[psycopg.Connection]:
    """A session for each lane, which prepares what it repeats."""
    return [psycopg.connect(url, autocommit=True, prepare_threshold=1) for _ in range(CONNECTIONS)]


def warm_up(connection: psycopg.Connection, layout: Layout, lane: int, batch: int, first: int) -> None:
    """Live a few times before it counts."""
    for number in range(WARM_UP):
        layout.live(connection, lane, first + number * batch, batch)


def live(
    connection: psycopg.Connection, layout: Layout, lane: int, batch: int, until: float, first: int
) -> int:
    """Live over one connection until the time is up; how many lives were finished."""
    put, finished = first, 0
    while time.monotonic() < until:
        finished += layout.live(connection, lane, put, batch)
        put += batch
    return finished
