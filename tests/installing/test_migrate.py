"""orderlatch migrate: whole or not at all, the same from everywhere, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic import command
from sqlalchemy.exc import DBAPIError

from tests.support import reference
from tests.support.sessions import in_background, wait_until_blocked
from worker import applier, installer
from worker.applier import File, FileError, InstallError, read_files
from worker.installer import DEADLOCKS, MIGRATING, ROOT, alembic_config, engine, migrate, revisions, upgrade

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.config import Config

    from tests.support.servers import Database

pytestmark = pytest.mark.every_major

FILES = read_files(ROOT / "sql")
VERSIONS = """
select p.oid, p.xmin::text from pg_proc as p
where p.pronamespace in ('orderlatch'::regnamespace, 'orderlatch_data'::regnamespace) order by p.oid
"""
TIMEOUTS = """
select s.name from pg_settings as s
where s.name in ('statement_timeout', 'transaction_timeout', 'idle_session_timeout')
"""


def says() -> tuple[list[str], Callable[[str], object]]:
    """A list, and what to hand to migrate so that it speaks into the list."""
    said: list[str] = []
    return said, said.append


def install(database: Database, files: list[File] = FILES) -> list[str]:
    said, say = says()
    migrate(database.url, files, say)
    return said


def everything(database: Database) -> list[str]:
    """The whole catalogue, line by line."""
    with database.connect() as connection:
        return "".join(reference.render(connection).values()).splitlines()


def function_versions(database: Database) -> list[tuple[int, str]]:
    with database.connect() as connection:
        return connection.execute(VERSIONS).fetchall()


def changed(path: str, add: bytes) -> list[File]:
    """The files of the checkout, one of them with something added to its end."""
    assert any(file.path == path for file in FILES)
    return [File(file.path, file.content + add) if file.path == path else file for file in FILES]


def test_a_blank_database_is_installed(blank_database: Database, database: Database) -> None:
    said = install(blank_database)
    assert said == [f"migrate: revision none -> {revisions()[0]}", f"migrate: applied {len(FILES)} files"]
    assert everything(blank_database) == everything(database)


def test_migrating_twice_changes_nothing(blank_database: Database) -> None:
    install(blank_database)
    before = function_versions(blank_database)
    assert install(blank_database) == [
        f"migrate: nothing to do (revision {revisions()[0]}, {len(FILES)} files)"
    ]
    assert function_versions(blank_database) == before


@pytest.mark.parametrize("start", revisions()[1:])
def test_upgraded_equals_fresh(blank_database: Database, database: Database, start: str) -> None:
    with engine(blank_database.url).begin() as connection:
        connection.exec_driver_sql("create schema orderlatch_data")
        command.upgrade(alembic_config(connection), start)
    said = install(blank_database)
    assert said[0] == f"migrate: revision {start} -> {revisions()[0]}"
    assert everything(blank_database) == everything(database)


def test_one_changed_file_applies_all_of_them_again(blank_database: Database) -> None:
    install(blank_database)
    before = dict(function_versions(blank_database))
    install(blank_database, changed("00_foundation/clock.sql", b"\n-- changed\n"))
    after = dict(function_versions(blank_database))
    assert after.keys() == before.keys(), "functions are replaced in place, not dropped and made"
    assert all(after[function] != before[function] for function in after)


def test_a_file_that_fails_leaves_everything_as_it_was(blank_database: Database) -> None:
    install(blank_database)
    before, versions = everything(blank_database), function_versions(blank_database)
    broken = changed("00_foundation/clock.sql", b"\n\nselect 1 from nowhere;\n")
    line = broken[[file.path for file in FILES].index("00_foundation/clock.sql")].content.count(b"\n")
    with pytest.raises(
        FileError, match=rf"sql/00_foundation/clock\.sql:{line}: relation \"nowhere\" does not"
    ):
        install(blank_database, broken)
    assert everything(blank_database) == before
    assert function_versions(blank_database) == versions


def test_a_shadowed_variable_is_an_error(blank_database: Database) -> None:
    body = b"""
    create or replace function orderlatch_data.shadow() returns void language plpgsql as $$
    declare v_one integer; begin declare v_one integer; begin v_one := 1; end; end $$;
    """
    with pytest.raises(FileError, match='variable "v_one" shadows a previously defined variable'):
        install(blank_database, [*FILES, File("90_grants/shadow.sql", body)])


def test_what_no_file_makes_any_more_is_dropped(blank_database: Database, database: Database) -> None:
    extra = b"""
    create or replace function orderlatch_data.old() returns trigger language plpgsql
      as 'begin return null; end';
    create or replace view orderlatch.old as select 1 as one;
    create or replace view orderlatch.older as select o.one from orderlatch.old as o;
    drop trigger if exists old on orderlatch_data.accounts;
    create trigger old after insert on orderlatch_data.accounts
      for each statement execute function orderlatch_data.old();
    """
    install(blank_database, [*FILES, File("90_grants/old.sql", extra)])
    assert everything(blank_database) != everything(database)
    install(blank_database)
    assert everything(blank_database) == everything(database)


def test_rights_that_no_file_grants_any_more_are_taken(blank_database: Database, database: Database) -> None:
    grant = b"\ngrant execute on function orderlatch_data.clock() to orderlatch_strategy;\n"
    install(blank_database, changed("00_foundation/clock.sql", grant))
    assert everything(blank_database) != everything(database)
    install(blank_database)
    assert everything(blank_database) == everything(database)


def test_a_result_that_changed_its_shape_makes_everything_anew(
    blank_database: Database, database: Database
) -> None:
    old = b"""
    drop function if exists orderlatch.schema_version();
    create function orderlatch.schema_version() returns text language sql as $$ select 'one' $$;
    create or replace view orderlatch.error_codes as
      select 'OL000' as sqlstate, 'old' as name, '' as meaning, '' as next_step, 1 as one_more;
    """
    install(blank_database)
    replaced = {"00_foundation/schema_version.sql", "00_foundation/error_codes.sql"}
    kept = [file for file in FILES if file.path not in replaced]
    install(blank_database, [*kept, File("00_foundation/old.sql", old)])
    install(blank_database)
    assert everything(blank_database) == everything(database)


def test_a_view_that_somebody_built_on_ours_outlives_an_upgrade(blank_database: Database) -> None:
    install(blank_database)
    with blank_database.connect() as connection:
        connection.execute("create view public.report as select e.name from orderlatch.error_codes as e")
        install(blank_database, changed("00_foundation/clock.sql", b"\n-- changed\n"))
        assert connection.execute("select from public.report limit 1").rowcount == 1


def test_a_revision_that_this_checkout_does_not_know_is_refused(blank_database: Database) -> None:
    install(blank_database)
    with blank_database.connect() as connection:
        connection.execute("update orderlatch_data.alembic_version set version_num = '9999'")
    before = function_versions(blank_database)
    with pytest.raises(InstallError, match=rf"at revision 9999, .* \(it ends at {revisions()[0]}\)"):
        install(blank_database, changed("00_foundation/clock.sql", b"\n-- changed\n"))
    assert function_versions(blank_database) == before


def test_a_second_migrate_waits_for_the_first_and_has_nothing_to_do(blank_database: Database) -> None:
    said, say = says()
    with blank_database.connect() as first:
        first.execute("select pg_advisory_lock(%s, %s)", MIGRATING)
        rival = in_background(lambda: migrate(blank_database.url, FILES, say))
        wait_until_blocked(blank_database)
        assert said == []
        first.execute("select pg_advisory_unlock(%s, %s)", MIGRATING)
        rival.result(timeout=60)
    assert len(said) == 2
    assert install(blank_database)[0].startswith("migrate: nothing to do")


def test_a_table_that_is_held_makes_migrate_give_up(
    blank_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(blank_database)
    before = function_versions(blank_database)
    monkeypatch.setitem(applier.SETTINGS, "lock_timeout", "100ms")
    with blank_database.connect(autocommit=False) as holder:
        holder.execute("lock table orderlatch_data.trade_decisions in access share mode")
        with pytest.raises(FileError, match="lock timeout"):
            install(blank_database, changed("00_foundation/clock.sql", b"\n-- changed\n"))
    assert function_versions(blank_database) == before
    assert install(blank_database)[0].startswith("migrate: nothing to do")


def test_no_time_out_of_the_database_ends_an_upgrade(blank_database: Database) -> None:
    """A table of years takes as long as it takes, and would be too large at every other try as well."""
    with blank_database.connect() as connection:
        for (timeout,) in connection.execute(TIMEOUTS).fetchall():
            connection.execute(f"alter database {blank_database.name} set {timeout} = '50ms'".encode())
    assert install(blank_database)[-1] == f"migrate: applied {len(FILES)} files"


@pytest.mark.parametrize("deadlocks", [2, DEADLOCKS])
def test_a_deadlock_with_running_work_is_tried_again_and_not_for_ever(
    blank_database: Database, monkeypatch: pytest.MonkeyPatch, deadlocks: int
) -> None:
    tries = 0

    def deadlocked(connection: psycopg.Connection, files: list[File], *, anew: bool = False) -> None:
        nonlocal tries
        tries += 1
        if tries <= deadlocks:
            raise InstallError("deadlock detected") from psycopg.errors.DeadlockDetected()
        applier.apply(connection, files, anew=anew)

    monkeypatch.setattr(installer, "apply", deadlocked)
    if deadlocks < DEADLOCKS:
        assert install(blank_database)[-1] == f"migrate: applied {len(FILES)} files"
    else:
        with pytest.raises(InstallError, match="deadlock"):
            install(blank_database)
    assert tries == min(deadlocks + 1, DEADLOCKS)


def test_a_revision_that_fails_leaves_nothing(
    blank_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(config: Config, revision: str) -> None:
        connection = config.attributes["connection"]
        connection.exec_driver_sql("create table orderlatch_data.half (one integer)")
        connection.exec_driver_sql(f"select {revision} from nowhere")

    monkeypatch.setattr(command, "upgrade", fail)
    with pytest.raises(InstallError, match=r"a revision failed: .*nowhere"):
        upgrade(blank_database.url, None)
    with blank_database.connect() as connection:
        assert connection.execute("select to_regnamespace('orderlatch_data')").fetchone() == (None,)


def test_a_database_that_is_not_utf8_is_refused(blank_database: Database) -> None:
    other = f"{blank_database.name}_latin1"
    with blank_database.connect() as connection:
        connection.execute(f"create database {other} encoding 'LATIN1' locale 'C' template template0")
        try:
            with pytest.raises(InstallError, match="encoded in LATIN1, not in UTF8"):
                upgrade(blank_database.server.url(other), None)
        finally:
            connection.execute(f"drop database {other}")


def test_downgrade_refuses_to_destroy_decisions(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("select orderlatch.create_account('paper', 'paper')")
        decision = """{"strategy_id": "s", "symbol": "GOOG", "event_ts": "2026-01-02T00:00:00Z",
                       "timeframe": "1d", "action": "buy", "qty": "1"}"""
        connection.execute("select from orderlatch.ensure_decision('paper', %s)", [decision])
        before = everything(database)
        with engine(database.url).connect() as own, pytest.raises(DBAPIError, match="downgrade refused"):
            command.downgrade(alembic_config(own), "base")
        assert everything(database) == before
        assert connection.execute("select count(*) from orderlatch_data.trade_decisions").fetchone() == (1,)


def test_an_upgrade_keeps_what_a_database_one_revision_back_holds(blank_database: Database) -> None:
    with engine(blank_database.url).begin() as own:
        own.exec_driver_sql("create schema orderlatch_data")
        command.upgrade(alembic_config(own), revisions()[1])
    with blank_database.connect() as connection:
        connection.execute(
            "insert into orderlatch_data.accounts (account, environment, created_at, created_by)"
            " values ('paper', 'paper', now(), 'before the upgrade')"
        )
        install(blank_database)
        kept = connection.execute(
            "select a.account, a.created_by from orderlatch_data.accounts as a"
        ).fetchall()
        assert kept == [("paper", "before the upgrade")]


WRITTEN_BEFORE = """
set session_replication_role = replica;
insert into orderlatch_data.accounts (account, environment, created_at, created_by)
values ('paper', 'paper', now(), 'x');
insert into orderlatch_data.trade_decisions
  (decision_id, decision_hash, hash_version, account_id, strategy_id, symbol, event_ts, timeframe, leg,
   action, qty, order_type, time_in_force, extended_hours, order_class, intent, recorded_at, recorded_by)
select 1, sha256('x'), 1, a.account_id, 's', 'GOOG', now(), '1d', '', 'buy', 1, 'market', 'day', false,
  'simple', 'x', now(), 'x' from orderlatch_data.accounts as a;
insert into orderlatch_data.decision_events (decision_id, from_status, to_status, moved_at, moved_by, reason)
values (1, 'none', 'planned', now(), 'x', 'x');
reset session_replication_role;
"""


def test_an_upgrade_goes_on_with_the_server_and_the_events_that_it_finds(blank_database: Database) -> None:
    """Nobody has to wait for a read, and whoever follows events begins with the oldest."""
    with engine(blank_database.url).begin() as own:
        own.exec_driver_sql("create schema orderlatch_data")
        command.upgrade(alembic_config(own), "0006")
    with blank_database.connect() as connection:
        connection.execute(WRITTEN_BEFORE.encode())
        install(blank_database)
        assert connection.execute("select c.why from orderlatch.clusters as c").fetchall() == [("first",)]
        assert connection.execute("select orderlatch_data.is_known_server()").fetchone() == (True,)
        events = "select e.event_key, e.cursor from orderlatch.events_since(%s) as e"
        [(key, cursor), (nothing, _)] = connection.execute(events, [None]).fetchall()
        assert (key, nothing) == ("0-1", None)
        assert [key for key, _ in connection.execute(events, [cursor])] == [None]
        # what was there before the chains began has no hash, and nobody is to blame for that
        findings = "select f.finding from orderlatch_data.chain_findings(array[1]::bigint[]) as f"
        assert connection.execute(findings).fetchall() == [("it is the newest, and its decision is nowhere",)]
        assert (
            connection.execute("select f.finding from orderlatch_data.act_findings() as f").fetchall() == []
        )
        assert connection.execute(
            "select c.last_event_id from orderlatch_data.chain_starts as c"
        ).fetchall() == [(1,)]
