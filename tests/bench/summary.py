"""The figures that .bench/results.json has at its top: ours over theirs, and what each was measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.ground import Figures

PEERS = ("absurd", "procrastinate", "pgmq", "floor")
BATCHES = {"single": 1, "batch": 100}
PICKED_BY_PEERS = ("procrastinate", "pgqueuer", "graphile-worker")


def at(tree: Figures, *path: str) -> Figures:
    """What lies at a path, or nothing."""
    for step in path:
        if not isinstance(tree, dict) or step not in tree:
            return None
        tree = tree[step]
    return tree


def number(tree: Figures, *path: str) -> float:
    """A number at a path; LookupError where there is none."""
    found = at(tree, *path)
    if isinstance(found, int | float):
        return found
    raise LookupError(path)


def top(kept: dict[str, Figures]) -> dict[str, Figures]:
    """The keys for which there are figures, and notes where one is not the full thing.

    What an earlier version kept may lack what a key is made of now: no key, until it is measured again.
    """
    keys: dict[str, Figures] = {}
    notes: dict[str, Figures] = {}
    for name, add in (("lives", lives), ("growth", growth), ("snapshot", snapshot), ("pickup", pickup)):
        figures = at(kept, name, "figures")
        if figures is None:
            continue
        try:
            added, note = add(figures)
        except LookupError:
            continue
        keys |= added
        quick = ["a quick round"] if at(kept, name, "quick") else []
        said = "; ".join([*quick, *([note] if note else [])])
        notes |= dict.fromkeys(added, said) if said else {}
    return {**keys, **({"notes": notes} if notes else {})}


def lives(figures: Figures) -> tuple[dict[str, Figures], str]:
    """Throughput beside each peer."""
    found = at(figures, "results")
    assert isinstance(found, list)
    ratios = {(at(each, "layout"), at(each, "batch")): at(each, "ours_over_it") for each in found}
    return {f"{name}_vs_{peer}": ratios[peer, batch] for name, batch in BATCHES.items() for peer in PEERS}, ""


def growth(figures: Figures) -> tuple[dict[str, Figures], str]:
    """The worse of the two ratios of throughput, and bytes."""
    decisions = int(number(figures, "decisions"))
    ratio = min(number(figures, "lives_per_s", batch, "ratio") for batch in ("1", "100"))
    note = "" if decisions >= 10_000_000 else f"{decisions:,} settled decisions"
    return {"growth_10m": ratio, "bytes_per_decision": number(figures, "bytes_per_decision")}, note


def snapshot(figures: Figures) -> tuple[dict[str, Figures], str]:
    """The last tenth over the first, over the same of a database without a snapshot."""
    seconds = int(number(figures, "ours_s"))
    plain = number(figures, "held", f"orderlatch, {seconds} s", "ratio")
    note = f"over that of a database without a snapshot, in turns; by itself {plain:.2f}"
    shorter = "" if seconds >= 600 else f"{seconds} seconds; "
    return {"snapshot_10min": number(figures, "weighed")}, shorter + note


def pickup(figures: Figures) -> tuple[dict[str, Figures], str]:
    """Ours, to the first byte at the broker, over the fastest peer, to its handler."""
    measured = {
        peer: number(figures, "systems", peer, "p50_ms")
        for peer in PICKED_BY_PEERS
        if at(figures, "systems", peer)
    }
    best = min(measured, key=lambda peer: measured[peer])
    ours = number(figures, "systems", "orderlatch", "p50_ms")
    missing = [peer for peer in PICKED_BY_PEERS if peer not in measured]
    note = f"the best peer is {best}" + (f"; not measured: {', '.join(missing)}" if missing else "")
    return {"pickup_p50_vs_best_peer": ours / measured[best]}, note
