"""A worker with nothing to do: what it costs, as a share of a core, and in transactions.

It carries one account whose broker answers at once. What it reads every minute of an account that rests
(orders, open orders, fills) is part of the figures.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psycopg

from tests.bench.ground import Figures, Size, cpu_s, fresh_database, table
from tests.bench.orderlatch import create_accounts
from tests.bench.pickup import spoken
from tests.bench.wire import wait_for_reads, workers

if TYPE_CHECKING:
    import subprocess

# Of the sessions of others: the transactions of the one that asks are none of the worker's.
BACKENDS = """
select a.pid from pg_stat_activity as a
 where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
"""
TRANSACTIONS = """
select s.xact_commit + s.xact_rollback, (select count(*) from orderlatch_data.broker_requests)
  from pg_stat_database as s where s.datname = current_database()
"""


def main(size: Size) -> Figures:
    """Wait until it has read everything once, then watch it."""
    seconds = 8 if size.quick else 120
    url = fresh_database()
    with (
        TemporaryDirectory() as place,
        psycopg.connect(url, autocommit=True) as session,
        spoken([sys.executable, "-m", "tests.bench.minimal_broker", Path(place, "log")]) as broker,
    ):
        create_accounts(session, ["paper"])
        with workers(url, broker, [["paper"]], slots=16) as (worker,):
            wait_for_reads(session, 1)
            time.sleep(3)
            figures = watch(session, worker, seconds)
    heads = (
        "a worker with nothing to do",
        "worker, % of a core",
        "its sessions",
        "transactions/s",
        "calls/min",
    )
    names = ("worker_percent", "database_percent", "transactions_per_s", "calls_per_minute")
    table(heads, [(f"{seconds} s", *(figures[each] for each in names))])
    return dict(figures)


def watch(session: psycopg.Connection, worker: subprocess.Popen[bytes], seconds: float) -> dict[str, float]:
    """CPU and transactions of so many seconds."""
    before = seen(session, worker)
    began = time.monotonic()
    time.sleep(seconds)
    after = seen(session, worker)
    took_s = time.monotonic() - began
    own, database, transactions, calls = (now - then for now, then in zip(after, before, strict=True))
    return {
        "seconds": took_s,
        "worker_percent": 100 * own / took_s,
        "database_percent": 100 * database / took_s,
        "transactions_per_s": transactions / took_s,
        "calls_per_minute": 60 * calls / took_s,
    }


def seen(session: psycopg.Connection, worker: subprocess.Popen[bytes]) -> tuple[float, float, int, int]:
    """Seconds of CPU of the worker and of its sessions, transactions and calls, so far."""
    # a session tells what it has done when it next rests for a second
    row = session.execute(TRANSACTIONS).fetchone()
    assert row is not None
    pids = [pid for (pid,) in session.execute(BACKENDS).fetchall()]
    return cpu_s(worker.pid), sum(cpu_s(pid) for pid in pids), int(row[0]), int(row[1])
