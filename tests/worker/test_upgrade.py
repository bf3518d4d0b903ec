"""A worker that runs while the database under it is upgraded: it goes on, or is refused in clear words."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.sessions import in_background
from tests.worker.peer import listening_in_a_thread
from tests.worker.script import Worker, wait_until
from tests.worker.test_propose import DECISION
from tests.worker.test_whole_way import OPEN, Broker
from tests.worker.world import LISTENERS
from worker.applier import File, read_files
from worker.installer import ROOT, apply_beside_work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Database
    from tests.support.sessions import Connect

FILES = read_files(ROOT / "sql")
SUBMITTED = "select count(*)::int from orderlatch.decisions as d where d.status = 'submitted'"
TRIES = 10


@contextmanager
def a_worker(
    session: psycopg.Connection, database: Database, broker: Broker, place: Path
) -> Iterator[Worker]:
    """A worker of the account paper, with rights of its own, that carries."""
    database.server.ensure_login("upgraded_under", "orderlatch_worker")
    settings = '{"rate_limit": 100000, "burst": 1000}'
    session.execute("select orderlatch.create_account('paper', 'paper', %s)", [settings])
    session.execute("select orderlatch.bind_login('upgraded_under', 'paper')")
    with listening_in_a_thread(broker.script) as peer:
        environment = {
            "DATABASE_URL": database.server.url(database.name, "upgraded_under"),
            "ORDERLATCH_ACCOUNTS": "paper",
            "ORDERLATCH_PAPER_BASE_URL": peer.url,
            "ORDERLATCH_STREAM": "off",
            "ORDERLATCH_POLL_MS": "100",
            "APCA_API_KEY_ID": "PKTEST",
            "APCA_API_SECRET_KEY": "PKSECRET",
        }
        with Worker(environment, directory=place) as worker:
            yield worker


def propose(session: psycopg.Connection, number: int) -> None:
    """Propose a decision of its own symbol, again when an upgrade is in the way, as a strategy does."""
    decision = json.dumps({**DECISION, "symbol": f"SYM{number}"})
    for _ in range(TRIES):
        try:
            session.execute("select from orderlatch.propose_decision('paper', %s)", [decision])
        except psycopg.Error as error:
            if not (error.sqlstate or "").startswith(("40", "55", "OL2")):
                raise
        else:
            return
    raise AssertionError(f"decision {number} could not be proposed")


def upgrade(database: Database, files: list[File], *, anew: bool) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        apply_beside_work(connection, files, anew=anew)


def version_2() -> list[File]:
    """The files of a release whose interface is another one."""
    path = "00_foundation/schema_version.sql"
    return [
        File(path, file.content.replace(b"  select 1\n", b"  select 2\n")) if file.path == path else file
        for file in FILES
    ]


@pytest.mark.parametrize(
    "anew",
    [
        pytest.param(False, id="in place", marks=pytest.mark.thorough),
        pytest.param(True, id="dropped and made anew"),
    ],
)
def test_a_worker_carries_on_while_every_function_is_replaced(
    database: Database, connect: Connect, tmp_path: Path, anew: bool
) -> None:
    session, strategy, broker = connect(), connect(), Broker()
    session.execute("drop schema test cascade")  # the fixtures; a default of theirs calls a function of ours
    with a_worker(session, database, broker, tmp_path) as worker:
        propose(strategy, 0)
        wait_until(lambda: session.execute(SUBMITTED).fetchone() == (1,), what="the worker carries")

        def trade() -> None:
            for number in range(1, 40):
                propose(strategy, number)

        trading = in_background(trade)
        for _ in range(2):
            upgrade(database, FILES, anew=anew)
        trading.result(timeout=200)
        propose(strategy, 40)
        wait_until(lambda: session.execute(OPEN).fetchone() == (0,), what="all decisions submitted")
        assert worker.stop() == 0
    assert session.execute(SUBMITTED).fetchone() == (41,)
    assert broker.posts == len(broker.orders) == 41, "one order each"
    assert len(worker.events("worker_registered")) == 1, "in one life"
    assert worker.events("answer_given_up") == []


def test_a_worker_whose_interface_is_gone_is_refused_in_its_next_life(
    database: Database, connect: Connect, tmp_path: Path
) -> None:
    session, broker = connect(), Broker()
    with a_worker(session, database, broker, tmp_path) as worker:
        propose(session, 1)
        wait_until(lambda: session.execute(SUBMITTED).fetchone() == (1,), what="the worker carries")
        upgrade(database, version_2(), anew=False)
        propose(session, 2)
        wait_until(lambda: session.execute(SUBMITTED).fetchone() == (2,), what="this life goes on")
        session.execute(LISTENERS.replace("%%", "%").encode())
        assert worker.process.wait(60) == 1
        said = worker.log.read_text().splitlines()[-1]
    assert "OL306 schema_version_unsupported: the worker speaks version 1" in said
    assert "Upgrade whichever is older" in said
    propose(session, 3)
    assert session.execute(OPEN).fetchone() == (1,), "nobody carries it"
    assert broker.posts == 2
