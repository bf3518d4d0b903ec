"""The demo, as a newcomer runs it; and what it says when the books do not agree."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import httpx

from tests.support.servers import ORDERLATCH, ROOT
from worker.demo_faults import FAULTS
from worker.demo_report import Books
from worker.sandbox.auth import AccountKey
from worker.sandbox.clock import ManualClock
from worker.sandbox.server import sandbox_in_thread

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers import Database

AGREED = "demo ok: decisions=65 orders=65 duplicates=0 in_doubt=0 violations=0"


def test_the_demo_ends_with_books_that_agree(home: Path) -> None:
    done = subprocess.run(
        [ORDERLATCH, "demo"], cwd=ROOT, capture_output=True, text=True, timeout=170, check=False
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[-1] == AGREED
    assert "demo: proposed: lines=98 created=65 existing=33 conflict=0 invalid=0" in lines
    assert any("killed with SIGKILL" in line for line in lines)
    assert all(any(fault.says in line for line in lines) for fault in FAULTS)
    assert any("became in_doubt" in line for line in lines), "the story goes through doubt"
    assert (home / "demo" / "demo" / "worker.log").stat().st_size > 0


def test_an_order_that_only_the_broker_has_is_a_violation(database: Database, tmp_path: Path) -> None:
    order = {"symbol": "GOOG", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
    with (
        database.connect() as connection,
        sandbox_in_thread(tmp_path, [AccountKey("paper", "KEY", "SECRET")], ManualClock()) as running,
        httpx.Client(base_url=running.url, verify=False) as broker,
    ):
        connection.execute("select orderlatch.create_account('paper', 'paper')")
        made = broker.post("/admin/orders", json={"account": "paper", "order": order})
        assert made.is_success, made.text
        books = Books.read(connection, "paper", broker)
    assert not books.agree(0)
    assert books.last_line() == "demo failed: decisions=0 orders=1 duplicates=0 in_doubt=0 violations=1"
    assert [finding for finding in books.findings if finding.endswith("is at the broker only")]
