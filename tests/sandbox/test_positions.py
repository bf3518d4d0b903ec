"""Holdings as the API shows them, and what moves them besides fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.client import Client
    from worker.sandbox.values import Json


def bought(client: Client, symbol: str, qty: str, price: str, **members: Json) -> None:
    client.price(symbol, price)
    client.place(symbol=symbol, qty=qty, **members)
    client.pass_time()


def test_a_holding_is_shown_with_its_cost_and_worth(client: Client) -> None:
    bought(client, "GOOG", "4", "100")
    client.price("GOOG", "110")
    client.place_limit("200", side="sell", qty="1")
    client.pass_time()
    position = client.http.get("/v2/positions/GOOG").json()
    assert position == client.http.get("/v2/positions").json()[0]
    expected = {
        "symbol": "GOOG",
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": "4",
        "qty_available": "3",
        "side": "long",
        "avg_entry_price": "100",
        "cost_basis": "400",
        "market_value": "440",
        "current_price": "110",
        "unrealized_pl": "40",
        "unrealized_plpc": "0.1",
    }
    assert position | expected == position
    assert client.http.get(f"/v2/positions/{position['asset_id']}").json() == position


def test_a_short_holding_has_a_negative_quantity(client: Client) -> None:
    bought(client, "GOOG", "4", "100", side="sell")
    position = client.http.get("/v2/positions/GOOG").json()
    assert (position["qty"], position["side"], position["market_value"]) == ("-4", "short", "-400")
    assert client.positions() == {"GOOG": "-4"}


def test_crypto_is_spelt_without_its_slash(client: Client) -> None:
    bought(client, "BTC/USD", "0.5", "50000", time_in_force="gtc")
    assert client.positions() == {"BTCUSD": "0.5"}
    for spelling in ("BTCUSD", "BTC%2FUSD", "BTC/USD"):
        assert client.http.get(f"/v2/positions/{spelling}").json()["symbol"] == "BTCUSD"
    assert client.orders(status="all")[0]["symbol"] == "BTC/USD"


def test_what_is_flat_is_absent(client: Client, other: Client) -> None:
    bought(client, "GOOG", "4", "100")
    assert other.positions() == {}
    client.place(side="sell", qty="4")
    client.pass_time()
    assert client.positions() == {}
    missing = client.http.get("/v2/positions/GOOG")
    assert (missing.status_code, missing.json()) == (
        404,
        {"code": 40410000, "message": "position does not exist"},
    )


def test_a_transfer_moves_a_holding_without_a_fill(client: Client) -> None:
    transfer: dict[str, Json] = {
        "account": "paper",
        "symbol": "KO",
        "qty": "12.5",
        "avg_entry_price": "60",
    }
    client.tell("PUT", "positions", transfer)
    position = client.http.get("/v2/positions/KO").json()
    assert (position["qty"], position["avg_entry_price"]) == ("12.5", "60")
    assert client.activities() == []
    assert client.http.get("/v2/account").json()["cash"] == "100000"
    client.tell("PUT", "positions", {"account": "paper", "symbol": "KO", "qty": "0"})
    assert client.positions() == {}


def test_a_split_multiplies_holdings_without_a_fill(client: Client, other: Client) -> None:
    bought(client, "GOOG", "4", "100")
    bought(other, "GOOG", "2", "100")
    fills = client.activities()
    client.tell("POST", "split", {"symbol": "GOOG", "ratio": "2.5"})
    assert (client.positions(), other.positions()) == ({"GOOG": "10"}, {"GOOG": "5"})
    assert client.http.get("/v2/positions/GOOG").json()["avg_entry_price"] == "40"
    assert client.activities() == fills


def test_a_crypto_fee_is_taken_from_the_coin(client: Client) -> None:
    client.settings(crypto_fee="0.0025")
    bought(client, "BTC/USD", "1", "50000", time_in_force="gtc")
    bought(client, "GOOG", "1", "100")
    assert client.positions() == {"BTCUSD": "0.9975", "GOOG": "1"}
    assert client.activities()[1]["qty"] == "1", "the fill does not show it"
    refused = client.submit(symbol="BTC/USD", side="sell", qty="1", time_in_force="gtc")
    assert refused.json()["message"] == "insufficient balance for BTC (requested: 1, available: 0.9975)"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "positions", {"account": "nobody", "symbol": "GOOG", "qty": "1"}, 404),
        ("PUT", "positions", {"account": "paper", "symbol": "GOOG"}, 400),
        ("POST", "split", {"symbol": "GOOG", "ratio": "0"}, 400),
        ("PUT", "settings", {"crypto_fee": "1"}, 400),
        ("PUT", "settings", {"crypto_fee": "-0.1"}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: Client, method: str, path: str, body: dict[str, Json], status: int
) -> None:
    assert client.ask(method, path, body).status_code == status
