"""What a person types at a psql prompt, and what psql answers: both are shown, and the answer is checked."""

from __future__ import annotations

import inspect
import re
import subprocess
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

import click

from worker import OrderlatchError, embedded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import EllipsisType

PATIENCE_S: Final = 90
LOOK_EVERY_S: Final = 0.2

Row: TypeAlias = tuple[str, ...]
Expected: TypeAlias = "Sequence[tuple[str | EllipsisType, ...] | EllipsisType]"
"""Rows as psql prints them, cells as text. `...` is a cell that differs from run to run, or any rows."""


class DrillError(OrderlatchError):
    """What the drill shows is not what it should be; the message has both."""


class Prompt:
    """psql on one database: it runs every statement itself, and its tables are read as they are printed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._variables: dict[str, str] = {}

    def set(self, name: str, value: str) -> None:
        r"""Type \set, so that the statements after it can say :'name'."""
        self._variables[name] = value
        _echo_typed(rf"\set {name} {value}")
        click.echo()

    def enter(self, statement: str, expected: Expected) -> list[Row]:
        """Type a statement that does something; its one answer must be the expected rows."""
        _echo_typed(_shown(statement))
        printed = self._run(statement)
        click.echo(printed)
        return _agreed(statement, printed, expected)

    def look(self, query: str, expected: Expected) -> list[Row]:
        """Type a query until it shows the expected rows, as a person does who waits; show it once."""
        _echo_typed(_shown(query))
        began_at, said = time.monotonic(), False
        while not _agree(_rows(printed := self._run(query)), expected):
            waited_s = time.monotonic() - began_at
            if waited_s > PATIENCE_S:
                break
            if waited_s > 1 and not said:
                click.secho("(not yet: looking again)", dim=True)
                said = True
            time.sleep(LOOK_EVERY_S)
        click.echo(printed)
        return _agreed(query, printed, expected)

    def refused(self, statement: str, because: str) -> None:
        """Type a statement that the database must refuse, with these words."""
        _echo_typed(_shown(statement))
        printed = self._run(statement)
        click.echo(printed)
        if "ERROR:" not in printed or because not in printed:
            raise DrillError(f"expected an error that says {because!r}, but it is:\n{printed}")

    def run(self, statement: str) -> None:
        """Run what need not be shown; it must succeed."""
        printed = self._run(statement)
        if "ERROR:" in printed:
            raise DrillError(printed)

    def _run(self, statement: str) -> str:
        """Hand a statement to psql; returns all that it prints."""
        variables = [f"--set={name}={value}" for name, value in self._variables.items()]
        done = subprocess.run(
            [embedded.wheel_binaries() / "psql", "--no-psqlrc", "--pset=pager=off", *variables, self._url],
            input=_shown(statement),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout.rstrip("\n") + "\n"


def _shown(statement: str) -> str:
    """The statement as it is typed: with its own indentation, and a semicolon."""
    return inspect.cleandoc(statement) + ";"


def _echo_typed(text: str) -> None:
    """Show what is typed behind psql's prompts."""
    typed = transaction = ""
    for line in text.splitlines():
        sign = "'" if typed.count("'") % 2 else "-" if typed else f"={transaction}"
        click.echo(click.style(f"drill{sign}# ", dim=True) + click.style(line, bold=True))
        typed += line
        if line.endswith(";"):
            typed, transaction = "", "*" if line == "begin;" else transaction


def _rows(printed: str) -> list[Row]:
    """The rows of the table that psql printed; none when it printed no table."""
    lines = printed.splitlines()
    ruler = next((number for number, line in enumerate(lines) if re.fullmatch(r"-[-+]*", line)), None)
    if ruler is None:
        return []
    width = max(map(len, lines[ruler:]))
    edges = [-1, *(place.start() for place in re.finditer(r"\+", lines[ruler])), width]
    rows = []
    for line in lines[ruler + 1 :]:
        if re.fullmatch(r"\(\d+ rows?\)", line):
            break
        rows.append(tuple(line[left + 1 : right].strip() for left, right in pairwise(edges)))
    return rows


def _agree(rows: Sequence[Row], expected: Expected) -> bool:
    """Whether rows are what is expected of them."""
    if not expected:
        return not rows
    first, *rest = expected
    if first is ...:
        return any(_agree(rows[some:], rest) for some in range(len(rows) + 1))
    return (
        bool(rows)
        and len(first) == len(rows[0])
        and all(cell in (..., shown) for cell, shown in zip(first, rows[0], strict=True))
        and _agree(rows[1:], rest)
    )


def _agreed(statement: str, printed: str, expected: Expected) -> list[Row]:
    """The rows that psql printed, which must be the expected ones."""
    rows = _rows(printed)
    if "ERROR:" in printed or not _agree(rows, expected):
        wanted = "\n".join(
            "  ..." if row is ... else "  " + " | ".join("..." if cell is ... else cell for cell in row)
            for row in expected
        )
        raise DrillError(f"{_shown(statement)}\nexpected:\n{wanted or '  (0 rows)'}\nbut it is:\n{printed}")
    return rows
