"""The parts by themselves: values, clocks, and what the sandbox may know of the rest."""

from __future__ import annotations

import ast
import asyncio
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import worker.sandbox
from worker.sandbox.bodies import BODIES
from worker.sandbox.clock import NS, Clock, ManualClock
from worker.sandbox.faults import ACTIONS
from worker.sandbox.members import Members
from worker.sandbox.settings import Settings, read_settings, stored_settings
from worker.sandbox.stream_faults import GARBAGE, STREAM_ACTIONS
from worker.sandbox.values import decimal_of, decimal_text, parse_time, session_close_ns, time_text

if TYPE_CHECKING:
    from tests.sandbox.client import Client
    from worker.sandbox.values import Json

PACKAGE = Path(worker.sandbox.__file__).parent
MANUAL = (PACKAGE.parents[1] / "docs" / "sandbox.md").read_text()


def test_the_sandbox_imports_nothing_else_of_the_project() -> None:
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith("worker") or name.startswith("worker.sandbox"), (
                    f"{file.name}: {name}"
                )


@pytest.mark.parametrize("action", [*ACTIONS, *STREAM_ACTIONS])
def test_every_action_has_an_example_in_the_manual(action: str) -> None:
    assert f'"action": "{action}"' in MANUAL


@pytest.mark.parametrize("word", [*BODIES, *GARBAGE, *Settings.__dataclass_fields__])
def test_every_body_and_setting_is_in_the_manual(word: str) -> None:
    assert f"`{word}`" in MANUAL


def test_every_admin_path_is_in_the_manual() -> None:
    table = "".join(file.read_text() for file in PACKAGE.glob("admin*.py"))
    routes = re.findall(r'\("([A-Z]+)", "(/admin/[^"]+)"', table)
    assert len(routes) > 20
    for verb, path in routes:
        assert f"`{verb} {path.replace(':int', '')}`" in MANUAL


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("78.190", "78.19"),
        ("100", "100"),
        ("1e2", "100"),
        ("0.000", "0"),
        ("-0", "0"),
        ("5.7e-05", "0.000057"),
    ],
)
def test_decimals_have_one_form(text: str, shown: str) -> None:
    assert decimal_text(decimal_of(text)) == shown


@pytest.mark.parametrize(
    "value", [None, True, [], {}, "", "x", "NaN", "Infinity", "1e19", "1e-19", Decimal("NaN")]
)
def test_what_is_no_sensible_decimal_is_refused(value: None) -> None:
    with pytest.raises(ValueError, match="not a decimal"):
        decimal_of(value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-08T15:10:21.371060727Z",
        "2026-10-08T15:10:21Z",
        "1969-12-31T23:59:59.5Z",
        "2026-10-08T15:10:21.5Z",
    ],
)
def test_times_survive_the_round_trip(text: str) -> None:
    assert time_text(parse_time(text)) == text


@pytest.mark.parametrize("text", ["", "now", "2026-10-08T15:10:21.1234567890Z", "2026-10-08T25:00:00Z", "5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@pytest.mark.parametrize(
    ("now", "close"),
    [
        ("2026-10-08T15:00:00Z", "2026-10-08T20:00:00Z"),
        ("2026-10-08T20:00:00Z", "2026-10-09T20:00:00Z"),
        ("2026-10-09T21:00:00Z", "2026-10-12T20:00:00Z"),
        ("2026-10-30T19:00:00Z", "2026-10-30T20:00:00Z"),
        ("2026-11-01T19:00:00Z", "2026-11-02T21:00:00Z"),
        ("2026-03-06T15:00:00Z", "2026-03-06T21:00:00Z"),
        ("2026-03-08T15:00:00Z", "2026-03-09T20:00:00Z"),
    ],
)
def test_a_day_order_lives_until_four_in_new_york(now: str, close: str) -> None:
    assert time_text(session_close_ns(parse_time(now))) == close


async def test_sleepers_of_a_manual_clock_wake_in_time() -> None:
    clock, woken = ManualClock(), list[str]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 2))
        group.create_task(sleeper("early", 1))
        await _run_others()
        clock.advance(0.999)
        await _run_others()
        assert woken == []
        clock.advance(0.001)
        await _run_others()
        assert woken == ["early"]
        clock.advance(1)
    assert woken == ["early", "late"]


async def _run_others() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_flowing_clock_flows_and_jumps() -> None:
    clock = Clock()
    before = clock.now_ns()
    await clock.sleep(0.01)
    assert clock.now_ns() - before >= 0.01 * NS
    async with asyncio.TaskGroup() as group:
        group.create_task(clock.sleep(3600))
        await _run_others()
        clock.advance(3600)
    assert clock.now_ns() - before >= 3600 * NS


EVERY_SETTING: dict[str, Json] = {
    "checks": ["uniqueness"],
    "uniqueness": "active",
    "duplicate_status": 409,
    "duplicate_code": 40910000,
    "rewrite_buy_stop": False,
    "market": "closed",
    "accept_after_ms": None,
    "cancel_after_ms": 7,
    "replace_after_ms": None,
    "shift_submitted_at": False,
    "repeat_cancel_status": 422,
    "replace_client_order_id": "kept",
    "replace_filled": "carried",
    "stop_leg": "new",
    "fill_delay_ms": 9,
    "activity_busts": "hidden",
    "crypto_fee": "0.0025",
    "stream_frames": "text",
    "rate_limit": 0,
    "rate_window_s": 1,
    "rate_window": "sliding",
}


def test_every_setting_can_be_changed_and_is_kept(client: Client) -> None:
    assert EVERY_SETTING.keys() == Settings.__dataclass_fields__.keys()
    for name, value in EVERY_SETTING.items():
        assert client.tell("GET", "settings") != client.tell("PUT", "settings", {name: value})
    assert client.tell("GET", "settings") == EVERY_SETTING
    assert stored_settings(EVERY_SETTING) == read_settings(Settings(), Members(EVERY_SETTING, "settings"))


@pytest.mark.parametrize(
    "change",
    [
        {"checks": ["luck"]},
        {"checks": ["uniqueness", "uniqueness"]},
        {"stop_leg": "loose"},
        {"cancel_after_ms": -1},
        {"repeat_cancel_status": "maybe"},
        {"rewrite_buy_stop": 1},
        {"rate_window_s": 0},
        {"crypto_fee": "x"},
        {"color": "red"},
        [],
    ],
)
def test_a_setting_that_makes_no_sense_changes_nothing(client: Client, change: Json) -> None:
    before = client.tell("GET", "settings")
    assert client.ask("PUT", "settings", change).status_code == 400
    assert client.tell("GET", "settings") == before
