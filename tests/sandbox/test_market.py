"""Clock, calendar and assets: as much of them as clients ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.sandbox.clock import NS
from worker.sandbox.sessions import clock_json
from worker.sandbox.values import parse_time

if TYPE_CHECKING:
    from tests.sandbox.client import Client


@pytest.mark.parametrize(
    ("now", "timestamp", "next_open", "next_close"),
    [
        (
            "2026-10-08T15:00:00.5Z",
            "2026-10-08T11:00:00.500000000",
            "2026-10-09T09:30:00",
            "2026-10-08T16:00:00",
        ),
        ("2026-10-08T12:00:00Z", "2026-10-08T08:00:00", "2026-10-08T09:30:00", "2026-10-08T16:00:00"),
        ("2026-10-09T20:00:00Z", "2026-10-09T16:00:00", "2026-10-12T09:30:00", "2026-10-12T16:00:00"),
    ],
)
def test_the_clock_is_new_yorks(now: str, timestamp: str, next_open: str, next_close: str) -> None:
    assert clock_json(parse_time(now), is_open=True) == {
        "timestamp": f"{timestamp}-04:00",
        "is_open": True,
        "next_open": f"{next_open}-04:00",
        "next_close": f"{next_close}-04:00",
    }


def test_winter_has_another_offset() -> None:
    shown = clock_json(parse_time("2026-12-08T15:00:00Z"), is_open=False)
    assert isinstance(shown, dict)
    assert shown["timestamp"] == "2026-12-08T10:00:00-05:00"


def test_the_market_is_open_when_the_setting_says_so(client: Client) -> None:
    assert client.http.get("/v2/clock").json()["is_open"] is True
    client.settings(market="closed")
    assert client.http.get("/v2/clock").json()["is_open"] is False


def test_the_calendar_lists_weekdays(client: Client) -> None:
    found = client.http.get("/v2/calendar", params={"start": "2026-10-09", "end": "2026-10-12"}).json()
    assert [day["date"] for day in found] == ["2026-10-09", "2026-10-12"]
    assert found[0] == {
        "date": "2026-10-09",
        "open": "09:30",
        "close": "16:00",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": "2026-10-12",
    }
    assert len(client.http.get("/v2/calendar").json()) > 20
    refused = client.http.get("/v2/calendar", params={"start": "soon"})
    assert (refused.status_code, refused.json()["message"]) == (422, "invalid start: soon")


def test_an_asset_is_what_was_said_of_it(client: Client) -> None:
    client.tell("PUT", "assets", {"TXN": {"shortable": False}, "ZZZZ": {"exists": False}})
    client.price("BTC/USD", "50000")
    share = client.http.get("/v2/assets/TXN").json()
    assert (share["class"], share["status"], share["tradable"], share["shortable"]) == (
        "us_equity",
        "active",
        True,
        False,
    )
    assert client.http.get(f"/v2/assets/{share['id']}").json() == share
    for spelling in ("BTC%2FUSD", "BTCUSD"):
        pair = client.http.get(f"/v2/assets/{spelling}").json()
        assert (pair["class"], pair["symbol"], pair["min_order_size"]) == ("crypto", "BTC/USD", "0.0001")
    assert [asset["symbol"] for asset in client.http.get("/v2/assets").json()] == ["BTC/USD", "TXN"]
    assert client.http.get("/v2/assets/GOOG").json()["symbol"] == "GOOG", "anything that looks like a share"
    for unknown in ("ZZZZ", "no-such-thing"):
        missing = client.http.get(f"/v2/assets/{unknown}")
        assert (missing.status_code, missing.json()["message"]) == (404, f"asset not found for {unknown}")


def test_now_is_the_sandboxes_time(client: Client) -> None:
    before = client.http.get("/v2/clock").json()["timestamp"]
    client.pass_time(3600)
    after = client.http.get("/v2/clock").json()["timestamp"]
    assert parse_time(after) - parse_time(before) == 3600 * NS
