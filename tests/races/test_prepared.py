"""A prepared transaction outlives its session and its server; whoever follows events is given it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import psycopg

    from tests.support.servers import Database, TestServer

pytestmark = pytest.mark.every_major

EVENTS = "select e.cursor, e.caught_up, e.event_id, e.to_status from orderlatch.events_since(%s, %s) as e"
WITHDRAW = "select w.outcome from orderlatch.withdraw_decision(%s, 'changed its mind') as w"


def restart(server: TestServer) -> None:
    server.server.stop("fast")
    server.server.start()


def prepared(database: Database, name: str) -> None:
    """A decision, and its withdrawal in a transaction that is prepared."""
    with database.connect(autocommit=False) as session:
        row = session.execute("select test.given_approved_decision()").fetchone()
        session.commit()
        assert session.execute(WITHDRAW, row).fetchone() == ("withdrawn",)
        session.execute(f"prepare transaction '{name}'".encode())


def read(
    session: psycopg.Connection, cursor: str | None, how_many: int, calls: int | None = None
) -> tuple[str | None, list[str]]:
    """Read on for so many calls, or until nothing is left: the new cursor, and what was given."""
    given: list[str] = []
    caught_up = False
    while not caught_up and calls != 0:
        calls = calls and calls - 1
        for last, is_last, event_id, to_status in session.execute(EVENTS, [cursor, how_many]).fetchall():
            cursor, caught_up = last, is_last
            if event_id is not None:
                given.append(to_status)
    return cursor, given


@pytest.mark.parametrize("how_many", [1, 100])
def test_what_was_prepared_before_a_restart_is_given_once_it_is_committed(
    own_server: TestServer, how_many: int
) -> None:
    own_server.execute("alter system set max_prepared_transactions = 5")
    restart(own_server)
    with own_server.database() as database:
        with database.connect() as session:
            session.execute("select test.given_account('paper')")
        prepared(database, "early")
        prepared(database, "within")
        restart(own_server)
        with database.connect() as session:
            cursor, given = read(session, None, how_many)
            assert given == ["planned", "approved"] * 2
            session.execute("commit prepared 'early'")
            cursor, given = read(session, cursor, how_many)
            assert given == ["withdrawn"]
            # what is committed while a batch is under way belongs to the next
            session.execute("select test.given_approved_decision()")
            cursor, given = read(session, cursor, 1, calls=1)
            session.execute("commit prepared 'within'")
            cursor, later = read(session, cursor, how_many)
            cursor, last = read(session, cursor, how_many)
            assert [*given, *later, *last] == ["planned", "approved", "withdrawn"]
