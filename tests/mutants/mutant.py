"""A planted bug: one text of one file of sql/ replaced by another."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.support.servers import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

PLANTED = Path(__file__).with_name("planted.toml")


class PlantError(Exception):
    """A bug cannot be planted: the function has changed, and the bug with it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug and who is to find it."""

    name: str
    means: str
    file: str
    old: str
    new: str
    tests: Sequence[str]

    def source(self) -> str:
        """The file with the bug in it."""
        path = ROOT / "sql" / self.file
        text = path.read_text()
        if (found := text.count(self.old)) != 1:
            raise PlantError(f"{self.name}: sql/{self.file} has the text to replace {found} times, not once")
        return text.replace(self.old, self.new)

    def plant(self, url: str) -> None:
        """Put the bug into a database."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(self.source().encode())


def all_mutants() -> list[Mutant]:
    """Every planted bug, in the order of the file."""
    return [Mutant(name, **members) for name, members in tomllib.loads(PLANTED.read_text()).items()]
