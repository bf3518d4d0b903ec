"""The peers as layouts: their own SQL functions to put in, take and finish, in bulk where they have it.

They do less than a decision's life does: a job comes, is taken and is done. Each is set up as its
documentation says, in a fresh database for each round, with the same payload.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.bench.ground import blank_database
from tests.bench.layouts import PAYLOAD
from tests.bench.peers import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.rows import TupleRow

DOCUMENT = json.dumps({"payload": PAYLOAD})


def installed(peer: str, *statements: str) -> str:
    """A database with a peer in it."""
    url = blank_database(f"orderlatch_bench_{peer}")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (schema(peer), *statements):
            connection.execute(statement.encode())
    return url


def ids(rows: Sequence[TupleRow]) -> list[object]:
    """The first column."""
    return [row[0] for row in rows]


@dataclass(slots=True)
class Pgmq:
    """send, read, archive: what is done stays in the archive."""

    def create(self, lanes: int) -> str:  # noqa: ARG002
        """Install, and create a queue."""
        return installed("pgmq", "select pgmq.create('bench')")

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Nothing to prepare."""

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> int:  # noqa: ARG002
        """One call for each step."""
        if many == 1:
            connection.execute("select pgmq.send('bench', %s::jsonb)", [DOCUMENT])
        else:
            connection.execute("select pgmq.send_batch('bench', %s::jsonb[])", [[DOCUMENT] * many])
        taken = ids(
            connection.execute(
                "select m.msg_id, m.message from pgmq.read('bench', 30, %s) as m", [many]
            ).fetchall()
        )
        if many == 1 and taken:
            connection.execute("select pgmq.archive('bench', %s::bigint)", taken)
        else:
            connection.execute("select pgmq.archive('bench', %s::bigint[])", [taken])
        return len(taken)


@dataclass(slots=True)
class Procrastinate:
    """Defer, fetch, finish: the latter one job a call, so a batch is many calls in one statement."""

    workers: dict[int, int] = field(default_factory=dict)

    def create(self, lanes: int) -> str:  # noqa: ARG002
        """Install."""
        return installed("procrastinate")

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Register a worker."""
        row = connection.execute("select w.worker_id from procrastinate_register_worker_v1() as w").fetchone()
        assert row is not None
        self.workers[lane] = row[0]

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> int:  # noqa: ARG002
        """One statement for each step."""
        connection.execute(
            "select procrastinate_defer_jobs_v1(array(select"
            " row('bench', 'noop', 0, null, null, %s::jsonb, null)::procrastinate_job_to_defer_v1"
            " from generate_series(1, %s)))",
            [DOCUMENT, many],
        )
        rows = connection.execute(
            "select (procrastinate_fetch_job_v2(null, %s)).id from generate_series(1, %s)",
            [self.workers[lane], many],
        ).fetchall()
        taken = [job for job in ids(rows) if job is not None]
        connection.execute(
            "select procrastinate_finish_job_v1(j, 'succeeded', false) from unnest(%s::bigint[]) as j",
            [taken],
        )
        return len(taken)


@dataclass(slots=True)
class Absurd:
    """Spawn, claim, complete: it claims in bulk, the rest is one job a call."""

    def create(self, lanes: int) -> str:  # noqa: ARG002
        """Install, and create a queue."""
        return installed("absurd", "select absurd.create_queue('bench', 'unpartitioned')")

    def enter(self, connection: psycopg.Connection, lane: int) -> None:
        """Nothing to prepare."""

    def live(self, connection: psycopg.Connection, lane: int, first: int, many: int) -> int:  # noqa: ARG002
        """One statement for each step."""
        connection.execute(
            "select absurd.spawn_task('bench', 'noop', %s::jsonb) from generate_series(1, %s)",
            [DOCUMENT, many],
        )
        taken = ids(
            connection.execute(
                "select c.run_id, c.params from absurd.claim_task('bench', %s, 30, %s) as c",
                [str(lane), many],
            ).fetchall()
        )
        connection.execute(
            "select absurd.complete_run('bench', r, %s::jsonb) from unnest(%s::uuid[]) as r",
            [DOCUMENT, taken],
        )
        return len(taken)
