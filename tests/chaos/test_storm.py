"""A storm of everything, and the truth after it. `make chaos` lets it rage for minutes."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.chaos.storm import Storm, Strategy
from tests.chaos.world import SHORT

if TYPE_CHECKING:
    from tests.chaos.world import World

OPEN = """
select count(*)::int from orderlatch.decisions as d
where d.status in ('planned', 'approved', 'submitting', 'in_doubt')
"""
KNOWN = """
select d.status, count(*)::int from orderlatch.decisions as d group by d.status order by d.status
"""


@pytest.mark.timeout(0)
def test_after_a_storm_every_decision_has_one_order_or_a_reason(
    fragile_world: World, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    world = fragile_world
    world.mirrored_account("second", **SHORT)
    minutes = float(request.config.getoption("--minutes"))
    seed = int(request.config.getoption("--seed"))
    world.sandbox.tell("PUT", "accounts/paper", {"cash": "100000000"})
    world.sandbox.tell("PUT", "accounts/second", {"cash": "100000000"})
    storm, strategy = Storm(world, Random(seed)), Strategy(world)
    storm.rage(60 * minutes)
    strategy.stop()
    world.wait_until(lambda: world.number(OPEN) == 0, what="the fate of every decision is known")

    statuses: dict[str, int] = dict(world.rows(KNOWN))
    assert sum(statuses.values()) == len(strategy.hashes) == len(set(strategy.hashes))
    # what was proved absent three times is not sent again
    assert set(statuses) <= {"submitted", "refused", "lapsed"}
    assert world.sandbox.summary()["orders"] == statuses["submitted"]
    with capsys.disabled():
        met = ", ".join(f"{number} x {name}" for name, number in sorted(storm.met.items()))
        print(f"\n{met}; {strategy.repeats} proposals repeated")
        print(f"chaos ok: seed={seed} minutes={minutes:g} {statuses} orders={statuses['submitted']}")
