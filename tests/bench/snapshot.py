"""A REPEATABLE READ transaction is held open under full load, so that no dead row can be removed.

Eight connections live one life at a time for the whole time. What counts is the throughput of the last tenth
of the time over that of the first. A machine that slows down within ten minutes would say the same: so after
each tenth the same lives are lived for a while in another database of the server, where nobody holds a
snapshot, and ours is told over that too. The peers and the layout by hand follow, each with such a
transaction of its own, for a shorter time and without the other database; ours is told for that time too.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.bench.ground import Figures, Size, table
from tests.bench.growth import Past
from tests.bench.lives import CONNECTIONS, LAYOUTS, WARM_UP, connected, warm_up

if TYPE_CHECKING:
    from tests.bench.layouts import Layout

BESIDE = ("floor", "pgmq", "procrastinate", "absurd")


@dataclass(slots=True)
class Ticks:
    """Lives finished in each second; time passes only within a stretch."""

    seconds: int
    lives: list[int] = field(init=False)
    began: float = 0
    until: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.lives = [0] * self.seconds

    def begin(self, seconds: int) -> None:
        """Begin a stretch of so many seconds, where the last one ended."""
        self.began = time.monotonic() - self.until
        self.until = min(self.seconds, self.until + seconds)

    def count(self, many: int) -> bool:
        """Count some; whether there is time left."""
        second = int(time.monotonic() - self.began)
        if second < self.until:
            with self.lock:
                self.lives[second] += many
        return second < self.until

    def held(self, seconds: int) -> dict[str, float]:
        """Lives a second in the first and in the last tenth of so many seconds."""
        tenth = max(1, seconds // 10)
        first = sum(self.lives[:tenth]) / tenth
        last = sum(self.lives[seconds - tenth : seconds]) / tenth
        return {"seconds": seconds, "first": first, "last": last, "ratio": last / first}


@dataclass(slots=True)
class Lanes:
    """A layout in a database, with its connections, each of which has planned what it does."""

    layout: Layout
    ticks: Ticks
    url: str = field(init=False)
    connections: list[psycopg.Connection] = field(init=False)
    lived: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.layout.create(CONNECTIONS)
        self.connections = connected(self.url)
        self.lived = [0] * CONNECTIONS
        for lane, connection in enumerate(self.connections):
            self.layout.enter(connection, lane)
            warm_up(connection, self.layout, lane, 1, -WARM_UP)

    def live(self, seconds: int) -> None:
        """Live over all connections for a stretch."""
        self.ticks.begin(seconds)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(self.live_over, range(CONNECTIONS)))

    def live_over(self, lane: int) -> None:
        """Live over one connection until the stretch ends."""
        going = True
        while going:
            going = self.ticks.count(self.layout.live(self.connections[lane], lane, self.lived[lane], 1))
            self.lived[lane] += 1

    def close(self) -> None:
        """Leave."""
        for connection in self.connections:
            connection.close()


def main(size: Size) -> Figures:
    """Ours for ten minutes, the others for two; quick: 10 s and 4 s."""
    ours, others = (10, 4) if size.quick else (600, 120)
    beside = Lanes(Past.begun("orderlatch_bench_beside"), Ticks(10 * max(1, ours // 60)))
    ticks = {"orderlatch": hold("orderlatch", ours, beside)}
    beside.close()
    ticks |= {name: hold(name, others) for name in BESIDE}
    told = {f"orderlatch, {ours} s": ticks["orderlatch"].held(ours)}
    told["the same without one, in turns"] = beside.ticks.held(beside.ticks.seconds)
    told |= {f"{name}, {others} s": each.held(others) for name, each in ticks.items()}
    weighed = told[f"orderlatch, {ours} s"]["ratio"] / told["the same without one, in turns"]["ratio"]
    heads = ("a snapshot held", "first tenth, lives/s", "last tenth", "ratio")
    table(heads, [(name, each["first"], each["last"], each["ratio"]) for name, each in told.items()])
    print(f"  over that of a database without one: {weighed:.2f}")
    return {
        "ours_s": ours,
        "others_s": others,
        "held": {name: dict(each) for name, each in told.items()},
        "weighed": weighed,
        "lives_by_second": {name: list(each.lives) for name, each in ticks.items()},
    }


def hold(name: str, seconds: int, beside: Lanes | None = None) -> Ticks:
    """Live while another session keeps its snapshot; after each tenth, a tenth of the lives beside."""
    lanes = Lanes(LAYOUTS[name](), Ticks(seconds))
    tenth = max(1, seconds // 10)
    with psycopg.connect(lanes.url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select count(*) from pg_class")
        while lanes.ticks.until < seconds:
            lanes.live(tenth)
            if beside is not None:
                beside.live(beside.ticks.seconds // 10)
    lanes.close()
    return lanes.ticks
