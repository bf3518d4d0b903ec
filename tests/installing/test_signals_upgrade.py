"""Revision 0022 writes the keys of live signals anew: nothing is forgotten, not even what comes meanwhile."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic import command
from psycopg.conninfo import make_conninfo

from tests.support.before import as_before
from tests.support.sessions import in_background, wait_until_blocked
from worker.applier import File, read_files
from worker.installer import ROOT, alembic_config, apply_beside_work, engine, migrate, upgrade

if TYPE_CHECKING:
    from tests.support.servers import Database

pytestmark = pytest.mark.every_major

FILES = read_files(ROOT / "sql")
NEW_KEY = b"lpad(to_hex(floor(extract(epoch from p_event_ts))::bigint + 62135596800), 10, '0')\n    || "
DECISION = {
    "strategy_id": "s", "symbol": "GOOG", "event_ts": "2026-02-08T14:30:00.75Z", "timeframe": "1Min",
    "action": "buy", "qty": "1",
}  # fmt: skip
PROPOSE = "select p.outcome, p.status from orderlatch.propose_decision('paper', %s) as p"
KEYS = "select g.signal_key::text from orderlatch_data.live_signals as g order by g.decision_id"
OF_ITS_FUNCTION = """
select count(*)
  from orderlatch_data.trade_decisions as d
  join orderlatch_data.live_signals as g on g.decision_id = d.decision_id
   and g.signal_key = orderlatch_data.signal_key(
         d.account_id, d.strategy_id, d.symbol, d.timeframe, d.event_ts, d.leg
       )
"""


def before() -> list[File]:
    """What installed 16 bytes of the hash as the key."""
    old = [
        replace(file, content=file.content.replace(NEW_KEY, b"").replace(b"1, 11)", b"1, 16)"))
        for file in as_before(FILES)
    ]
    assert sum(one != other for one, other in zip(old, as_before(FILES), strict=True)) == 1
    return old


def at_0021(database: Database) -> None:
    """An installation from before, with an account where a signal may have one decision."""
    with engine(database.url).begin() as own:
        own.exec_driver_sql("create schema orderlatch_data")
        command.upgrade(alembic_config(own), "0021")
    with psycopg.connect(database.url, autocommit=True) as session:
        apply_beside_work(session, before())
    with database.connect() as session:
        session.execute("select orderlatch.create_account('paper', 'paper')")


def propose(session: psycopg.Connection, qty: str, symbol: str = "GOOG") -> tuple[str, str]:
    decision = json.dumps({**DECISION, "qty": qty, "symbol": symbol})
    row = session.execute(PROPOSE, [decision]).fetchone()
    assert row is not None
    return row[0], row[1]


def test_the_keys_are_written_anew_and_back(blank_database: Database) -> None:
    at_0021(blank_database)
    with blank_database.connect() as session:
        assert propose(session, "1") == ("created", "approved")
        old = session.execute(KEYS).fetchall()
        migrate(blank_database.url, FILES, str)
        assert session.execute(KEYS).fetchall() != old
        assert session.execute(OF_ITS_FUNCTION).fetchone() == (1,)
        with engine(blank_database.url).begin() as own:
            command.downgrade(alembic_config(own), "0021")
        assert session.execute(KEYS).fetchall() == old
        assert session.execute(OF_ITS_FUNCTION).fetchone() == (1,), "the function of before is back with them"


@pytest.mark.parametrize("first", ["the upgrade", "the proposal"])
def test_a_signal_that_is_decided_during_the_upgrade_is_decided_once(
    blank_database: Database, first: str
) -> None:
    """One is being proposed; the upgrade and another decision for the same signal come to wait for it."""
    at_0021(blank_database)
    with (
        blank_database.connect(autocommit=False) as holder,
        blank_database.connect() as other,
    ):
        assert propose(holder, "1") == ("created", "approved")
        steps = [lambda: upgrade(blank_database.url, "0021"), lambda: propose(other, "2")]
        waiting = []
        for step in steps if first == "the upgrade" else reversed(steps):
            waiting.append(in_background(step))
            wait_until_blocked(blank_database, waiting=len(waiting))
        holder.commit()
        results = [each.result(timeout=30) for each in waiting]
        assert ("conflict", "rejected") in results
        # between its revisions and the files that come with them
        assert propose(other, "3") == ("conflict", "rejected")
        assert other.execute(OF_ITS_FUNCTION).fetchone() == (1,)
        migrate(blank_database.url, FILES, str)
        assert propose(other, "4") == ("conflict", "rejected")


def test_a_signal_that_is_decided_before_the_upgrade_commits_has_its_new_key(
    blank_database: Database,
) -> None:
    at_0021(blank_database)
    with blank_database.connect() as session:
        assert propose(session, "1") == ("created", "approved")
        with engine(blank_database.url).begin() as own:
            command.upgrade(alembic_config(own), "head")
            late = in_background(lambda: propose(session, "2", "MSFT"))
            wait_until_blocked(blank_database, session)
        assert late.result(timeout=30) == ("created", "approved")
        assert session.execute(OF_ITS_FUNCTION).fetchone() == (2,)
        assert propose(session, "3", "MSFT") == propose(session, "3") == ("conflict", "rejected")


def test_whoever_upgrades_by_default_in_repeatable_read_forgets_nothing(blank_database: Database) -> None:
    """What commits while the upgrade waits for its locks is rewritten, too."""
    at_0021(blank_database)
    repeatable = make_conninfo(
        blank_database.url, options="-c default_transaction_isolation=repeatable\\ read"
    )
    with blank_database.connect(autocommit=False) as holder:
        assert propose(holder, "1") == ("created", "approved")
        upgrading = in_background(lambda: migrate(repeatable, FILES, str))
        wait_until_blocked(blank_database)
        holder.commit()
        upgrading.result(timeout=60)
    with blank_database.connect() as session:
        assert propose(session, "2") == ("conflict", "rejected")
        assert session.execute(OF_ITS_FUNCTION).fetchone() == (1,)


def test_work_that_holds_what_the_upgrade_wants_and_wants_what_it_holds_ends_neither_for_good(
    blank_database: Database,
) -> None:
    """An answer writes decisions and reads accounts, the revisions lock them in the other order."""
    at_0021(blank_database)
    with blank_database.connect(autocommit=False) as answering:
        answering.execute("lock table orderlatch_data.open_decisions in row exclusive mode")
        upgrading = in_background(lambda: migrate(blank_database.url, FILES, str))
        wait_until_blocked(blank_database)
        with suppress(psycopg.errors.DeadlockDetected):
            answering.execute("select count(*) from orderlatch_data.accounts")
        answering.rollback()
        upgrading.result(timeout=60)
    with blank_database.connect() as session:
        assert propose(session, "1") == ("created", "approved")
        assert session.execute(OF_ITS_FUNCTION).fetchone() == (1,)
