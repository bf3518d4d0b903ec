"""Throughput with a long past beside an empty database; what a settled decision takes and how it is told.

The past lies in the same accounts that trade. Full and empty databases live a while before anything counts: a
server that runs has read the pages of its indexes, one that was just loaded has not. Each round has an empty
database of its own, made before the first, as making one ends with a checkpoint. Rounds on the empty and on
the full one take turns in going first, so that a machine that slows down slows both; the ratio is that of the
medians. What a server is at first, with nothing in memory, is told beside it.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.bench.ground import Figures, Size, fresh_database, table
from tests.bench.history import live_templates, load
from tests.bench.lives import CONNECTIONS, Run, run
from tests.bench.orderlatch import Orderlatch, create_accounts

if TYPE_CHECKING:
    from collections.abc import Sequence

DECISIONS = 10_000_000
QUICK = 10_000
NAMES = [f"bench-{lane}" for lane in range(CONNECTIONS)]
SIZES = """
select c.relname, pg_total_relation_size(c.oid) from pg_class as c
 where c.relnamespace = 'orderlatch_data'::regnamespace and c.relkind = 'r'
"""
SAMPLE = """
select encode(d.decision_hash, 'hex') from orderlatch_data.trade_decisions as d
 where d.decision_id in (
   select (1 + random() * (select max(m.decision_id) from orderlatch_data.trade_decisions as m))::bigint
     from generate_series(1, 400)
 ) limit 200
"""
ASKED = {
    "decision_status": "select s.status from orderlatch.decision_status(%s) as s",
    "explain_decision": "select e.story from orderlatch.explain_decision(%s) as e",
}


@dataclass(slots=True)
class Past(Orderlatch):
    """The layout in a database that is there already; lanes come back to it in every round."""

    url: str = ""
    rounds: int = 0

    @classmethod
    def begun(cls, name: str) -> Past:
        """A database with its accounts."""
        url = fresh_database(name)
        with psycopg.connect(url, autocommit=True) as session:
            create_accounts(session, NAMES)
        return cls(url=url)

    def create(self, lanes: int) -> str:  # noqa: ARG002
        """It is there."""
        self.rounds += 1
        return self.url

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> int:
        """As ever, with decisions that no other round has proposed."""
        return Orderlatch.live(self, connection, lane, self.rounds * 100_000_000 + first, many)


@dataclass(slots=True)
class Seen:
    """What the rounds gave: lives a second by batch; bytes of WAL a life, milliseconds of a step."""

    speeds: dict[int, list[float]] = field(default_factory=dict)
    calls: dict[str, list[float]] = field(default_factory=dict)

    def add(self, batch: int, ran: Run, layout: Orderlatch) -> None:
        """Add a round."""
        self.speeds.setdefault(batch, []).append(ran.lives_per_s)
        self.calls.setdefault(f"WAL bytes_{batch}", []).append(ran.wal_bytes_per_life)
        for step, seconds in layout.times():
            self.calls.setdefault(f"{step}_ms_{batch}", []).append(1000 * statistics.median(seconds))


def main(size: Size) -> Figures:
    """Load, measure in turns, ask, and weigh."""
    rounds, seconds, warm_s = (1, 1.5, 1.5) if size.quick else (3, 10.0, 120.0)
    empties = [Past.begun(f"orderlatch_bench_{number}") for number in range(1 + 2 * rounds)]
    past = Past.begun("orderlatch_bench_past")
    with psycopg.connect(past.url, autocommit=True) as session:
        live_templates(past.url, NAMES[0])
        before = sizes(session)
        wanted = size.decisions or (QUICK if size.quick else DECISIONS)
        decisions, loaded_s = load(past.url, wanted, NAMES)
        weights = {name: (now - before.get(name, 0)) / decisions for name, now in sizes(session).items()}
        asked = questions(session)
    empty, full = Seen(), Seen()
    at_first = lived(past, 100, seconds).lives_per_s
    for layout in (past, empties.pop()):
        lived(layout, 100, warm_s)
    for turn in range(rounds):
        for batch in (1, 100):
            pair = [(empty, empties.pop()), (full, past)]
            for seen, layout in pair if turn % 2 == 0 else reversed(pair):
                seen.add(batch, lived(layout, batch, seconds), layout)
    figures = told(decisions, loaded_s, weights, asked, empty, full)
    print(f"  at first, with nothing in memory, {at_first:,.0f} lives/s in batches")
    return figures | {"rounds": rounds, "seconds": seconds, "warm_s": warm_s, "at_first_100": at_first}


def lived(layout: Past, batch: int, seconds: float) -> Run:
    """One round."""
    return run(layout.create(CONNECTIONS), layout, batch, seconds)


def told(
    decisions: int,
    loaded_s: float,
    weights: dict[str, float],
    asked: dict[str, dict[str, float]],
    empty: Seen,
    full: Seen,
) -> dict[str, Figures]:
    """Print, and give the figures."""
    speeds: dict[str, Figures] = {}
    rows = []
    for batch in (1, 100):
        there, here = statistics.median(full.speeds[batch]), statistics.median(empty.speeds[batch])
        speeds[str(batch)] = {"empty": here, "full": there, "ratio": there / here}
        rows.append((f"lives/s, batch {batch}", here, there, there / here))
    calls: dict[str, Figures] = {}
    for step in sorted(full.calls):
        there, here = statistics.median(full.calls[step]), statistics.median(empty.calls[step])
        calls[step] = {"empty": here, "full": there, "ratio": there / here}
        rows.append((step, here, there, there / here))
    table((f"{decisions:,} settled decisions", "none", "all", "ratio"), rows)
    table(
        ("of the past", "p50 ms", "p99 ms"),
        [(name, each["p50_ms"], each["p99_ms"]) for name, each in asked.items()],
    )
    heavy = {name: weight for name, weight in weights.items() if weight >= 5}
    table(
        ("bytes for each decision", ""),
        [(name, heavy[name]) for name in sorted(heavy, key=lambda name: -heavy[name])],
    )
    print(f"  {sum(weights.values()):,.0f} bytes in all; loaded in {loaded_s:,.0f} s")
    return {
        "decisions": decisions,
        "loaded_s": loaded_s,
        "lives_per_s": speeds,
        "calls": calls,
        "asked": {name: dict(each) for name, each in asked.items()},
        "bytes": dict(heavy),
        "bytes_per_decision": sum(weights.values()),
    }


def sizes(session: psycopg.Connection) -> dict[str, int]:
    """Bytes of each table with toast and indexes."""
    return {str(name): int(octets) for name, octets in session.execute(SIZES).fetchall()}


def questions(session: psycopg.Connection) -> dict[str, dict[str, float]]:
    """Milliseconds of the questions about decisions anywhere in the past: from the disk, and once more."""
    asked = {}
    for name, statement in ASKED.items():
        hashes = session.execute(SAMPLE).fetchall()
        assert hashes, "the sample of the past is empty"
        for again in ("", ", again"):
            took = sorted(one(session, statement, decision_hash) for decision_hash in hashes)
            asked[name + again] = {
                "asked": len(took),
                "p50_ms": statistics.median(took),
                "p99_ms": took[min(len(took) - 1, int(0.99 * len(took)))],
            }
    return asked


def one(session: psycopg.Connection, statement: str, decision_hash: Sequence[object]) -> float:
    """Milliseconds of one call."""
    began = time.perf_counter()
    assert session.execute(statement.encode(), decision_hash).fetchall()
    return 1000 * (time.perf_counter() - began)
