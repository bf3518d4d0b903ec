"""What several tests of the worker need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.worker.certificate import make_certificate
from tests.worker.script import Script

if TYPE_CHECKING:
    from tests.support.servers import Database
    from tests.worker.certificate import Certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def script(blank_database: Database) -> Script:
    """A database that plays a script."""
    return Script(blank_database.url).install()
