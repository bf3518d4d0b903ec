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
    Planned(1000, 145, 2_800, 23.2),
    Planned(1005, 145, 2_950, 21.6),
    Planned(1006, 145, 2_150, 25.6),
    Planned(1015, 145, 3_150, 22.9),
    Planned(1019, 145, 2_550, 24.4),
    Planned(1023, 145, 1_750, 30.8),
    Planned(1036, 145, 3_300, 29.0),
    Planned(1037, 145, 2_800, 25.0),
)
THOROUGH = (
    *(Planned(seed, 40) for seed in range(102, 107)),
    *(Planned(seed, 80) for seed in (5201, 5202, 5203, 5205)),
)
"""Also with THOROUGH=1: dense ones, and mixed ones."""
