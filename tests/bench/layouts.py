"""What brings a job from nothing to done in three steps: put in, take, finish. Here the layouts by hand.

`floor` and `wide` are what a careful person writes: one row a job with a payload of 600 bytes. `floor` keeps
the work in a narrow row beside the wide one, `wide` updates the wide row. The real thing is in orderlatch.py,
the peers are in queues.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import psycopg

from tests.bench.ground import blank_database

PAYLOAD = "x" * 600

BY_HAND = """
create schema by_hand;
create table by_hand.wide_jobs (
  job_id bigint generated always as identity primary key,
  key text not null unique,
  payload text not null,
  status text not null default 'ready',
  answer text,
  taken_at timestamptz,
  finished_at timestamptz
);
create index on by_hand.wide_jobs (job_id) where status = 'ready';
create table by_hand.jobs (
  job_id bigint generated always as identity primary key, key text not null unique, payload text not null
);
create table by_hand.work (
  job_id bigint primary key, status text not null default 'ready'
) with (fillfactor = 50);
create table by_hand.answers (
  job_id bigint primary key, answer text not null, finished_at timestamptz not null
);
"""


class Layout(Protocol):
    """Something that can live many lives over each of several connections; `lane` keeps those apart."""

    def create(self, lanes: int) -> str:
        """Make a database with what the layout needs, and return its URL."""

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Prepare a connection."""

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> int:
        """Put in `many` jobs, numbered from `first`, take and finish as many; how many were finished."""


@dataclass(slots=True)
class ByHand:
    """What both layouts by hand have in common."""

    def create(self, lanes: int) -> str:  # noqa: ARG002
        """Create the tables."""
        url = blank_database("orderlatch_bench_by_hand")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(BY_HAND)
        return url

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Nothing to prepare."""


@dataclass(slots=True)
class Floor(ByHand):
    """By hand: wide rows written once, a narrow row that changes and goes."""

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> int:
        """Insert, claim with skip locked, finish."""
        connection.execute(
            "with put as (insert into by_hand.jobs (key, payload)"
            " select %s || '-' || n, %s from generate_series(%s::bigint, %s) as n returning job_id)"
            " insert into by_hand.work (job_id) select job_id from put",
            [str(lane), PAYLOAD, first, first + many - 1],
        )
        taken = connection.execute(
            "update by_hand.work set status = 'taken' where job_id in (select job_id from by_hand.work"
            " where status = 'ready' order by job_id limit %s for update skip locked) returning job_id",
            [many],
        ).fetchall()
        connection.execute(
            "with done as (delete from by_hand.work where job_id = any(%s) returning job_id)"
            " insert into by_hand.answers select job_id, %s, clock_timestamp() from done",
            [[job for (job,) in taken], PAYLOAD],
        )
        return len(taken)


@dataclass(slots=True)
class Wide(ByHand):
    """By hand: one wide row that is updated twice."""

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> int:
        """Insert, claim with skip locked, finish."""
        connection.execute(
            "insert into by_hand.wide_jobs (key, payload)"
            " select %s || '-' || n, %s from generate_series(%s::bigint, %s) as n",
            [str(lane), PAYLOAD, first, first + many - 1],
        )
        taken = connection.execute(
            "update by_hand.wide_jobs set status = 'taken', taken_at = clock_timestamp()"
            " where job_id in (select job_id from by_hand.wide_jobs"
            " where status = 'ready' order by job_id limit %s for update skip locked) returning job_id",
            [many],
        ).fetchall()
        connection.execute(
            "update by_hand.wide_jobs set status = 'done', answer = %s, finished_at = clock_timestamp()"
            " where job_id = any(%s)",
            [PAYLOAD, [job for (job,) in taken]],
        )
        return len(taken)
