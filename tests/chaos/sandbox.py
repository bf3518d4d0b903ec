"""The broker's stand-in as a process that a test may kill, with two accounts and everything they lead to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

from tests.sandbox.client import Client
from tests.support.servers import ORDERLATCH
from tests.worker.script import wait_until
from worker.sandbox.auth import AccountKey
from worker.sandbox.clock import Clock
from worker.sandbox.command import ACCOUNTS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from worker.sandbox.values import Json

PAPER = AccountKey("paper", "PKCHAOSPAPER", "hush-hush-paper", "11111111-1111-4111-8111-111111111111")
SECOND = AccountKey("second", "PKCHAOSSECOND", "hush-hush-second", "22222222-2222-4222-8222-222222222222")
KEYS = {key.name: key for key in (PAPER, SECOND)}
SECRETS = ("hush-hush", "PKCHAOS")

LOOKUP: dict[str, Json] = {"path": "/v2/orders:by_client_order_id"}
LIST: dict[str, Json] = {"method": "GET", "path": "/v2/orders"}
SUBMIT: dict[str, Json] = {"method": "POST", "path": "/v2/orders"}

_A_DAY = 86_400


class SandboxProcess(Client):
    """`orderlatch sandbox` as a process; the same directory and port again after a kill."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = 0
        self._ahead_s = 0.0
        self._process = self._start()
        super().__init__(f"http://127.0.0.1:{self._port}", Clock(), PAPER)

    def _start(self) -> subprocess.Popen[str]:
        accounts = [
            {
                "name": key.name,
                "key": key.key,
                "secret": key.secret,
                "broker_account_id": key.broker_account_id,
            }
            for key in KEYS.values()
        ]
        process = subprocess.Popen(
            [ORDERLATCH, "sandbox", "--data", self._directory, "--port", str(self._port)],
            stdout=subprocess.PIPE,
            env={**os.environ, ACCOUNTS_VARIABLE: json.dumps(accounts)},
            text=True,
        )
        assert process.stdout is not None
        with process.stdout as said:
            self._port = int(said.readline().rsplit(":", 1)[-1])
        return process

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def restart(self) -> None:
        """Start it again with what it had on disk, and with its time."""
        self._process = self._start()
        self.tell("POST", "clock", {"advance_s": self._ahead_s})

    def close(self) -> None:
        """End the process and this client of it."""
        self.kill()
        super().close()

    def reset(self) -> None:
        """Let all that is still under way end, then forget everything; no limit on the rate of calls."""
        if self._process.poll() is not None:
            self.restart()
        self.tell("PUT", "door", {"state": "open"})
        self.tell("DELETE", "faults")
        self.advance(_A_DAY)
        self.tell("POST", "release", {})
        wait_until(lambda: self.summary()["calls_under_way"] == 0, what="no call under way at the sandbox")
        self.tell("POST", "reset")
        self.settings(rate_limit=0)

    def misbehave(self, how: dict[str, Json], **rest: Json) -> None:
        """Set a fault that is given whole, but for what is added here."""
        self.tell("POST", "faults", {**how, **rest})

    def wait_for_held(self, gate: str, count: int = 1) -> None:
        """Return once so many calls stand at a gate."""
        self.tell("GET", f"gates?gate={gate}&held={count}&wait_s=20")

    def release(self, gate: str) -> None:
        """Let the calls at a gate go."""
        self.tell("POST", "release", {"gate": gate})

    def wait_for_fault(self, fault: dict[str, Json], fired: int = 1) -> None:
        """Return once a fault has fired so often."""
        self.tell("GET", f"faults/{fault['id']}?fired={fired}&wait_s=20")

    def clear(self, fault: dict[str, Json]) -> None:
        """Switch one fault off."""
        self.tell("DELETE", f"faults/{fault['id']}")

    def advance(self, seconds: float) -> None:
        """Push the broker's time forward."""
        self._ahead_s += seconds
        self.tell("POST", "clock", {"advance_s": seconds})

    def posts_of(self, decision_hash: str) -> int:
        """How many POSTs of a decision's order came in whole."""
        return sum(1 for call in self.calls_of(decision_hash) if call["method"] == "POST")

    def calls_of(self, decision_hash: str) -> Sequence[dict[str, Json]]:
        """Every call that named a decision's order, oldest first."""
        return [call for call in self.calls() if call["client_order_id"] == decision_hash]
