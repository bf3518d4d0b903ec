"""The harness: a pgTAP file passes only when it ran everything that it planned, without an error."""

from __future__ import annotations

import pytest

from tests.support import tap


def test_what_was_planned_and_passed() -> None:
    assert tap.read("1..2\nok 1 - one\nok 2 - two\n", "", 0) == tap.Outcome(2, ())


@pytest.mark.parametrize(
    ("output", "errors", "status", "problem"),
    [
        ("1..1\nnot ok 1 - one\n# have: 1\n", "", 0, ("not ok 1 - one", "# have: 1")),
        ("1..2\nok 1 - one\n", "", 0, ("planned 2 tests, ran 1",)),
        ("1..0\n", "", 0, ("planned 0 tests, ran 0",)),
        ("ok 1 - one\n", "", 0, ("there is no plan: select plan(n)",)),
        ("1..1\nok 1 - one\nBail out! no\n", "", 0, ("Bail out! no",)),
        ("1..1\nok 1 - one\n", "psql:x.sql:3: ERROR:  no\n", 0, ("psql:x.sql:3: ERROR:  no",)),
        ("1..1\nok 1 - one\n", "", 3, ("psql ended with status 3",)),
    ],
    ids=["failed", "short", "empty", "unplanned", "bailed", "error", "status"],
)
def test_anything_else_is_a_problem(output: str, errors: str, status: int, problem: tuple[str, ...]) -> None:
    assert tap.read(output, errors, status).problems == problem
