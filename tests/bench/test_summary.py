"""What is promised of speed stands at the top of the results; a smaller round never passes for the full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.report import GOALS, page
from tests.bench.summary import top

if TYPE_CHECKING:
    from tests.bench.ground import Figures

P50 = {"orderlatch": 3, "procrastinate": 2, "pgqueuer": 1.5}
PEERS = ("absurd", "procrastinate", "pgmq", "floor")


def results(*, quick: bool, decisions: int = 10_000_000, seconds: int = 600) -> dict[str, Figures]:
    """Figures of one run; the factors make every key distinct."""
    lives: list[Figures] = [
        {"layout": layout, "batch": batch, "ours_over_it": batch / factor, "lives_per_s": 1}
        for batch in (1, 100)
        for factor, layout in enumerate((*PEERS, "orderlatch"), 1)
    ]
    ratios: dict[str, Figures] = {
        "1": {"empty": 100, "full": 97, "ratio": 0.97},
        "100": {"empty": 1000, "full": 910, "ratio": 0.91},
    }
    figures: dict[str, Figures] = {
        "lives": {"results": lives},
        "growth": {
            "decisions": decisions, "lives_per_s": ratios, "calls": {}, "asked": {},
            "bytes_per_decision": 4000,
            "bytes": {"fills": 400, "broker_responses": 1400},
        },
        "snapshot": {"ours_s": seconds, "weighed": 0.95,
                     "held": {f"orderlatch, {seconds} s": {"ratio": 0.76}}},
        "pickup": {"systems": {name: {"p50_ms": ms} for name, ms in P50.items()}},
    }  # fmt: skip
    return {name: {"figures": each, "quick": quick, "server": {}} for name, each in figures.items()}


def test_a_full_run_has_every_key_that_the_project_is_held_to() -> None:
    keys = top(results(quick=False))
    assert {key: value for key, value in keys.items() if key != "notes"} == {
        **{f"single_vs_{peer}": 1 / factor for factor, peer in enumerate(PEERS, 1)},
        **{f"batch_vs_{peer}": 100 / factor for factor, peer in enumerate(PEERS, 1)},
        "growth_10m": 0.91,
        "snapshot_10min": 0.95,
        "pickup_p50_vs_best_peer": 2.0,
        "bytes_per_decision": 4000,
    }
    assert set(GOALS) == set(keys) - {"notes"}
    assert keys["notes"] == {
        "snapshot_10min": "over that of a database without a snapshot, in turns; by itself 0.76",
        "pickup_p50_vs_best_peer": "the best peer is pgqueuer; not measured: graphile-worker",
    }


@pytest.mark.parametrize(
    ("smaller", "key", "note"),
    [
        (results(quick=True), "single_vs_pgmq", "a quick round"),
        (results(quick=False, decisions=100_000), "growth_10m", "100,000 settled decisions"),
        (results(quick=False, decisions=100_000), "bytes_per_decision", "100,000 settled decisions"),
        (
            results(quick=True, seconds=10),
            "snapshot_10min",
            "a quick round; 10 seconds; over that of a database without a snapshot, in turns; by itself 0.76",
        ),
    ],
)
def test_a_smaller_round_says_so(smaller: dict[str, Figures], key: str, note: str) -> None:
    notes = top(smaller)["notes"]
    assert isinstance(notes, dict)
    assert notes[key] == note


def test_what_was_not_measured_has_no_key() -> None:
    assert top({}) == {}
    assert "growth_10m" not in top({"lives": results(quick=False)["lives"]})


def test_what_an_earlier_version_kept_loses_nothing_of_what_is_measured_now() -> None:
    kept = results(quick=False)
    kept["snapshot"] = {"figures": {"ours_s": 600, "held": {}}, "quick": False, "server": {}}
    keys = top(kept)
    assert "snapshot_10min" not in keys
    assert keys["growth_10m"] == 0.91


def test_the_page_shows_the_keys_with_their_notes_and_the_heaviest_table_first() -> None:
    kept = results(quick=True)
    shown = page(top(kept) | kept)
    assert "| `batch_vs_procrastinate` | 50.0 | 3 or more | a quick round |" in shown
    assert shown.index("`broker_responses`") < shown.index("`fills`")
    assert "A **quick** round." in shown
