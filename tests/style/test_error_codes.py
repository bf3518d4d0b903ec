"""Each raise has a code of the catalogue, each code is raised, and messages begin with its name."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from pglast import ast

from tests.style.sources import ERRCODE, MESSAGE, SQL, SqlFile, functions, no, nodes, sql_files, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

# What Postgres calls the level of a notice: progress, as verify_all tells it.
NOTICE = 18
CATALOGUE = SqlFile(SQL / "00_foundation" / "error_codes.sql")


@cache
def catalogue() -> dict[str, str]:
    """Code and name of every error: the first two literals of each row of VALUES."""
    view = next(found.node for found in CATALOGUE.statements if isinstance(found.node, ast.ViewStmt))
    values = next(select for select in nodes(view(skip_none=True), "SelectStmt") if "valuesLists" in select)
    rows = values["valuesLists"]
    assert isinstance(rows, list | tuple)
    literals = ([str(node["sval"]) for node in nodes(row, "String")] for row in rows)
    return {code: name for code, name, *_ in literals}


def test_codes_are_unique_ordered_and_of_their_class() -> None:
    codes = list(catalogue())
    assert codes == sorted(codes)
    assert len(set(catalogue().values())) == len(codes)
    no(
        f"{code}: not OL and a class 1, 2, 3 or 9"
        for code in codes
        if not re.fullmatch(r"OL[1239]\d\d", code)
    )
    no(
        f"{name}: not a lower-case token"
        for name in catalogue().values()
        if not re.fullmatch(r"[a-z_]+", name)
    )


def test_every_code_used_is_in_the_catalogue_and_back() -> None:
    used = {
        token.text.strip("'"): f"{file.name}:{token.line}"
        for file in sql_files()
        if file.path != CATALOGUE.path
        for token in tokens(file.text)
        if token.kind == "SCONST" and re.fullmatch(r"'OL\d{3}'", token.text)
    }
    no(f"{where}: {code} is not in the catalogue" for code, where in used.items() if code not in catalogue())
    no(f"{CATALOGUE.name}: {code} is raised nowhere" for code in catalogue() if code not in used)


def test_every_raise_has_a_code_and_a_message_that_begins_with_its_name() -> None:
    def findings() -> Iterator[str]:
        for function in functions():
            if function.language != "plpgsql":
                continue
            for statement in nodes(function.tree, "PLpgSQL_stmt_raise"):
                options = {
                    option["opt_type"]: str(next(nodes(option, "PLpgSQL_expr"))["query"])
                    for option in nodes(statement, "PLpgSQL_raise_option")
                }
                code = options.get(ERRCODE, "")
                message = options.get(MESSAGE, "")
                if not options and not statement.keys() & {"message", "condname"}:
                    continue  # hands on what a handler caught
                if statement.get("elog_level") == NOTICE:
                    continue  # news, not an error
                if not code:
                    yield f"{function.where}: a raise without errcode, line {statement.get('lineno')}"
                elif (name := catalogue().get(code.strip("'"))) and not re.match(
                    rf"(format\s*\(\s*)?'{name}: ", message
                ):
                    yield f"{function.where}: the message of {code} does not begin with '{name}: '"

    no(findings())
