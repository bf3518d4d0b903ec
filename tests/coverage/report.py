"""What was executed, beside the files of sql/: statements, branches, and the lines that nothing reached."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.servers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HEAD = re.compile(r"create or replace function (orderlatch(?:_data)?\.\w+)\(", re.MULTILINE)
BODY = re.compile(r"^as \$\$$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a function, as the profiler counts it."""

    function: str
    number: int
    parent: int | None
    part: str | None
    """Which body of its parent it stands in: then body, elsif 1, else body, case when 2, loop body, …"""
    line: int
    """Of the function's text."""
    kind: str
    executed: int


@dataclass(slots=True)
class Coverage:
    """How much there is, and how much of it was reached."""

    statements: int = 0
    executed: int = 0
    branches: int = 0
    taken: int = 0
    gaps: list[str] = field(default_factory=list)

    def add(self, other: Coverage) -> None:
        """Add up."""
        self.statements += other.statements
        self.executed += other.executed
        self.branches += other.branches
        self.taken += other.taken


def places() -> dict[str, tuple[str, int]]:
    """Where each function's text begins: the file below sql/, and its line."""
    found: dict[str, tuple[str, int]] = {}
    for path in sorted((ROOT / "sql").rglob("*.sql")):
        text = path.read_text()
        for head in HEAD.finditer(text):
            if body := BODY.search(text, head.end()):
                line = text.count("\n", 0, body.start()) + 1
                found[head[1]] = (str(path.relative_to(ROOT / "sql")), line)
    return found


Row = tuple[str, int, int | None, str | None, int, str, int]


def by_function(rows: Iterable[Row]) -> dict[str, Coverage]:
    """The coverage of each function. `rows`: as the plugin writes them."""
    functions: dict[str, dict[int, Statement]] = defaultdict(dict)
    for row in rows:
        functions[row[0]][row[1]] = Statement(*row)
    where = places()
    return {name: _coverage(list(kept.values()), where[name]) for name, kept in sorted(functions.items())}


def _coverage(statements: list[Statement], place: tuple[str, int]) -> Coverage:
    """A block is none: it holds statements."""
    counted = [statement for statement in statements if statement.kind != "statement block"]
    coverage = Coverage(len(counted), sum(statement.executed > 0 for statement in counted))
    file, first = place
    missed = sorted({first + s.line - 1 for s in counted if not s.executed})
    coverage.gaps = [f"{file}:{line}" for line in missed]
    for line, taken in _branches(statements):
        coverage.branches += 1
        coverage.taken += taken
        # the body of a branch says so itself; only what has no body needs a line of its own
        if not taken and line is not None:
            coverage.gaps.append(f"{file}:{first + line - 1} always")
    return coverage


def _branches(statements: list[Statement]) -> Iterator[tuple[int | None, bool]]:
    """Each way out of a condition, and each handler: was it taken; and the line of what was never false."""
    for parent in statements:
        bodies: dict[str, int] = {}
        for child in statements:
            if child.parent == parent.number and child.part is not None:
                bodies.setdefault(child.part, child.executed)
        for part, executed in bodies.items():
            if part != "body":
                yield None, executed > 0
        if parent.kind == "IF" and "else body" not in bodies:
            never_false = parent.executed > 0 and parent.executed <= sum(bodies.values())
            yield (parent.line if never_false else None), parent.executed > sum(bodies.values())
