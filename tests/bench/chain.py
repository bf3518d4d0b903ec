"""What the hash chain of events costs: lives with it and without it, in turn, on one server.

Without: the journal as it is in the file, but for the hashes and what is read for them; in a scratch
database. CPU is what the sessions used, which says more than lives a second on a machine with other work.
"""

from __future__ import annotations

import base64
import json
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import psycopg

from tests.bench.ground import Figures, Size, cpu_s, fresh_database, table
from worker.installer import ROOT

CONNECTIONS = 2
ROUNDS = 5
SECONDS = 5.0
BATCHES = (1, 100)
CREATE = "select orderlatch.create_account(%s, 'paper', %s)"
SETTINGS = {"max_in_doubt": 1000, "rate_limit": 1_000_000, "burst": 500_000}
LIMIT = "select orderlatch.set_limit('order_quantity', 1000, %s)"
REGISTER = "select orderlatch.register_worker('chain', %s, 1)"
# No part of a life: the reads that every account has once a minute, whatever it trades.
NO_READS = (
    "update orderlatch_data.broker_reads set next_page_at = 'infinity'",
    "delete from orderlatch_data.read_wishes",
    "update orderlatch_data.account_states set reconcile_after = null",
)
PROPOSE = "select p.outcome from orderlatch.propose_decisions(%s, %s) as p"
CLAIM = (
    "select c.request_id, c.body from orderlatch.claim_requests(%s, null, %s) as c"
    " where c.request_id is not null"
)
RECORD = "select r.meaning from orderlatch.record_responses(%s) as r"
NOTE = "x" * 300
SHOWN = {"status": "new", "filled_qty": "0", "note": NOTE}
JOURNAL = ROOT / "sql" / "20_moves" / "journal.sql"
# The hash of a birth and that of a move; the row that is read for the one, and the three for the other.
HASHED = (
    r"orderlatch_data\.event_hash\(\n\s+\(d\.row\).*?\n\s+\)\n(?=\s+from born)",
    r"orderlatch_data\.event_hash\(\n\s+coalesce\(p\.event_hash.*?\n\s+\)\n(?=\s+from after_move)",
)
READ = (
    r"   cross join lateral \(\n     select k as row from.*?\) as d\n",
    r"      left join lateral \(\n        select e\.event_hash\n.*?\) as c on true\n",
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
                    session.execute(without_chain(JOURNAL.read_text()).encode())
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


def without_chain(journal: str) -> str:
    """The journal without its hashes; each place must be found, or this would measure nothing."""
    for pattern in (*HASHED, *READ):
        instead = "'\\\\x'::bytea\n" if pattern in HASHED else ""
        journal, found = re.subn(pattern, instead, journal, flags=re.DOTALL)
        assert found == 1, pattern
    return f"set role orderlatch_owner;\n{journal}"


def run(url: str, batch: int, seconds: float) -> tuple[float, float]:
    """Live for some seconds over all connections; lives a second, and microseconds of CPU for each."""
    with psycopg.connect(url, autocommit=True) as session:
        for lane in range(CONNECTIONS):
            session.execute(CREATE, [f"chain-{lane}", json.dumps(SETTINGS)])
            session.execute(LIMIT, [f"chain-{lane}"])
    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        lanes = list(pool.map(lambda lane: live(url, lane, batch, began + seconds), range(CONNECTIONS)))
    lives = sum(each for each, _ in lanes)
    return lives / (time.monotonic() - began), 1e6 * sum(cpu for _, cpu in lanes) / lives


def live(url: str, lane: int, batch: int, until: float) -> tuple[int, float]:
    """Live over one connection until the time is up; how many lives, and the CPU of its session."""
    account = f"chain-{lane}"
    with psycopg.connect(url, autocommit=True, prepare_threshold=1) as connection:
        carried = json.dumps([{"account": account, "environment": "paper"}])
        ((worker,),) = connection.execute(REGISTER, [carried]).fetchall()
        carry(connection, worker, 1)  # it is verified
        for statement in NO_READS:
            connection.execute(statement.encode())
        lives, before = 0, cpu_s(connection.info.backend_pid)
        while time.monotonic() < until:
            decisions = [a_decision(number, number - lives) for number in range(lives, lives + batch)]
            connection.execute(PROPOSE, [account, json.dumps(decisions)])
            assert carry(connection, worker, batch) == batch
            lives += batch
        return lives, cpu_s(connection.info.backend_pid) - before


def carry(connection: psycopg.Connection, worker: int, many: int) -> int:
    """Claim, and record that the broker has taken each; how many."""
    granted = connection.execute(CLAIM, [worker, many]).fetchall()
    answers = [
        {
            "request_id": str(request_id),
            "sent": "yes",
            "status": 200,
            "headers": {"x-request-id": "0123456789abcdef0123456789abcdef"},
            "body": base64.b64encode(shown(str(request_id), body)).decode(),
            "elapsed_ms": 12,
        }
        for request_id, body in granted
    ]
    connection.execute(RECORD, [json.dumps(answers)])
    return len(answers)


def shown(request_id: str, body: str | None) -> bytes:
    """The order as the broker shows it; of the account its id."""
    return json.dumps(json.loads(body or "{}") | SHOWN | {"id": request_id}).encode()


def a_decision(number: int, place: int) -> dict[str, object]:
    """A limit order; each of a batch has a symbol of its own."""
    return {
        "strategy_id": "chain",
        "symbol": f"S{place}",
        "event_ts": "2026-11-20T21:00:00Z",
        "timeframe": "1Min",
        "leg": str(number),
        "action": "buy",
        "qty": "10",
        "order_type": "limit",
        "limit_price": "185.02",
        "params": {"fast": 10, "slow": 30, "note": NOTE},
    }
