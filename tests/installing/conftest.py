"""A home for an embedded server, which the tests of installing and of the demo share."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from worker import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for one embedded server of the test's own, which the server's user may enter."""
    home = Path(tempfile.mkdtemp(prefix="orderlatch-embedded-"))
    home.chmod(0o755)
    monkeypatch.setenv("ORDERLATCH_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    yield home
    embedded.remove()
    shutil.rmtree(home, ignore_errors=True)
