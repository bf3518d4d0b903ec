"""The seeds of the simulator. `make simulate` runs them too, or others: docs/simulator.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulator.batch import BATCH, DECISIONS, HOURS, THOROUGH, Planned
from tests.simulator.run import Result, Simulation
from tests.simulator.shrink import shrink
from tests.support.servers import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.servers import TestServer

SEEDS = [
    *(pytest.param(planned, id=str(planned.seed)) for planned in BATCH),
    *(pytest.param(planned, id=str(planned.seed), marks=pytest.mark.thorough) for planned in THOROUGH),
]


@pytest.mark.timeout(1200)  # half a minute, but not where many others want the processors too
@pytest.mark.parametrize("planned", SEEDS)
def test_a_seed_breaks_no_promise_and_ends_with_the_truth(server: TestServer, planned: Planned) -> None:
    seed, steps = planned.seed, planned.steps
    result = Simulation(server, TEMPLATE, f"seed_{seed}_", seed, steps).run()
    assert result.violation is None, "\n".join(
        [*result.trace[-40:], str(result.violation), f"make simulate SEED={seed} STEPS={steps}"]
    )
    assert result.orders > 0
    assert result.decisions >= planned.decisions
    assert result.hours >= planned.hours


def test_the_seeds_of_every_run_come_to_20000_decisions_in_200_hours() -> None:
    assert sum(planned.decisions for planned in BATCH) >= DECISIONS
    assert sum(planned.hours for planned in BATCH) >= HOURS


@pytest.mark.thorough
def test_the_same_seed_does_the_same_and_another_one_does_not(server: TestServer) -> None:
    first, again, other = (
        Simulation(server, TEMPLATE, f"same_{n}_", seed, 25).run() for n, seed in enumerate((7, 7, 8))
    )
    assert first.trace == again.trace
    assert first.digest == again.digest != other.digest


def test_what_fails_is_shrunk_to_what_makes_it_fail() -> None:
    def again(only: Sequence[int]) -> Result:
        broken = {17, 40} <= set(only)
        return Result(1, 60, 0, 0, "", [], "seen 17 of 40" if broken else None, max(only, default=0), 0, 0)

    left, result = shrink(again(range(60)), again, patience_s=10)
    assert left == [17, 40]
    assert result.violation == "seen 17 of 40"
