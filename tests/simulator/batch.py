"""The seeds that `make test` runs, and `make simulate` in one go, with what each of them comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planned:
    """A seed, and the least that it must come to."""

    seed: int
    steps: int
    decisions: int = 1
    hours: float = 0


DECISIONS = 20_000
HOURS = 200
"""What the batch must come to."""
# One dense seed, and wide ones of about the same size: two processes share them evenly.
BATCH = (
    Planned(101, 40, 100, 0.5),
    Planned(1000, 150, 2_800, 23.5),
    Planned(1006, 150, 2_450, 26.9),
    Planned(1015, 150, 3_150, 24.1),
    Planned(1019, 150, 2_550, 24.4),
    Planned(1022, 150, 2_550, 22.5),
    Planned(1024, 150, 2_300, 24.2),
    Planned(1036, 150, 3_300, 29.1),
    Planned(1037, 150, 2_800, 26.7),
)
THOROUGH = tuple(Planned(seed, 40) for seed in range(102, 107))
"""Also with THOROUGH=1: dense ones."""
