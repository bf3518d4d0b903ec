"""What becomes of an order after its 200: acceptance, fills at given prices, hand-made ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import Client, listening
from worker.sandbox.values import parse_time

if TYPE_CHECKING:
    from worker.sandbox.values import Json


def test_submitted_at_moves_when_the_order_is_accepted(client: Client) -> None:
    placed = client.place()
    assert placed["status"] == "pending_new"
    assert client.get(placed["id"]) == placed
    client.pass_time(0.004)
    accepted = client.get(placed["id"])
    assert accepted["status"] == "new"
    moved_ns = parse_time(str(accepted["submitted_at"])) - parse_time(str(placed["submitted_at"]))
    assert moved_ns == 4_000_000
    assert accepted["updated_at"] == accepted["submitted_at"]
    assert accepted["created_at"] == placed["created_at"]
    client.pass_time(100)
    assert client.get(placed["id"]) == accepted, "and rests there without a price"


def test_acceptance_is_a_switch(client: Client) -> None:
    client.settings(shift_submitted_at=False, accept_after_ms=2000)
    placed = client.place()
    client.pass_time(1.999)
    assert client.get(placed["id"])["status"] == "pending_new"
    client.pass_time(0.001)
    accepted = client.get(placed["id"])
    assert (accepted["status"], accepted["submitted_at"]) == ("new", placed["submitted_at"])
    client.settings(accept_after_ms=None)
    stuck = client.place()
    client.pass_time(10**6)
    assert client.get(stuck["id"])["status"] == "pending_new"


def test_an_order_may_be_new_or_filled_in_the_answer_already(client: Client) -> None:
    client.settings(accept_after_ms=0)
    with listening(client) as stream:
        placed = client.place_limit("90")
        assert (placed["status"], placed["submitted_at"]) == ("new", placed["created_at"])
        client.price("GOOG", "100")
        filled = client.place()
        assert (filled["status"], filled["filled_qty"]) == ("filled", "5")
        assert client.place(time_in_force="ioc", type="limit", limit_price="91")["status"] == "canceled"
        assert stream.events(5) == ["new", "new", "fill", "new", "canceled"]
    assert [client.get(order["id"]) for order in (placed, filled)] == [placed, filled]


def test_the_average_of_prices_far_below_a_cent_keeps_its_digits(client: Client) -> None:
    placed = client.place(symbol="PEPE/USD", qty="3000000", time_in_force="gtc")
    client.fill(placed["id"], qty="1000000", price="0.0000072")
    client.fill(placed["id"], qty="2000000", price="0.00000049")
    assert client.get(placed["id"])["filled_avg_price"] == "0.000002726667"


def test_a_market_order_fills_at_the_given_price(client: Client) -> None:
    client.price("GOOG", "185.02")
    placed = client.place(qty="54")
    assert (placed["status"], placed["filled_qty"]) == ("pending_new", "0")
    client.pass_time(0.004)
    filled = client.get(placed["id"])
    assert (filled["status"], filled["filled_qty"], filled["filled_avg_price"]) == ("filled", "54", "185.02")
    assert filled["filled_at"] == filled["updated_at"]
    assert client.tell("GET", "positions") == [
        {"account": "paper", "symbol": "GOOG", "qty": "54", "cost": "9991.08"}
    ]


@pytest.mark.parametrize(
    ("members", "misses", "hits"),
    [
        ({"type": "limit", "limit_price": "100"}, "100.01", "99"),
        ({"type": "limit", "limit_price": "100", "side": "sell"}, "99.99", "101"),
        ({"type": "stop", "stop_price": "100"}, "99.99", "101"),
        ({"type": "stop", "stop_price": "100", "side": "sell"}, "100.01", "99"),
        ({"type": "stop_limit", "stop_price": "100", "limit_price": "101"}, "99.99", "100.5"),
        ({"type": "stop_limit", "stop_price": "100", "limit_price": "99", "side": "sell"}, "100.01", "99.5"),
    ],
)
def test_an_order_fills_when_the_price_crosses(
    client: Client, members: dict[str, Json], misses: str, hits: str
) -> None:
    placed = client.place(**members)
    client.pass_time()
    client.price("GOOG", misses)
    assert client.get(placed["id"])["status"] == "new"
    client.price("GOOG", hits)
    filled = client.get(placed["id"])
    assert (filled["status"], filled["filled_avg_price"]) == ("filled", hits)


def test_a_stop_limit_that_was_triggered_stays_so(client: Client) -> None:
    placed = client.place(type="stop_limit", stop_price="100", limit_price="101")
    client.pass_time()
    for price in ("98", "105"):
        client.price("GOOG", price)
        assert client.get(placed["id"])["status"] == "new"
    client.price("GOOG", "98")
    assert client.get(placed["id"])["filled_avg_price"] == "98"


def test_a_bounded_size_fills_in_parts_oldest_first(client: Client) -> None:
    first, second = client.place_limit("100", qty="5"), client.place_limit("100", qty="5")
    client.pass_time()
    client.price("GOOG", {"price": "99", "size": "7"})
    assert client.get(first["id"])["status"] == "filled"
    part = client.get(second["id"])
    assert (part["status"], part["filled_qty"]) == ("partially_filled", "2")
    client.price("GOOG", {"price": "97", "size": "3"})
    whole = client.get(second["id"])
    assert (whole["status"], whole["filled_qty"], whole["filled_avg_price"]) == ("filled", "5", "97.8")
    assert client.tell("GET", "prices") == {"GOOG": {"price": "97", "size": "0"}}


def test_a_notional_order_buys_for_its_money(client: Client) -> None:
    client.price("GOOG", "87.05")
    placed = client.place(qty=None, notional="5")
    assert (placed["notional"], placed["qty"], placed["filled_qty"]) == ("5", None, "0")
    client.pass_time()
    filled = client.get(placed["id"])
    assert (filled["status"], filled["qty"], filled["filled_qty"]) == ("filled", None, "0.057438254")


@pytest.mark.parametrize(
    ("time_in_force", "size", "status", "filled_qty"),
    [
        ("ioc", "3", "canceled", "3"),
        ("fok", "3", "canceled", "0"),
        ("ioc", None, "filled", "5"),
        ("fok", None, "filled", "5"),
    ],
)
def test_immediate_orders_never_rest(
    client: Client, time_in_force: str, size: str | None, status: str, filled_qty: str
) -> None:
    client.price("GOOG", {"price": "100", "size": size})
    placed = client.place(time_in_force=time_in_force)
    client.pass_time()
    ended = client.get(placed["id"])
    assert (ended["status"], ended["filled_qty"]) == (status, filled_qty)


def test_a_closed_market_queues_orders(client: Client) -> None:
    client.settings(market="closed")
    client.price("GOOG", "100")
    placed = client.place()
    client.pass_time()
    assert (placed["status"], client.get(placed["id"])["status"]) == ("accepted", "accepted")
    client.settings(market="open")
    assert client.get(placed["id"])["status"] == "filled"


def test_an_order_is_filled_by_hand(client: Client) -> None:
    placed = client.place_limit("100", qty="10")
    part = client.tell("POST", f"orders/{placed['id']}/fill", {"qty": "4", "price": "99"})
    assert isinstance(part, dict)
    assert (part["status"], part["filled_qty"]) == ("partially_filled", "4")
    client.tell("POST", f"orders/{placed['id']}/fill", {"price": "101"})
    filled = client.get(placed["id"])
    assert (filled["status"], filled["filled_qty"], filled["filled_avg_price"]) == ("filled", "10", "100.2")
    assert client.ask("POST", f"orders/{placed['id']}/fill", {"price": "101"}).status_code == 400


@pytest.mark.parametrize(
    ("status", "stamp"), [("canceled", "canceled_at"), ("expired", "expired_at"), ("rejected", "failed_at")]
)
def test_an_order_is_ended_by_hand(client: Client, status: str, stamp: str) -> None:
    placed = client.place()
    client.tell("PUT", f"orders/{placed['id']}", {"status": status})
    ended = client.get(placed["id"])
    assert (ended["status"], ended[stamp]) == (status, ended["updated_at"])
    client.pass_time()
    client.price("GOOG", "100")
    assert client.get(placed["id"]) == ended, "nothing happens to a finished order"


def test_an_order_may_be_stuck_in_any_status(client: Client) -> None:
    placed = client.place()
    client.tell("PUT", f"orders/{placed['id']}", {"status": "pending_cancel"})
    client.price("GOOG", "100")
    client.pass_time()
    assert client.get(placed["id"])["status"] == "pending_cancel"
    assert client.ask("PUT", f"orders/{placed['id']}", {"status": "lost"}).status_code == 400


def test_a_foreign_order_is_made_by_hand(client: Client) -> None:
    made = client.tell(
        "POST", "orders", {"account": "paper", "order": {**_hand(), "client_order_id": "theirs"}}
    )
    assert isinstance(made, dict)
    assert client.find("theirs").json()["id"] == made["id"]
    (truth,) = client.truth()
    assert (truth["origin"], truth["posts"]) == ("admin", 0)
    assert (client.summary()["foreign"], client.summary()["posts"]) == (1, 0)
    again = client.tell(
        "POST", "orders", {"account": "paper", "order": {**_hand(), "client_order_id": "theirs"}}
    )
    assert isinstance(again, dict)
    assert again["id"] != made["id"], "not even uniqueness is checked"


def _hand() -> dict[str, Json]:
    return {"symbol": "KO", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}


def test_a_week_old_gtc_order_still_fills(client: Client) -> None:
    placed = client.place_limit("100", time_in_force="gtc")
    client.pass_time(7 * 86_400)
    client.price("GOOG", "100")
    assert client.get(placed["id"])["status"] == "filled"
