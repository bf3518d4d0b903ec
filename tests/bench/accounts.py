"""A thousand accounts of one database, carried by two processes whose broker answers at once, in process.

What is measured is claim_requests and record_responses alone: decisions are proposed before, and there is no
HTTP.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from tests.bench.carrying import Carrier, Minutes, RestingBook
from tests.bench.ground import Figures, Size, cpu_s, fresh_database, table
from tests.bench.traffic import PROPOSE, decisions

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

ALPACAS_LIMIT = 200
NO_LIMIT = 1_000_000
SLOTS = 256
# How many decisions each account has waiting; "most" tells when some had none left.
ENOUGH = 40
CREATE = "select orderlatch.create_account(%s, 'paper', %s)"
SPENT = """
select a.account, count(r.request_id)
  from orderlatch_data.accounts as a
  left join orderlatch_data.broker_requests as r on r.account_id = a.account_id and r.claimed_at >= %s
 group by a.account
"""
REFILL = "select sum(b.refill_a_minute)::float / 60 from orderlatch.budgets as b"
PROMISES = "select i.promise from orderlatch.invariants as i where i.violations > 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one worker did in the seconds that count."""

    requests: int
    claims: int
    claiming_s: float
    recording_s: float
    database_cpu_s: float
    own_cpu_s: float


def main(size: Size) -> Figures:
    """Once at Alpaca's limit, once with limits that bind nothing: what one database can do."""
    many, seconds = (50, 3.0) if size.quick else (1000, 10.0)
    figures: dict[str, Figures] = {}
    rows = []
    for name, limit in (("200 a minute", ALPACAS_LIMIT), ("no limit", NO_LIMIT)):
        measured = measure(many, limit, seconds)
        figures[name] = measured
        rows.append(
            [name] + [float(str(measured[each])) for each in
            ("requests_per_s", "budget_allows_per_s", "database_cpu_ms_per_request",
             "carrier_cpu_ms_per_request", "least_of_an_account", "most_of_an_account")]
        )  # fmt: skip
    heads = (
        f"{many} accounts",
        "requests/s",
        "allowed/s",
        "database CPU ms",
        "carrier CPU ms",
        "least",
        "most",
    )
    table(heads, rows)
    return figures


def measure(many: int, limit: int, seconds: float) -> dict[str, Figures]:
    """Prepare accounts, let two workers be verified and read, propose, and carry for some seconds."""
    url = fresh_database()
    names = [f"a{number}" for number in range(many)]
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(CREATE, [name, json.dumps({"rate_limit": limit, "max_decision_age": "1 day"})])
        spawning = multiprocessing.get_context("spawn")
        barrier = spawning.Barrier(3)
        shares: Queue[Share] = spawning.Queue()
        workers = [
            spawning.Process(target=work, args=(url, names, limit, seconds, barrier, shares))
            for _ in range(2)
        ]
        for worker in workers:
            worker.start()
        barrier.wait()
        for name in names:
            connection.execute(PROPOSE, [name, json.dumps(decisions(0, ENOUGH))])
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        began = time.perf_counter()
        barrier.wait()
        done = [shares.get() for _ in workers]
        took_s = time.perf_counter() - began
        for worker in workers:
            worker.join()
        spent = [int(calls) for _, calls in connection.execute(SPENT, row).fetchall()]
        broken = connection.execute(PROMISES).fetchall()
        assert not broken, broken
        refill = connection.execute(REFILL).fetchone()
    assert refill is not None
    requests = sum(share.requests for share in done)
    return {
        "accounts": many,
        "seconds": round(took_s, 1),
        "requests_per_s": requests / took_s,
        "budget_allows_per_s": float(refill[0]),
        "requests_per_claim": requests / sum(share.claims for share in done),
        "claim_ms_per_request": 1000 * sum(share.claiming_s for share in done) / requests,
        "record_ms_per_request": 1000 * sum(share.recording_s for share in done) / requests,
        "database_cpu_ms_per_request": 1000 * sum(share.database_cpu_s for share in done) / requests,
        "carrier_cpu_ms_per_request": 1000 * sum(share.own_cpu_s for share in done) / requests,
        "least_of_an_account": min(spent),
        "most_of_an_account": max(spent),
    }


def work(
    url: str, names: list[str], limit: int, seconds: float, barrier: Barrier, shares: Queue[Share]
) -> None:
    """A worker's process: get verified and have everything read, then carry for some seconds."""
    carrier = Carrier.register(url, RestingBook(Minutes(limit)), names)
    idle = 0
    while idle < 3:
        requests, _ = carrier.carry(SLOTS)
        idle = 0 if requests else idle + 1
        time.sleep(0 if requests else 0.3)
    barrier.wait()
    barrier.wait()
    backend = carrier.session.info.backend_pid
    carrier.claims, carrier.claiming_s, carrier.recording_s = 0, 0, 0
    carrier.carried.clear()
    database_cpu, own_cpu = cpu_s(backend), time.process_time()
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        requests, ask_again_ms = carrier.carry(SLOTS)
        if not requests and ask_again_ms is not None:
            time.sleep(min(ask_again_ms, 50) / 1000)
    shares.put(
        Share(
            requests=sum(carrier.carried.values()),
            claims=carrier.claims,
            claiming_s=carrier.claiming_s,
            recording_s=carrier.recording_s,
            database_cpu_s=cpu_s(backend) - database_cpu,
            own_cpu_s=time.process_time() - own_cpu,
        )
    )
