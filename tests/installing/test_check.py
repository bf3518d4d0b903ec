"""orderlatch check: says whether what is installed equals the checkout, and what does not."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import ORDERLATCH, ROOT
from worker.applier import read_files
from worker.installer import check, migrate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers import Database

pytestmark = pytest.mark.every_major

FILES = read_files(ROOT / "sql")
FORGED = """
create or replace function orderlatch_data.clock() returns timestamptz language sql volatile parallel safe
security invoker set search_path = pg_catalog, pg_temp as 'select now() - interval ''1 hour'''
"""


def orderlatch(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person does."""
    return subprocess.run(
        [ORDERLATCH, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"DATABASE_URL": database.url},
    )


def test_a_fresh_installation_is_equal(database: Database) -> None:
    result = orderlatch(database, "check")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("check: equal (revision ")


def test_a_blank_database_is_not(blank_database: Database) -> None:
    result = orderlatch(blank_database, "check")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("revision: the database has none, the checkout ")


def test_an_unknown_revision_is_named(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("update orderlatch_data.alembic_version set version_num = '9999'")
    result = orderlatch(database, "check")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("orderlatch: the database is at revision 9999, which this checkout")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("by_hand", "finding"),
    [
        (FORGED, "function orderlatch_data.clock(): changed since it was applied"),
        ("drop view orderlatch.error_codes", "view orderlatch.error_codes: dropped by hand"),
        ("create view orderlatch.extra as select 1 as one", "view orderlatch.extra: made by no file"),
        (
            "alter table orderlatch_data.decision_events disable trigger written_once",
            "trigger written_once on orderlatch_data.decision_events: changed since it was applied",
        ),
        (
            "grant execute on function orderlatch.schema_version() to public",
            "function orderlatch.schema_version(): changed since it was applied",
        ),
        (
            "delete from orderlatch_data.sql_files where path = '00_foundation/clock.sql'",
            "sql/00_foundation/clock.sql: not applied",
        ),
        (
            "update orderlatch_data.sql_files set checksum = repeat('0', 64) where path like '%/clock.sql'",
            "sql/00_foundation/clock.sql: changed since it was applied",
        ),
        (
            "insert into orderlatch_data.sql_files values ('20_moves/gone.sql', repeat('0', 64), now())",
            "sql/20_moves/gone.sql: gone",
        ),
    ],
    ids=["body", "dropped", "extra", "trigger", "right", "missing", "file", "gone"],
)
def test_what_was_changed_by_hand_is_named_and_migrate_puts_it_right(
    database: Database, by_hand: str, finding: str
) -> None:
    with database.connect() as connection:
        connection.execute("set role orderlatch_owner")
        connection.execute(by_hand.encode())
    assert check(database.url, FILES) == [finding]
    migrate(database.url, FILES, lambda _: None)
    assert check(database.url, FILES) == []


def test_differences_are_printed_and_give_status_1(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "drop view orderlatch.error_codes; create view orderlatch.extra as select 1 as one"
        )
    result = orderlatch(database, "check")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.splitlines() == [
        "view orderlatch.error_codes: dropped by hand",
        "view orderlatch.extra: made by no file",
    ]


def test_what_somebody_else_owns_is_not_taken_from_them(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create view orderlatch.extra as select 1 as one")
    result = orderlatch(database, "migrate")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("orderlatch: sql/ could not be applied or compared: ")
    assert "Traceback" not in result.stderr


ODD = {
    "intervalstyle": "iso_8601",
    "datestyle": "SQL, DMY",
    "timezone": "Pacific/Kiritimati",
    "quote_all_identifiers": "on",
    "extra_float_digits": "-15",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
}


@pytest.mark.parametrize("setting", ODD)
def test_no_setting_of_whoever_looks_makes_a_difference(database: Database, setting: str) -> None:
    with database.connect() as connection:
        connection.execute(f"alter database {database.name} set {setting} = '{ODD[setting]}'".encode())
    assert check(database.url, FILES) == []
    # nor one of whoever installs
    with database.connect() as connection:
        connection.execute("delete from orderlatch_data.sql_files")
    migrate(database.url, FILES, lambda _: None)
    with database.connect() as connection:
        connection.execute(f"alter database {database.name} reset {setting}".encode())
    assert check(database.url, FILES) == []


def test_revisions_are_read_as_they_are_written(database: Database, blank_database: Database) -> None:
    with blank_database.connect() as connection:
        connection.execute(
            f"alter database {blank_database.name} set standard_conforming_strings = off".encode()
        )
    migrate(blank_database.url, FILES, lambda _: None)
    rules = b"select r.* from orderlatch_data.answer_rules as r order by r.rule_no"
    with database.connect() as usual, blank_database.connect() as odd:
        assert odd.execute(rules).fetchall() == usual.execute(rules).fetchall()


def test_every_view_reads_the_same_when_it_is_made_from_its_own_text(database: Database) -> None:
    """Else a restored database is told to differ, as a restore makes views from their texts."""
    views = "select v.viewname, v.definition from pg_views as v where v.schemaname = 'orderlatch'"
    with database.connect() as connection:
        connection.execute("set search_path = pg_catalog, pg_temp")
        before: dict[str, str] = dict(connection.execute(views).fetchall())
        for name, text in before.items():
            connection.execute(f"create view orderlatch.copy_of_{name} as {text}".encode())
        after: dict[str, str] = dict(connection.execute(views).fetchall())
    assert {name: after[f"copy_of_{name}"] for name in before} == before


def test_a_database_that_was_dumped_and_restored_is_equal(
    database: Database, blank_database: Database, tmp_path: Path
) -> None:
    if database.server.major != 15:
        pytest.skip("Debian's pg_dump is that of Postgres 15")
    dump = tmp_path / "dump.sql"
    subprocess.run(["pg_dump", "--file", dump, database.url], check=True)
    psql = ["psql", "--no-psqlrc", "--quiet", "--output", "/dev/null", "--set", "ON_ERROR_STOP=1"]
    subprocess.run([*psql, "--file", dump, blank_database.url], check=True)
    result = orderlatch(blank_database, "check")
    assert result.stdout.startswith("check: equal (revision "), result.stdout + result.stderr
