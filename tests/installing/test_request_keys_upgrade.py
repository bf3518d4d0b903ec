"""Revision 0021 writes the keys of open requests anew: each has one, whoever claims or answers meanwhile."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic import command
from psycopg.conninfo import make_conninfo

from tests.installing.test_signals_upgrade import before as before_0022
from tests.support.sessions import in_background, wait_until_blocked
from worker.applier import File, read_files
from worker.installer import ROOT, alembic_config, apply_beside_work, engine, migrate

if TYPE_CHECKING:
    from uuid import UUID

    from tests.support.servers import Database

pytestmark = pytest.mark.every_major

FILES = read_files(ROOT / "sql")
NEW_KEY, OLD_KEY = b"right(p_request_id::text, 8)", b"left(p_request_id::text, 8)"
REGISTER = """
select orderlatch.register_worker('w', '[{"account": "paper", "environment": "paper"}]', 1)
"""
CLAIM = """
select c.request_id from orderlatch.claim_requests(%s, null, 1) as c where c.request_id is not null
"""
RECORD = "select r.meaning from orderlatch.record_responses(%s) as r"
# open requests, and those whose key is the one that answers make of their id
KEYS = """
select count(*), count(*) filter (where o.lock_key = orderlatch_data.request_lock_key(o.request_id))
  from orderlatch_data.open_requests as o
"""
HOLD = "select pg_advisory_lock(orderlatch_data.lock_class('decision'), orderlatch_data.request_lock_key(%s))"
LOST = "select l.cause from orderlatch_data.lost_requests as l where l.request_id = %s"
VIOLATED = "select i.promise from orderlatch.invariants as i where i.violations <> 0"


def before() -> list[File]:
    """What took the beginning of a request's id as its key."""
    later = before_0022()
    old = [replace(file, content=file.content.replace(NEW_KEY, OLD_KEY)) for file in later]
    assert sum(one != other for one, other in zip(old, later, strict=True)) == 1
    return old


def at_0020(database: Database) -> None:
    """An installation from before, with an account of which nobody knows yet whose it is."""
    upgrade(database, "0020")
    with psycopg.connect(database.url, autocommit=True) as session:
        apply_beside_work(session, before())
        session.execute("select orderlatch.create_account('paper', 'paper')")


def upgrade(database: Database, revision: str) -> None:
    with engine(database.url).begin() as own:
        own.exec_driver_sql("create schema if not exists orderlatch_data")
        command.upgrade(alembic_config(own), revision)


def register(session: psycopg.Connection) -> int:
    row = session.execute(REGISTER).fetchone()
    assert row is not None
    return int(row[0])


def claim(session: psycopg.Connection, worker: int) -> UUID | None:
    """What is granted first is the question whose account it is: a request without a decision."""
    row = session.execute(CLAIM, [worker]).fetchone()
    return None if row is None else row[0]


def record(session: psycopg.Connection, request_id: UUID) -> str:
    body = base64.b64encode(b'{"id": "paper-id", "status": "ACTIVE"}').decode()
    answer = {"request_id": str(request_id), "sent": "yes", "status": 200, "body": body, "elapsed_ms": 1}
    row = session.execute(RECORD, [json.dumps([answer])]).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_what_is_granted_before_the_upgrade_commits_has_its_new_key(
    blank_database: Database, isolation: str
) -> None:
    at_0020(blank_database)
    default = isolation.replace(" ", "\\ ")
    url = make_conninfo(blank_database.url, options=f"-c default_transaction_isolation={default}")
    with blank_database.connect() as life, blank_database.connect(autocommit=False) as claiming:
        worker = register(life)
        request_id = claim(claiming, worker)
        assert request_id is not None
        upgrading = in_background(lambda: migrate(url, FILES, str))
        wait_until_blocked(blank_database)
        claiming.commit()
        upgrading.result(timeout=60)
        assert life.execute(KEYS).fetchone() == (1, 1)
        assert record(life, request_id) == "account_verified"
        assert life.execute(VIOLATED).fetchall() == []


def test_what_is_granted_while_the_upgrade_is_under_way_has_its_new_key(blank_database: Database) -> None:
    at_0020(blank_database)
    with blank_database.connect() as life, blank_database.connect() as claiming:
        worker = register(life)
        with engine(blank_database.url).begin() as own:
            command.upgrade(alembic_config(own), "0021")
            late = in_background(lambda: claim(claiming, worker))
            wait_until_blocked(blank_database, claiming)
        assert late.result(timeout=30) is not None
        assert life.execute(KEYS).fetchone() == (1, 1)


@pytest.mark.parametrize("sweeps", [False, True], ids=["answered", "given up"])
def test_an_answer_that_has_made_its_key_before_the_upgrade_is_recorded_once(
    blank_database: Database, sweeps: bool
) -> None:
    """It is not guarded by the new key; then the row of the request decides who was first."""
    at_0020(blank_database)
    with (
        blank_database.connect() as holder,
        blank_database.connect() as other,
        blank_database.connect() as answering,
    ):
        with blank_database.connect() as life:
            request_id = claim(life, register(life))
        assert request_id is not None
        holder.execute(HOLD, [request_id])
        late = in_background(lambda: record(answering, request_id))
        wait_until_blocked(blank_database, answering)
        upgrade(blank_database, "0021")
        if sweeps:
            claim(other, register(other))
            assert other.execute(LOST, [request_id]).fetchall() == [("worker_gone",)]
        holder.execute("select pg_advisory_unlock_all()")
        assert late.result(timeout=30) == "account_verified"
        assert other.execute(LOST, [request_id]).fetchall() == ([("worker_gone",)] if sweeps else [])
        assert other.execute(VIOLATED).fetchall() == []
