"""Reading the Test Anything Protocol, as pgTAP writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

RESULT = re.compile(r"(?P<verdict>ok|not ok) (?P<number>\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one pgTAP file said: how many tests passed, and everything that is wrong."""

    passed: int
    problems: tuple[str, ...]


def read(output: str, errors: str, status: int) -> Outcome:
    """Judge the output of one file; a file without a plan, or that tests nothing, has failed too."""
    planned: int | None = None
    passed = failed = 0
    problems: list[str] = []
    explaining = False
    for line in output.splitlines():
        if plan := re.fullmatch(r"1\.\.(\d+)", line):
            planned = int(plan[1])
        elif result := RESULT.match(line):
            explaining = result["verdict"] == "not ok"
            if explaining:
                failed += 1
                problems.append(line)
            else:
                passed += 1
        elif line.startswith("Bail out!") or (explaining and line.startswith("#")):
            problems.append(line)
    if errors.strip():
        problems.append(errors.strip())
    if status != 0:
        problems.append(f"psql ended with status {status}")
    if planned is None:
        problems.append("there is no plan: select plan(n)")
    elif planned != passed + failed or planned == 0:
        problems.append(f"planned {planned} tests, ran {passed + failed}")
    return Outcome(passed, tuple(problems))
