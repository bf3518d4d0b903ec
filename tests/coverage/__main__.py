"""`make coverage`: runs the tests of the database with a profiler, and says what they reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.coverage.report import Coverage, by_function, places
from tests.support.servers import ROOT

# what the catalogue says executes nothing
TESTS = ("tests/database", "--ignore=tests/database/test_catalogue.py")


def main(chosen: list[str]) -> int:
    """Measure and print; the exit status is that of the tests."""
    with tempfile.TemporaryDirectory() as place:
        counts = Path(place, "counts.json")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--pg=15",
            "--timeout=0",
            "-p",
            "tests.coverage.plugin",
        ]
        status = subprocess.run(
            [*command, *(chosen or TESTS)],
            check=False,
            cwd=ROOT,
            env={**os.environ, "ORDERLATCH_COVERAGE": str(counts)},
        ).returncode
        functions = by_function(json.loads(counts.read_text()))
    folders: dict[str, Coverage] = defaultdict(Coverage)
    where = places()
    for name, coverage in functions.items():
        folders[where[name][0].partition("/")[0]].add(coverage)
    total = Coverage()
    print(f"\n{'folder':16} {'statements':>18} {'branches':>18}")
    for folder, coverage in sorted(folders.items()):
        total.add(coverage)
        print(line(folder, coverage))
    print(line("all", total))
    print(f"\n{len(functions)} functions in PL/pgSQL; not reached:")
    for name, coverage in functions.items():
        if coverage.gaps:
            print(f"  {name.partition('.')[2]}: {', '.join(coverage.gaps)}")
    return status


def line(name: str, coverage: Coverage) -> str:
    """A row of the table."""
    statements = share(coverage.executed, coverage.statements)
    return f"{name:16} {statements} {share(coverage.taken, coverage.branches)}"


def share(part: int, whole: int) -> str:
    """A part of a whole, also in percent."""
    percent = 100.0 if not whole else 100 * part / whole
    return f"{part:5} of {whole:4} {percent:5.1f}%"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
