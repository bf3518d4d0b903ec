"""How a job is put into each system that picks up: one statement, one commit, the key that it is known by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from psycopg import ClientCursor

from tests.bench import peers
from tests.bench.layouts import PAYLOAD
from tests.bench.orderlatch import a_decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

PGQUEUER = """
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
print(QueryQueueBuilder().build_enqueue_query('raise'))
"""


class Put(Protocol):
    """A way in."""

    def prepare(self, connection: psycopg.Connection) -> None:
        """Called once for each session."""

    def put(self, connection: psycopg.Connection, number: int) -> str:
        """Put one job in, committed; its key."""


class Ours:
    """propose_decision: the key is the hash, which is the order's client_order_id."""

    def prepare(self, connection: psycopg.Connection) -> None:
        """Nothing."""

    def put(self, connection: psycopg.Connection, number: int) -> str:
        """One symbol in forty."""
        row = connection.execute(
            "select p.decision_hash, p.status from orderlatch.propose_decision('paper', %s) as p",
            [json.dumps(a_decision(number, f"S{number % 40}"))],
        ).fetchone()
        assert row is not None
        assert row[1] == "approved", row
        return str(row[0])


class Bare:
    """Two rows by hand, and a notice."""

    def prepare(self, connection: psycopg.Connection) -> None:
        """Nothing."""

    def put(self, connection: psycopg.Connection, number: int) -> str:
        """A wide row, a narrow one."""
        connection.execute(
            "with put as (insert into by_hand.jobs (key, payload) values (%s, %s) returning job_id),"
            " ready as (insert into by_hand.work (job_id) select job_id from put)"
            " select pg_notify('bare', '')",
            [f"job-{number}", PAYLOAD],
        )
        return f"job-{number}"


class Procrastinate:
    """Its function to defer jobs, whose trigger notifies."""

    def prepare(self, connection: psycopg.Connection) -> None:
        """Nothing."""

    def put(self, connection: psycopg.Connection, number: int) -> str:
        """One job."""
        connection.execute(
            "select procrastinate_defer_jobs_v1(array[row('default', 'noop', 0, null, null, %s::jsonb, null)"
            "::procrastinate_job_to_defer_v1])",
            [json.dumps({"key": f"job-{number}"})],
        )
        return f"job-{number}"


class Pgqueuer:
    """The statement that its own client sends."""

    def prepare(self, connection: psycopg.Connection) -> None:
        """Prepare it once, as its client does."""
        connection.execute(f"prepare put as {peers.ask(PGQUEUER)}".encode())

    def put(self, connection: psycopg.Connection, number: int) -> str:
        """One job."""
        ClientCursor(connection).execute(
            "execute put(array[0], array['noop'], array[%s::bytea], array['0'::interval], array[null::text],"
            " array['{}'::jsonb])",
            [f"job-{number}".encode()],
        )
        return f"job-{number}"


class Graphile:
    """Its function add_job, which notifies."""

    def prepare(self, connection: psycopg.Connection) -> None:
        """Nothing."""

    def put(self, connection: psycopg.Connection, number: int) -> str:
        """One job."""
        connection.execute(
            "select graphile_worker.add_job('noop', json_build_object('key', %s::text))", [f"job-{number}"]
        )
        return f"job-{number}"


PUTTERS: Mapping[str, Put] = {
    "orderlatch": Ours(),
    "bare": Bare(),
    "procrastinate": Procrastinate(),
    "pgqueuer": Pgqueuer(),
    "graphile-worker": Graphile(),
}
