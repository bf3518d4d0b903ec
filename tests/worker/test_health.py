"""What the worker says of itself over HTTP: alive, ready, or why not."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from tests.worker.peer import listening_in_a_thread, order_placed
from tests.worker.script import Script, wait_until
from tests.worker.test_worker import Gate, own_server
from tests.worker.world import LISTENERS, World, a_free_port, ask, metrics_of
from worker import health
from worker.health import Health, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from worker.embedded import Server

__all__ = ["own_server"]

READY = (200, "paper verified")


@pytest.fixture
def port() -> int:
    return a_free_port()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def world(script: Script, tmp_path: Path, gate: Gate) -> Iterator[World]:
    with listening_in_a_thread(gate.script) as peer:
        yield World(script, peer, tmp_path)


def wait_for(port: int, path: str, answer: tuple[int, str]) -> None:
    wait_until(lambda: ask(port, path) == answer, what=f"{path} answers {answer}")


def test_a_worker_is_ready_once_an_account_is_verified_and_not_before(world: World, port: int) -> None:
    world.script.run("update script.settings set verified = false")
    with world.worker(metrics_port=port) as worker:
        worker.wait_for("worker_registered")
        wait_for(port, "/readyz", (503, "paper not verified"))
        assert ask(port, "/healthz") == (200, "alive")
        assert "orderlatch_worker_ready 0.0" in metrics_of(port)
        shown = 'orderlatch_account_verified{account="paper"}'
        wait_until(lambda: f"{shown} 0.0" in metrics_of(port), what="it is shown")
        world.script.run("update script.settings set verified = true")
        wait_for(port, "/readyz", READY)
        wait_until(lambda: f"{shown} 1.0" in metrics_of(port), what="it is shown")
        assert "orderlatch_worker_ready 1.0" in metrics_of(port)
        assert ask(port, "/")[0] == ask(port, "/metrics/x")[0] == 404
        assert worker.stop() == 0


def test_a_worker_that_stops_is_alive_and_not_ready(world: World, gate: Gate, port: int) -> None:
    with world.worker(metrics_port=port) as worker:
        wait_for(port, "/readyz", READY)
        world.script.ask_for()
        wait_until(lambda: gate.standing == 1, what="a call at the broker")
        worker.signal(signal.SIGTERM)
        wait_for(port, "/readyz", (503, "stopping"))
        assert ask(port, "/healthz") == (200, "alive")
        gate.open()
        assert worker.process.wait(60) == 0


def test_a_worker_that_the_database_disowns_is_not_ready_until_its_next_life(world: World, port: int) -> None:
    with world.worker(metrics_port=port) as worker:
        wait_for(port, "/readyz", READY)
        world.script.run("update script.settings set health_error = '42501'")
        world.script.run(LISTENERS)
        wait_for(port, "/readyz", (503, "the database refuses to tell (42501)"))
        world.script.run("update script.settings set health_error = null")
        wait_for(port, "/readyz", READY)
        assert worker.stop() == 0


def test_a_probe_that_hangs_up_says_nothing_into_the_log(world: World, port: int) -> None:
    """As load balancers do that only want to know whether somebody listens."""
    with world.worker(metrics_port=port) as worker:
        wait_for(port, "/readyz", READY)
        with socket.create_connection(("127.0.0.1", port)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert ask(port, "/healthz") == (200, "alive")
        assert worker.stop() == 0
        assert [line for line in worker.log.read_text().splitlines() if not line.startswith("{")] == []


def test_a_worker_without_its_database_lives_but_is_not_ready(
    own_server: Server, tmp_path: Path, port: int
) -> None:
    with listening_in_a_thread(order_placed) as peer:
        world = World(Script(own_server.url("postgres")).install(), peer, tmp_path)
        with world.worker(metrics_port=port) as worker:
            wait_for(port, "/readyz", READY)
            own_server.stop("immediate")
            wait_until(lambda: ask(port, "/readyz")[0] == 503, what="not ready")
            assert ask(port, "/healthz") == (200, "alive"), "a restart would lose what it has in hand"
            own_server.start()
            wait_for(port, "/readyz", READY)
            assert worker.stop() == 0


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The one second that the clock shows, until the test writes another."""
    at = [100.0]
    monkeypatch.setattr(health, "elapsing", lambda: at[0])
    return at


def test_an_event_loop_that_does_not_turn_is_not_alive(at: list[float], port: int) -> None:
    state = Health()
    serve(health=state, registry=CollectorRegistry(), host="localhost", port=port)

    async def live() -> None:
        beating = asyncio.create_task(state.beat())
        await asyncio.sleep(0)
        beating.cancel()

    at[0] += health.LOOP_SILENT_S
    asyncio.run(live())
    state.show_accounts({"paper": True})
    at[0] += health.LOOP_SILENT_S
    assert (ask(port, "/healthz"), ask(port, "/readyz")) == ((200, "alive"), READY)
    at[0] += 1
    assert ask(port, "/healthz") == (503, "the event loop has not turned for 16 s")
    assert ask(port, "/readyz") == ask(port, "/healthz")


def test_what_the_database_said_long_ago_is_not_believed(
    at: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LOOP_SILENT_S", 1_000)
    state = Health()
    assert state.ready() == (False, "not registered yet")
    state.show_accounts({"paper": True, "live": False})
    at[0] += health.DATABASE_SILENT_S
    assert state.ready() == (True, "paper verified, live not verified")
    at[0] += 1
    assert state.ready() == (False, "the database has not answered for 21 s")
    state.show_accounts({})
    assert state.ready() == (False, "no account")
