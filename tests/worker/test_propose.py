"""`orderlatch propose`: what becomes of a file of decisions, line by line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.worker.script import ORDERLATCH

if TYPE_CHECKING:
    from tests.support.servers import Database
    from tests.support.sessions import Connect

FIXTURES = Path(__file__).parents[1] / "fixtures"

DECISION = {
    "strategy_id": "sma-cross",
    "symbol": "GOOG",
    "event_ts": "2004-12-20T20:00:00Z",
    "timeframe": "1Day",
    "action": "buy",
    "qty": "54",
}


@pytest.fixture(autouse=True)
def account(connect: Connect) -> None:
    connect().execute("select orderlatch.create_account('paper', 'paper')")


def propose(
    database: Database, lines: bytes | Path, *, account: str = "paper"
) -> subprocess.CompletedProcess[str]:
    file = lines if isinstance(lines, Path) else "-"
    return subprocess.run(
        [ORDERLATCH, "propose", file, "--account", account],
        input=lines.decode("utf-8", "surrogateescape") if isinstance(lines, bytes) else None,
        encoding="utf-8",
        errors="surrogateescape",
        capture_output=True,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": database.url},
        check=False,
    )


def line(**members: object) -> bytes:
    return json.dumps({**DECISION, **members}).encode() + b"\n"


def test_delivered_again_real_decisions_are_found_and_not_made_twice(database: Database) -> None:
    once = propose(database, FIXTURES / "goog-redelivered.jsonl")
    assert once.returncode == 0, once.stderr
    *shown, summary = once.stdout.splitlines()
    assert summary == "proposed: lines=98 created=65 existing=33 conflict=0 invalid=0"
    assert [int(each.split()[0]) for each in shown] == list(range(1, 99))
    assert shown[1].split()[:4] == ["2", "existing", "approved", "GOOG"]

    again = propose(database, FIXTURES / "goog-redelivered.jsonl")
    assert again.stdout.splitlines()[-1] == "proposed: lines=98 created=0 existing=98 conflict=0 invalid=0"


def test_a_hash_that_is_shown_is_the_decision_s(database: Database, connect: Connect) -> None:
    [shown, _] = propose(database, line()).stdout.splitlines()
    row = connect().execute(
        "select orderlatch.decision_hash('paper', %s::text::jsonb)", [json.dumps(DECISION)]
    ).fetchone()  # fmt: skip
    assert row is not None
    assert shown.split()[-1] == str(row[0])[:12]


def test_a_conflict_is_counted_with_its_reason(database: Database) -> None:
    result = propose(database, line() + line(qty="55"))
    assert result.returncode == 0
    assert "signal_already_decided" in result.stdout.splitlines()[1]
    assert result.stdout.splitlines()[-1] == "proposed: lines=2 created=1 existing=0 conflict=1 invalid=0"


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        pytest.param(b"{", "22P02", id="cut short"),
        pytest.param(b"{} {}", "22P02", id="two values"),
        pytest.param(b'{"a": 1}, {"a": 2}', "22P02", id="two elements of an array"),
        pytest.param(b'{"a": 1}], [{"a": 2}', "22P02", id="an end of the array"),
        pytest.param(b'{"qty": NaN}', "22P02", id="NaN"),
        pytest.param(b"\xff", "22021", id="not UTF-8"),
        pytest.param(b'{"symbol": "\\u0000"}', "22P05", id="null character"),
        pytest.param(b'{"symbol": "\\ud800"}', "22P02", id="lone surrogate"),
        pytest.param(b'{"qty": 1e1000000}', "22003", id="number that no numeric holds"),
        pytest.param(b'{"params": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "22P02", id="too deep"),
        pytest.param(b'{"limit_price": 1, "limit_price": 2}', "22030", id="member twice"),
        pytest.param(b'{"params": {"a": 1, "a": 1}}', "22030", id="inner member twice"),
        pytest.param(b"1", "OL110", id="no object"),
        pytest.param(line(limit_prise="1").strip(), "OL111", id="unknown member"),
        pytest.param(line(params={"a": "x" * 10_000_000}).strip(), "OL117", id="10 MB"),
    ],
)
def test_a_bad_line_costs_only_itself(database: Database, bad: bytes, error: str) -> None:
    good = [line(leg=f"leg-{number}") for number in range(5)]
    result = propose(database, b"".join([*good[:3], b"\n", bad + b"\n", *good[3:]]))
    assert result.returncode == 1
    *shown, summary = result.stdout.splitlines()
    assert summary == "proposed: lines=6 created=5 existing=0 conflict=0 invalid=1"
    assert shown[3].split()[:3] == ["5", "invalid", error]
    assert [each.split()[0] for each in shown] == ["1", "2", "3", "5", "6", "7"]


def test_numbers_reach_postgres_to_the_letter(database: Database, connect: Connect) -> None:
    params = '{"a":0.1000000000000000055511151231257827,"b":12345678901234567890.12345678901234567890123}'
    text = f'{json.dumps(DECISION).removesuffix("}")}, "params": {params}}}'
    result = propose(database, text.encode())
    assert result.returncode == 0, result.stdout
    [(intent,)] = connect().execute("select t.intent from orderlatch_data.trade_decisions as t").fetchall()
    assert f'"params":{params}' in intent


def test_what_a_terminal_would_obey_is_not_printed(database: Database) -> None:
    result = propose(database, line(symbol="\x1b[2J\u202e"))
    assert result.returncode == 1
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_nothing_to_propose_is_no_error(database: Database) -> None:
    result = propose(database, b"\n  \n")
    assert result.returncode == 0
    assert result.stdout == "proposed: lines=0 created=0 existing=0 conflict=0 invalid=0\n"


def test_an_unknown_account_is_one_line_on_standard_error(database: Database) -> None:
    result = propose(database, line(), account="nobody")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("orderlatch: OL102 ")
    assert "Traceback" not in result.stderr


def test_a_missing_file_is_named(database: Database) -> None:
    result = propose(database, Path("/no/such/file"))
    assert result.returncode == 2
    assert "/no/such/file" in result.stderr
