"""One sandbox in a thread for all tests, emptied before each, with a clock that only tests move."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import OTHER, PAPER, Client
from worker.sandbox.clock import ManualClock
from worker.sandbox.server import RunningSandbox, sandbox_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

with warnings.catch_warnings():
    # alpaca-py imports the legacy client of websockets, which warns; imported here once, it is quiet later.
    warnings.simplefilter("ignore", DeprecationWarning)
    import alpaca.trading.client  # noqa: F401


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    directory = tmp_path_factory.mktemp("sandbox")
    with sandbox_in_thread(directory, [PAPER, OTHER], ManualClock()) as running:
        yield running


@pytest.fixture
def client(running: RunningSandbox) -> Iterator[Client]:
    client = Client(running.url, running.clock)
    client.tell("PUT", "door", {"state": "open"})
    client.tell("POST", "reset")
    yield client
    client.close()


@pytest.fixture
def other(running: RunningSandbox) -> Iterator[Client]:
    other = Client(running.url, running.clock, OTHER)
    yield other
    other.close()
