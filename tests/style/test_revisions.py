"""Revisions: squawk finds nothing that would stop a busy database, and none of them reads sql/."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.script import ScriptDirectory

from tests.style.sources import ROOT, no, tokens
from worker.installer import alembic_config

if TYPE_CHECKING:
    from collections.abc import Iterator

REVISIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))
SQUAWK = Path(sys.executable).with_name("squawk")

# Left out with reason: orderlatch migrate sets lock_timeout for all revisions, and a long rewrite may take
# its time; small numbers are small on purpose.
LEFT_OUT = (
    "require-lock-timeout",
    "require-statement-timeout",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    # No client names a table, column or constraint: only the functions of sql/ do, and migrate replaces them.
    "renaming-table",
    "renaming-column",
    "renaming-object",
    "ban-drop-not-null",
    "ban-drop-default",
    "ban-drop-constraint",
)
# Revisions from before the first release: no table that they change can be large yet.
BEFORE_THE_FIRST_RELEASE = (
    "0006_mirror",
    "0007_clusters_and_events",
    "0008_risk_sums",
    "0009_gates",
    "0011_orders_by_decision",
    "0013_fewer_indexes",
    "0015_low_water",
    "0016_orders_by_time",
    "0017_bytes",
    "0018_rows_of_each_life",
    "0020_orders_by_parent",
    "0022_signals_by_time",
    "0023_approved_by_number",
    "0024_views_of_a_span",
    "0028_what_is_over",
)
BLOCK_LARGE_TABLES = (
    "constraint-missing-not-valid",
    "adding-not-nullable-field",
    "adding-field-with-default",
    "adding-foreign-key-constraint",
    "require-concurrent-index-creation",
    "require-concurrent-index-deletion",
)


def upgrade_sql(path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a revision's upgrade() would send."""
    script = ScriptDirectory.from_config(alembic_config())
    module = next(found.module for found in script.walk_revisions() if Path(found.path) == path)
    sent: list[str] = []
    monkeypatch.setattr(
        module.op, "execute", lambda text: sent.append(text.rstrip().removesuffix(";") + ";\n")
    )
    module.upgrade()
    return "".join(sent)


@pytest.mark.parametrize("path", REVISIONS, ids=lambda path: path.stem)
def test_squawk_finds_nothing(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = tmp_path / f"{path.stem}.sql"
    sql.write_text(upgrade_sql(path, monkeypatch))
    left_out = LEFT_OUT + (BLOCK_LARGE_TABLES if path.stem in BEFORE_THE_FIRST_RELEASE else ())
    options = (
        "--reporter",
        "gcc",
        "--pg-version",
        "15.0",
        "--assume-in-transaction",
        "--exclude",
        ",".join(left_out),
    )
    result = subprocess.run([SQUAWK, *options, sql], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_squawk_is_listened_to(tmp_path: Path) -> None:
    sql = tmp_path / "bad.sql"
    sql.write_text("alter table t add constraint u unique (a);")
    assert subprocess.run([SQUAWK, sql], check=False, capture_output=True).returncode != 0


def test_revisions_are_lower_case_and_keep_to_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def findings() -> Iterator[str]:
        for path in REVISIONS:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if len(line) > 110:
                    yield f"{path.name}:{number}: {len(line)} characters"
            for token in tokens(upgrade_sql(path, monkeypatch)):
                if token.text[0] not in "'\"" and token.text != token.text.lower():
                    yield f"{path.name}: {token.text}"

    no(findings())


def test_no_revision_reads_the_functions_of_today() -> None:
    def findings() -> Iterator[str]:
        for path in REVISIONS:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import | ast.ImportFrom) and "alembic import op" not in ast.unparse(
                    node
                ):
                    yield f"{path.name}:{node.lineno}: {ast.unparse(node)}"

    no(findings())


def test_revisions_are_numbered_in_one_line() -> None:
    numbers = [path.name.split("_")[0] for path in REVISIONS]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    no(
        f"{path.name}: not a number and words"
        for path in REVISIONS
        if not re.fullmatch(r"\d{4}_[a-z_]+", path.stem)
    )
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1
