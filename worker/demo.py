"""The demo: real decisions, a broker stand-in that misbehaves, a worker killed half-way, then the books.

It runs on the embedded server, under an account of its own for each run, so that `make psql` shows what it
left. Every number of its last line is read from the database and from the ground truth of the sandbox.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import click
import psycopg

from worker import OrderlatchError, embedded
from worker.applier import read_files
from worker.demo_faults import FAULTS
from worker.demo_report import Books, print_faults, print_story, print_table
from worker.installer import ROOT, migrate
from worker.rehearsal import PROGRAM, SHORT_TIMES, Keys, sandbox, worker

if TYPE_CHECKING:
    import httpx

DECISIONS: Final = ROOT / "tests" / "fixtures" / "goog-redelivered.jsonl"
EXPECTED_DECISIONS: Final = 65
DEADLINE_S: Final = 100
WATCH_EVERY_S: Final = 0.1


@click.command("demo")
def demo_command() -> None:
    """Run 65 real decisions through faults and a killed worker; ends with "demo ok" if the books agree."""
    click.echo("demo: embedded Postgres")
    url = embedded.ensure_running()
    migrate(url, read_files(ROOT / "sql"))
    with ExitStack() as stack:
        connection = stack.enter_context(psycopg.connect(url, autocommit=True))
        account = _create_account(connection)
        place = embedded.home() / "demo" / account
        place.mkdir(parents=True, exist_ok=True)
        keys = Keys.made_up(account)
        broker = stack.enter_context(sandbox([keys], place / "sandbox"))
        click.echo(f"demo: broker stand-in at {str(broker.base_url).rstrip('/')}, account {account}")
        _prepare(broker)
        log = place / "worker.log"
        with worker(url, broker, keys, log) as doomed:
            _propose(url, account)
            _watch(connection, account, until_held=broker)
            doomed.send_signal(signal.SIGKILL)
            doomed.wait()
        click.echo("demo: worker killed with SIGKILL, its call unanswered; another one starts")
        broker.post("/admin/release", json={}).raise_for_status()
        with worker(url, broker, keys, log):
            _watch(connection, account, until_held=None)
        books = Books.read(connection, account, broker)
        print_faults([(fault.nth, fault.says) for fault in FAULTS])
        print_table(connection, account)
        print_story(connection, account)
    click.echo(books.last_line())
    if not books.agree(EXPECTED_DECISIONS):
        for finding in books.findings:
            click.echo(f"demo: {finding}", err=True)
        raise OrderlatchError("the books do not agree")


def _create_account(connection: psycopg.Connection) -> str:
    """Create the first of demo, demo-2, demo-3, … that does not exist, with short times and a limit."""
    taken = {name for (name,) in connection.execute("select a.account from orderlatch.accounts as a")}
    runs = (f"demo-{number}" if number > 1 else "demo" for number in range(1, len(taken) + 2))
    account = next(name for name in runs if name not in taken)
    connection.execute(
        "select orderlatch.create_account(p_account => %s, p_environment => 'paper', p_settings => %s)",
        [account, json.dumps(dict(SHORT_TIMES))],
    )
    connection.execute("select orderlatch.set_limit('order_quantity', 100, p_account => %s)", [account])
    # years of one strategy pass in seconds: what is bought and sold again rests at the broker together
    connection.execute("select orderlatch.set_limit('opposite_order', 0, %s, p_enabled => false)", [account])
    return account


def _prepare(broker: httpx.Client) -> None:
    """Give GOOG a price and set the faults.

    Years pass in seconds at one price, so checks of money, holdings and wash trades make no sense here.
    """
    settings = {"checks": ["uniqueness"], "rate_limit": SHORT_TIMES["rate_limit"]}
    broker.put("/admin/settings", json=settings).raise_for_status()
    broker.put("/admin/prices", json={"GOOG": "185.02"}).raise_for_status()
    for fault in FAULTS:
        broker.post("/admin/faults", json=fault.request()).raise_for_status()


def _propose(url: str, account: str) -> None:
    """Propose the file with the command that a person would use; show only its count."""
    done = subprocess.run(
        [PROGRAM, "propose", DECISIONS, "--account", account],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    click.echo(f"demo: {DECISIONS.name}, every second decision sent twice and spelt differently")
    click.echo(f"demo: {done.stdout.splitlines()[-1]}")


def _watch(connection: psycopg.Connection, account: str, until_held: httpx.Client | None) -> None:
    """Show progress until every decision has settled, or, given the broker, until it holds a call."""
    shown = ""
    give_up_at = time.monotonic() + DEADLINE_S
    while True:
        row = connection.execute(
            "select count(*) filter (where d.status = 'submitted'), count(*),"
            " count(*) filter (where d.status in ('planned', 'approved')),"
            " count(*) filter (where d.status = 'in_doubt')"
            " from orderlatch.decisions as d where d.account = %s",
            [account],
        ).fetchone()
        assert row is not None
        submitted, decisions, waiting, in_doubt = row
        line = f"  submitted {submitted:>2} of {decisions}   waiting {waiting:>2}   in doubt {in_doubt}"
        if line != shown and (submitted % 5 == 0 or in_doubt):
            shown = line
            click.echo(line)
        if until_held is not None:
            if until_held.get("/admin/gates").json():
                return
        elif submitted == decisions:
            return
        if time.monotonic() > give_up_at:
            raise OrderlatchError(f"no end after {DEADLINE_S} s:{line}")
        time.sleep(WATCH_EVERY_S)
