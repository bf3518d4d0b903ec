"""Runs spin: searches a world of the model to its last state, and replays what it found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MODEL = Path(__file__).parent / "orderlatch.pml"
NEEDED = ("spin", "gcc")
DEPTH = 1_000_000
MEMORY_MB = {"2": 1000, "3": 12000}
"""By the number of workers."""

ACTORS = r"(worker \d|broker|database|time|strategy|reconciliation|faults|<<<)"


class SpinError(Exception):
    """Spin, gcc or the checker that they made did not do what they were asked."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to: every state was visited, or a promise was broken in one of them."""

    broken: bool
    states: int
    seconds: float  # of a processor, for the search alone
    story: tuple[str, ...]


def version() -> str:
    """Which spin this is."""
    found = re.search(r"\d+\.\d+\.\d+", _run(["spin", "-V"], Path.cwd()))
    if found is None:
        raise SpinError("spin does not say its version")
    return found.group()


def check_always(world: Mapping[str, str], promises: Sequence[str], *, shortest: bool = False) -> Checked:
    """Assert promises in every state. `shortest` looks for the shortest way to break one."""
    promised = "(" + " && ".join(promises) + ")"
    # what is broken is broken soon: to optimise that search would take longer than to make it
    search = ["-O0", "-DBFS"] if shortest else ["-O1"]
    with _place({**world, "PROMISED": promised}) as place:
        return _check(place, [*search, "-DSAFETY", "-DNOREDUCE", _memory(world)], [])


def check_eventually(world: Mapping[str, str], promise: str) -> Checked:
    """Check an ltl formula on every endless run that keeps nobody from acting for ever (weak fairness)."""
    with _place(world) as place:
        return _check(place, ["-O1", "-DNOREDUCE", "-DNFAIR=3", _memory(world)], ["-a", "-f", "-N", promise])


def walks(world: Mapping[str, str]) -> list[list[str]]:
    """A shortest way to every kind of transaction, as the lines that it prints; none begins another."""
    with _place({**world, "WALKS": ""}) as place:
        _run(["spin", "-a", "run.pml"], place)
        acts = place / "pan.m"
        acts.write_text(acts.read_text().replace("%e", "<%d>"))  # the checker prints names as numbers
        _compile(place, ["-O1", "-DSAFETY", "-DNOREDUCE", "-DBFS"])
        _run(["./pan", "-e", "-c0", f"-m{DEPTH}"], place)
        names = dict(re.findall(r'case (\d+): Printf\("(\w+)"\)', (place / "pan.c").read_text()))
        trails = {
            tuple(re.findall(r"^\d+:(\d+:\d+)$", trail.read_text(), re.MULTILINE)): trail
            for trail in place.glob("*.trail")
        }
        beginnings = {steps[:length] for steps in trails for length in range(len(steps))}
        longest = [trail.name for steps, trail in sorted(trails.items()) if steps not in beginnings]

        def replay(trail: str) -> list[str]:
            printed = _run(["./pan", "-w10", f"-m{DEPTH}", "-r", trail], place)
            return re.sub(r"<(\d+)>", lambda found: names[found.group(1)], printed).splitlines()

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(replay, longest))


def _memory(world: Mapping[str, str]) -> str:
    """The bound of memory, as gcc is told of it."""
    return f"-DMEMLIM={MEMORY_MB[world['WORKERS']]}"


def _compile(place: Path, options: Sequence[str]) -> None:
    _run(["gcc", "-w", *options, "-o", "pan", "pan.c"], place)


def _check(place: Path, compiler: Sequence[str], options: Sequence[str]) -> Checked:
    _run(["spin", "-a", "run.pml"], place)
    _compile(place, compiler)
    with (place / "said").open("w") as file:
        checker = subprocess.Popen(["./pan", f"-m{DEPTH}", *options], cwd=place, stdout=file, stderr=file)
        _, status, usage = os.wait4(checker.pid, 0)
        checker.returncode = os.waitstatus_to_exitcode(status)
    said = (place / "said").read_text()
    errors, states = re.search(r"errors: (\d+)", said), re.search(r"(\d+) states, stored", said)
    if checker.returncode != 0 or errors is None or states is None:
        raise SpinError(f"there was no search:\n{said}")
    broken = errors.group(1) != "0"
    if not broken and "Search not completed" in said:
        raise SpinError(f"the search was not completed:\n{said}")
    if broken and not re.search(r"assertion violated|acceptance cycle", said):
        raise SpinError(f"the model failed in another way:\n{said}")
    story = _run(["spin", "-T", "-t", "run.pml"], place) if broken else ""
    return Checked(broken, int(states.group(1)), usage.ru_utime + usage.ru_stime, _told(story))


def _told(story: str) -> tuple[str, ...]:
    """The acts of a story, without what spin says around them."""
    return tuple(line for line in story.splitlines() if re.match(ACTORS, line))


@contextmanager
def _place(world: Mapping[str, str]) -> Iterator[Path]:
    """A directory with a model of this world in it."""
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        raise SpinError(f"no {' and no '.join(missing)} here; .ci/packages spin gcc libc6-dev installs them")
    with tempfile.TemporaryDirectory(prefix="orderlatch-model-") as place:
        lines = [f"#define {name} {value}" for name, value in world.items()]
        Path(place, "run.pml").write_text("\n".join([*lines, f'#include "{MODEL}"', ""]))
        yield Path(place)


def _run(command: Sequence[str], place: Path) -> str:
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    if done.returncode != 0 or re.search(r"\bError\b.*saw|max search depth too small", output):
        raise SpinError(f"{' '.join(command)} failed:\n{output[-2000:]}")
    return output
