"""Acts of operators do not wait for each other, and a head waits for whoever is writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.sessions import in_background

if TYPE_CHECKING:
    from tests.support.servers import Database
    from tests.support.sessions import Connect

HALT = "insert into orderlatch_data.halts (reason, halted_at, halted_by) values (%s, now(), 'x')"
SAW = "select a.detail ->> 'reason', a.saw from orderlatch_data.operator_acts as a order by a.act_no"
FINDINGS = "select f.act_no, f.finding from orderlatch_data.act_findings() as f"
HEAD = "select orderlatch.audit_head()"
AGREES = "select v.agrees from orderlatch.verify_against(%s) as v"
BLOCKED = "select cardinality(pg_blocking_pids(%s)) > 0"
# Whoever looks at the locks of writers sleeps between two looks.
SLEEPS = "select exists (select from pg_stat_activity as s where s.pid = %s and s.wait_event = 'PgSleep')"


def test_two_acts_at_one_moment_do_not_wait_and_the_next_sees_both(connect: Connect) -> None:
    one, other, third = connect(autocommit=False), connect(autocommit=False), connect()
    one.execute(HALT, ["first"])
    other.execute("set local lock_timeout = '5s'")
    other.execute(HALT, ["second"])  # waits for nobody, though the first has not committed
    other.commit()
    one.commit()
    third.execute(HALT, ["third"])
    assert third.execute(SAW).fetchall() == [("first", []), ("second", []), ("third", [1, 2])]
    assert third.execute(FINDINGS).fetchall() == []


def test_an_act_that_is_rolled_back_leaves_what_it_saw_to_the_next(connect: Connect) -> None:
    session, other = connect(autocommit=False), connect()
    other.execute(HALT, ["first"])
    session.execute(HALT, ["never"])
    session.rollback()
    other.execute(HALT, ["second"])
    assert other.execute(SAW).fetchall() == [("first", []), ("second", [1])]
    assert other.execute(FINDINGS).fetchall() == []


def test_a_head_waits_for_an_event_whose_number_was_drawn_before(
    database: Database, connect: Connect
) -> None:
    writer, auditor = connect(autocommit=False), connect()
    auditor.execute("select test.given_account()")
    writer.execute("select test.given_decision()")
    answer = in_background(lambda: auditor.execute(HEAD).fetchall())
    watcher = connect()
    while watcher.execute(SLEEPS, [auditor.info.backend_pid]).fetchone() == (False,):
        pass
    # who begins to write meanwhile is not waited for
    late = connect(autocommit=False)
    late.execute("select test.given_account('late')")
    late.execute("select test.given_decision('late')")
    writer.commit()
    ((head,),) = answer.result(timeout=20)
    assert str(head).startswith("1.")
    assert watcher.execute(AGREES, [head]).fetchall() == [(True,)]
    late.commit()
    assert watcher.execute(AGREES, [head]).fetchall() == [(True,)]
    with database.connect() as session:
        ((later,),) = session.execute(HEAD).fetchall()
    assert str(later).startswith("2.")


def test_a_head_waits_for_an_act_whose_number_was_drawn_before(connect: Connect) -> None:
    """Held where it looks for the ends of the chain, before anything of it is written."""
    holder, operator, auditor, watcher = connect(autocommit=False), connect(), connect(), connect()
    holder.execute("lock table orderlatch_data.act_tips in access exclusive mode")
    acting = in_background(lambda: operator.execute(HALT, ["held"]))
    while watcher.execute(BLOCKED, [operator.info.backend_pid]).fetchone() == (False,):
        pass
    answer = in_background(lambda: auditor.execute(HEAD).fetchall())
    while not answer.done() and watcher.execute(SLEEPS, [auditor.info.backend_pid]).fetchone() == (False,):
        pass
    holder.commit()
    acting.result(timeout=20)
    ((head,),) = answer.result(timeout=20)
    assert watcher.execute(AGREES, [head]).fetchall() == [(True,)]


def test_a_head_of_what_this_database_never_had_does_not_agree(connect: Connect) -> None:
    session = connect()
    session.execute("select test.given_account()")
    ((head,),) = session.execute(HEAD).fetchall()
    events, acts, digest = str(head).split(".")
    finding = "select v.agrees, v.finding from orderlatch.verify_against(%s) as v"
    for ahead in (
        f"{int(events) + 1}.{acts}.{digest}",
        f"{events}.{int(acts) + 1}.{digest}",
        "9" * 18 + ".0." + digest,
    ):
        ((agrees, said),) = session.execute(finding, [ahead]).fetchall()
        assert (agrees, "has not come so far" in str(said)) == (False, True), ahead


def test_a_head_gives_up_on_a_writer_that_does_not_end(connect: Connect) -> None:
    writer, auditor = connect(autocommit=False), connect()
    writer.execute("select test.given_account()")
    with pytest.raises(psycopg.Error) as caught:
        auditor.execute(HEAD)
    assert caught.value.sqlstate == "OL204"
    assert f"session {writer.info.backend_pid}" in str(caught.value.diag.message_detail)


def test_seals_are_the_same_whoever_makes_them(database: Database, connect: Connect) -> None:
    """Blocks of 10,000 are sealed once they are full, and a head does not depend on when."""
    session = connect()
    session.execute("select test.given_account()")
    session.execute("select test.given_decision()")
    session.execute("set session_replication_role = replica")
    session.execute(
        "insert into orderlatch_data.decision_events "
        "(decision_id, from_status, to_status, moved_at, moved_by, reason, event_hash) "
        "select 1, 'none', 'planned', now(), 'x', 'x', sha256(n::text::bytea) "
        "from generate_series(1, 24999) as n"
    )
    session.execute("set session_replication_role = origin")
    ((sealed,),) = session.execute(HEAD).fetchall()
    seals = session.execute("select s.block_no, s.events from orderlatch_data.event_seals as s").fetchall()
    assert seals == [(1, 10000), (2, 10000)]
    assert session.execute(AGREES, [sealed]).fetchall() == [(True,)]
    # the first block edited: its seal says so, and so does the head, even without any seal
    session.execute("set session_replication_role = replica")
    session.execute("update orderlatch_data.decision_events set event_hash = '' where event_id = 77")
    finding = "select v.finding from orderlatch.verify_against(%s) as v"
    assert session.execute(finding, [sealed]).fetchall() == [
        ("events 1 to 10000 are not those that were sealed",)
    ]
    session.execute("delete from orderlatch_data.event_seals")
    session.execute("set session_replication_role = origin")
    assert session.execute(AGREES, [sealed]).fetchall() == [(False,)]
    with database.connect() as other:
        ((anew,),) = other.execute(HEAD).fetchall()
        assert other.execute(AGREES, [anew]).fetchall() == [(True,)]
    assert anew != sealed
