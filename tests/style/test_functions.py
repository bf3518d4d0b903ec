"""Functions of sql/: attributes, headers, names, rights and comments, each in the function's own file."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pglast import ast

from tests.style.sources import ERRCODE, dotted, functions, no, nodes, sql_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.style.sources import Function, Tree

# Names that PL/pgSQL itself puts into a function.
GIVEN = {"new", "old", "found", "sqlstate", "sqlerrm"}
IN = {"FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC", "FUNC_PARAM_DEFAULT"}


def test_functions_state_their_attributes() -> None:
    def findings() -> Iterator[str]:
        for function in functions():
            for option in ("volatility", "parallel", "security"):
                if option not in function.options:
                    yield f"{function.where}: does not state {option}"
            if function.settings.get("search_path") != ["pg_catalog", "pg_temp"]:
                yield f"{function.where}: search_path is not pg_catalog, pg_temp"
            if list(function.options)[-1] != "as":
                yield f"{function.where}: attributes come before the body"

    no(findings())


def test_functions_have_at_most_70_lines() -> None:
    no(
        f"{function.where}: {lines} lines"
        for function in functions()
        if (lines := function.statement.text.strip().count("\n") + 1) > 70
    )


def test_functions_have_two_header_lines() -> None:
    def findings() -> Iterator[str]:
        for function in functions():
            header = function.header
            if len(header) != 2 or not re.fullmatch(r"-- Locks: .+\. Raises: .+\.", header[-1]):
                yield f"{function.where}: the two lines above are not a promise and '-- Locks: …. Raises: ….'"
            elif not re.fullmatch(r"-- .+[.]", header[0]):
                yield f"{function.where}: the promise is not a sentence"

    no(findings())


def test_functions_revoke_and_comment_in_their_file() -> None:
    def findings() -> Iterator[str]:
        for function in functions():
            revoked, commented = set(), set()
            for statement in function.statement.file.statements:
                node = statement.node
                if isinstance(node, ast.GrantStmt) and not node.is_grant:
                    named = [item for item in node.objects or () if isinstance(item, ast.ObjectWithArgs)]
                    revoked |= {dotted(item.objname) for item in named}
                if isinstance(node, ast.CommentStmt) and isinstance(node.object, ast.ObjectWithArgs):
                    commented.add(dotted(node.object.objname))
            if function.name not in revoked:
                yield f"{function.where}: is not revoked from public in its file"
            if function.name not in commented:
                yield f"{function.where}: has no comment in its file"

    no(findings())


def test_names_are_qualified_and_not_overloaded() -> None:
    no(
        f"{function.where}: is in neither schema"
        for function in functions()
        if function.name.split(".")[0] not in {"orderlatch", "orderlatch_data"}
    )
    counts = Counter(function.name for function in functions())
    no(f"{name}: made {times} times" for name, times in counts.items() if times > 1)


def test_parameters_begin_with_p_and_results_do_not() -> None:
    def findings() -> Iterator[str]:
        for function in functions():
            for parameter in function.node.parameters or ():
                given = parameter.mode.name in IN
                if given != str(parameter.name).startswith("p_") or str(parameter.name).startswith("v_"):
                    yield f"{function.where}: {parameter.name}"

    no(findings())


def test_local_variables_begin_with_v() -> None:
    no(
        f"{function.where}: {variable['refname']}"
        for function in functions()
        if function.language == "plpgsql"
        for variable in nodes(function.tree, "PLpgSQL_var")
        if "lineno" in variable and not re.match(r"v_|sqlstate$|sqlerrm$|__Case", str(variable["refname"]))
    )


def test_tables_are_aliased_and_columns_qualified() -> None:
    no(
        f"{function.where}: {finding}"
        for function in functions()
        for query in function.queries
        for finding in unqualified(
            query, function.result_columns if function.language == "plpgsql" else set()
        )
    )


def test_views_alias_tables_and_qualify_columns() -> None:
    no(
        f"{file.name}:{statement.line}: {finding}"
        for file in sql_files()
        for statement in file.statements
        if isinstance(statement.node, ast.ViewStmt)
        for finding in unqualified(statement.tree["query"], set())
    )


def unqualified(query: Tree, variables: set[str]) -> Iterator[str]:
    """Tables without an alias, and columns without the alias of their table."""
    targets = [id(node["relation"]) for node in nodes(query, "InsertStmt")]
    # "for update of x" names an alias
    for clause in nodes(query, "LockingClause"):
        targets += [id(node) for node in nodes(clause, "RangeVar")]
    named = {str(node["ctename"]) for node in nodes(query, "CommonTableExpr")}
    rows = GIVEN | variables | named | {str(node["aliasname"]) for node in nodes(query, "Alias")}
    inferred = [id(node) for clause in nodes(query, "InferClause") for node in nodes(clause, "ColumnRef")]
    for table in nodes(query, "RangeVar"):
        if "alias" not in table and id(table) not in targets and table["relname"] not in named:
            yield f"table {table['relname']} has no alias"
    for reference in nodes(query, "ColumnRef"):
        fields = reference["fields"]
        assert isinstance(fields, list | tuple)
        first = fields[0]
        name = str(first.get("sval", "*")) if isinstance(first, dict) else "*"
        if id(reference) in inferred or len(fields) > 1:
            continue
        if not re.match("p_|v_|tg_|__Case", name) and name not in rows:
            yield f"column {name} is not qualified"


def codes_raised(function: Function) -> list[str]:
    """What stands after errcode = in each raise of a function: a code, or an expression."""
    if function.language == "sql":
        return []
    return [
        str(next(nodes(option, "PLpgSQL_expr"))["query"]).strip("'")
        for option in nodes(function.tree, "PLpgSQL_raise_option")
        if option["opt_type"] == ERRCODE
    ]


def codes_named(text: str) -> set[str]:
    """The Orderlatch codes in a text."""
    return set(re.findall(r"\bOL\d{3}\b", text))


def test_headers_name_the_codes_that_the_body_raises() -> None:
    no(
        f"{function.where}: raises {', '.join(sorted(missing))}, and its header does not say so"
        for function in functions()
        if (missing := codes_named(" ".join(codes_raised(function))) - codes_named(" ".join(function.header)))
    )


def test_headers_name_no_code_that_nothing_below_raises() -> None:
    by_name = {function.name: function for function in functions()}

    def reachable(name: str, seen: set[str]) -> set[str]:
        """The codes of a function and of all that it calls."""
        if name in seen or name not in by_name:
            return set()
        seen.add(name)
        calls = re.findall(r"\borderlatch(?:_data)?\.\w+(?=\()", by_name[name].body)
        return codes_named(by_name[name].body).union(*(reachable(call, seen) for call in calls))

    no(
        f"{function.where}: its header names {', '.join(sorted(stale))}, which nothing raises"
        for function in functions()
        if all(re.fullmatch(r"OL\d{3}", code) for code in codes_raised(function))
        if (stale := codes_named(" ".join(function.header)) - reachable(function.name, set()))
    )
