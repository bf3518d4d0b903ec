"""A long past of one account, reconciled from nothing within its rate budget; and what the rounds after cost.

The functions are the real ones, the broker answers from a prepared book, in process. Time is a held clock:
it moves on by what claim_requests says when nothing is due, so it counts the seconds that the budget needs.
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.bench.book import APART, NOW, Book
from tests.bench.carrying import Carrier, Minutes, said
from tests.bench.ground import Figures, Size, cpu_s, fresh_database, table
from worker.installer import ROOT

if TYPE_CHECKING:
    from datetime import datetime

    from tests.bench.carrying import Request

ROUNDS = 15
SLOTS = 16
HELD_CLOCK = ROOT / "tests" / "support" / "test_support.sql"
ADVANCE = "select test_support.advance_clock(make_interval(secs => %s))"
COVERED = """
select bool_and(r.covered_at is not null) from orderlatch_data.broker_reads as r where r.purpose = any (%s)
"""
SEEN = """
select sum(s.seq_tup_read + coalesce(s.idx_tup_fetch, 0))::bigint,
       sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del)::bigint,
       (select sum(i.heap_blks_read + i.heap_blks_hit + i.idx_blks_read + i.idx_blks_hit)::bigint
          from pg_statio_user_tables as i)
  from pg_stat_user_tables as s where s.schemaname = 'orderlatch_data'
"""
PROMISES = "select i.promise from orderlatch.invariants as i where i.violations > 0"
MIRRORED = """
select (select count(*) from orderlatch_data.broker_orders), (select count(*) from orderlatch_data.fills),
       (select count(*) from orderlatch_data.position_differences)
"""


@dataclass(slots=True)
class HeldClock:
    """The database's clock, held, and the session that moves it."""

    session: psycopg.Connection
    now: datetime = NOW

    @classmethod
    def hold(cls, url: str) -> HeldClock:
        """Hold the clock of a database at the end of the broker's past."""
        session = psycopg.connect(url, autocommit=True)
        session.execute(HELD_CLOCK.read_bytes())
        session.execute("select test_support.hold_clock(%s)", [NOW])
        return cls(session)

    def seconds(self) -> float:
        """The time as the broker has it."""
        return self.now.timestamp()

    def advance(self, seconds: float) -> None:
        """Move it on."""
        row = self.session.execute(ADVANCE, [seconds]).fetchone()
        assert row is not None
        self.now = row[0]


@dataclass(slots=True)
class Mirror:
    """One account, its broker's book, and the clock that both go by."""

    carrier: Carrier
    clock: HeldClock
    recorded: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def made(cls, many: int) -> Mirror:
        """Create the account in a database of its own; nothing of it is known."""
        url = fresh_database()
        clock = HeldClock.hold(url)
        begins = (NOW - (many + 10) * APART).isoformat()
        settings = json.dumps({"reconcile_from": begins, "on_foreign_order": "ignore"})
        clock.session.execute("select orderlatch.create_account('paper', 'paper', %s)", [settings])
        book = Book(many, Minutes(200, now=clock.seconds))
        return cls(Carrier.register(url, book, ["paper"]), clock)

    def step(self) -> None:
        """Carry what is due, each answer recorded by itself and timed by its kind; or let time pass."""
        requests, ask_again_ms = self.carrier.claim(SLOTS)
        for request in requests:
            self.record(request)
        # a call to a broker takes about as long
        self.clock.advance(0.1 if requests else max(ask_again_ms or 1000, 1) / 1000)

    def record(self, request: Request) -> None:
        """Have a request answered, and record it."""
        broker = self.carrier.broker
        answer = said(request, broker.answer(request), broker.headers(request))
        began = self.carrier.recording_s
        self.carrier.record([answer])
        self.recorded[request.kind] = self.recorded.get(request.kind, 0) + 1
        took_s = self.carrier.recording_s - began
        self.seconds[request.kind] = self.seconds.get(request.kind, 0) + took_s

    def until_covered(self, *purposes: str) -> None:
        """Go on until these reads were complete once."""
        while self.clock.session.execute(COVERED, [list(purposes)]).fetchone() != (True,):
            for _ in range(20):
                self.step()

    def seen(self) -> tuple[int, int, int]:
        """Rows read, rows written, and buffers asked for so far."""
        self.carrier.session.execute("select pg_stat_force_next_flush()")
        self.carrier.session.execute("select 1")
        row = self.clock.session.execute(SEEN).fetchone()
        assert row is not None
        return int(row[0]), int(row[1]), int(row[2])

    def round(self) -> tuple[int, float]:
        """Let every read fall due, and carry until all are done; the calls, and seconds of the database."""
        self.clock.advance(600)
        calls, began = 0, self.carrier.claiming_s + self.carrier.recording_s
        while True:
            requests, _ = self.carrier.claim(SLOTS)
            if not requests:
                return calls, self.carrier.claiming_s + self.carrier.recording_s - began
            calls += len(requests)
            for request in requests:
                self.record(request)


def main(size: Size) -> Figures:
    """The whole past, then empty rounds after it and after a short one, and the view of positions."""
    many = 2_000 if size.quick else 100_000
    mirror = Mirror.made(many)
    whole = reconcile(mirror, many)
    table(
        (f"{many:,} orders, {2 * many:,} fills", "pages", "database s", "s per 1,000", "CPU s per 1,000"),
        [
            (
                "orders",
                whole["order_pages"],
                whole["orders_s"],
                whole["s_per_1000_orders"],
                whole["cpu_s_per_1000_orders"],
            ),
            (
                "fills",
                whole["fill_pages"],
                whole["fills_s"],
                whole["s_per_1000_fills"],
                whole["cpu_s_per_1000_fills"],
            ),
        ],
    )
    print(
        f"  {whole['calls']:,.0f} calls: at 200 a minute the budget itself takes {whole['budget_s']:,.0f} s "
        f"(simulated); the database worked {whole['database_s']:,.0f} s of them"
    )
    rounds = {f"{many:,} orders": empty_rounds(mirror)}
    mirror = Mirror.made(1000)
    reconcile(mirror, 1000)
    rounds["1,000 orders"] = empty_rounds(mirror)
    heads = ("an empty round after", "calls", "database ms", "rows read", "rows written", "buffers")
    names = ("calls", "ms", "rows_read", "rows_written", "buffers")
    table(heads, [(name, *(one[each] for each in names)) for name, one in rounds.items()])
    after_long, after_short = rounds.values()
    ratios = {each: after_long[each] / after_short[each] for each in names}
    table(("ratio", *heads[1:]), [("", *ratios.values())])
    return {
        "reconciliation": dict(whole),
        "empty_round": {k: dict(v) for k, v in rounds.items()},
        "ratio": dict(ratios),
    }


def reconcile(mirror: Mirror, many: int) -> dict[str, float]:
    """Read everything, once."""
    backend = mirror.carrier.session.info.backend_pid
    began, started = mirror.clock.now, time.perf_counter()
    before = cpu_s(backend)
    mirror.until_covered("orders")
    mirror.carrier.session.execute("analyze")
    between = cpu_s(backend)
    mirror.until_covered("fills", "positions", "open_orders")
    after = cpu_s(backend)
    assert mirror.clock.session.execute(MIRRORED).fetchone() == (many, 2 * many, 0)
    assert mirror.clock.session.execute(PROMISES).fetchall() == []
    kinds, seconds = mirror.recorded, mirror.seconds
    return {
        "calls": sum(kinds.values()),
        "order_pages": kinds["list_orders"],
        "fill_pages": kinds["list_fills"],
        "orders_s": seconds["list_orders"],
        "fills_s": seconds["list_fills"],
        "s_per_1000_orders": 1000 * seconds["list_orders"] / many,
        "s_per_1000_fills": 1000 * seconds["list_fills"] / (2 * many),
        "cpu_s_per_1000_orders": 1000 * (between - before) / many,
        "cpu_s_per_1000_fills": 1000 * (after - between) / (2 * many),
        "database_s": mirror.carrier.claiming_s + mirror.carrier.recording_s,
        "took_s": time.perf_counter() - started,
        "budget_s": (mirror.clock.now - began).total_seconds(),
    }


def empty_rounds(mirror: Mirror) -> dict[str, float]:
    """Medians of rounds in which nothing is new."""
    mirror.carrier.session.execute("vacuum analyze")
    mirror.round()
    before = mirror.seen()
    rounds = [mirror.round() for _ in range(ROUNDS)]
    read, written, buffers = ((now - then) / ROUNDS for now, then in zip(mirror.seen(), before, strict=True))
    return {
        "calls": statistics.median(calls for calls, _ in rounds),
        "ms": 1000 * statistics.median(seconds for _, seconds in rounds),
        "rows_read": read,
        "rows_written": written,
        "buffers": buffers,
    }
