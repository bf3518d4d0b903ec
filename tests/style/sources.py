"""The files of sql/, parsed by Postgres' own parser: what the style tests look at."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pglast import ast, parse_plpgsql, parse_sql
from pglast.parser import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "sql"

# The numbers that PL/pgSQL gives to the options of raise.
ERRCODE, MESSAGE = 0, 1

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | tuple[Tree, ...] | str | int | bool | None"


@dataclass(frozen=True)
class Token:
    """A word of SQL; comments are left out."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Statement:
    """One statement of a file."""

    file: SqlFile
    node: ast.Node
    text: str
    line: int

    @property
    def tree(self) -> dict[str, Tree]:
        """The statement as nested dictionaries, with every member that is set."""
        tree: dict[str, Tree] = self.node(skip_none=True)
        return tree


@dataclass(frozen=True)
class SqlFile:
    """A file of sql/."""

    path: Path

    @property
    def name(self) -> str:
        """The path below sql/, as findings print it."""
        return f"sql/{self.path.relative_to(SQL).as_posix()}"

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text()

    @cached_property
    def statements(self) -> list[Statement]:
        """What the file does, in order."""
        found = []
        for raw in parse_sql(self.text):
            start, node = raw.stmt_location or 0, raw.stmt
            assert node is not None
            text = self.text[start : start + (raw.stmt_len or len(self.text))]
            found.append(Statement(self, node, text, self.text.count("\n", 0, start) + 1))
        return found

    @cached_property
    def functions(self) -> list[Function]:
        """The functions that the file makes."""
        return [
            Function(statement, statement.node)
            for statement in self.statements
            if isinstance(statement.node, ast.CreateFunctionStmt)
        ]


@dataclass(frozen=True)
class Function:
    """A function of a file."""

    statement: Statement
    node: ast.CreateFunctionStmt

    @property
    def name(self) -> str:
        """Schema and name."""
        return dotted(self.node.funcname)

    @property
    def where(self) -> str:
        """File, line and name, as findings print it."""
        return f"{self.statement.file.name}:{self.statement.line}: {self.name}"

    @cached_property
    def options(self) -> dict[str, object]:
        """The attributes that are stated, by pglast's names."""
        return {option.defname: option.arg for option in self.node.options or () if option.defname != "set"}

    @property
    def settings(self) -> dict[str, list[str]]:
        """The settings that the function brings with it."""
        given = [option.arg for option in self.node.options or () if option.defname == "set"]
        return {
            setting.name: [
                str(value.val.ival if isinstance(value.val, ast.Integer) else value.val.sval)
                for value in setting.args
            ]
            for setting in given
        }

    @property
    def language(self) -> str:
        """The language of the body."""
        language = self.options["language"]
        assert isinstance(language, ast.String)
        return str(language.sval)

    @property
    def body(self) -> str:
        """The text between the dollars."""
        body = self.options["as"]
        assert isinstance(body, tuple)
        return str(body[0].sval)

    @property
    def header(self) -> list[str]:
        """The comment lines straight above the function."""
        lines = self.statement.file.text.splitlines()[: self.statement.line - 1]
        header: list[str] = []
        while lines and lines[-1].startswith("--"):
            header.insert(0, lines.pop())
        return header

    @cached_property
    def tree(self) -> Tree:
        """The PL/pgSQL body as a tree."""
        # libpg_query looks types up in pg_catalog and public only.
        standing_in = re.sub(r"\borderlatch(_data)?\.", "public.", self.statement.text)
        tree: Tree = json.loads(json.dumps(parse_plpgsql(standing_in)))
        return tree

    @cached_property
    def queries(self) -> list[Tree]:
        """Every statement and expression of the body, parsed as SQL."""
        if self.language == "sql":
            return serialised(self.body)
        found: list[Tree] = []
        for expression in nodes(self.tree, "PLpgSQL_expr"):
            query, mode = str(expression["query"]), expression["parseMode"]
            if mode == 2:
                query = f"select {query}"
            elif mode != 0:
                query = re.sub(r"^[^=]*?:?=", "select ", query, count=1)
            found.extend(serialised(query))
        return found

    @property
    def result_columns(self) -> set[str]:
        """The names of what the function returns, which PL/pgSQL knows as variables."""
        modes = {"FUNC_PARAM_OUT", "FUNC_PARAM_INOUT", "FUNC_PARAM_TABLE"}
        return {str(given.name) for given in self.node.parameters or () if given.mode.name in modes}


def nodes(tree: Tree, name: str) -> Iterator[dict[str, Tree]]:
    """Every node of a kind, however deep, in a tree of PL/pgSQL or of SQL."""
    if isinstance(tree, dict):
        if tree.get("@") == name:
            yield tree
        for key, value in tree.items():
            if key == name and isinstance(value, dict):
                yield value
            yield from nodes(value, name)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from nodes(value, name)


def serialised(text: str) -> list[Tree]:
    """The statements of a text as trees."""
    return [raw.stmt(skip_none=True) for raw in parse_sql(text) if raw.stmt is not None]


def dotted(name: tuple[ast.String, ...] | None) -> str:
    """A qualified name as text."""
    return ".".join(str(part.sval) for part in name or ())


def tokens(text: str, first_line: int = 1) -> Iterator[Token]:
    """The words of a text, and of the bodies in it, without comments."""
    for token in scan(text):
        word = text[token.start : token.end + 1]
        line = first_line + text.count("\n", 0, token.start)
        if token.name in {"SQL_COMMENT", "C_COMMENT"}:
            continue
        if token.name == "SCONST" and word.startswith("$"):
            opening = word[: word.index("$", 1) + 1]
            yield from tokens(word[len(opening) : -len(opening)], line)
        else:
            yield Token(token.name, word, line)


@cache
def sql_files() -> list[SqlFile]:
    """Every file of sql/, in the order of the story."""
    return [SqlFile(path) for path in sorted(SQL.rglob("*.sql"))]


@cache
def functions() -> list[Function]:
    """Every function of sql/."""
    return [function for file in sql_files() for function in file.functions]


def no(findings: Iterator[str]) -> None:
    """Fail with every finding, one a line."""
    found = list(findings)
    assert not found, f"{len(found)} findings\n" + "\n".join(found)
