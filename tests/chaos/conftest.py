"""The worlds of the chaos tests: each test ends with the comparison of books and broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.sandbox import SandboxProcess
from tests.chaos.verdict import verify
from tests.chaos.world import SHORT, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Database, TestServer


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    sandbox = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.close()


@pytest.fixture
def empty_world(
    database: Database, sandbox_process: SandboxProcess, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[World]:
    """A world without an account; verified after the test."""
    yield from _verified(World(database, sandbox_process, tmp_path), request)


@pytest.fixture
def world(empty_world: World) -> World:
    """A world with one account, `paper`, whose waits are short."""
    empty_world.account(**SHORT)
    return empty_world


@pytest.fixture
def patient_world(empty_world: World) -> World:
    """A world with one account, `paper`, whose waits are the default, while time stands still."""
    empty_world.account()
    empty_world.hold_clock()
    return empty_world


@pytest.fixture
def fragile_world(
    own_server: TestServer, sandbox_process: SandboxProcess, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[World]:
    """A world with short waits, whose account is read, on a durable Postgres that a test may crash."""
    with own_server.database() as database:
        world = World(database, sandbox_process, tmp_path)
        world.mirrored_account(**SHORT)
        yield from _verified(world, request)


def _verified(world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    world.sandbox.reset()
    failed = request.session.testsfailed
    try:
        yield world
        if request.session.testsfailed == failed:
            verify(world)
    finally:
        world.close()
