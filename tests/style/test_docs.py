"""Documents: what they link to is there, and so is every drill and target of make that they name."""

from __future__ import annotations

import re

from tests.style.sources import ROOT, no
from worker.drills.catalogue import DRILLS

DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "tests" / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)


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
