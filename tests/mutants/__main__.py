"""`make mutants`: plants each bug of planted.toml in a database of its own, and asks who finds it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.mutants.mutant import Mutant, all_mutants
from tests.simulator.run import Simulation
from tests.support import tap
from tests.support.servers import MAJORS, ROOT, TEMPLATE, Servers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.servers import TestServer

# The last one has a failover. What they do not find, the named tests are asked for.
SEEDS = ((1, 40), (9, 40), (39, 40))


def main(names: Sequence[str]) -> int:
    """Plant the bugs of these names, or all; 0 when each was found."""
    chosen = [mutant for mutant in all_mutants() if not names or mutant.name in names]
    for mutant in chosen:
        mutant.source()  # what cannot be planted any more fails before anything is run
    servers = Servers(MAJORS[:1])
    try:
        server = servers.get(MAJORS[0])
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            killers = list(pool.map(lambda mutant: killer_of(server, mutant), chosen))
    finally:
        servers.stop_all()
    killed = sum(killer is not None for killer in killers)
    print(f"mutants: killed={killed} survived={len(chosen) - killed}")
    return 0 if killed == len(chosen) and chosen else 1


def killer_of(server: TestServer, mutant: Mutant) -> str | None:
    """The first test that fails with the bug; none when it survives."""
    started = time.monotonic()
    template = f"mutant_{mutant.name.replace('-', '_')}"
    server.execute(f"create database {template} template {TEMPLATE} strategy file_copy")
    try:
        mutant.plant(server.url(template))
        killer = _found_by_a_seed(server, template) or _found_by_a_test(server, template, mutant)
    finally:
        server.execute(f"drop database {template} with (force)")
    state = "SURVIVED" if killer is None else f"killed by {killer}"
    print(f"{mutant.name}: {state} ({time.monotonic() - started:.0f} s)", flush=True)
    return killer


def _found_by_a_seed(server: TestServer, template: str) -> str | None:
    for seed, steps in SEEDS:
        result = Simulation(server, template, f"{template}_{seed}_", seed, steps).run()
        if result.violation is not None:
            return f"make simulate SEED={seed} STEPS={steps}: {' '.join(result.violation.split())[:120]}"
    return None


def _found_by_a_test(server: TestServer, template: str, mutant: Mutant) -> str | None:
    for test in mutant.tests:
        if test.startswith("tests/"):
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-p",
                "tests.mutants.plugin",
                "--pg",
                str(MAJORS[0]),
            ]
            environment = {**os.environ, "ORDERLATCH_MUTANT": mutant.name}
            run = subprocess.run(
                [*command, test], check=False, cwd=ROOT, env=environment, capture_output=True, text=True
            )
            # 1: tests failed; anything else says nothing about the bug
            if run.returncode == 1:
                failed = next((line for line in run.stdout.splitlines() if line.startswith("FAILED")), test)
                return failed.removeprefix("FAILED ")[:120]
            if run.returncode != 0:
                raise AssertionError(run.stdout + run.stderr)
            continue
        with server.database(template) as database:
            result = server.psql(database.name, ROOT / "tests" / "database" / test)
        if problems := tap.read(result.stdout, result.stderr, result.returncode).problems:
            return f"tests/database/{test}: {problems[0].splitlines()[0][:100]}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
