"""A few planted bugs, and that all of them can be planted. `make mutants` plants each: docs/simulator.md."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.mutants.__main__ import killer_of
from tests.mutants.mutant import Mutant, PlantError, all_mutants

if TYPE_CHECKING:
    from tests.support.servers import TestServer

MUTANTS = {mutant.name: mutant for mutant in all_mutants()}
# found by the first seed, within its first minutes
SAMPLE = ("quiet-time-skipped", "perhaps-sent-is-not-sent", "doubt-holds-nothing-back")


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=list(MUTANTS))
def test_a_bug_can_still_be_planted(mutant: Mutant) -> None:
    assert mutant.source() != mutant.old
    assert mutant.tests


def test_a_bug_whose_text_is_gone_fails_loudly() -> None:
    with pytest.raises(PlantError, match="0 times"):
        replace(MUTANTS["quiet-time-skipped"], old="nobody wrote this").source()


@pytest.mark.thorough
@pytest.mark.parametrize("name", SAMPLE)
def test_the_simulator_finds_a_planted_bug(server: TestServer, name: str) -> None:
    killer = killer_of(server, MUTANTS[name])
    assert killer is not None
    assert killer.startswith("make simulate SEED=")
