"""A REPEATABLE READ transaction is held open under full load, so that no dead row can be removed.

Eight connections live one life at a time for the whole time. What counts is the throughput of the last tenth
of the time over that of the first. The peers and the layout by hand follow, each with such a transaction of
its own, for a shorter time; ours is told for that time too.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.bench.ground import Figures, Size, table
from tests.bench.lives import CONNECTIONS, LAYOUTS, WARM_UP, warm_up

if TYPE_CHECKING:
    from tests.bench.layouts import Layout

BESIDE = ("floor", "pgmq", "procrastinate", "absurd")


@dataclass(slots=True)
class Ticks:
    """Lives finished in each second since the beginning."""

    seconds: int
    began: float = field(default_factory=time.monotonic)
    lives: list[int] = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.lives = [0] * self.seconds

    def count(self, many: int) -> bool:
        """Count some; whether there is time left."""
        second = int(time.monotonic() - self.began)
        if second < self.seconds:
            with self.lock:
                self.lives[second] += many
        return second < self.seconds

    def held(self, seconds: int) -> dict[str, float]:
        """Lives a second in the first and in the last tenth of so many seconds."""
        tenth = max(1, seconds // 10)
        first = sum(self.lives[:tenth]) / tenth
        last = sum(self.lives[seconds - tenth : seconds]) / tenth
        return {"seconds": seconds, "first": first, "last": last, "ratio": last / first}


def main(size: Size) -> Figures:
    """Ours for ten minutes, the others for two; quick: 10 s and 4 s."""
    ours, others = (10, 4) if size.quick else (600, 120)
    ticks = {"orderlatch": hold("orderlatch", ours)}
    ticks |= {name: hold(name, others) for name in BESIDE}
    told = {f"orderlatch, {ours} s": ticks["orderlatch"].held(ours)}
    told |= {f"{name}, {others} s": each.held(others) for name, each in ticks.items()}
    heads = ("a snapshot held", "first tenth, lives/s", "last tenth", "ratio")
    table(heads, [(name, each["first"], each["last"], each["ratio"]) for name, each in told.items()])
    return {
        "ours_s": ours,
        "others_s": others,
        "held": {name: dict(each) for name, each in told.items()},
        "lives_by_second": {name: list(each.lives) for name, each in ticks.items()},
    }


def hold(name: str, seconds: int) -> Ticks:
    """Live over all connections while another session keeps its snapshot."""
    layout = LAYOUTS[name]()
    url = layout.create(CONNECTIONS)
    connections = [psycopg.connect(url, autocommit=True, prepare_threshold=1) for _ in range(CONNECTIONS)]
    for lane, connection in enumerate(connections):
        layout.enter(connection, lane)
        warm_up(connection, layout, lane, 1, -WARM_UP)
    with psycopg.connect(url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select count(*) from pg_class")
        ticks = Ticks(seconds)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda lane: live(connections[lane], layout, lane, ticks), range(CONNECTIONS)))
    for connection in connections:
        connection.close()
    return ticks


def live(connection: psycopg.Connection, layout: Layout, lane: int, ticks: Ticks) -> None:
    """Live over one connection until the time is up."""
    number = 0
    while ticks.count(layout.live(connection, lane, number, 1)):
        number += 1
