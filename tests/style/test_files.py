"""Files of sql/: size, case, words, and what a file may do at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pglast import ast, enums

from tests.style.sources import SQL, no, sql_files, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = ["00_foundation", "10_propose", "20_moves", "30_risk", "40_gates", "50_requests", "60_answers",
           "70_mirror", "80_audit", "90_grants"]  # fmt: skip

MAKES = (
    ast.CreateFunctionStmt,
    ast.ViewStmt,
    ast.CreateTrigStmt,
    ast.GrantStmt,
    ast.CommentStmt,
    ast.DropStmt,
)
CLOCKS = {"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "current_timestamp",
          "localtimestamp", "current_date", "current_time", "localtime", "timeofday"}  # fmt: skip


def test_folders_tell_the_story_in_order() -> None:
    assert sql_files(), "sql/ is empty"
    no(f"{file.name}: in no known folder" for file in sql_files() if file.path.parent.name not in FOLDERS)
    no(f"sql/{path.name}: not a folder of the story" for path in SQL.iterdir() if path.name not in FOLDERS)


def test_files_have_at_most_200_lines_of_110_characters() -> None:
    def findings() -> Iterator[str]:
        for file in sql_files():
            lines = file.text.splitlines()
            if len(lines) > 200:
                yield f"{file.name}: {len(lines)} lines"
            for number, line in enumerate(lines, 1):
                if len(line) > 110:
                    yield f"{file.name}:{number}: {len(line)} characters"
                if line != line.rstrip() or "\t" in line:
                    yield f"{file.name}:{number}: a tab, or white space at the end"

    no(findings())


def test_files_make_functions_views_and_triggers_only() -> None:
    def findings() -> Iterator[str]:
        for file in sql_files():
            for statement in file.statements:
                where, node = f"{file.name}:{statement.line}", statement.node
                if not isinstance(node, MAKES):
                    yield f"{where}: {type(node).__name__} belongs into a revision, or nowhere"
                elif isinstance(node, ast.CreateFunctionStmt | ast.ViewStmt) and not node.replace:
                    yield f"{where}: create without or replace cannot be applied again"
                elif isinstance(node, ast.DropStmt) and not (
                    node.removeType is enums.ObjectType.OBJECT_TRIGGER and node.missing_ok
                ):
                    yield f"{where}: only drop trigger if exists; the installer drops what no file makes"

    no(findings())


def test_sql_is_lower_case() -> None:
    no(
        f"{file.name}:{token.line}: {token.text}"
        for file in sql_files()
        for token in tokens(file.text)
        if token.text[0] not in "'\"" and token.kind != "SCONST" and token.text != token.text.lower()
    )


def test_time_comes_from_clock_alone() -> None:
    no(
        f"{file.name}:{token.line}: {token.text}"
        for file in sql_files()
        if file.path.name != "clock.sql"
        for token in tokens(file.text)
        if token.text in CLOCKS
    )


def test_chance_comes_from_request_id_alone() -> None:
    no(
        f"{file.name}:{token.line}: {token.text}"
        for file in sql_files()
        if file.path.name != "request_id.sql"
        for token in tokens(file.text)
        if token.text in {"random", "gen_random_uuid", "uuidv4", "uuidv7"}
    )


def test_nothing_is_dynamic_and_no_handler_takes_everything() -> None:
    def findings() -> Iterator[str]:
        for file in sql_files():
            for function in file.functions:
                for token in tokens(function.body):
                    if token.text in {"execute", "others"}:
                        yield f"{function.where}: {token.text}"

    no(findings())


def test_pending_says_pending_what() -> None:
    no(
        f"{file.name}:{number}: {line.strip()}"
        for file in sql_files()
        for number, line in enumerate(file.text.splitlines(), 1)
        if re.search(r"\bpending\b", line, re.IGNORECASE)
    )


def test_views_and_triggers_are_commented() -> None:
    def findings() -> Iterator[str]:
        for file in sql_files():
            comments = " ".join(
                statement.text for statement in file.statements if isinstance(statement.node, ast.CommentStmt)
            )
            for statement in file.statements:
                node = statement.node
                if isinstance(node, ast.ViewStmt):
                    subject = f"on view {relation(node.view)} is"
                elif isinstance(node, ast.CreateTrigStmt):
                    subject = f"on trigger {node.trigname} on {relation(node.relation)} is"
                else:
                    continue
                if subject not in comments:
                    yield f"{file.name}:{statement.line}: no comment {subject}"

    no(findings())


def relation(name: ast.RangeVar | None) -> str:
    """Schema and name of a table or view."""
    return f"{name.schemaname}.{name.relname}" if name else ""
