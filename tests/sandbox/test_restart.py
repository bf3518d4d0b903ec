"""A real process: starting, SIGTERM, and SIGKILL, after which the ground truth goes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner

from tests.sandbox.client import OTHER, PAPER, Client
from worker.sandbox.app import Sandbox
from worker.sandbox.auth import AccountKey
from worker.sandbox.clock import Clock
from worker.sandbox.command import ACCOUNTS_VARIABLE, sandbox
from worker.sandbox.store import DataInUseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from worker.sandbox.values import Json

ACCOUNTS = json.dumps(
    [
        {"name": key.name, "key": key.key, "secret": key.secret, "broker_account_id": key.broker_account_id}
        for key in (PAPER, OTHER)
    ]
)
START = "from worker.sandbox.command import sandbox; sandbox()"


class Process:
    """A sandbox of its own that the test may kill."""

    def __init__(self, data: Path, port: int = 0, *, in_memory: bool = False) -> None:
        place = ["--in-memory"] if in_memory else ["--data", str(data)]
        command = [sys.executable, "-c", START, *place, "--port", str(port)]
        environment = {**os.environ, ACCOUNTS_VARIABLE: ACCOUNTS}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
        )
        assert self.process.stdout is not None
        self.complaints = ""
        self.line = self.process.stdout.readline()
        self.url = self.line.removeprefix("sandbox: ").strip()
        self.port = int(self.url.rsplit(":", 1)[-1])
        self.client = Client(self.url, Clock())

    def end(self, how: signal.Signals) -> int:
        self.client.close()
        self.process.send_signal(how)
        status = self.process.wait(10)
        assert self.process.stdout is not None
        assert self.process.stdout.read() == "", "one line and no more"
        self.process.stdout.close()
        assert self.process.stderr is not None
        self.complaints = self.process.stderr.read()
        self.process.stderr.close()
        return status


@contextlib.contextmanager
def started(data: Path, port: int = 0, *, in_memory: bool = False) -> Iterator[Process]:
    process = Process(data, port, in_memory=in_memory)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


def test_it_says_where_it_listens_and_ends_in_good_order(tmp_path: Path) -> None:
    with started(tmp_path) as one:
        assert one.line == f"sandbox: http://127.0.0.1:{one.port}\n"
        one.client.place()
        assert one.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_hung_call_does_not_keep_it_from_ending(tmp_path: Path, how: signal.Signals) -> None:
    """It is cut off, without an answer and without a word."""
    with started(tmp_path) as one, ThreadPoolExecutor(1) as pool:
        one.client.fault("gate", when="before", gate="g")
        held = pool.submit(httpx.post, f"{one.url}/v2/orders", json={}, headers=dict(one.client.http.headers))
        one.client.tell("GET", "gates?held=1")
        assert one.end(how) == 0
        assert one.complaints == ""
        with pytest.raises(httpx.TransportError):
            held.result(5)


def test_sigkill_loses_no_order_and_no_call(tmp_path: Path) -> None:
    with started(tmp_path) as one:
        client = one.client
        client.settings(uniqueness="active", rate_limit=1000)
        client.tell("PUT", "assets", {"ZZZZ": {"exists": False}})
        for number in range(20):
            client.place(client_order_id=f"id-{number}", symbol="KO")
        client.price("GOOG", "100")
        filled = client.place(client_order_id="filled")
        client.tell("POST", "clock", {"advance_s": 1})
        assert client.get(filled["id"])["status"] == "filled"
        client.place_limit("50", client_order_id="resting", qty="3")
        client.tell("POST", "clock", {"advance_s": 1})  # it is new by now, and no more pending_new
        client.submit(client_order_id="refused", qty="0")
        client.fault("gate", when="before", gate="g")
        with ThreadPoolExecutor(1) as pool:
            cut = pool.submit(client.submit, client_order_id="cut")
            client.tell("GET", "gates?held=1")
            before = {path: client.ask("GET", path).json() for path in PERSISTENT}
            one.process.send_signal(signal.SIGKILL)
            with pytest.raises(httpx.TransportError):
                cut.result(5)
        one.end(signal.SIGKILL)
    with started(tmp_path, one.port) as two:
        after = {path: two.client.ask("GET", path).json() for path in PERSISTENT}
        assert after == before
        assert two.client.posts("cut") | {"orders": 0, "statuses": [None]} == two.client.posts("cut")
        assert two.client.calls()[-1]["note"] == "cut by the end of the sandbox"
        assert two.client.posts("refused")["statuses"] == [422]
        summary = two.client.summary()
        assert (summary["orders"], summary["calls_under_way"]) == (22, 0)
        assert two.client.tell("GET", "faults") == [], "faults do not outlive the process"


PERSISTENT = ("orders", "positions", "accounts", "prices", "settings")


def test_a_late_order_is_created_though_the_sandbox_was_killed(tmp_path: Path) -> None:
    with started(tmp_path) as one:
        one.client.fault("late_order", seconds=3600)
        one.client.fault("answer", body="gateway_timeout")
        assert one.client.submit(client_order_id="late").status_code == 504
        one.end(signal.SIGKILL)
    with started(tmp_path) as two:
        assert two.client.summary()["late_orders_due"] == 1
        assert two.client.find("late").status_code == 404
        two.client.tell("POST", "clock", {"advance_s": 3600})
        assert two.client.find("late").status_code == 200


def test_what_falls_due_later_outlives_a_sigkill(tmp_path: Path) -> None:
    hours: dict[str, Json] = {"cancel_after_ms": 3_600_000, "replace_after_ms": 3_600_000}
    with started(tmp_path) as one:
        client = one.client
        client.settings(crypto_fee="0.25", fill_delay_ms=3_600_000, **hours)
        ids = [str(client.place_limit("100")["id"]) for _ in range(3)]
        client.tell("POST", "clock", {"advance_s": 1})
        client.cancel(ids[0])
        new = client.accepted(client.replace(ids[1], limit_price="99"))
        client.fill(ids[2], qty="2")
        before = client.tell("GET", "truth")
        one.end(signal.SIGKILL)
    with started(tmp_path) as two:
        client = two.client
        assert client.tell("GET", "truth") == before
        assert client.get(ids[0])["status"] == "pending_cancel"
        assert client.activities() == []
        client.tell("POST", "clock", {"advance_s": 3601})
        assert [client.get(order_id)["status"] for order_id in ids] == [
            "canceled",
            "replaced",
            "partially_filled",
        ]
        assert client.get(new["id"])["status"] == "new"
        assert [activity["qty"] for activity in client.activities()] == ["2"]


def test_in_memory_nothing_is_kept(tmp_path: Path) -> None:
    with started(tmp_path, in_memory=True) as one:
        one.client.place()
        assert len(one.client.truth()) == 1
        assert one.end(signal.SIGTERM) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [[], ["--in-memory", "--data", "somewhere"]])
def test_the_truth_is_on_disk_or_in_memory(options: list[str]) -> None:
    result = CliRunner().invoke(sandbox, ["--account", "a:K:S", *options])
    assert result.exit_code == 2
    assert "use either --data or --in-memory" in result.output


def test_it_starts_without_what_it_does_not_need() -> None:
    """Tests start it by the dozen: it must not wait for the database's or the worker's libraries."""
    script = "import sys; from worker.sandbox.command import sandbox; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert {"starlette", "uvicorn"} <= modules
    assert not modules & {"alembic", "httpx", "jinja2", "psycopg", "pydantic", "sqlalchemy", "structlog"}


def test_two_sandboxes_cannot_share_a_directory(tmp_path: Path) -> None:
    first = Sandbox(tmp_path, [PAPER])
    with pytest.raises(DataInUseError):
        Sandbox(tmp_path, [PAPER])
    first.close()
    Sandbox(tmp_path, [PAPER]).close()


def test_an_account_keeps_its_id_for_ever(tmp_path: Path) -> None:
    made = AccountKey("made", "K", "S")
    first = Sandbox(tmp_path, [made])
    account_id = first.store.account("made").id
    first.close()
    again = Sandbox(tmp_path, [made])
    assert again.store.account("made").id == account_id
    again.close()
    with pytest.raises(ValueError, match="another broker account id"):
        Sandbox(tmp_path, [AccountKey("made", "K", "S", OTHER.broker_account_id)])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "no account"),
        (["--account", "paper:K"], "NAME:KEY:SECRET"),
        (["--account", "paper:K:hush-hush:not-a-uuid"], "NAME:KEY:SECRET[:UUID]"),
        (["--account", "a:K:hush-hush", "--account", "a:L:hush-hush"], "share a name or a key"),
        (["--account", "a:K:hush-hush", "--account", "b:K:hush-hush"], "share a name or a key"),
    ],
)
def test_bad_accounts_are_refused_without_showing_them(
    tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    result = CliRunner().invoke(sandbox, ["--data", str(tmp_path / "data"), *arguments])
    assert result.exit_code == 2
    assert complaint in result.output
    assert "hush-hush" not in result.output


@pytest.mark.parametrize(
    "text", ['{"name": "a"}', "hush-hush", '[{"name": "a", "secret": "hush-hush"}]', "[5]"]
)
def test_a_bad_accounts_file_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accounts.json"
    file.write_text(text)
    result = CliRunner().invoke(sandbox, ["--data", str(tmp_path / "data"), "--accounts-file", str(file)])
    assert result.exit_code == 2
    assert "hush-hush" not in result.output
    assert "JSON list" in result.output or "NAME:KEY:SECRET" in result.output


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with started(tmp_path / "one") as one:
        arguments = ["--data", str(tmp_path / "two"), "--account", "a:K:S", "--port", str(one.port)]
        result = CliRunner().invoke(sandbox, arguments)
        assert result.exit_code == 1
        assert f"cannot listen on port {one.port}" in result.output
