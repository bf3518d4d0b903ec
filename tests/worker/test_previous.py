"""A worker and a database of an earlier checkout: upgraded under the worker, which goes on."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import ROOT
from tests.worker.peer import listening_in_a_thread
from tests.worker.script import ORDERLATCH, Worker, wait_until
from tests.worker.test_propose import line, propose
from tests.worker.test_whole_way import OPEN, Broker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers import Database

# The last commit whose tables are those of revision 0011.
PREVIOUS = "bed2a034c5664da3d728d9d27b61a3f3a56fbeee"
REVISION = "select v.version_num from orderlatch_data.alembic_version as v"


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """Worker, functions and revisions of the earlier checkout."""
    place = tmp_path / "previous"
    place.mkdir()
    archive = ["git", "-C", str(ROOT), "archive", PREVIOUS, "worker", "sql", "migrations", "pyproject.toml"]
    packed = subprocess.run(archive, capture_output=True, check=False)
    if packed.returncode != 0:
        pytest.skip("the history of this checkout does not go back so far")
    subprocess.run(["tar", "-x", "-C", str(place)], input=packed.stdout, check=True)
    return place


def migrate(database: Database, **environment: str) -> None:
    given = {"PATH": os.environ["PATH"], "DATABASE_URL": database.url, **environment}
    run = subprocess.run([ORDERLATCH, "migrate"], env=given, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_worker_of_the_version_before_works_on_after_the_database_was_upgraded(
    blank_database: Database, previous: Path, tmp_path: Path
) -> None:
    database = blank_database
    migrate(database, PYTHONPATH=str(previous))
    broker = Broker()
    with database.connect() as session, listening_in_a_thread(broker.script) as peer:
        assert session.execute(REVISION).fetchall() == [("0011",)]
        session.execute("select orderlatch.create_account('paper', 'paper')")
        environment = {
            "PYTHONPATH": str(previous),
            "DATABASE_URL": database.url,
            "ORDERLATCH_ACCOUNTS": "paper",
            "ORDERLATCH_PAPER_BASE_URL": peer.url,
            "ORDERLATCH_STREAM": "off",
            "APCA_API_KEY_ID": "PKTEST",
            "APCA_API_SECRET_KEY": "PKSECRET",
        }
        with Worker(environment, directory=tmp_path) as worker:
            assert propose(database, line(symbol="BEFORE")).returncode == 0
            wait_until(lambda: session.execute(OPEN).fetchone() == (0,), what="it carries on the old tables")
            migrate(database)
            assert session.execute(REVISION).fetchall() != [("0011",)]
            assert propose(database, line(symbol="AFTER")).returncode == 0
            wait_until(lambda: session.execute(OPEN).fetchone() == (0,), what="and on the new ones")
            assert worker.stop() == 0
        assert len(worker.events("worker_registered")) == 1, "in one life"
        assert worker.events("answer_given_up") == []
        broken = "select i.promise from orderlatch.invariants as i where i.violations <> 0"
        assert session.execute(broken).fetchall() == []
        findings = "select v.finding from orderlatch.verify_all() as v where v.what <> 'all'"
        assert session.execute(findings).fetchall() == [], (
            "what was written before verifies by today's functions"
        )
    assert broker.posts == len(broker.orders) == 2, "one order each"
