"""Checks that need the account: money, holdings, other orders, and the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.client import Client
    from worker.sandbox.values import Json


def told(response: httpx.Response) -> tuple[int, int, str]:
    body = response.json()
    return response.status_code, body["code"], body["message"]


def hold(client: Client, qty: str = "5", price: str = "100") -> None:
    """Have the account own GOOG."""
    client.price("GOOG", price)
    client.place(qty=qty)
    client.pass_time()
    client.price("GOOG", None)


def test_open_buys_hold_back_buying_power(client: Client) -> None:
    first = client.place_limit("1000", qty="390")
    assert client.buying_power() == "10000"
    response = client.submit(type="limit", limit_price="100", qty="101")
    assert told(response) == (403, 40310000, "insufficient buying power")
    assert response.json() | {"buying_power": "10000", "cost_basis": "10100"} == response.json()
    client.tell("PUT", f"orders/{first['id']}", {"status": "canceled"})
    assert client.buying_power() == "400000"
    client.place_limit("100", qty="101")


def test_market_buys_are_held_at_a_collar(client: Client) -> None:
    client.price("GOOG", "100")
    client.place(qty="10")
    assert client.buying_power() == str(400_000 - 1025)
    client.pass_time()
    assert client.buying_power() == str(400_000 - 1000), "the fill at 100 uses what it cost"


def test_a_partial_fill_gives_back_in_step(client: Client) -> None:
    placed = client.place_limit("100", qty="10")
    client.tell("POST", f"orders/{placed['id']}/fill", {"qty": "4", "price": "100"})
    assert client.buying_power() == str(400_000 - 1000)
    client.tell("PUT", f"orders/{placed['id']}", {"status": "canceled"})
    assert client.buying_power() == str(400_000 - 400)


def test_money_comes_back_with_a_sale(client: Client) -> None:
    hold(client, "10", "100")
    client.price("GOOG", "110")
    client.place(side="sell", qty="10")
    client.pass_time()
    account = client.http.get("/v2/account").json()
    assert (account["cash"], account["equity"], account["buying_power"]) == ("100100", "100100", "400400")


def test_no_sale_exceeds_what_is_held(client: Client) -> None:
    hold(client, "1.5")
    rival = client.place_limit("200", side="sell", qty="1")
    response = client.submit(side="sell", qty="1.057436865")
    message = "insufficient qty available for order (requested: 1.057436865, available: 0.5)"
    assert told(response) == (403, 40310000, message)
    body = response.json()
    assert {name: body[name] for name in ("available", "existing_qty", "held_for_orders", "symbol")} == {
        "available": "0.5",
        "existing_qty": "1.5",
        "held_for_orders": "1",
        "symbol": "GOOG",
    }
    assert body["related_orders"] == [rival["id"]]
    client.place(side="sell", qty="0.5")


def test_short_sales_need_the_account_the_asset_and_whole_shares(client: Client) -> None:
    fractional = client.submit(side="sell", qty="1.5")
    assert told(fractional) == (422, 42210000, "fractional orders cannot be sold short")
    client.tell("PUT", "assets", {"TXN": {"shortable": False}})
    unshortable = client.submit(side="sell", symbol="TXN")
    assert told(unshortable) == (422, 42210000, 'asset "TXN" cannot be sold short')
    assert client.place(side="sell", qty="5")["position_intent"] == "sell_to_open"
    client.tell("PUT", "accounts/paper", {"shorting_enabled": False})
    assert told(client.submit(side="sell")) == (403, 40310000, "account is not allowed to short")


def test_a_short_is_closed_by_a_buy_of_no_more(client: Client) -> None:
    client.price("GOOG", "100")
    client.place(side="sell", qty="5")
    client.pass_time()
    response = client.submit(side="buy", qty="6")
    assert told(response)[2] == "insufficient qty available for order (requested: 6, available: 5)"
    closing = client.place(side="buy", qty="5", position_intent="buy_to_close")
    client.pass_time()
    assert client.get(closing["id"])["status"] == "filled"
    assert client.buying_power() == "400000"


def test_no_short_sale_beside_an_open_buy(client: Client) -> None:
    client.place_limit("90")
    response = client.submit(side="sell", type="limit", limit_price="110")
    message = "cannot open a short sell while a long buy order is open"
    assert told(response) == (403, 40310000, message)


def test_orders_that_could_trade_with_each_other_are_refused(client: Client) -> None:
    existing = client.place()
    response = client.submit(side="sell")
    assert told(response) == (403, 40310000, "potential wash trade detected. use complex orders")
    assert response.json()["existing_order_id"] == existing["id"]
    assert response.json()["reject_reason"] == "opposite side market/stop order exists"


def test_a_crossing_limit_is_a_wash_trade_and_names_the_price(client: Client) -> None:
    hold(client)
    existing = client.place_limit("90", qty="1")
    client.place_limit("91", side="sell", qty="1")
    response = client.submit(type="limit", limit_price="90", side="sell", qty="1")
    assert response.json() == {
        "code": 40310000,
        "message": "potential wash trade detected. use complex orders",
        "existing_order_id": existing["id"],
        "reject_reason": "opposite side limit order exists",
        "buy_limit_price": "90",
    }


def test_an_id_is_unique_for_ever(client: Client, other: Client) -> None:
    placed = client.place(client_order_id="once")
    client.tell("PUT", f"orders/{placed['id']}", {"status": "canceled"})
    response = client.submit(client_order_id="once", qty="1")
    assert told(response) == (422, 40010001, "client_order_id must be unique")
    other.place(client_order_id="once")
    assert client.summary()["duplicates"] == 0, "uniqueness is by account"


def test_a_refused_order_leaves_its_id_free(client: Client) -> None:
    assert client.submit(client_order_id="again", qty="0").status_code == 422
    assert client.submit(client_order_id="again", type="limit", limit_price="500000").status_code == 403
    client.place(client_order_id="again")
    posts = client.posts("again")
    assert (posts["posts"], posts["orders"], posts["statuses"]) == (3, 1, [422, 403, 200])


@pytest.mark.parametrize(("status", "code"), [(422, 42210000), (409, 40910000)])
def test_the_duplicate_answer_is_a_switch(client: Client, status: int, code: int) -> None:
    client.settings(duplicate_status=status, duplicate_code=code)
    client.place(client_order_id="once")
    assert told(client.submit(client_order_id="once")) == (status, code, "client_order_id must be unique")


def test_uniqueness_among_open_orders_only_is_a_switch(client: Client) -> None:
    client.settings(uniqueness="active")
    first = client.place(client_order_id="once")
    assert client.submit(client_order_id="once").status_code == 422
    client.tell("PUT", f"orders/{first['id']}", {"status": "canceled"})
    second = client.place(client_order_id="once")
    assert client.find("once").json()["id"] == second["id"], "a lookup shows the latest"
    assert client.summary()["duplicates"] == 1, "the ground truth hides nothing"


def test_the_first_copy_can_make_its_own_repeat_fail_with_403(client: Client) -> None:
    order: dict[str, Json] = {
        "type": "limit",
        "limit_price": "1000",
        "qty": "300",
        "client_order_id": "landed",
    }
    client.place(**order)
    assert told(client.submit(**order))[2] == "insufficient buying power"
    client.settings(checks=["uniqueness", "buying_power", "quantity", "wash_trade"])
    assert told(client.submit(**order))[2] == "client_order_id must be unique"
    assert client.summary()["orders"] == 1


def test_the_first_copy_can_hold_the_shares_of_its_own_repeat(client: Client) -> None:
    hold(client)
    order: dict[str, Json] = {
        "type": "limit",
        "limit_price": "200",
        "side": "sell",
        "client_order_id": "exit",
    }
    client.place(**order)
    expected = "insufficient qty available for order (requested: 5, available: 0)"
    assert told(client.submit(**order)) == (403, 40310000, expected)


def test_a_check_that_is_left_out_does_not_run(client: Client) -> None:
    client.settings(checks=[])
    client.place(client_order_id="twice", type="limit", limit_price="1000000", qty="9")
    client.place(client_order_id="twice", side="sell")
    assert client.summary()["duplicates"] == 1


@pytest.mark.parametrize(
    ("flags", "status", "code", "message"),
    [
        ({"exists": False}, 422, 42210000, 'asset "ZZZZ" not found'),
        ({"active": False}, 422, 40010001, 'asset "ZZZZ" is not active'),
        ({"tradable": False}, 422, 42210000, 'asset "ZZZZ" is not tradable'),
        ({"fractionable": False}, 403, 40310000, 'asset "ZZZZ" is not fractionable'),
    ],
)
def test_what_a_symbol_allows_is_given(
    client: Client, flags: dict[str, Json], status: int, code: int, message: str
) -> None:
    client.place(symbol="ZZZZ", qty="1.5")
    client.tell("PUT", "assets", {"ZZZZ": flags})
    assert told(client.submit(symbol="ZZZZ", qty="1.5")) == (status, code, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"suspend_trade": True}, "new orders are rejected by user request"),
        ({"trading_blocked": True}, "account is not authorized to trade"),
    ],
)
def test_the_state_of_the_account_comes_first(
    client: Client, other: Client, change: dict[str, Json], message: str
) -> None:
    client.tell("PUT", "accounts/paper", change)
    assert told(client.submit()) == (403, 40310000, message)
    other.place()


def test_a_specified_intent_must_be_the_true_one(client: Client) -> None:
    response = client.submit(position_intent="buy_to_close")
    message = "position intent mismatch, inferred: buy_to_open, specified: buy_to_close"
    assert told(response) == (422, 42210000, message)


def test_the_market_limits_stops_and_small_orders(client: Client) -> None:
    client.price("GOOG", "100")
    response = client.submit(type="stop", side="sell", stop_price="100")
    assert told(response)[2] == "stop price must be less than current price"
    assert response.json() | {"market_price": "100", "stop_price": "100"} == response.json()
    small = client.submit(qty="0.001")
    assert told(small) == (403, 40310000, "cost basis must be >= minimal amount of order 1")
    client.price("BTC/USD", "50000")
    small = client.submit(symbol="BTC/USD", qty="0.0001", time_in_force="gtc")
    assert told(small) == (403, 40310000, "cost basis must be >= minimal amount of order 10")
    coins = client.submit(symbol="BTC/USD", qty="1", side="sell", time_in_force="gtc")
    assert told(coins)[2] == "insufficient balance for BTC (requested: 1, available: 0)"
