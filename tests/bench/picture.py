"""Draws the figures as one picture, in the peers' environment, which has matplotlib.

.bench/venv/bin/python -m tests.bench.picture RESULTS.json PICTURE.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib import pyplot as plt

from tests.bench.summary import at, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

    from tests.bench.ground import Figures

OURS, THEIRS = "#1f77b4", "#b0b0b0"
STYLE = {"backend": "svg", "svg.hashsalt": "orderlatch", "svg.fonttype": "none", "font.size": 9}


def bars(axes: Axes, values: Mapping[str, float], title: str) -> None:
    """Bars from the top down, ours in colour, each with its figure."""
    colours = [OURS if name.startswith("orderlatch") else THEIRS for name in values]
    drawn = axes.barh(list(values), list(values.values()), color=colours)
    texts = [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in values.values()]
    axes.bar_label(drawn, texts, padding=3)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * max(values.values()))
    axes.set_title(title, loc="left", fontsize=10)


def lives(figures: Figures, batch: int) -> dict[str, float]:
    """Lives a second by layout."""
    found = at(figures, "results")
    assert isinstance(found, list)
    return {
        str(at(each, "layout")): number(each, "lives_per_s") for each in found if at(each, "batch") == batch
    }


def of_each(figures: Figures, key: str, value: str) -> dict[str, float]:
    """One figure of each of several."""
    found = at(figures, key)
    assert isinstance(found, dict)
    return {name: number(one, value) for name, one in found.items()}


def held(axes: Axes, figures: Figures) -> None:
    """Throughput while a snapshot is held, as a share of the first tenth, a line for each system."""
    by_second = at(figures, "lives_by_second")
    assert isinstance(by_second, dict)
    for nth, (name, seconds) in enumerate(by_second.items()):
        assert isinstance(seconds, list)
        lived = [float(str(each)) for each in seconds]
        tenth = max(1, len(lived) // 10)
        first = sum(lived[:tenth]) / tenth or 1
        step = max(1, len(lived) // 60)
        places = range(0, len(lived) - step + 1, step)
        shares = [sum(lived[place : place + step]) / step / first for place in places]
        colour, width = (OURS, 2.5) if name == "orderlatch" else (f"C{nth}", 1)
        axes.plot(list(places), shares, label=name, color=colour, linewidth=width)
    axes.set_title("Lives a second while a snapshot is held, over the first", loc="left", fontsize=10)
    axes.set_xlabel("seconds")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)


def panels(kept: Figures) -> list[Callable[[Axes], None]]:
    """What is drawn, of what was measured."""
    drawn: list[Callable[[Axes], None]] = []
    if (one := at(kept, "lives", "figures")) is not None:
        single, batch = lives(one, 1), lives(one, 100)
        drawn.append(lambda axes: bars(axes, single, "Lives a second, one at a time"))
        drawn.append(lambda axes: bars(axes, batch, "Lives a second, in batches of 100"))
    if (one := at(kept, "pickup", "figures")) is not None:
        half, most = of_each(one, "systems", "p50_ms"), of_each(one, "systems", "p99_ms")
        drawn.append(lambda axes: bars(axes, half, "Commit to pick-up at 50 a second, p50 in ms"))
        drawn.append(lambda axes: bars(axes, most, "Commit to pick-up at 50 a second, p99 in ms"))
    if (one := at(kept, "growth", "figures")) is not None:
        ratios = {
            f"orderlatch, batches of {name}": value
            for name, value in of_each(one, "lives_per_s", "ratio").items()
        }
        title = f"Lives a second after {number(one, 'decisions'):,.0f} settled decisions, over none"
        drawn.append(lambda axes: bars(axes, ratios, title))
    if (snapshot := at(kept, "snapshot", "figures")) is not None:
        drawn.append(lambda axes: held(axes, snapshot))
    return drawn


def draw(kept: dict[str, Figures], path: Path) -> None:
    """All panels, two in a row; quick rounds are named as such."""
    mpl.rcParams.update(STYLE)
    drawn = panels(kept)
    rows = max(1, (len(drawn) + 1) // 2)
    picture, places = plt.subplots(rows, 2, figsize=(11, 3.2 * rows), layout="constrained", squeeze=False)
    for axes in places.flat[len(drawn) :]:
        axes.set_visible(False)
    for panel, axes in zip(drawn, places.flat, strict=False):
        axes.spines[["top", "right"]].set_visible(False)
        panel(axes)
    quick = [name for name in kept if at(kept[name], "quick")]
    if quick:
        picture.suptitle(f"QUICK rounds: {', '.join(quick)}", color="red")
    picture.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
