"""The rules of POST /v2/orders that need no account, each with Alpaca's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import ORDERS

if TYPE_CHECKING:
    from tests.sandbox.client import Client
    from worker.sandbox.values import Json

SUB_PENNY = "sub-penny increment does not fulfill minimum pricing criteria"

REFUSED: list[tuple[dict[str, Json], int, str]] = [
    ({"symbol": None}, 40010001, "symbol is required"),
    ({"symbol": ""}, 40010001, "symbol is required"),
    ({"side": None}, 40010001, "invalid side"),
    ({"side": "hold"}, 40010001, "invalid side"),
    ({"type": None}, 40010001, "invalid order type"),
    ({"type": "iceberg"}, 40010001, "invalid order type"),
    ({"time_in_force": None}, 40010001, "invalid time_in_force"),
    ({"time_in_force": "gtd"}, 40010001, "invalid time_in_force"),
    ({"position_intent": "buy_to_keep"}, 40010001, "invalid position_intent"),
    (
        {"client_order_id": "x" * 129},
        40010001,
        "client_order_id must be no more than 128 characters",
    ),
    ({"qty": None}, 40010001, "qty or notional is required"),
    ({"notional": "5"}, 40010001, "only one of qty or notional is accepted"),
    ({"qty": "0"}, 40010001, "qty must be > 0"),
    ({"qty": -1}, 40010001, "qty must be > 0"),
    ({"qty": "1.0000000001"}, 42210000, "qty must be limited to 9 decimal places"),
    ({"qty": None, "notional": "0.99"}, 40010001, "notional must be >= 1.00"),
    ({"qty": None, "notional": "1.001"}, 42210000, "notional must be limited to 2 decimal places"),
    ({"limit_price": "10"}, 40010001, "market orders require no stop or limit price"),
    ({"stop_price": "10"}, 40010001, "market orders require no stop or limit price"),
    ({"trail_price": "1"}, 40010001, "market orders must not have trail_price"),
    ({"type": "limit"}, 40010001, "limit orders require a limit price"),
    (
        {"type": "limit", "limit_price": "10", "stop_price": "9"},
        40010001,
        "limit orders require only limit price",
    ),
    ({"type": "stop"}, 40010001, "stop orders require a stop price"),
    (
        {"type": "stop", "limit_price": "10", "stop_price": "9"},
        40010001,
        "stop orders require only stop price",
    ),
    (
        {"type": "stop_limit", "limit_price": "10"},
        40010001,
        "stop limit orders require both stop and limit price",
    ),
    (
        {"type": "stop_limit", "stop_price": "10"},
        40010001,
        "stop limit orders require both stop and limit price",
    ),
    ({"type": "limit", "limit_price": "-1"}, 40010001, "limit_price must be > 0"),
    ({"type": "limit", "limit_price": "290.123"}, 42210000, f"invalid limit_price 290.123. {SUB_PENNY}"),
    ({"type": "limit", "limit_price": 1.001}, 42210000, f"invalid limit_price 1.001. {SUB_PENNY}"),
    (
        {"type": "limit", "limit_price": "0.12345", "qty": "99"},
        42210000,
        f"invalid limit_price 0.12345. {SUB_PENNY}",
    ),
    ({"type": "stop", "stop_price": "10.005"}, 42210000, f"invalid stop_price 10.005. {SUB_PENNY}"),
    ({"qty": "1.5", "time_in_force": "gtc"}, 42210000, "fractional orders must be DAY orders"),
    (
        {"qty": None, "notional": "5", "time_in_force": "ioc"},
        42210000,
        "fractional orders must be DAY orders",
    ),
    ({"extended_hours": True}, 42210000, "extended hours order must be DAY or GTC limit orders"),
    (
        {"type": "limit", "limit_price": "10", "time_in_force": "ioc", "extended_hours": True},
        42210000,
        "extended hours order must be DAY or GTC limit orders",
    ),
    (
        {"type": "stop", "stop_price": "10", "time_in_force": "ioc"},
        42210000,
        "stop orders must be DAY or GTC orders",
    ),
    ({"symbol": "BTC/USD", "time_in_force": "day"}, 40010001, "invalid crypto time_in_force"),
    (
        {"symbol": "BTC/USD", "type": "stop", "stop_price": "9", "time_in_force": "gtc"},
        40010001,
        "invalid order type for crypto order",
    ),
    ({"symbol": "goog"}, 42210000, 'asset "goog" not found'),
    ({"symbol": "AAPL261218C00200000"}, 42210000, 'asset "AAPL261218C00200000" not found'),
    ({"order_class": "mleg"}, 42210000, "order class mleg is not offered by this sandbox"),
]


@pytest.mark.parametrize(("members", "code", "message"), REFUSED)
def test_an_order_that_breaks_a_rule_is_422(
    client: Client, members: dict[str, Json], code: int, message: str
) -> None:
    response = client.submit(**members)
    assert response.status_code == 422, response.text
    assert response.json() == {"code": code, "message": message}
    assert client.truth() == []


ACCEPTED: list[dict[str, Json]] = [
    {"client_order_id": "x" * 128},
    {"client_order_id": ""},
    {"qty": 5.0},
    {"qty": "0.000000001", "type": "limit", "limit_price": "999999999999"},
    {"qty": None, "notional": "1"},
    {"qty": None, "notional": 1.25},
    {"type": "limit", "limit_price": 78.19},
    {"type": "limit", "limit_price": "0.1234", "qty": "99"},
    {"type": "limit", "limit_price": "10.500", "time_in_force": "gtc", "extended_hours": True},
    {"type": "limit", "limit_price": "10", "time_in_force": "opg"},
    {"type": "stop", "stop_price": "10", "side": "sell"},
    {"type": "stop_limit", "stop_price": "10", "limit_price": "10.1", "time_in_force": "gtc"},
    {"qty": "1.5", "type": "stop_limit", "stop_price": "10", "limit_price": "10.1"},
    {"symbol": "BRK.B"},
    {"symbol": "BTC/USD", "time_in_force": "gtc", "qty": "0.01"},
    {"order_class": "", "position_intent": "buy_to_open"},
    {"order_class": "simple"},
    {"some_new_member": {"of": ["Alpaca"]}},
]


@pytest.mark.parametrize("members", ACCEPTED)
def test_an_order_within_the_rules_is_accepted(client: Client, members: dict[str, Json]) -> None:
    placed = client.place(**members)
    (truth,) = client.truth()
    assert truth["id"] == placed["id"]
    assert truth["origin"] == "post"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"qty": NaN}',
        b'{"qty": "NaN"}',
        b'{"qty": "1e400"}',
        b'{"qty": true}',
        b'{"qty": "five"}',
        b'{"symbol": 5}',
        b'{"symbol": "GO\\u0000OG"}',
        b'{"client_order_id": "\\ud800"}',
        b'{"extended_hours": "yes"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_order_is_400(client: Client, body: bytes) -> None:
    response = client.http.post(ORDERS, content=body)
    assert response.status_code == 400
    assert response.json() == {"code": 40010000, "message": "request body format is invalid"}
    assert client.summary()["posts"] == 1, "the call is in the log all the same"


def test_the_answer_has_every_key_of_the_recorded_one(client: Client) -> None:
    placed = client.place_limit("78.190", symbol="KO", qty=1.0, client_order_id="mine", time_in_force="day")
    stamps = {name: placed.pop(name) for name in ("created_at", "updated_at", "submitted_at")}
    assert len(set(stamps.values())) == 1
    assert str(placed.pop("expires_at")).endswith(":00:00Z")
    assert len(str(placed.pop("id"))) == len(str(placed.pop("asset_id"))) == 36
    assert placed == {
        "client_order_id": "mine",
        "filled_at": None,
        "expired_at": None,
        "canceled_at": None,
        "failed_at": None,
        "replaced_at": None,
        "replaced_by": None,
        "replaces": None,
        "symbol": "KO",
        "asset_class": "us_equity",
        "notional": None,
        "qty": "1",
        "filled_qty": "0",
        "filled_avg_price": None,
        "order_class": "",
        "order_type": "limit",
        "type": "limit",
        "side": "buy",
        "position_intent": "buy_to_open",
        "time_in_force": "day",
        "limit_price": "78.19",
        "stop_price": None,
        "status": "pending_new",
        "extended_hours": False,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": None,
    }


@pytest.mark.parametrize(("stop", "limit_price"), [("40", "41.6"), ("100", "102.5"), ("0.5", "0.52")])
def test_a_buy_stop_comes_back_as_a_stop_limit(client: Client, stop: str, limit_price: str) -> None:
    placed = client.place(type="stop", stop_price=stop, qty="10")
    assert (placed["type"], placed["order_type"]) == ("stop_limit", "stop_limit")
    assert (placed["stop_price"], placed["limit_price"]) == (stop, limit_price)
    client.settings(rewrite_buy_stop=False)
    assert client.place(type="stop", stop_price=stop, qty="10")["type"] == "stop"


def test_an_id_is_made_up_when_none_is_given(client: Client) -> None:
    first, second = client.place(client_order_id=None), client.place(client_order_id="")
    assert len(str(first["client_order_id"])) == 36
    assert first["client_order_id"] != second["client_order_id"]
