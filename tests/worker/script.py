"""A database that plays a script (scripted.sql), and a worker process beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, args_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

ORDERLATCH = Path(sys.executable).with_name("orderlatch")
PATIENCE_S = 60.0  # only a test that fails waits so long; a busy machine takes 20 s to start a worker


def wait_until(condition: Callable[[], bool], *, what: str) -> None:
    """Return once the condition holds; fail when it does not come to that."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"within {PATIENCE_S} s it did not come to this: {what}")


@dataclass(frozen=True, slots=True)
class Script:
    """The scripted database, seen by the test."""

    url: str

    def install(self) -> Self:
        """Load scripted.sql."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(Path(__file__).with_name("scripted.sql").read_bytes())
        return self

    def rows(self, query: str, *parameters: object) -> list[TupleRow]:
        """Run a query."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def run(self, statement: str, *parameters: object) -> None:
        """Run a statement."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode(), parameters)

    @contextmanager
    def holding(self, statement: str) -> Iterator[None]:
        """Hold what a statement locks until the end of the block."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode())
            yield

    def number(self, query: str, *parameters: object) -> int:
        """Run a query for one number."""
        [(value,)] = self.rows(query, *parameters)
        assert isinstance(value, int)
        return value

    def ask_for(self, count: int = 1, *, notify: bool = True, **columns: object) -> list[UUID]:
        """Put requests up for claiming, all alike, and say so."""
        names, values = ", ".join(columns), list(columns.values())
        marks = ", ".join(["%s"] * len(values))
        insert = f"insert into script.requests ({names}) values ({marks}) returning request_id::text"
        if not columns:
            insert = "insert into script.requests default values returning request_id::text"
        with (
            psycopg.connect(self.url) as connection,
            connection.cursor(row_factory=args_row(UUID)) as cursor,
        ):
            made = [request for _ in range(count) for request in cursor.execute(insert.encode(), values)]
            if notify:
                connection.execute("notify orderlatch, 'paper'")
        return made

    def answers(self) -> dict[UUID, Mapping[str, object]]:
        """All answers recorded so far, by request."""
        return dict(self.rows("select a.request_id, a.answer from script.answers as a"))

    def wait_for_answers(self, requests: Sequence[UUID]) -> dict[UUID, Mapping[str, object]]:
        """Return all answers once each of these requests has one."""
        wait_until(lambda: set(requests) <= set(self.answers()), what=f"{len(requests)} answers recorded")
        return self.answers()

    def wait_for_worker(self, count: int = 1) -> int:
        """Return the id of the newest worker life once there were so many, and it has claimed."""
        claimed = (
            "select count(distinct c.worker_id)::int from script.claims as c "
            "join script.workers as w using (worker_id)"
        )
        wait_until(lambda: self.number(claimed) >= count, what=f"{count} worker lives have claimed")
        return self.number("select max(w.worker_id) from script.workers as w")


class Worker:
    """The real command `orderlatch worker` as a process."""

    def __init__(self, environment: Mapping[str, str], *, directory: Path) -> None:
        self.log = directory / f"worker-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(ORDERLATCH), "worker"],
                env={"PATH": os.environ["PATH"], **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    def events(self, name: str) -> list[Mapping[str, object]]:
        """All log lines of one event so far. Every line must be JSON."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["event"] == name]

    def wait_for(self, event: str, count: int = 1) -> None:
        """Return once the log has so many lines of an event."""
        wait_until(lambda: len(self.events(event)) >= count, what=f"{count} x {event} in\n{self.log}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask for an orderly stop and return the exit status."""
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)
