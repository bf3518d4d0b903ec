"""PgBouncer in transaction mode: good enough for strategies, and refused by workers and by migrate."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.worker.peer import order_placed
from tests.worker.script import ORDERLATCH, PATIENCE_S, Script, wait_until
from tests.worker.test_worker import a_world, refusal
from tests.worker.world import a_free_port
from worker.embedded import Login

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Database

CONFIGURATION = """
[databases]
{database} = host={host} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
ignore_startup_parameters = options, extra_float_digits
"""


@pytest.fixture
def pooled_url(database: Database, tmp_path: Path) -> Iterator[str]:
    """How to reach the database through a pooler that has one connection to it for everybody."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        pytest.fail("pgbouncer is not installed: `make test` installs it")
    port, host = a_free_port(), parse_qs(urlsplit(database.url).query)["host"][0]
    login, root = Login.for_new_server(), os.geteuid() == 0  # like Postgres, it does not run as root
    with tempfile.TemporaryDirectory() as place, (tmp_path / "pgbouncer.log").open("wb") as log:
        Path(place).chmod(0o755)
        settings = Path(place, "pgbouncer.ini")
        settings.write_text(CONFIGURATION.format(database=database.name, host=host, port=port))
        process = subprocess.Popen(
            [program, settings],
            stdout=log,
            stderr=log,
            user=login.uid if root else None,
            group=login.gid if root else None,
            extra_groups=[] if root else None,
        )
        try:
            wait_until(lambda: listens(port), what="pgbouncer listens")
            yield f"postgresql://postgres@127.0.0.1:{port}/{database.name}"
        finally:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_worker_refuses_to_work_through_a_pooler(pooled_url: str, tmp_path: Path) -> None:
    with a_world(Script(pooled_url), tmp_path, order_placed) as world:
        assert "DATABASE_URL: a connection pooler is in between" in refusal(world.worker())


def test_migrate_refuses_a_pooler_whose_session_would_keep_its_lock(
    database: Database, pooled_url: str
) -> None:
    """Whoever migrated next, there or directly, waited ten minutes for it and gave up."""
    told = subprocess.run(
        [ORDERLATCH, "migrate"],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": pooled_url},
        timeout=PATIENCE_S,
    )
    held = """
    select count(*)::int
      from pg_locks as l
      join pg_database as d on d.oid = l.database and d.datname = current_database()
     where l.locktype = 'advisory'
    """
    assert Script(database.url).number(held) == 0
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("orderlatch: DATABASE_URL: a connection pooler is in between")


def test_strategies_may_propose_through_a_pooler(database: Database, pooled_url: str, tmp_path: Path) -> None:
    """From sessions that take turns on one connection; the command and plain SQL find the same decision."""
    with database.connect() as session:
        session.execute("select test.given_account('paper')")
    decision = {
        "strategy_id": "s",
        "symbol": "GOOG",
        "event_ts": "2026-11-23T21:00:00Z",
        "timeframe": "1Day",
        "action": "buy",
        "qty": "1",
    }
    query = "select p.outcome from orderlatch.propose_decision('paper', %s) as p"
    outcomes = []
    with psycopg.connect(pooled_url, autocommit=True) as one, psycopg.connect(pooled_url) as other:
        for session in (one, other, one):
            row = session.execute(query, [json.dumps(decision)]).fetchone()
            assert row is not None
            outcomes.append(row[0])
            session.commit()
    assert outcomes == ["created", "existing", "existing"]
    file = tmp_path / "decisions.jsonl"
    file.write_text(json.dumps(decision))
    told = subprocess.run(
        [ORDERLATCH, "propose", "--account", "paper", file],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": pooled_url},
        timeout=PATIENCE_S,
    )
    assert (told.returncode, "existing" in told.stdout) == (0, True), told.stdout + told.stderr
    assert Script(database.url).number("select count(*)::int from orderlatch.decisions") == 1
