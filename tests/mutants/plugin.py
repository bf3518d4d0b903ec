"""A plugin for pytest: every database of the run has the planted bug that ORDERLATCH_MUTANT names."""

from __future__ import annotations

import os

from tests.mutants.mutant import all_mutants
from tests.support.servers import TEMPLATE, TestServer

_prepare = TestServer.prepare_template


def prepare_template(self: TestServer) -> None:
    """Prepare the template, and plant the bug in it."""
    _prepare(self)
    name = os.environ["ORDERLATCH_MUTANT"]
    (mutant,) = (mutant for mutant in all_mutants() if mutant.name == name)
    mutant.plant(self.url(TEMPLATE))


TestServer.prepare_template = prepare_template  # type: ignore[method-assign]
