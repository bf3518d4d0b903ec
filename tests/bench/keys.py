"""What a random key costs: ways to keep a decision's hash unique, over a long past, beside one another.

Rows as wide as an intent, in the order of time, the past spread over two years. Each way in turn within each
round: a checkpoint, so that every page that is touched again goes whole into the WAL; decisions of now, in
batches; and lookups by the hash alone, as an order of the broker names nothing else of a decision.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from tests.bench.ground import Figures, Size, blank_database, table, wal_position

if TYPE_CHECKING:
    from collections.abc import Mapping

PAST = 2_000_000
QUICK = 20_000
ROUNDS = 3
BATCHES = 200
BATCH = 100
LOOKUPS = 2_000
MONTHS = 25
COLUMNS = (
    "decision_id bigint not null, event_ts timestamptz not null, decision_hash {type} not null, intent text"
)
PARTITIONED = " partition by range (event_ts)"
PARTITION = """
create table t_{number} partition of t
  for values from ('2024-01-01'::timestamptz + interval '{number} months')
               to ('2024-01-01'::timestamptz + interval '{number} months' + interval '1 month')
"""
INSERT = """
insert into t
select i, {at}, {hash}, repeat(md5(i::text), 12) from generate_series({first}, {last}) as i
"""
PAST_AT = "'2024-01-01'::timestamptz + interval '730 days' * (i / {past}::float)"
NOW_AT = "'2026-01-15'::timestamptz + interval '1 second' * (i - {past})"
LOOKUP = "select count(*) from generate_series(1, {many}) as n join t on t.decision_hash = {hash}"
HASH = "sha256(int8send({of}))"
IMAGES = "select wal_fpi from pg_stat_wal"
INDEXES = """
select sum(pg_relation_size(i.indexrelid)) from pg_index as i
  join pg_class as c on c.oid = i.indrelid
 where c.relname ^@ 't' and c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to keep hashes unique; finds: whether a hash alone leads to its decision."""

    constraint: str
    type: str = "bytea"
    partitioned: bool = False
    finds: bool = True

    def hash_of(self, of: str) -> str:
        """The hash of a number, in SQL."""
        return HASH.format(of=of) if self.type == "bytea" else f"encode({HASH.format(of=of)}, 'hex')"

    def insert(self, first: int, last: int, at: str) -> bytes:
        """Rows of numbers, at times that follow from them."""
        return INSERT.format(at=at, hash=self.hash_of("i"), first=first, last=last).encode()


WAYS: Mapping[str, Way] = {
    "bytea": Way(constraint="unique (decision_hash)"),
    "text": Way(constraint="unique (decision_hash)", type="text"),
    "bytea, hash index": Way(constraint="exclude using hash (decision_hash with =)"),
    "time, then bytea": Way(constraint="unique (event_ts, decision_hash)", finds=False),
    "the same in months": Way(constraint="unique (event_ts, decision_hash)", partitioned=True, finds=False),
    "no unique key": Way(constraint="", finds=False),
}


@dataclass(slots=True)
class Ground:
    """A database with the past of one way."""

    way: Way
    session: psycopg.Connection
    past: int
    number: int

    @classmethod
    def laid(cls, name: str, way: Way, past: int) -> Ground:
        """Create the table, and fill it in the order of time."""
        session = psycopg.connect(blank_database(name), autocommit=True)
        session.execute(
            f"create table t ({COLUMNS.format(type=way.type)}){PARTITIONED * way.partitioned}".encode()
        )
        for number in range(MONTHS if way.partitioned else 0):
            session.execute(PARTITION.format(number=number).encode())
        if way.constraint:
            session.execute(f"alter table t add {way.constraint}".encode())
        for first in range(1, past + 1, 100_000):
            last = min(past, first + 99_999)
            session.execute(way.insert(first, last, PAST_AT.format(past=past)))
        session.execute("vacuum (freeze, analyze) t")
        return cls(way, session, past, past)

    def measure(self) -> dict[str, float]:
        """One round: time, bytes of WAL and whole pages of a new decision; the time of a lookup."""
        self.session.execute("checkpoint")
        before, images = wal_position(self.session), self.one(IMAGES)
        began = time.monotonic()
        for _ in range(BATCHES):
            at = NOW_AT.format(past=self.past)
            self.session.execute(self.way.insert(self.number + 1, self.number + BATCH, at))
            self.number += BATCH
        took_s = time.monotonic() - began
        many = BATCHES * BATCH
        wal_bytes = (wal_position(self.session) - before) / many
        self.session.execute("select pg_stat_force_next_flush()")
        pages = (self.one(IMAGES) - images) / many
        seen = {"us": 1e6 * took_s / many, "wal_bytes": wal_bytes, "pages": pages}
        if self.way.finds:
            began = time.monotonic()
            # any of the past, none twice nearby
            found = self.way.hash_of(f"1 + n * 7919::bigint % {self.past}")
            self.session.execute(LOOKUP.format(many=LOOKUPS, hash=found).encode())
            seen["lookup_us"] = 1e6 * (time.monotonic() - began) / LOOKUPS
        return seen

    def one(self, statement: str) -> float:
        """The number that a statement returns."""
        row = self.session.execute(statement.encode()).fetchone()
        assert row is not None
        return float(row[0] or 0)


def main(size: Size) -> Figures:
    """Lay the past for each way, measure in turns, and weigh the indexes."""
    past = size.decisions or (QUICK if size.quick else PAST)
    rounds = 1 if size.quick else ROUNDS
    grounds = {
        name: Ground.laid(f"orderlatch_bench_keys_{place}", way, past)
        for place, (name, way) in enumerate(WAYS.items())
    }
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, ground in grounds.items():
            seen[name].append(ground.measure())
    results: dict[str, dict[str, float]] = {}
    for name, ground in grounds.items():
        medians = {key: statistics.median(each[key] for each in seen[name]) for key in seen[name][0]}
        results[name] = medians | {"index_bytes": ground.one(INDEXES) / ground.number}
        ground.session.close()
    heads = ("unique", "us", "WAL bytes", "whole pages", "index bytes", "lookup by hash, us")
    keys = ("us", "wal_bytes", "pages", "index_bytes", "lookup_us")
    print(f"  a new decision over {past:,} older ones, median of {rounds}")
    table(heads, [(name, *(each.get(key, "-") for key in keys)) for name, each in results.items()])
    return {"past": past, "rounds": rounds, "ways": {name: dict(each) for name, each in results.items()}}
