"""The scene of a race. Nobody leaves it with the books in disorder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.races.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Database
    from tests.support.sessions import Clock, Connect


@pytest.fixture
def scene(database: Database, connect: Connect, clock: Clock) -> Iterator[Scene]:  # noqa: ARG001 - the clock stands still
    """An account with a verified worker; after the test every promise of the books must hold."""
    scene = Scene.set(database, connect)
    yield scene
    assert scene.revive().violations() == {}
