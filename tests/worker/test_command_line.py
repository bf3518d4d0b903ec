"""What is wrong with the environment of a command ends it in one line, which quotes no password."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.worker.script import ORDERLATCH

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers import Database

COMMANDS = (
    ("check",),
    ("migrate",),
    ("url",),
    ("psql", "-c", "select"),
    ("propose", "/dev/null", "--account", "paper"),
    ("archive", "--before", "2026-01-01", "--reason", "old"),
)
NO_URLS = ("hunter2", "postgresql+psycopg://a:hunter2@localhost/b", "postgresql://a:hun ter2@localhost/b")


def refusal(*arguments: str, **environment: str) -> str:
    """The one line that a command which cannot work ends with."""
    run = subprocess.run(
        [ORDERLATCH, *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1, run.stderr
    return run.stderr.removesuffix("\n")


@pytest.mark.parametrize("url", NO_URLS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_garbled_database_url_is_not_quoted(command: tuple[str, ...], url: str) -> None:
    said = refusal(*command, DATABASE_URL=url)
    assert said == "orderlatch: DATABASE_URL: must be a Postgres connection URL"


def test_a_login_that_may_not_look_is_told_so(database: Database) -> None:
    database.server.ensure_login("looks_only", "orderlatch_auditor")
    said = refusal("check", DATABASE_URL=database.server.url(database.name, "looks_only"))
    assert said == "orderlatch: permission denied for schema orderlatch_data"


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "a file"
    taken.touch()
    assert refusal("url", ORDERLATCH_HOME=str(taken)) == f"orderlatch: {taken}: File exists"
    said = refusal("sandbox", "--data", str(taken / "below"), "--account", "paper:key:secret")
    assert said == f"orderlatch: {taken / 'below'}: Not a directory"
