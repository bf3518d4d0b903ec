"""The embedded server: one, durable, there when it is needed, and gone when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.support.servers import ORDERLATCH, ROOT
from worker import embedded

if TYPE_CHECKING:
    import pytest


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([ORDERLATCH, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output.strip()


def test_database_url_is_used_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    assert finish(start("url")) == "postgresql://somewhere/else"
    assert list(home.iterdir()) == []


def test_two_that_start_it_at_once_get_one_durable_server(home: Path) -> None:
    urls = {finish(process) for process in [start("url"), start("url"), start("url")]}
    assert len(urls) == 1
    with psycopg.connect(urls.pop()) as connection:
        shown = [connection.execute(f"show {name}".encode()).fetchone() for name in DURABLE]
        assert shown == [("on",)] * len(DURABLE)
        directory = connection.execute("show data_directory").fetchone()
    assert directory == (str(home / "pg18"),)


DURABLE = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")


def test_it_outlives_a_kill_of_who_started_it(home: Path) -> None:
    assert home.is_dir()
    program = "from worker.embedded import ensure_running; print(ensure_running(), flush=True); input()"
    starter = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    with starter:
        assert starter.stdout is not None
        url = starter.stdout.readline().strip()
        os.killpg(starter.pid, signal.SIGKILL)
    with psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_crash_loses_nothing_and_the_next_call_starts_it_again(home: Path) -> None:
    with psycopg.connect(embedded.ensure_running(), autocommit=True) as connection:
        connection.execute("create table kept as select 1 as one")
    postmaster = int((home / "pg18" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGQUIT)
    while Path(f"/proc/{postmaster}").exists():
        time.sleep(0.01)
    with psycopg.connect(embedded.ensure_running()) as connection:
        assert connection.execute("table kept").fetchone() == (1,)


def test_a_home_with_a_long_path_has_its_socket_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = home / ("long" * 25)
    monkeypatch.setenv("ORDERLATCH_HOME", str(place))
    with psycopg.connect(embedded.ensure_running()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert not (place / "run").exists()
    embedded.remove()
    assert not place.exists()


def test_stopping_what_does_not_run_is_no_error(home: Path) -> None:
    assert home.is_dir()
    assert embedded.stop() is False
    embedded.ensure_running()
    assert embedded.stop() is True
    assert embedded.stop() is False


def test_half_an_initdb_is_thrown_away(home: Path) -> None:
    (home / "pg18.new").mkdir()
    (home / "pg18.new" / "PG_VERSION").write_text("18\n")
    with psycopg.connect(embedded.ensure_running()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
