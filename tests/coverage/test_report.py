"""What `make coverage` makes of the profiler's counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.coverage import report
from tests.coverage.report import Coverage, Row, by_function, places
from tests.support.servers import ROOT

if TYPE_CHECKING:
    import pytest

NAME = "orderlatch_data.is_final"


def measured(
    monkeypatch: pytest.MonkeyPatch, *statements: tuple[int | None, str | None, int, str, int]
) -> Coverage:
    """The coverage of one function of these statements: parent, part, line, kind, how often."""
    monkeypatch.setattr(report, "places", lambda: {NAME: ("20_moves/is_final.sql", 12)})
    rows: list[Row] = [
        (NAME, number, parent, part, line, kind, executed)
        for number, (parent, part, line, kind, executed) in enumerate(statements)
    ]
    return by_function(rows)[NAME]


def test_a_statement_that_nothing_reached_is_named_by_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    coverage = measured(
        monkeypatch,
        (None, None, 3, "statement block", 5),
        (0, "body", 4, "IF", 5),
        (1, "then body", 5, "RAISE", 0),
        (0, "body", 7, "RETURN", 5),
    )
    assert (coverage.executed, coverage.statements) == (2, 3)
    assert (coverage.taken, coverage.branches) == (1, 2)
    assert coverage.gaps == ["20_moves/is_final.sql:16"]


def test_a_condition_that_was_always_true_is_a_branch_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    coverage = measured(
        monkeypatch,
        (None, None, 3, "statement block", 5),
        (0, "body", 4, "IF", 5),
        (1, "then body", 5, "PERFORM", 5),
    )
    assert (coverage.executed, coverage.statements) == (2, 2)
    assert (coverage.taken, coverage.branches) == (1, 2)
    assert coverage.gaps == ["20_moves/is_final.sql:15 always"]


def test_bodies_of_a_case_are_branches_each(monkeypatch: pytest.MonkeyPatch) -> None:
    coverage = measured(
        monkeypatch,
        (None, None, 3, "statement block", 5),
        (0, "body", 4, "CASE", 5),
        (1, "case when 1", 5, "PERFORM", 5),
        (1, "case when 1", 6, "PERFORM", 5),
        (1, "case when 2", 7, "PERFORM", 0),
        (1, "case else", 8, "PERFORM", 0),
    )
    assert (coverage.taken, coverage.branches) == (1, 3)
    assert coverage.gaps == ["20_moves/is_final.sql:18", "20_moves/is_final.sql:19"]


def test_a_handler_of_errors_is_a_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    coverage = measured(
        monkeypatch,
        (None, None, 3, "statement block", 5),
        (0, "body", 4, "PERFORM", 5),
        (0, "exception 1", 7, "RETURN", 0),
    )
    assert (coverage.taken, coverage.branches) == (0, 1)
    assert coverage.gaps == ["20_moves/is_final.sql:18"]


def test_every_function_has_its_place() -> None:
    where = places()
    assert where["orderlatch.claim_requests"][0] == "50_requests/claim_requests.sql"
    file, line = where["orderlatch_data.begin_claim"]
    assert (ROOT / "sql" / file).read_text().splitlines()[line - 1] == "as $$"
