"""The layouts that are compared, each as three steps: put in, take, finish.

`floor` and `wide` are what a careful person writes by hand: one row a job with a payload of 600 bytes.
`floor` keeps the work in a narrow row beside the wide one, `wide` updates the wide row. `orderlatch` is the
real thing: it also judges the decision by its limits, journals each move, keeps request and answer, and
guards signal and id.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import psycopg

PAYLOAD = "x" * 600

BY_HAND = """
drop schema if exists by_hand cascade;
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
    """Something that can live many lives over one connection; `lane` keeps connections apart."""

    def prepare(self, connection: psycopg.Connection, lanes: int) -> None:
        """Make what the layout needs; called once."""

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Prepare a connection."""

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> None:
        """Bring `many` jobs, numbered from `first`, from nothing to done."""


@dataclass(slots=True)
class Floor:
    """By hand: wide rows written once, a narrow row that changes and goes."""

    def prepare(self, connection: psycopg.Connection, lanes: int) -> None:  # noqa: ARG002
        """Create the tables."""
        connection.execute(BY_HAND)

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Nothing to prepare."""

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> None:
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


@dataclass(slots=True)
class Wide:
    """By hand: one wide row that is updated twice."""

    def prepare(self, connection: psycopg.Connection, lanes: int) -> None:  # noqa: ARG002
        """Create the tables."""
        connection.execute(BY_HAND)

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Nothing to prepare."""

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> None:
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


@dataclass(slots=True)
class Orderlatch:
    """Propose, claim, record: an account for each connection, a symbol for each decision of a batch."""

    workers: dict[int, int] = field(default_factory=dict)

    def prepare(self, connection: psycopg.Connection, lanes: int) -> None:
        """Create the accounts, with two limits each."""
        for lane in range(lanes):
            account = f"bench-{lane}"
            settings = json.dumps({"max_in_doubt": 1000})
            connection.execute("select orderlatch.create_account(%s, 'paper', %s)", [account, settings])
            # No part of a life: the reads that every account has once a minute, whatever it trades.
            connection.execute("update orderlatch_data.broker_reads set next_page_at = 'infinity'")
            connection.execute("delete from orderlatch_data.read_wishes")
            connection.execute("update orderlatch_data.account_states set reconcile_after = null")
            connection.execute("select orderlatch.set_limit('order_quantity', 1000, %s)", [account])
            connection.execute("select orderlatch.set_limit('order_notional', 100000, %s)", [account])

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Register a worker on the connection and verify it."""
        accounts = json.dumps([{"account": f"bench-{lane}", "environment": "paper"}])
        row = connection.execute("select orderlatch.register_worker('bench', %s, 1)", [accounts]).fetchone()
        assert row is not None
        self.workers[lane] = row[0]
        ((request_id, _),) = self._claim(connection, lane, 1)
        self._record(connection, [self._answer(request_id, {"id": f"broker-account-{lane}"})])

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> None:
        """One call for each step, as a strategy and a worker make them."""
        decisions = [
            {
                "strategy_id": "bench",
                "symbol": f"S{number - first}",
                "event_ts": "2026-11-20T21:00:00Z",
                "timeframe": "1Min",
                "leg": str(number),
                "action": "buy",
                "qty": "10",
                "order_type": "limit",
                "limit_price": "185.02",
                "params": {"fast": 10, "slow": 30, "note": PAYLOAD[:300]},
            }
            for number in range(first, first + many)
        ]
        connection.execute(
            "select p.outcome from orderlatch.propose_decisions(%s, %s) as p",
            [f"bench-{lane}", json.dumps(decisions)],
        )
        answers = []
        for request_id, body in self._claim(connection, lane, many):
            order = json.loads(body)
            order |= {"id": str(request_id), "status": "new", "filled_qty": "0", "note": PAYLOAD[:300]}
            answers.append(self._answer(request_id, order))
        assert len(answers) == many, f"{len(answers)} of {many} were granted"
        self._record(connection, answers)

    def _claim(self, connection: psycopg.Connection, lane: int, many: int) -> list[tuple[object, str]]:
        return connection.execute(
            "select c.request_id, c.body from orderlatch.claim_requests(%s, %s, %s) as c"
            " where c.request_id is not null",
            [self.workers[lane], [f"bench-{lane}"], many],
        ).fetchall()

    @staticmethod
    def _answer(request_id: object, document: dict[str, object]) -> dict[str, object]:
        return {
            "request_id": str(request_id),
            "sent": "yes",
            "status": 200,
            "headers": {"x-request-id": "0123456789abcdef0123456789abcdef"},
            "body": base64.b64encode(json.dumps(document).encode()).decode(),
            "elapsed_ms": 12,
        }

    @staticmethod
    def _record(connection: psycopg.Connection, answers: list[dict[str, object]]) -> None:
        connection.execute(
            "select r.meaning from orderlatch.record_responses(%s) as r", [json.dumps(answers)]
        )
