"""Collects tests/database/**/*.sql: each file is one test for each Postgres version, in its own database."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support import tap
from tests.support.servers import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.support.servers import TestServer


class TapError(AssertionError):
    """A pgTAP file did not pass; the message is all that a reader needs."""


class TapFile(pytest.File):
    """A pgTAP file."""

    majors: tuple[int, ...]
    get_server: Callable[[int], TestServer]

    @classmethod
    def build(
        cls,
        parent: pytest.Collector,
        path: Path,
        majors: Iterable[int],
        get_server: Callable[[int], TestServer],
    ) -> TapFile:
        """Make the collector of one file."""
        file = cls.from_parent(parent, path=path)
        file.majors = tuple(majors)
        file.get_server = get_server
        return file

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the file once for each version."""
        for major in self.majors:
            item = TapItem.from_parent(self, name=f"pg{major}")
            item.server = partial(self.get_server, major)
            yield item


class TapItem(pytest.Item):
    """A pgTAP file on one version of Postgres."""

    server: Callable[[], TestServer]

    def runtest(self) -> None:
        """Run the file in a fresh clone, and judge what it said."""
        server = self.server()
        with server.database() as database:
            result = server.psql(database.name, self.path)
        outcome = tap.read(result.stdout, result.stderr, result.returncode)
        self.user_properties.append(("tap_passed", outcome.passed))
        if outcome.problems:
            raise TapError("\n".join(outcome.problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:  # noqa: ARG002
        """Show what the file said; anything else with its traceback."""
        if isinstance(excinfo.value, TapError | ServerError):
            return f"{self.path.relative_to(self.config.rootpath)} on {self.name}\n{excinfo.value}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the file and the version in reports."""
        return self.path, 0, f"{self.path.relative_to(self.config.rootpath)} [{self.name}]"
