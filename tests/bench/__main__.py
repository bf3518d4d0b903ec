"""`make bench`: all benchmarks, or one. Nothing here is a test: nothing fails because it is slow."""

from __future__ import annotations

import json
import os
import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from tests.bench import (
    accounts,
    budget,
    chain,
    contention,
    growth,
    idle,
    keys,
    lives,
    mirror,
    peers,
    pickup,
    profile,
    report,
    snapshot,
    wired,
)  # fmt: skip
from tests.bench.ground import RESULTS, Figures, Size, clean_up, keep, server_settings, start_server
from worker import embedded
from worker.installer import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BENCHMARKS: dict[str, Callable[[Size], Figures]] = {
    "lives": lives.main,
    "pickup": pickup.main,
    "contention": contention.main,
    "idle": idle.main,
    "snapshot": snapshot.main,
    "growth": growth.main,
    "keys": keys.main,
    "mirror": mirror.main,
    "accounts": accounts.main,
    "wired": wired.main,
    "budget": budget.main,
    "chain": chain.main,
    "profile": profile.main,
}
# No benchmark: writes page and picture again from the figures that are kept.
REPORT = "report"


@click.command()
@click.option("--only", type=click.Choice([*BENCHMARKS, REPORT]), help="One of them; else all.")
@click.option("--quick", is_flag=True, help="A smaller round of each.")
@click.option("--minutes", default=2.0, show_default=True, help="How long the rate budget is watched.")
@click.option("--decisions", type=int, help="How long the past of growth is: 10 million, 10,000 if quick.")
def bench(only: str | None, *, quick: bool, minutes: float, decisions: int | None) -> None:
    """Measure on the embedded server; print tables, and keep the figures as JSON, page and picture."""
    size = Size(quick=quick, minutes=minutes, decisions=decisions)
    if only != REPORT:
        print("peers: " + ", ".join(f"{name} {version}" for name, version in peers.versions().items()))
        start_server()
        try:
            for name in [only] if only else BENCHMARKS:
                measure(name, size)
        finally:
            embedded.stop()
    # the documents show what was measured together, and what a quick round says is no news for them
    write_report(docs=only == REPORT or (only is None and not quick))


def measure(name: str, size: Size) -> None:
    """Run one, and keep what it says."""
    settings = server_settings()
    print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in settings.items()), flush=True)
    began = time.monotonic()
    try:
        figures = BENCHMARKS[name](size)
    finally:
        clean_up()
    took_s = round(time.monotonic() - began, 1)
    load = round(os.getloadavg()[0], 1)
    keep(
        name,
        {
            "figures": figures,
            "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "server": settings | {"load_after": load},
            "peers": dict(peers.versions()),
            "quick": size.quick,
            "took_s": took_s,
        },
    )
    print(f"  took {took_s:g} s, load of the machine {settings['load_before']} to {load}")


def write_report(*, docs: bool) -> None:
    """Page and picture beside the results, or in docs/."""
    page = ROOT / "docs" / "generated" / "performance.md" if docs else RESULTS.with_name("performance.md")
    picture = ROOT / "docs" / "performance.svg" if docs else RESULTS.with_name("performance.svg")
    page.write_text(report.page(json.loads(RESULTS.read_text())))
    draw: list[str | Path] = [peers.PYTHON, "-m", "tests.bench.picture", RESULTS, picture]
    subprocess.run(draw, cwd=ROOT, check=True)
    for path in (RESULTS, page, picture):
        print(f"kept in {path.relative_to(ROOT)}")


if __name__ == "__main__":
    bench()
