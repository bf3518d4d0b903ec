"""What the races share: sessions that keep a lock, rivals that run into it, and the books afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from tests.races.books import PROMISES
from tests.support.sessions import in_background, wait_until_blocked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    import psycopg

    from tests.support.servers import Database
    from tests.support.sessions import Connect

HOLD = "select pg_advisory_xact_lock(orderlatch_data.lock_class(%s), %s::integer)"
KEY = "select orderlatch_data.decision_lock_key(decode(%s, 'hex'))"
PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Session:
    """One session of the test's database."""

    connection: psycopg.Connection

    def rows(self, query: str, *arguments: object) -> list[tuple[object, ...]]:
        """Every row that a query gives."""
        return self.connection.execute(query.encode(), arguments or None).fetchall()

    def value(self, query: str, *arguments: object) -> object:
        """The first column of the one row that a query gives."""
        (row,) = self.rows(query, *arguments)
        return row[0]

    def number(self, query: str, *arguments: object) -> int:
        """The same, of a query that counts."""
        value = self.value(query, *arguments)
        assert isinstance(value, int)
        return value

    def text(self, query: str, *arguments: object) -> str:
        """The same, of a query that gives a text."""
        value = self.value(query, *arguments)
        assert isinstance(value, str)
        return value

    def commit(self) -> None:
        self.connection.commit()

    def rollback(self) -> None:
        self.connection.rollback()

    def hold_decision(self, decision_hash: str) -> Self:
        """Take the lock of a decision, as any function that moves it does."""
        self.rows(HOLD, "decision", self.value(KEY, decision_hash))
        return self

    def hold_account(self, purpose: str, account: str = "paper") -> Self:
        """Take an account's lock for judging, granting or answering."""
        self.rows(HOLD, purpose, self.value("select test.account_id(%s)", account))
        return self


@dataclass(frozen=True, slots=True)
class Scene:
    """A database in which sessions meet, and one verified life of a worker for its account `paper`."""

    database: Database
    connect: Connect
    ground: Session
    worker: int

    @classmethod
    def set(cls, database: Database, connect: Connect) -> Self:
        """Create the account and its worker; the ground session is the worker's listening connection."""
        ground = Session(connect())
        ground.rows("select test.given_account()")
        return cls(database, connect, ground, ground.number("select test.given_worker()"))

    def session(self) -> Session:
        """A session in which each statement is a transaction of its own."""
        return Session(self.connect())

    def transaction(self) -> Session:
        """A session whose transaction stays open until the test ends it."""
        return Session(self.connect(autocommit=False))

    def hasty(self) -> Session:
        """A session that fails at once where it would have to wait for a lock."""
        session = self.session()
        session.rows("select set_config('lock_timeout', '1ms', false)")
        return session

    def blocked(self, query: str, *arguments: object) -> Future[list[tuple[object, ...]]]:
        """Run a query in a session of its own, and return once it waits for a lock."""
        session = self.session()
        rival = in_background(lambda: session.rows(query, *arguments))
        try:
            wait_until_blocked(self.database, session.connection)
        except AssertionError:
            if rival.done():
                raise AssertionError(f"it did not wait: {rival.result()}") from None
            raise
        return rival

    def status(self, decision_hash: str) -> str:
        """Where a decision stands."""
        return self.ground.text("select test.status(%s)", decision_hash)

    def moves(self, decision_hash: str) -> list[str]:
        """The moves that a decision has made, oldest first."""
        moves = self.ground.value("select test.moves(%s)", decision_hash)
        assert isinstance(moves, list)
        return moves

    def given(self, status: str, members: str = "{}") -> str:
        """Bring a decision into a status, each with a symbol of its own; its hash."""
        return self.ground.text("select test.given_decision_in(%s, %s, %s)", status, self.worker, members)

    def claim(self, session: Session, worker: int | None = None, account: str = "paper") -> list[str]:
        """The kinds of the calls that a claim is granted for one account, most urgent first."""
        query = (
            "select c.kind from orderlatch.claim_requests(%s, array[%s], 1000) as c where c.kind is not null"
        )
        return [str(kind) for (kind,) in session.rows(query, worker or self.worker, account)]

    def ask_again_ms(self, session: Session) -> object:
        """When a claim that is granted nothing is told to ask again."""
        query = "select c.kind, c.ask_again_ms from orderlatch.claim_requests(%s, '{paper}', 1000) as c"
        ((kind, ask_again_ms),) = session.rows(query, self.worker)
        assert kind is None
        return ask_again_ms

    def lock_key(self, decision_hash: str) -> int:
        """The key of a decision's lock: locks are taken in the order of their keys."""
        return self.ground.number(KEY, decision_hash)

    def holder(self, decision_hash: str) -> object:
        """The newest submit request of a decision."""
        return self.ground.value("select test.holder(%s)", decision_hash)

    def rows_everywhere(self) -> Mapping[str, int]:
        """How many rows each table has."""
        tables = "select t.tablename from pg_tables as t where t.schemaname = 'orderlatch_data'"
        names = [str(name) for (name,) in self.ground.rows(tables)]
        return {name: self.ground.number(f"select count(*) from orderlatch_data.{name}") for name in names}

    def revive(self) -> Scene:
        """The same scene for a ground session that lives, after every connection was dropped."""
        return replace(self, ground=self.session())

    def violations(self) -> Mapping[str, int]:
        """The promises that do not hold, by the tables and by the view `invariants`."""
        broken = {promise: self.ground.number(query) for promise, query in PROMISES.items()}
        view = "select i.promise, i.violations::integer from orderlatch.invariants as i"
        broken |= {f"view: {promise}": int(str(count)) for promise, count in self.ground.rows(view)}
        return {promise: count for promise, count in broken.items() if count != 0}


def only(rival: Future[list[tuple[object, ...]]]) -> tuple[object, ...]:
    """The one row that a rival came back with."""
    (row,) = rival.result(timeout=PATIENCE_S)
    return row
