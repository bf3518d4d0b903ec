"""Makes a failing simulation small: leaves out what it can while the same promise stays broken."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulator.run import Result


def same(violation: str | None) -> str | None:
    """A violation without what differs from run to run."""
    return (
        None
        if violation is None
        else re.sub(r"[0-9a-f]{8,}|\d+", "#", violation.partition("\n")[2] or violation)[:40]
    )


def shrink(
    failed: Result, again: Callable[[Sequence[int]], Result], *, patience_s: float
) -> tuple[list[int], Result]:
    """Drop ever smaller pieces of what is thrown in; returns what is left, and the run with it."""
    deadline = time.monotonic() + patience_s
    left = list(range(failed.failed_at + 1))
    piece = max(1, len(left) // 2)
    while piece >= 1 and time.monotonic() < deadline:
        start, dropped = 0, False
        while start < len(left) and time.monotonic() < deadline:
            fewer = left[:start] + left[start + piece :]
            result = again(fewer)
            if same(result.violation) == same(failed.violation):
                left, failed, dropped = fewer, result, True
            else:
                start += piece
        piece = piece // 2 if not dropped or piece > 1 else 0
    return left, failed
