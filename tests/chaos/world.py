"""A database, a broker and workers between them, all of them processes, for one test."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from tests.chaos.sandbox import KEYS
from tests.support.sessions import Clock, wait_until_blocked
from tests.worker.script import PATIENCE_S, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg
    from psycopg.rows import TupleRow

    from tests.chaos.sandbox import SandboxProcess
    from tests.support.servers import Database

# The waits of the defaults in the same order of size, only shorter. A call has time enough on a busy machine;
# where it has not, that is one more doubt and no failure.
SHORT = {
    "send_within": "700 ms",
    "call_timeout": "1 s",
    "answer_grace": "300 ms",
    "lookup_first_wait": "50 ms",
    "lookup_max_wait": "200 ms",
    "absence_quiet": "300 ms",
    "absence_spacing": "100 ms",
    "backoff_first": "50 ms",
    "backoff_max": "200 ms",
    "throttle_wait": "200 ms",
    "duplicate_alarm_after": "500 ms",
}
# The sandbox has no rate limit either, but in the tests that are about it.
UNLIMITED = {"rate_limit": 1_000_000, "burst": 500_000}
# Only notifications and hints of the database wake a worker: what nobody announces makes a test fail.
NEVER_POLL_MS = 60_000

VERIFIED = """
select count(*)::int from orderlatch_data.worker_accounts as w where w.verified_at is not null
"""
BLOCKED = """
from pg_stat_activity as a where a.datname = current_database() and a.wait_event_type = 'Lock'
"""


class World:
    """One test's world; `close` ends what it has started."""

    def __init__(self, database: Database, sandbox: SandboxProcess, directory: Path) -> None:
        self.database = database
        self.sandbox = sandbox
        self.workers: list[Worker] = []
        self.url: str | None = None
        """What workers connect to, where it is not just the database."""
        self._directory = directory
        self._clock = Clock(database)
        self._numbers = count()
        self._session: psycopg.Connection | None = None

    def account(self, name: str = "paper", **settings: object) -> None:
        """Create an account that nothing is read of, for tests that wait for one call and no other."""
        self.mirrored_account(name, **settings)
        self.run("select test_support.without_mirror(%s)", name)

    def mirrored_account(self, name: str = "paper", **settings: object) -> None:
        """Create an account of the sandbox in the database, without a rate limit unless one is given."""
        known = {"broker_account_id": KEYS[name].broker_account_id, **UNLIMITED, **settings}
        self.run("select orderlatch.create_account(%s, 'paper', %s)", name, json.dumps(known))

    def change_account(self, name: str = "paper", **settings: object) -> None:
        """Change settings of an account."""
        self.run("select orderlatch.update_account(%s, %s)", name, json.dumps(settings))

    def worker(self, *accounts: str, **settings: object) -> Worker:
        """Start a worker for accounts, by default for `paper`; settings are variables without prefix.

        It hears no stream unless told to: that would say at once what most tests want to be found out.
        """
        accounts = accounts or ("paper",)
        variables = {"accounts": ",".join(accounts), "poll_ms": NEVER_POLL_MS, "stream": "off"}
        for name in accounts:
            key = KEYS[name]
            variables |= {f"{name}_key_id": key.key, f"{name}_secret_key": key.secret}
            variables |= {f"{name}_base_url": self.sandbox.url}
        environment = {f"ORDERLATCH_{name.upper()}": str(v) for name, v in {**variables, **settings}.items()}
        url = self.url or self.database.url
        worker = Worker({"DATABASE_URL": url, **environment}, directory=self._directory)
        self.workers.append(worker)
        return worker

    def ready_worker(self, *accounts: str, **settings: object) -> Worker:
        """Start a worker and return once it is verified for its accounts."""
        wanted = self.number(VERIFIED) + max(1, len(accounts))
        worker = self.worker(*accounts, **settings)
        self.wait_until(lambda: self.number(VERIFIED) >= wanted, what="the worker is verified")
        return worker

    def propose(
        self, symbol: str = "GOOG", account: str = "paper", *, status: str = "approved", **members: str
    ) -> str:
        """Propose a decision that risk approves, or that has another status at once; returns its hash."""
        hours, minutes = divmod(next(self._numbers), 60)
        decision = {
            "strategy_id": "chaos",
            "symbol": symbol,
            "event_ts": f"2026-11-23T{hours:02}:{minutes:02}:00Z",
            "timeframe": "1Min",
            "action": "buy",
            "qty": "1",
            "order_type": "market",
            "time_in_force": "day",
            **members,
        }
        query = "select p.decision_hash, p.status from orderlatch.propose_decision(%s, %s) as p"
        [(decision_hash, known)] = self.rows(query, account, json.dumps(decision))
        assert known == status
        return str(decision_hash)

    # --- what the database says ---

    def status(self, decision_hash: str) -> str:
        """The status of a decision."""
        query = "select d.status from orderlatch.decisions as d where d.decision_hash = %s"
        [(status,)] = self.rows(query, decision_hash)
        return str(status)

    def wait_for(self, status: str, *decision_hashes: str) -> None:
        """Return once these decisions have a status."""
        self.wait_until(
            lambda: {*map(self.status, decision_hashes)} == {status}, what=f"decisions are {status}"
        )

    def meanings(self, decision_hash: str, kind: str = "submit_order") -> list[str]:
        """What the answers to a decision's requests were taken to mean, else `lost` or `on its way`."""
        query = """
            select coalesce(w.meaning, split_part(w.state, ':', 1)) from orderlatch.wire as w
            where w.decision_hash = %s and w.kind = %s order by w.claimed_at
        """
        return [str(meaning) for (meaning,) in self.rows(query, decision_hash, kind)]

    def story(self, decision_hash: str) -> list[str]:
        """The statuses that a decision went through."""
        query = (
            "select e.to_status from orderlatch.events as e where e.decision_hash = %s order by e.event_id"
        )
        return [str(status) for (status,) in self.rows(query, decision_hash)]

    def incidents(self) -> list[str]:
        """The kinds of the incidents that are open."""
        return [str(kind) for (kind,) in self.rows("select i.incident from orderlatch.open_incidents as i")]

    def wait_until(self, condition: Callable[[], bool], *, what: str) -> None:
        """Return once the condition holds; else fail and tell all that is known."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"within {PATIENCE_S} s it did not come to this: {what}\n{self._news()}")
            time.sleep(0.01)

    def _news(self) -> str:
        told = """
            select to_char(e.at, 'MI:SS.MS ') || e.story from orderlatch.decisions as d
            cross join lateral orderlatch.explain_decision(d.decision_hash) as e
            where d.status <> 'submitted' order by d.decision_id, e.at
        """
        logs = [worker.log.read_text()[-3000:] for worker in self.workers]
        return "\n".join([*(str(line) for (line,) in self.rows(told)), *logs])

    # --- time, while the database's clock is held ---

    def hold_clock(self) -> None:
        """Let time stand still for the database from now on."""
        self._clock.set()

    def pass_time(self, seconds: float) -> None:
        """Let time pass for broker and database alike."""
        self.sandbox.advance(seconds)
        self._clock.advance(seconds=seconds)

    # --- what holds it up ---

    @contextmanager
    def holding(self, statement: str, *parameters: object) -> Iterator[None]:
        """Hold what a statement locks until the end of the block."""
        with self.database.connect(autocommit=False) as session:
            session.execute(statement.encode(), parameters)
            yield

    @contextmanager
    def claims_held_up(self) -> Iterator[None]:
        """Let each claim stop inside its transaction, where it writes what it grants."""
        with self.holding("lock table orderlatch_data.broker_requests in share mode"):
            yield

    @contextmanager
    def answers_held_up(self, decision_hash: str) -> Iterator[None]:
        """Let the recording of a decision's answers wait, as when another session moves the decision."""
        lock = """
            select pg_advisory_xact_lock(
              orderlatch_data.lock_class('decision'), orderlatch_data.decision_lock_key(decode(%s, 'hex'))
            )
        """
        with self.holding(lock, decision_hash):
            yield

    def wait_until_blocked(self) -> None:
        """Return once a session waits for a lock."""
        wait_until_blocked(self.database, timeout=PATIENCE_S)

    def end_blocked_sessions(self) -> None:
        """End the sessions that wait for a lock; nobody is left to commit what they have done."""
        self.run(f"select pg_terminate_backend(a.pid) {BLOCKED}")
        self.wait_until(lambda: self.number(f"select count(*)::int {BLOCKED}") == 0, what="they are gone")

    def stop_postgres(self, mode: str = "immediate") -> None:
        """Take the server away, by default as a crash does."""
        if self._session is not None:
            self._session.close()
        self.database.server.server.stop(mode)

    def start_postgres(self) -> None:
        """Bring the server back."""
        self.database.server.server.start()

    def move_to(self, database: Database) -> None:
        """Ask another server from now on: the one before is gone."""
        if self._session is not None:
            self._session.close()
        self.database = database
        self._clock = Clock(database)

    # --- means ---

    def run(self, statement: str, *parameters: object) -> None:
        """Run a statement."""
        self._connected().execute(statement.encode(), parameters)

    def rows(self, query: str, *parameters: object) -> list[TupleRow]:
        """Run a query."""
        return self._connected().execute(query.encode(), parameters).fetchall()

    def number(self, query: str, *parameters: object) -> int:
        """Run a query for one number."""
        [(value,)] = self.rows(query, *parameters)
        assert isinstance(value, int)
        return value

    def _connected(self) -> psycopg.Connection:
        if self._session is None or self._session.closed:
            self._session = self.database.connect()
        return self._session

    def close(self) -> None:
        """End every process and session."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()
        if self._session is not None:
            self._session.close()
