"""Documents: what they link to is there, and so is every drill, target, name and file that they name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

import httpcore

from tests.style.sources import ROOT, no
from worker.broker import REASONS
from worker.drills.catalogue import DRILLS
from worker.mailbox import Why

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "tests" / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
SUFFIXES = {".env", ".json", ".pml", ".psqlrc", ".py", ".sql", ".toml", ".yaml"}
# Of Postgres, and of docs/model.md, which says BUG_QUIET_SINCE_GRANT for short.
FOREIGN = {"heap_lock_tuple", "pg_signal_backend", "quiet_since_grant", "wal_log"}


def sources() -> list[Path]:
    """Every file of the checkout that is no text."""
    folders = ("sql", "migrations", "worker", "tests", "docs")
    found = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return [ROOT / "pyproject.toml", *(path for path in found if path.suffix in SUFFIXES)]


def quoted(pattern: str) -> Iterator[tuple[str, str]]:
    """What fits a pattern between backticks, with where it stands; not in what is history or generated."""
    for path in DOCUMENTS:
        if path.name != "CHANGELOG.md" and path.parent.name != "generated":
            for found in re.finditer(r"`([^`\n]+)`", path.read_text()):
                for name in re.findall(pattern, found[1]):
                    yield f"{path.relative_to(ROOT)}: {found[1]}", name


def test_links_lead_somewhere() -> None:
    no(
        f"{path.relative_to(ROOT)}: {target}"
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text())
        if "://" not in target and not (path.parent / target).exists()
    )


def test_drills_that_are_named_exist() -> None:
    known = {drill.name for drill in DRILLS}
    no(
        f"{path.relative_to(ROOT)}: {name}"
        for path in DOCUMENTS
        for name in re.findall(r"make drill NAME=([\w-]+)", path.read_text())
        if name not in known
    )


def test_targets_of_make_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    no(
        f"{path.relative_to(ROOT)}: make {name}"
        for path in DOCUMENTS
        for name in re.findall(r"`make ([a-z]+)\b", path.read_text())
        if name not in targets
    )


def test_names_with_an_underscore_exist() -> None:
    known = {word for path in sources() for word in re.findall(r"\w+", path.read_text())}
    known |= {path.stem for path in sources()} | FOREIGN
    no(f"{where}: {name}" for where, name in quoted(r"(?<![\w…])[a-z]\w*_\w+\b") if name not in known)


def test_files_of_code_that_are_named_exist() -> None:
    known = [f"/{path.relative_to(ROOT)}" for path in sources()]
    no(
        f"{where}: {name}"
        for where, name in quoted(r"[\w./-]*\w\.(?:py|sql|pml|toml|yaml)\b")
        if not any(path.endswith(f"/{name.removeprefix('./')}") for path in known)
    )


def kinds_of(error: type[Exception]) -> Iterator[type[Exception]]:
    """Every kind of an error that has no kinds of its own."""
    for kind in error.__subclasses__() or [error]:
        yield from [kind] if kind is error else kinds_of(kind)


def test_the_runbook_explains_every_failure_of_a_call_and_every_end_of_a_stream() -> None:
    text = (ROOT / "docs" / "runbooks" / "silence.md").read_text()
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    never = {  # only calls' own time-outs are set
        httpcore.ConnectTimeout, httpcore.ReadTimeout, httpcore.WriteTimeout,
    }  # fmt: skip
    failures = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)
    kinds = {kind for failure in failures for kind in kinds_of(failure)}
    transports = {kind.__name__ for kind in kinds - never - {*REASONS}}
    no(name for name in sorted({*REASONS.values(), *transports, *get_args(Why)} - explained))
