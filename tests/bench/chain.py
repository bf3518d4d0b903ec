"""What the hash chain of events costs: lives with it and without it, in turn, on one server.

Without: the journal as it is in the file, but for the hashes and what is read for them; in a scratch
database. CPU is what the sessions used, which says more than lives a second on a machine with other work.
"""

from __future__ import annotations

import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import psycopg

from tests.bench.ground import Figures, Size, cpu_s, fresh_database, table
from tests.bench.orderlatch import Orderlatch, create_accounts
from worker.installer import ROOT

CONNECTIONS = 2
ROUNDS = 5
SECONDS = 5.0
BATCHES = (1, 100)
JOURNAL = tuple(ROOT / "sql" / "20_moves" / f"journal_{name}.sql" for name in ("births", "moves"))
# The hash of a birth, that of an approval with it and what it reads, and that of a move with what it reads.
HASHED = (
    r"orderlatch_data\.event_hash\(\n\s+\(d\.row\).*?\n\s+\)(?= as event_hash)",
    r"orderlatch_data\.event_hash\(\n\s+f\.event_hash.*?\n\s+\)(?= where)",
    r"orderlatch_data\.newest_verdict_digest\(k\.decision_id, b\.status\)",
    r"orderlatch_data\.event_hash\(\n\s+coalesce\(\(\n.*?\n\s+\)(?=\n\s+from after_move)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Medians over the rounds, with the chain and without it."""

    batch: int
    chained_per_s: float
    unchained_per_s: float
    throughput_lost: float
    chained_cpu_us: float
    unchained_cpu_us: float
    cpu_added: float


def main(size: Size) -> Figures:
    """Live with the chain and without it in each round, in both orders."""
    rounds, seconds = (2, 2.0) if size.quick else (ROUNDS, SECONDS)
    results = [measure(batch, rounds, seconds) for batch in BATCHES]
    print(f"  {CONNECTIONS} connections, median of {rounds} rounds of {seconds:g} s")
    heads = ("batch", "lives/s", "without chain", "lost %", "CPU us a life", "without chain", "more %")
    table(
        heads,
        [
            (
                str(each.batch),
                each.chained_per_s,
                each.unchained_per_s,
                100 * each.throughput_lost,
                each.chained_cpu_us,
                each.unchained_cpu_us,
                100 * each.cpu_added,
            )
            for each in results
        ],
    )
    return [dict(asdict(result)) for result in results]


def measure(batch: int, rounds: int, seconds: float) -> Result:
    """Run both in each round; ratios are of the two runs of a round."""
    chained: list[tuple[float, float]] = []
    unchained: list[tuple[float, float]] = []
    for turn in range(rounds):
        for chain in (True, False) if turn % 2 else (False, True):
            url = fresh_database()
            if not chain:
                with psycopg.connect(url, autocommit=True) as session:
                    session.execute(without_chain(whole_journal()).encode())
            (chained if chain else unchained).append(run(url, batch, seconds))
    lost = [1 - one[0] / other[0] for one, other in zip(chained, unchained, strict=True)]
    added = [one[1] / other[1] - 1 for one, other in zip(chained, unchained, strict=True)]
    return Result(
        batch=batch,
        chained_per_s=statistics.median(speed for speed, _ in chained),
        unchained_per_s=statistics.median(speed for speed, _ in unchained),
        throughput_lost=statistics.median(lost),
        chained_cpu_us=statistics.median(cpu for _, cpu in chained),
        unchained_cpu_us=statistics.median(cpu for _, cpu in unchained),
        cpu_added=statistics.median(added),
    )


def whole_journal() -> str:
    """The journal as it is installed."""
    return "\n".join(path.read_text() for path in JOURNAL)


def without_chain(journal: str) -> str:
    """The journal without its hashes; each place must be found, or this would measure nothing."""
    for pattern in HASHED:
        journal, found = re.subn(pattern, "'\\\\x'::bytea", journal, flags=re.DOTALL)
        assert found == 1, pattern
    return f"set role orderlatch_owner;\n{journal}"


def run(url: str, batch: int, seconds: float) -> tuple[float, float]:
    """Live for some seconds over all connections; lives a second, and microseconds of CPU for each."""
    with psycopg.connect(url, autocommit=True) as session:
        create_accounts(session, [f"bench-{lane}" for lane in range(CONNECTIONS)])
    layout = Orderlatch()
    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        lanes = list(
            pool.map(lambda lane: live(url, layout, lane, batch, began + seconds), range(CONNECTIONS))
        )
    lives = sum(each for each, _ in lanes)
    return lives / (time.monotonic() - began), 1e6 * sum(cpu for _, cpu in lanes) / lives


def live(url: str, layout: Orderlatch, lane: int, batch: int, until: float) -> tuple[int, float]:
    """Live over one connection until the time is up; how many lives, and the CPU of its session."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=1) as connection:
        layout.enter(connection, lane)
        lives, before = 0, cpu_s(connection.info.backend_pid)
        while time.monotonic() < until:
            lives += layout.live(connection, lane, lives, batch)
        return lives, cpu_s(connection.info.backend_pid) - before
