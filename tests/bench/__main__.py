"""`make bench`: all benchmarks, or one. Nothing here is a test: nothing fails because it is slow."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from tests.bench import accounts, budget, chain, lives, mirror, wired
from tests.bench.ground import RESULTS, Figures, Size, keep, server_settings
from worker.installer import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS: dict[str, Callable[[Size], Figures]] = {
    "lives": lives.main,
    "mirror": mirror.main,
    "accounts": accounts.main,
    "wired": wired.main,
    "budget": budget.main,
    "chain": chain.main,
}


@click.command()
@click.option("--only", type=click.Choice(sorted(BENCHMARKS)), help="One of them; else all.")
@click.option("--quick", is_flag=True, help="A smaller round, to see that it works.")
@click.option("--minutes", default=2.0, show_default=True, help="How long the rate budget is watched.")
def bench(only: str | None, *, quick: bool, minutes: float) -> None:
    """Measure on the embedded server, print tables, and keep the figures as JSON."""
    size = Size(quick=quick, minutes=minutes)
    for name in [only] if only else BENCHMARKS:
        settings = server_settings()
        print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in settings.items()), flush=True)
        began = time.monotonic()
        figures = BENCHMARKS[name](size)
        took_s = round(time.monotonic() - began, 1)
        load = round(os.getloadavg()[0], 1)
        keep(
            name,
            {"figures": figures, "server": settings | {"load_after": load}, "quick": quick, "took_s": took_s},
        )
        print(f"  took {took_s:g} s, load of the machine {settings['load_before']} to {load}")
    print(f"kept in {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    bench()
