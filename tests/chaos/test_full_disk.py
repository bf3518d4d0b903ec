"""The disk of the database fills up while answers are on their way, and somebody makes room again."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.chaos.verdict import verify
from tests.chaos.world import SHORT, World
from tests.conftest import SERVERS
from tests.support.servers import TestServer
from tests.worker.script import wait_until
from worker.embedded import Login, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.chaos.sandbox import SandboxProcess

DISK_MB = 200
MEGABYTE = "select pg_logical_emit_message(true, 'ballast', repeat('x', 1000000))"


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of its own; only root may make one."""
    place.mkdir(mode=0o755)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0755", "tmpfs", str(place)]
    if (mounted := subprocess.run(mount, check=False, capture_output=True, text=True)).returncode != 0:
        pytest.skip(f"no right to mount a small disk: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def cramped_world(
    request: pytest.FixtureRequest, sandbox_process: SandboxProcess, tmp_path: Path
) -> Iterator[World]:
    """A world whose durable Postgres has a small disk."""
    servers = request.config.stash[SERVERS]
    shared = servers.get(servers.majors[0])
    sandbox_process.reset()
    with small_disk(servers.home() / "small-disk") as disk:
        settings = {**shared.server.settings, "fsync": "on", "full_page_writes": "on"}
        server = Server(
            binaries=shared.server.binaries, data=disk / "data", sockets=disk / "run", settings=settings
        )
        server.initialise(Login.for_new_server())
        server.start()
        try:
            cramped = TestServer(shared.major, server)
            cramped.prepare_template()
            with cramped.database() as database:
                world = World(database, sandbox_process, tmp_path)
                world.mirrored_account(**SHORT)
                yield world
                world.close()
        finally:
            if server.running():
                server.stop("immediate")


def fill_up(world: World) -> Path:
    """Fill the disk, and write until Postgres fails for it; returns what is to be removed again."""
    ballast = world.database.server.server.data.parent / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(65_536)):
            pass
    with pytest.raises(psycopg.Error):
        write_ahead(world)
    return ballast


def write_ahead(world: World) -> None:
    """Write a megabyte after the other, until the next segment of the WAL finds no room."""
    with world.database.connect() as session:
        for _ in range(DISK_MB):
            session.execute(MEGABYTE)


def is_back(world: World) -> bool:
    """Postgres recovers by itself, or gives up and has to be started."""
    if not world.database.server.server.running():
        world.start_postgres()
    try:
        world.database.connect().close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.thorough
def test_a_full_disk_costs_no_order_and_no_answer(cramped_world: World) -> None:
    world = cramped_world
    world.change_account(max_in_doubt=10)
    worker = world.ready_worker(poll_ms=500)
    world.sandbox.fault("gate", gate="answer", count=None)
    decisions = [world.propose(symbol) for symbol in ("GOOG", "KO", "PEP")]
    world.sandbox.wait_for_held("answer", 3)
    ballast = fill_up(world)
    world.sandbox.release("answer")
    world.wait_until(
        lambda: sum(call["kind"] == "submit_order" for call in worker.events("request_carried")) == 3,
        what="every submit is carried",
    )
    ballast.unlink()
    wait_until(lambda: is_back(world), what="Postgres takes connections")
    world.move_to(world.database)  # the session from before the crash is no more
    world.wait_for("submitted", *decisions)
    assert {world.sandbox.posts_of(decision) for decision in decisions} == {1}
    world.sandbox.tell("DELETE", "faults")
    world.wait_for("submitted", world.propose("ORCL"))  # and life goes on
    verify(world)
