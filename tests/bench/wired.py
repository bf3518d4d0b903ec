"""The same work over HTTP: the real worker, the sandbox and the database on this machine, all of it counted.

As many orders as two workers can carry when nothing limits them; a thousand accounts at Alpaca's limit; and
the past of one account, read as a worker reads it. The sandbox is not part of the product, but it takes its
share of the two cores.
"""

from __future__ import annotations

import json
import threading
import time

import psycopg

from tests.bench.accounts import ALPACAS_LIMIT, CREATE
from tests.bench.ground import Figures, Size, fresh_database, table
from tests.bench.traffic import PROPOSE, Strategy, decisions
from tests.bench.wire import Meter, sandbox, wait_for_reads, workers

SLOTS = 128
STEP = 50
NO_LIMIT = {"rate_limit": 1_000_000, "burst": 500_000, "on_foreign_order": "ignore"}
FILLS_READ = (
    "select r.covered_at is not null from orderlatch_data.broker_reads as r where r.purpose = 'fills'"
)
MIRRORED = """
select (select count(*) from orderlatch_data.broker_orders), (select count(*) from orderlatch_data.fills)
"""
SETTLED = "select count(*) from orderlatch_data.decision_outcomes as o where o.status = 'submitted'"
PROMISES = "select i.promise from orderlatch.invariants as i where i.violations > 0"


def main(size: Size) -> Figures:
    """One after the other."""
    return {"orders": dict(submit(size)), "accounts": dict(carry(size)), "past": dict(read_a_past(size))}


def submit(size: Size) -> dict[str, float]:
    """Decisions that wait are sent: measured from a tenth of them to nine tenths, so that no start counts."""
    many, of_each = (20, 50) if size.quick else (50, 400)
    names = [f"a{number}" for number in range(many)]
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as session, sandbox(names, rate_limit=0) as broker:
        for name in names:
            session.execute(CREATE, [name, json.dumps(NO_LIMIT | {"max_decision_age": "1 day"})])
            for first in range(0, of_each, STEP):
                session.execute(PROPOSE, [name, json.dumps(decisions(first, STEP))])
        session.execute("vacuum analyze")
        total = many * of_each
        with workers(url, broker.url, [names[::2], names[1::2]], slots=SLOTS) as carriers:
            wait_until(session, total // 10)
            meter = Meter(session, broker, carriers)
            meter.start()
            before = settled(session)
            wait_until(session, 9 * total // 10)
            figures = meter.stop(settled(session) - before)
            wait_until(session, total)
        broken = session.execute(PROMISES).fetchall()
    assert not broken, broken
    heads = ("orders over HTTP, no limit", "orders/s", "database CPU ms", "workers", "sandbox")
    shown = ("requests_per_s", "database_cpu_ms", "workers_cpu_ms", "sandbox_cpu_ms")
    table(heads, [("2 workers", *(figures[each] for each in shown))])
    return figures | {"orders": total}


def settled(session: psycopg.Connection) -> int:
    """How many decisions have their order."""
    row = session.execute(SETTLED).fetchone()
    assert row is not None
    return int(row[0])


def wait_until(session: psycopg.Connection, many: int) -> None:
    """Until so many have their order."""
    until = time.monotonic() + 600
    while settled(session) < many:
        assert time.monotonic() < until, f"{settled(session)} of {many} were sent"
        time.sleep(0.1)


def carry(size: Size) -> dict[str, float]:
    """Many accounts at Alpaca's limit, two workers with half of them each."""
    many, seconds = (50, 5.0) if size.quick else (1000, 60.0)
    names = [f"a{number}" for number in range(many)]
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as session, sandbox(names, rate_limit=ALPACAS_LIMIT) as broker:
        for name in names:
            session.execute(CREATE, [name, json.dumps({"max_decision_age": "1 day"})])
        with workers(url, broker.url, [names[::2], names[1::2]], slots=SLOTS) as carriers:
            wait_for_reads(session, many)
            strategy = Strategy(url, names, 30)
            strategy.fill(session)
            session.execute("vacuum analyze")
            filling = threading.Thread(target=strategy.run)
            meter = Meter(session, broker, carriers)
            before = broker.rates()
            meter.start()
            filling.start()
            time.sleep(seconds)
            after = broker.rates()
            calls = [after[name]["requests"] - before[name]["requests"] for name in names]
            figures = meter.stop(sum(calls))
            strategy.stopping.set()
            filling.join()
    figures |= {"accounts": many, "least": min(calls), "most": max(calls)}
    heads = (
        f"{many:,} accounts over HTTP",
        "requests/s",
        "least",
        "most",
        "database CPU ms",
        "workers",
        "sandbox",
    )
    names_of = ("requests_per_s", "least", "most", "database_cpu_ms", "workers_cpu_ms", "sandbox_cpu_ms")
    table(heads, [("2 workers", *(figures[each] for each in names_of))])
    return figures


def read_a_past(size: Size) -> dict[str, float]:
    """One account with a past, from nothing; neither side limits the rate, so that the work itself shows."""
    many = 1_000 if size.quick else 100_000
    past = {"account": "paper", "orders": many, "fills_per_order": 2, "open": 100}
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as session, sandbox(["paper"], rate_limit=0) as broker:
        told = broker.tell("POST", "history", past)
        begins = {"reconcile_from": "2024-01-01T00:00:00Z"}
        session.execute(CREATE, ["paper", json.dumps(NO_LIMIT | begins)])
        with workers(url, broker.url, [["paper"]], slots=16) as carriers:
            meter = Meter(session, broker, carriers)
            meter.start()
            wait_for_reads(session, 1)
            while session.execute(FILLS_READ).fetchone() != (True,):
                time.sleep(0.1)
            pages = broker.rates()["paper"]["requests"]
            figures = meter.stop(pages)
        row = session.execute(MIRRORED).fetchone()
        broken = session.execute(PROMISES).fetchall()
    assert row is not None
    assert not broken, broken
    # every tenth order was canceled, and the last ones rest: those have no fills
    assert list(row) == [told["orders"], told["fills"]], row
    figures |= {"orders": int(row[0]), "fills": int(row[1])}
    heads = (
        f"{row[0]:,} orders, {row[1]:,} fills over HTTP",
        "calls",
        "seconds",
        "database CPU ms",
        "worker",
        "sandbox",
    )
    names = ("requests", "seconds", "database_cpu_ms", "workers_cpu_ms", "sandbox_cpu_ms")
    table(heads, [("a call", *(figures[each] for each in names))])
    return figures
