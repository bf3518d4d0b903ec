"""Python: sizes, and where SQL and HTTP may be spoken."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.style.sources import ROOT, no

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKER = ROOT / "worker"
SANDBOX = WORKER / "sandbox"

# The demo and the drills play the people around the worker: they ask the database and the sandbox what came
# of it all.
PLAYERS = {WORKER / name for name in ("demo.py", "demo_report.py", "rehearsal.py")} | {
    *(WORKER / "drills").glob("*.py")
}
# The worker's one module with SQL, those that install, start or archive a database, and the players.
SPEAK_SQL = PLAYERS | {
    WORKER / name for name in ("database.py", "installer.py", "applier.py", "embedded.py", "archive.py")
}
STATEMENT = re.compile(
    r"\s*(select|insert into|update|delete from|with|create|alter|drop|set|listen|notify)\s", re.IGNORECASE
)


def modules(place: Path) -> Iterator[tuple[Path, str]]:
    """The Python files below a directory, without the sandbox, and their text."""
    for path in sorted(place.rglob("*.py")):
        if SANDBOX not in path.parents:
            yield path, path.read_text()


def literals(text: str) -> Iterator[ast.Constant]:
    """The strings of a module that are not documentation."""
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node


def test_modules_have_at_most_250_lines() -> None:
    no(
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path, text in modules(WORKER)
        if (lines := text.count("\n")) > 250
    )


def test_sql_is_spoken_in_few_places() -> None:
    no(
        f"{path.relative_to(ROOT)}:{literal.lineno}: {str(literal.value)[:40]!r}"
        for path, text in modules(WORKER)
        if path not in SPEAK_SQL
        for literal in literals(text)
        if STATEMENT.match(str(literal.value))
        and re.search(r"\bfrom\b|\borderlatch\b|=|\(", str(literal.value))
    )


def test_functions_of_the_database_are_named_in_database_py_alone() -> None:
    no(
        f"{path.relative_to(ROOT)}:{literal.lineno}: {literal.value!r}"
        for path, text in modules(WORKER)
        if path not in SPEAK_SQL
        for literal in literals(text)
        if re.search(r"\borderlatch(_data)?\.\w+\s*\(", str(literal.value))
    )


def test_http_is_spoken_in_broker_py_alone() -> None:
    no(
        f"{path.relative_to(ROOT)}: imports httpx"
        for path, text in modules(WORKER)
        if path not in {WORKER / "broker.py", *PLAYERS}
        and re.search(r"^\s*(import|from) httpx\b", text, re.MULTILINE)
    )


def test_websockets_are_spoken_in_stream_py_alone() -> None:
    no(
        f"{path.relative_to(ROOT)}: imports websockets"
        for path, text in modules(WORKER)
        if path.name != "stream.py" and re.search(r"^\s*(import|from) websockets\b", text, re.MULTILINE)
    )


def test_the_worker_does_not_know_the_sandbox() -> None:
    no(
        f"{path.relative_to(ROOT)}: imports the sandbox"
        for path, text in modules(WORKER)
        if path not in {WORKER / "cli.py", *PLAYERS} and re.search(r"\bworker\.sandbox\b", text)
    )


def test_the_top_of_the_checkout_stays_small() -> None:
    known = {"sql", "migrations", "worker", "tests", "docs", "pyproject.toml", "Makefile", "README.md",
             "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"}  # fmt: skip
    no(
        f"{path.name}: not part of the layout"
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and path.suffix != ".egg-info" and path.name not in known
    )
