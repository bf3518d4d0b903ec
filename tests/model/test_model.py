"""Spin checks every run of runs.py to the last state; docs/model.md says what came of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.model.runs import ALWAYS, BUGS, EVENTUALLY, LOST, PAGE, PROOFS, Run
from tests.model.spin import MODEL, version

if TYPE_CHECKING:
    from tests.model.spin import Checked

TOLD = "frozen_and_sent_again"


@pytest.mark.parametrize("run", PROOFS, ids=lambda run: run.name)
def test_what_is_promised_holds_in_every_state(run: Run) -> None:
    checked = run.check()
    assert not checked.broken, "\n".join(checked.story)
    compare_with_page(run, checked)


@pytest.mark.parametrize("run", LOST, ids=lambda run: run.name)
def test_what_is_not_promised_is_lost(run: Run) -> None:
    checked = run.check()
    assert checked.broken, f"{run.promises[0]} holds: promise it"
    compare_with_page(run, checked)
    if run.name == TOLD:
        assert "\n".join(f"    {act}" for act in checked.story) in PAGE, "docs/model.md tells another story"


@pytest.mark.parametrize("run", BUGS, ids=lambda run: run.name)
def test_a_planted_bug_breaks_its_promise(run: Run) -> None:
    checked = run.check()
    assert checked.broken, f"spin does not find {run.name}"
    compare_with_page(run, checked)


def test_the_page_says_what_is_promised() -> None:
    for name, sentence in {**ALWAYS, **EVENTUALLY}.items():
        assert f"| {name} | {sentence} |" in PAGE


def test_every_bug_that_can_be_planted_is() -> None:
    planted = {name for run in BUGS for name in run.world if name.startswith("BUG_")}
    known = {
        name
        for file in MODEL.parent.glob("*.pml")
        for name in re.findall(r"BUG_[A-Z0-9_]+", file.read_text())
    }
    assert planted == known


def compare_with_page(run: Run, checked: Checked) -> None:
    """The page has a row for the run, and the number of states in it, if it names this version of spin."""
    row = re.search(rf"^\| {run.name} \|.*\| ([\d,]+) \| [\d.]+ \|$", PAGE, re.MULTILINE)
    assert row is not None, f"docs/model.md has no row for {run.name}: see `make model`"
    if f"Spin {version()}" in PAGE:
        assert row.group(1) == f"{checked.states:,}", "docs/model.md is old: see `make model`"
