"""`orderlatch archive`: steps until nothing is left, and a word after each."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.worker.script import ORDERLATCH

if TYPE_CHECKING:
    from tests.support.servers import Database


@pytest.fixture
def refused(database: Database) -> Database:
    """Three decisions that were refused long ago, and the check of the account before them."""
    with database.connect() as session:
        session.execute("select test_support.hold_clock('2026-03-02 15:00:00Z')")
        session.execute("select test.given_account()")
        session.execute(
            "select test.given_decision_in('refused', w.worker_id)"
            " from (select test.given_worker() as worker_id offset 0) as w, generate_series(1, 3)"
        )
        session.execute("select test_support.hold_clock('2026-05-02 15:00:00Z')")
    return database


def archive(database: Database, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ORDERLATCH, "archive", *options],
        encoding="utf-8",
        capture_output=True,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": database.url},
        check=False,
    )


def test_steps_follow_each_other_until_nothing_is_left(refused: Database) -> None:
    run = archive(refused, "--before", "2026-04-01", "--reason", "a month", "--calls", "3")
    assert run.stdout.splitlines() == [
        "archived: 3 calls, through 2026-03-02 15:00 UTC",
        "archived: 4 calls, through 2026-03-02 15:00 UTC",
        "archive ok: 4 calls moved",
    ], run.stderr
    again = archive(refused, "--before", "2026-04-01", "--reason", "a month")
    assert again.stdout == "archive ok: 0 calls moved\n", again.stderr


def test_it_works_whatever_isolation_level_the_database_has_by_default(refused: Database) -> None:
    with refused.connect() as session:
        set_default = f"alter database {refused.name} set default_transaction_isolation = 'repeatable read'"
        session.execute(set_default.encode())
    run = archive(refused, "--before", "2026-04-01", "--reason", "a month")
    assert run.stdout.splitlines()[-1:] == ["archive ok: 4 calls moved"], run.stderr


def test_what_the_database_refuses_is_one_line_and_a_hint(refused: Database) -> None:
    run = archive(refused, "--before", "2026-05-01", "--reason", "too early")
    assert run.returncode == 1
    refusal, hint = run.stderr.splitlines()
    assert refusal.startswith("orderlatch: OL131 argument_invalid: p_before must be at least 7 days ago")
    assert hint == "What is younger may still be asked for by those who trade."
    other = archive(refused, "--before", "2026-04-01", "--reason", "x", "--account", "nobody")
    assert other.stderr.startswith("orderlatch: OL102 account_unknown")
