"""`make simulate`: one seed with its trace, or a batch of seeds. See docs/simulator.md."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.simulator.batch import BATCH, THOROUGH, Planned
from tests.simulator.run import Result, Simulation
from tests.simulator.shrink import shrink
from tests.support.servers import MAJORS, TEMPLATE, Servers, TestServer

STEPS = 200
SHOWN = 60
PATIENCE_S = 180


def main() -> int:
    """Run what the arguments say; 0 when every promise held."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", help="one seed, or the first of several; from 1000 on they are wide")
    parser.add_argument("--steps", type=int, default=STEPS, help="how much is thrown in for each seed")
    parser.add_argument("--seeds", type=int, help="how many seeds (1)")
    parser.add_argument("--only", help="throw in only these, by number: 3,17,18")
    parser.add_argument("--trace", type=Path, help="write the whole trace to this file")
    parser.add_argument("--no-shrink", action="store_true", help="show a failing seed as it is")
    given = parser.parse_args()
    if given.seed is None and given.seeds is None:
        planned = [*BATCH, *THOROUGH]
    else:
        first = int(given.seed or 1)
        planned = [Planned(seed, given.steps) for seed in range(first, first + (given.seeds or 1))]
    servers = Servers(MAJORS[:1])
    try:
        server = servers.get(MAJORS[0])
        only = [int(no) for no in given.only.split(",")] if given.only else None
        results = run(server, planned, only)
        for result in results:
            if given.trace:
                given.trace.write_text("\n".join(result.trace) + "\n")
            if result.violation is not None:
                report(server, result, shrinks=not given.no_shrink and only is None)
    finally:
        servers.stop_all()
    broken = sum(result.violation is not None for result in results)
    seeds = [result.seed for result in results]
    name = seeds[0] if len(seeds) == 1 else f"{min(seeds)}..{max(seeds)}"
    decisions, hours = sum(r.decisions for r in results), sum(r.hours for r in results)
    if len(results) == 1:
        print(f"trace digest {results[0].digest}")
    print(
        f"simulate {'ok' if not broken else 'FAILED'}: seed={name} decisions={decisions} hours={hours:.0f} "
        f"violations={broken}"
    )
    return 1 if broken else 0


def run(server: TestServer, planned: list[Planned], only: list[int] | None = None) -> list[Result]:
    """Run seeds, as many at a time as there are processors."""

    def one(plan: Planned) -> Result:
        result = Simulation(server, TEMPLATE, f"simulation_{plan.seed}_", plan.seed, plan.steps).run(only)
        if len(planned) > 1:
            state = "ok" if result.violation is None else "FAILED"
            print(
                f"seed {plan.seed}: {state}, {result.decisions} decisions, {result.orders} orders, "
                f"{result.calls} calls, {result.hours:.1f} h",
                flush=True,
            )
        return result

    with ThreadPoolExecutor(min(len(planned), os.cpu_count() or 1)) as pool:
        return list(pool.map(one, planned))


def report(server: TestServer, result: Result, *, shrinks: bool) -> None:
    """Say what broke, how to see it again, and what led to it."""
    command = f"make simulate SEED={result.seed} STEPS={result.steps}"
    if shrinks:
        print(f"\nseed {result.seed} broke a promise; shrinking for at most {PATIENCE_S} s", flush=True)
        tries = iter(range(1, 1_000_000))

        def again(only: list[int] | tuple[int, ...] | object) -> Result:
            assert isinstance(only, list)
            name = f"shrinking_{result.seed}_{next(tries)}_"
            return Simulation(server, TEMPLATE, name, result.seed, result.steps).run(only)

        left, result = shrink(result, again, patience_s=PATIENCE_S)
        command += f" ONLY={','.join(map(str, left))}"
    print("\n".join(result.trace[-SHOWN:]))
    print(f"\nVIOLATION  {result.violation}\nreproduce  {command}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
