"""A worker process between a database that plays a script and a broker that obeys the test."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from tests.worker.script import Script, Worker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.worker.peer import Peer

KEYS = {"ORDERLATCH_PAPER_KEY_ID": "PKTESTKEYID", "ORDERLATCH_PAPER_SECRET_KEY": "PKTESTSECRET"}

LISTENERS = """
select pg_terminate_backend(s.pid) from pg_stat_activity as s
where s.datname = current_database() and s.application_name = 'orderlatch-worker'
  and s.query like '%%register_worker%%'
"""


class World:
    """A scripted database, a broker and the settings of a worker between them."""

    def __init__(self, script: Script, peer: Peer, directory: Path) -> None:
        self.script = script
        self.peer = peer
        self.environment: Mapping[str, str] = {}
        """Variables of a worker's process that are not its own."""
        self._directory = directory

    def settings(self, **settings: object) -> Mapping[str, str]:
        """The variables of a worker; settings are some without their prefix, in lower case."""
        return {
            "DATABASE_URL": self.script.url,
            "ORDERLATCH_ACCOUNTS": "paper",
            "ORDERLATCH_PAPER_BASE_URL": self.peer.url,
            "ORDERLATCH_STREAM": "off",
            **KEYS,
            **{f"ORDERLATCH_{name.upper()}": str(value) for name, value in settings.items()},
            **self.environment,
        }

    def worker(self, **settings: object) -> Worker:
        """Start a worker."""
        return Worker(self.settings(**settings), directory=self._directory)


def a_free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def ask(port: int, path: str) -> tuple[int, str]:
    """What the worker answers over HTTP: status and words; status 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode().rstrip("\n")
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode().rstrip("\n")
    except OSError as unreachable:
        return 0, str(unreachable)


def metrics_of(port: int) -> list[str]:
    """The lines of a worker's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        text: str = response.read().decode()
    return text.splitlines()
