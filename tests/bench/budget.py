"""The rate budget for real: four workers, fifty accounts, HTTP, and a sandbox that counts every call.

Beside it the simulation with a controlled clock, tests/budget, which proves the same of ten minutes in one.
"""

from __future__ import annotations

import json
import threading
import time

import psycopg

from tests.bench.ground import Figures, Size, fresh_database, table
from tests.bench.traffic import SYMBOLS, Strategy
from tests.bench.wire import Meter, sandbox, wait_for_reads, workers

WORKERS = 4
ACCOUNTS = 50
ACCOUNTS_IF_QUICK = 10
LIMIT = 200
SLOTS = 32
# How many decisions each account has waiting: those of half a minute.
ENOUGH = 100
CREATE = "select orderlatch.create_account(%s, 'paper', %s)"
BUDGETS = """
select b.burst, b.refill_a_minute::float, greatest(1, b.burst / 10.0)::float from orderlatch.budgets as b
"""
PROMISES = "select i.promise from orderlatch.invariants as i where i.violations > 0"


def main(size: Size) -> Figures:
    """Work for some minutes, and ask the sandbox what it saw."""
    minutes = 0.25 if size.quick else size.minutes
    names = [f"a{number}" for number in range(ACCOUNTS_IF_QUICK if size.quick else ACCOUNTS)]
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as session, sandbox(names, rate_limit=LIMIT) as broker:
        for name in names:
            session.execute(CREATE, [name, json.dumps({"max_decision_age": "1 day"})])
        # every order fills at once: else ever more of them rest, and are read again every minute
        broker.tell("PUT", "prices", {symbol: {"price": "1.4"} for symbol in SYMBOLS})
        with workers(url, broker.url, [names] * WORKERS, slots=SLOTS) as carriers:
            strategy = Strategy(url, names, ENOUGH)
            wait_for_reads(session, WORKERS * len(names))
            for name in names:
                strategy.propose(session, name, ENOUGH)
            session.execute("vacuum analyze")
            # the buckets are full now: from here on there is always more to do than they allow
            filling = threading.Thread(target=strategy.run)
            filling.start()
            meter = Meter(session, broker, carriers)
            meter.start()
            before = broker.rates()
            time.sleep(60 * minutes)
            after = broker.rates()
            measured = meter.stop(sum(after[name]["requests"] - before[name]["requests"] for name in names))
            strategy.stopping.set()
            filling.join()
        broken = session.execute(PROMISES).fetchall()
        assert not broken, broken
        ((burst, refill, reserve), *_) = session.execute(BUDGETS).fetchall()
    figures = summed_up(before, after, names, (burst - reserve + refill * measured["seconds"] / 60))
    figures |= measured | {"least_waiting": strategy.least, "minutes": minutes, "accounts": len(names)}
    heads = ("", "requests", "a second", "above the limit", "429", "used of possible", "least", "most")
    row = [figures[each] for each in
           ("requests", "requests_per_s", "above_limit", "throttled", "used", "least", "most")]  # fmt: skip
    table(heads, [(f"{minutes:g} minutes", *row)])
    table(
        ("CPU ms for each request", "database", "workers", "sandbox"),
        [("", figures["database_cpu_ms"], figures["workers_cpu_ms"], figures["sandbox_cpu_ms"])],
    )
    return dict(figures)


def summed_up(
    before: dict[str, dict[str, int]],
    after: dict[str, dict[str, int]],
    names: list[str],
    possible: float,
) -> dict[str, float]:
    """What the sandbox counted. possible: what bucket and refill give an account, but the reserve."""
    calls = [after[name]["requests"] - before[name]["requests"] for name in names]
    return {
        "above_limit": sum(max(0, after[name]["most_in_a_sliding_window"] - LIMIT) for name in names),
        "most_in_60_s": max(after[name]["most_in_a_sliding_window"] for name in names),
        "throttled": sum(after[name]["throttled"] for name in names),
        "used": sum(calls) / (possible * len(names)),
        "least_used": min(calls) / possible,
        "least": min(calls),
        "most": max(calls),
    }
