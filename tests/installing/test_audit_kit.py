"""What `make psql` opens: every command of the kit, typed into the real psql as an auditor."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from worker import embedded
from worker.cli import AUDIT_KIT

if TYPE_CHECKING:
    from tests.support.servers import Database, TestServer

WIDTH = 100
# Everything as long as it may be: names, reasons, numbers.
WORLD = """
select test_support.hold_clock('2026-03-02 15:00:00Z');
select test.given_mirrored_account('paper', '{"reconcile_from": "2026-03-02T14:00:00Z"}');
select test.given_account(repeat('W', 64));
create temporary table workers as select test.given_worker('paper') as worker_id;
create temporary table others as select test.given_worker(repeat('W', 64)) as worker_id;
create temporary table longest as
  select '61e69015-8549-4bfd-b9c3-01e75843f47d' as order_id, 'GOOG260619C00185000' as symbol,
         '123456789.123456789' as qty;
select test.serve(w.worker_id, jsonb_build_object(
         'orders', jsonb_build_array(test.a_broker_order(l.order_id, jsonb_build_object(
           'symbol', l.symbol, 'qty', l.qty, 'status', 'pending_cancel'))),
         'fills', jsonb_build_array(test.a_fill(l.order_id, 'x', jsonb_build_object(
           'symbol', l.symbol, 'qty', l.qty, 'price', '12345.123456789'))),
         'positions', jsonb_build_array(test.a_position('GOOG', l.qty))))
  from workers as w, longest as l;
select test.given_decision_in(s.status, o.worker_id, jsonb_build_object(
         'strategy_id', repeat('s', 60), 'rationale', repeat('r', 300)))
  from others as o, unnest('{rejected,lapsed,submitted,refused,submitting,in_doubt}'::text[]) as s(status);
select orderlatch.adjust_position('paper', l.symbol, 99999999.123456789, 'transfer', repeat('m', 400))
  from longest as l;
select test.given_halt(repeat('h', 500), repeat('W', 64), repeat('s', 60), l.symbol) from longest as l;
select test.given_halt('line one' || chr(10) || 'line two');
select orderlatch.lift_halt(test.given_halt(repeat('h', 500)), repeat('l', 500));
select orderlatch_data.open_incident(
         i.incident, test.account_id(repeat('W', 64)), null, null, '{}', repeat('s', 200))
  from orderlatch.incident_kinds as i;
select orderlatch.set_limit(
         'order_notional', 123456789012.123456, repeat('W', 64), repeat('s', 60), l.symbol)
  from longest as l;
select test_support.advance_clock('3 days 7 hours 11 minutes');
select test.given_decision_in(s.status, o.worker_id)
  from others as o, unnest('{approved,planned}'::text[]) as s(status);
select orderlatch.register_worker(repeat('w', 128), jsonb_build_array(
         jsonb_build_object('account', repeat('W', 64), 'environment', 'paper')), 1);
"""


@pytest.fixture
def world(database: Database) -> Database:
    with database.connect() as session:
        session.execute(WORLD.encode())
    return database


def opened(database: Database, login: str, *lines: str) -> str:
    """What psql answers, with the kit loaded, errors included."""
    done = subprocess.run(
        [embedded.wheel_binaries() / "psql", database.server.url(database.name, login)],
        input="\n".join(lines),
        env={"PSQLRC": str(AUDIT_KIT), "PGTZ": "Asia/Kathmandu", "HOME": "/nonexistent"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def typed(database: Database, login: str, *lines: str) -> str:
    """What psql answers, with the kit loaded, when all is well."""
    shown = opened(database, login, *lines)
    assert "ERROR" not in shown, shown
    return shown


def test_every_command_answers_within_100_columns(world: Database, server: TestServer) -> None:
    server.ensure_login("kit_auditor", "orderlatch_auditor")
    listed = re.findall(r"^ (:[a-z_]+) +\|", typed(world, "kit_auditor", ":help"), re.MULTILINE)
    assert sorted(listed) == sorted(
        f":{name}" for name in re.findall(r"(?m)^\\set ([a-z_]+) ", AUDIT_KIT.read_text())
    )
    with world.connect() as session:
        ((decision,),) = session.execute(
            "select d.decision_hash from orderlatch.decisions as d where d.status = 'in_doubt' limit 1"
        ).fetchall()
    empty, wide = [], []
    for command in listed:
        if command == ":story":
            continue  # a login without a binding hears no story: below, as one of the owner's
        shown = typed(world, "kit_auditor", command)
        if any(len(line) > WIDTH for line in shown.splitlines()):
            wide.append(shown)
        if "(0 rows)" in shown:
            empty.append(command)
    assert not wide, "\n".join(wide)
    assert empty == [], "the world of this test shows something in each"
    story = typed(world, "postgres", rf"\set hash {str(decision)[:8]}", ":story")
    assert "became in_doubt" in story
    assert max(map(len, story.splitlines())) <= WIDTH, story


def test_a_command_can_be_watched_and_the_board_fits_one_screen(world: Database) -> None:
    shown = typed(world, "postgres", ":live_board", r"\watch interval=0.01 count=2")
    assert shown.count("last move") >= 3
    assert len(typed(world, "postgres", ":live_board").splitlines()) <= 30


def test_the_prompt_is_the_auditors_until_it_is_given_back(world: Database) -> None:
    assert "orderlatch_auditor" in typed(world, "postgres", "select current_user;")
    assert "postgres" in typed(world, "postgres", "reset role;", "select current_user;")


def test_who_may_not_be_the_auditor_is_not_said_to_be(database: Database, server: TestServer) -> None:
    server.ensure_login("looking_operator", "orderlatch_operator")
    shown = opened(database, "looking_operator", "select current_user;", ":in_doubt")
    assert "You are looking_operator and not orderlatch_auditor: what you type may change something." in shown
    assert "You are orderlatch_auditor" not in shown
    assert shown.count("ERROR") == 1, shown
    assert "You are orderlatch_auditor until reset role" in typed(database, "postgres", "select 1;")
