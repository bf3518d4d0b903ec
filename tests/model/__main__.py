"""Checks runs, all or those named, and prints the tables of docs/model.md."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from tests.model.runs import BUGS, LOST, PROOFS
from tests.model.spin import version


def main() -> None:
    """Print a table each of what holds, what is lost, and which bugs were found; two checks at a time."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="RUN", help="names of runs; none: all of them")
    parser.add_argument(
        "--workers", type=int, choices=(2, 3), default=2, help="three take minutes and gigabytes"
    )
    given = parser.parse_args()

    began, wrong = monotonic(), 0
    with ThreadPoolExecutor(2 if given.workers == 2 else 1) as pool:
        groups = [
            [
                (run, pool.submit(run.check, workers=given.workers))
                for run in runs
                if not given.names or run.name in given.names
            ]
            for runs in (PROOFS, LOST, BUGS)
        ]
        for group in groups:
            print("\n| run | world | promises | | states | CPU s |\n|---|---|---|---|---:|---:|")
            for run, check in group:
                checked = check.result()
                wrong += checked.broken != run.lost
                print(
                    f"| {run.name} | {' '.join(run.world)} | {run.promised}",
                    "lost" if checked.broken else "hold",
                    f"{checked.states:,}",
                    f"{checked.seconds:.1f} |",
                    sep=" | ",
                    flush=True,
                )
    print(f"\nmodel: Spin {version()}, {monotonic() - began:.0f} seconds, {wrong} not as expected")
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
