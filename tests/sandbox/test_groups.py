"""Bracket, oto and oco orders: legs, who wakes whom, and who takes whom along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import Client, listening

if TYPE_CHECKING:
    from worker.sandbox.values import Json


def bracket(**members: Json) -> dict[str, Json]:
    """A purchase of five at 100 with exits at 110 and 90."""
    return {
        "type": "limit",
        "limit_price": "100",
        "order_class": "bracket",
        "take_profit": {"limit_price": "110"},
        "stop_loss": {"stop_price": "90"},
        **members,
    }


def oco(**members: Json) -> dict[str, Json]:
    return bracket(side="sell", order_class="oco", limit_price=None, **members)


def legs_of(order: dict[str, Json]) -> list[dict[str, Json]]:
    legs = order["legs"]
    assert isinstance(legs, list)
    return [leg for leg in legs if isinstance(leg, dict)]


def nested(client: Client, order: dict[str, Json]) -> dict[str, Json]:
    """The order with its legs as it is now."""
    response = client.http.get(f"/v2/orders/{order['id']}", params={"nested": "true"})
    return client.accepted(response)


def statuses(client: Client, order: dict[str, Json]) -> list[Json]:
    """Of the order, the take profit and the stop loss, as far as they exist."""
    now = nested(client, order)
    return [now["status"], *(leg["status"] for leg in legs_of(now))]


def entered(client: Client, **members: Json) -> dict[str, Json]:
    """A bracket whose entry has filled; the price is forgotten."""
    placed = client.place(**bracket(**members))
    client.pass_time()
    client.price("GOOG", "100")
    client.price("GOOG", None)
    return placed


def test_a_bracket_makes_its_legs_at_once(client: Client) -> None:
    placed = client.place(**bracket(client_order_id="entry"))
    assert (placed["order_class"], placed["status"]) == ("bracket", "pending_new")
    profit, loss = legs_of(placed)
    assert [profit[name] for name in ("type", "limit_price", "stop_price", "side", "status", "qty")] == [
        "limit",
        "110",
        None,
        "sell",
        "held",
        "5",
    ]
    assert [loss[name] for name in ("type", "limit_price", "stop_price", "side", "status", "qty")] == [
        "stop",
        None,
        "90",
        "sell",
        "held",
        "5",
    ]
    for leg in (profit, loss):
        assert len(str(leg["client_order_id"])) == 36
        assert (leg["order_class"], leg["position_intent"], leg["legs"]) == (
            "bracket",
            "sell_to_close",
            None,
        )
    assert client.find("entry").json()["legs"] is None
    family = {row["id"]: (row["parent_id"], row["leg"], row["origin"]) for row in client.family()}
    assert family == {
        placed["id"]: (None, None, "post"),
        profit["id"]: (placed["id"], "take_profit", "leg"),
        loss["id"]: (placed["id"], "stop_loss", "leg"),
    }
    assert client.summary()["duplicates"] == 0


def test_lists_show_legs_as_rows_or_rolled_up(client: Client) -> None:
    placed = client.place(**bracket())
    simple = client.place()
    rows = client.orders()
    assert len(rows) == 4
    assert all(row["legs"] is None for row in rows)
    rolled_up = client.orders(nested="true")
    assert {row["id"] for row in rolled_up} == {placed["id"], simple["id"]}
    (parent,) = (row for row in rolled_up if row["id"] == placed["id"])
    assert [leg["id"] for leg in legs_of(parent)] == [leg["id"] for leg in legs_of(placed)]
    assert client.get(placed["id"])["legs"] is None


def test_after_the_entry_a_nested_list_of_open_orders_hides_the_exits(client: Client) -> None:
    entered(client)
    assert client.orders(nested="true") == []
    assert len(client.orders()) == 2
    (rolled_up,) = client.orders(status="closed", nested="true")
    assert len(legs_of(rolled_up)) == 2


def test_the_entrys_full_fill_wakes_the_exits(client: Client) -> None:
    placed = client.place(**bracket())
    client.pass_time()
    with listening(client) as stream:
        client.fill(placed["id"], qty="4")
        assert statuses(client, placed) == ["partially_filled", "held", "held"]
        client.fill(placed["id"])
        assert statuses(client, placed) == ["filled", "new", "held"]
        assert stream.events(3) == ["partial_fill", "fill", "new"]


def test_a_stop_leg_may_be_new_at_once(client: Client) -> None:
    client.settings(stop_leg="new")
    assert statuses(client, entered(client)) == ["filled", "new", "new"]


def test_the_take_profit_fills_and_cancels_the_stop_loss(client: Client) -> None:
    placed = entered(client)
    with listening(client) as stream:
        client.price("GOOG", "111")
        assert statuses(client, placed) == ["filled", "filled", "canceled"]
        assert stream.events(2) == ["fill", "canceled"]
    assert client.positions() == {}


@pytest.mark.parametrize("stop_leg", ["held", "new"])
def test_the_stop_loss_fills_and_cancels_the_take_profit(client: Client, stop_leg: str) -> None:
    client.settings(stop_leg=stop_leg)
    placed = entered(client)
    with listening(client) as stream:
        client.price("GOOG", "89")
        assert statuses(client, placed) == ["filled", "canceled", "filled"]
        told = ["canceled", "new", "fill"] if stop_leg == "held" else ["fill", "canceled"]
        assert stream.events(len(told)) == told
    assert client.positions() == {}


def test_a_stop_limit_exit_rests_after_its_trigger(client: Client) -> None:
    placed = entered(client, stop_loss={"stop_price": "90", "limit_price": "89.5"})
    client.price("GOOG", "89")
    assert statuses(client, placed) == ["filled", "canceled", "new"]
    client.price("GOOG", "89.5")
    assert statuses(client, placed) == ["filled", "canceled", "filled"]


def test_both_exits_can_fill_in_a_fast_market(client: Client) -> None:
    placed = entered(client)
    profit, loss = legs_of(placed)
    client.fill(profit["id"], alone=True)
    client.fill(loss["id"], alone=True)
    assert statuses(client, placed) == ["filled", "filled", "filled"]
    assert client.positions() == {"GOOG": "-5"}


@pytest.mark.parametrize("which", [0, 1, 2])
def test_canceling_one_of_a_group_takes_the_others_along(client: Client, which: int) -> None:
    placed = client.place(**bracket())
    client.pass_time()
    group = [placed, *legs_of(placed)]
    assert client.cancel(group[which]["id"]).status_code == 204
    client.pass_time()
    assert statuses(client, placed) == ["canceled"] * 3


def test_canceling_one_exit_takes_the_other_along(client: Client) -> None:
    placed = entered(client)
    client.cancel(legs_of(placed)[1]["id"])
    client.pass_time()
    assert statuses(client, placed) == ["filled", "canceled", "canceled"]
    assert client.positions() == {"GOOG": "5"}


@pytest.mark.parametrize("status", ["rejected", "expired"])
def test_an_entry_that_ends_takes_its_legs_along(client: Client, status: str) -> None:
    placed = client.place(**bracket())
    client.put(placed["id"], status)
    assert statuses(client, placed) == [status, "canceled", "canceled"]


def test_legs_are_no_rivals_of_their_entry(client: Client) -> None:
    client.place(**bracket())
    client.place(**bracket())
    entered(client)
    refused = client.submit(side="sell", qty="1")
    assert refused.json()["message"].startswith("insufficient qty available for order (requested: 1")


def test_a_short_bracket_is_the_mirror_image(client: Client) -> None:
    exits: dict[str, Json] = {
        "take_profit": {"limit_price": "90"},
        "stop_loss": {"stop_price": "110"},
    }
    placed = entered(client, side="sell", **exits)
    client.price("GOOG", "111")
    assert statuses(client, placed) == ["filled", "canceled", "filled"]
    assert client.positions() == {}


def test_an_oto_has_one_exit(client: Client) -> None:
    placed = client.place(**bracket(order_class="oto", take_profit=None))
    (loss,) = legs_of(placed)
    assert (loss["type"], loss["status"]) == ("stop", "held")
    client.pass_time()
    client.fill(placed["id"])
    assert statuses(client, placed) == ["filled", "new"], "nothing else holds its shares"
    client.price("GOOG", "89")
    assert statuses(client, placed) == ["filled", "filled"]


def test_an_oco_is_a_take_profit_with_a_stop_loss(client: Client) -> None:
    client.tell(
        "PUT", "positions", {"account": "paper", "symbol": "GOOG", "qty": "5", "avg_entry_price": "100"}
    )
    placed = client.place(**oco())
    assert (placed["type"], placed["limit_price"], placed["order_class"]) == ("limit", "110", "oco")
    (loss,) = legs_of(placed)
    assert (loss["stop_price"], loss["side"], loss["status"]) == ("90", "sell", "held")
    client.pass_time()
    assert statuses(client, placed) == ["new", "held"]
    assert client.http.get("/v2/positions/GOOG").json()["qty_available"] == "0"
    client.price("GOOG", "89")
    assert statuses(client, placed) == ["canceled", "filled"]
    assert client.positions() == {}


def test_an_oco_fills_at_its_gain(client: Client) -> None:
    client.tell(
        "PUT", "positions", {"account": "paper", "symbol": "GOOG", "qty": "5", "avg_entry_price": "100"}
    )
    placed = client.place(**oco())
    client.pass_time()
    client.price("GOOG", "110")
    assert statuses(client, placed) == ["filled", "canceled"]


def test_a_replaced_leg_stays_in_its_group(client: Client) -> None:
    placed = entered(client)
    profit, loss = legs_of(placed)
    higher = client.accepted(client.replace(profit["id"], limit_price="120"))
    lower = client.accepted(client.replace(loss["id"], stop_price="80"))
    client.pass_time()
    assert [leg["id"] for leg in legs_of(nested(client, placed))] == [higher["id"], lower["id"]]
    assert statuses(client, placed) == ["filled", "new", "held"]
    client.price("GOOG", "111")
    client.price("GOOG", "85")
    assert statuses(client, placed) == ["filled", "new", "held"]
    client.price("GOOG", "79")
    assert statuses(client, placed) == ["filled", "canceled", "filled"]


def test_a_replaced_entry_keeps_its_legs(client: Client) -> None:
    placed = client.place(**bracket())
    client.pass_time()
    cheaper = client.accepted(client.replace(placed["id"], limit_price="99"))
    client.pass_time()
    assert statuses(client, cheaper) == ["new", "held", "held"]
    client.fill(cheaper["id"])
    assert statuses(client, cheaper) == ["filled", "new", "held"]


@pytest.mark.parametrize(
    ("order_class", "change", "message"),
    [
        ("bracket", {"qty": 6}, "only prices of bracket orders can be replaced"),
        ("oto", {"limit_price": "99"}, "oto orders cannot be replaced"),
    ],
)
def test_what_cannot_change_in_a_group(
    client: Client, order_class: str, change: dict[str, Json], message: str
) -> None:
    profit: Json = None if order_class == "oto" else {"limit_price": "110"}
    placed = client.place(**bracket(order_class=order_class, take_profit=profit))
    client.pass_time()
    response = client.replace(placed["id"], **change)
    assert (response.status_code, response.json()["message"]) == (422, message)


REFUSED: list[tuple[dict[str, Json], int, str]] = [
    ({"qty": "1.5"}, 42210000, "fractional orders must be simple orders"),
    ({"time_in_force": "ioc"}, 42210000, "bracket orders must be DAY or GTC orders"),
    ({"extended_hours": True}, 42210000, "bracket orders must not be extended hours orders"),
    ({"take_profit": None}, 40010001, "bracket orders require take_profit.limit_price"),
    ({"take_profit": {}}, 40010001, "bracket orders require take_profit.limit_price"),
    ({"stop_loss": None}, 40010001, "bracket orders require stop_loss.stop_price"),
    ({"order_class": "oto"}, 40010001, "oto orders require exactly one of take_profit or stop_loss"),
    (
        {"order_class": "oto", "take_profit": None, "stop_loss": None},
        40010001,
        "oto orders require exactly one of take_profit or stop_loss",
    ),
    (
        {"take_profit": {"limit_price": "80"}},
        42210000,
        "take_profit.limit_price must be > stop_loss.stop_price",
    ),
    (
        {"side": "sell"},
        42210000,
        "take_profit.limit_price must be < stop_loss.stop_price",
    ),
    (
        {"stop_loss": {"stop_price": "100"}},
        42210000,
        "stop_loss.stop_price must be <= base_price - 0.01",
    ),
    ({"order_class": "oco", "side": "sell", "type": "market", "limit_price": None}, 40010001, "market"),
    ({"order_class": "oco", "side": "sell"}, 42210000, "oco orders must be exit orders"),
    ({"order_class": "simple"}, 42210000, "simple orders must not have take_profit or stop_loss"),
    ({"order_class": "pyramid"}, 40010001, "invalid order_class"),
    ({"symbol": "BTC/USD", "time_in_force": "gtc"}, 42210000, "crypto orders must not be bracket orders"),
]


@pytest.mark.parametrize(("members", "code", "message"), REFUSED)
def test_a_group_that_breaks_a_rule_is_refused(
    client: Client, members: dict[str, Json], code: int, message: str
) -> None:
    response = client.submit(**bracket(**members))
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert response.json()["message"].startswith(message)
    assert client.truth() == []


# Trailing stops


@pytest.mark.parametrize(
    ("distance", "stops"),
    [({"trail_price": "5"}, ["95", "105", "105"]), ({"trail_percent": "10"}, ["90", "99", "99"])],
)
def test_a_trailing_stop_follows_the_best_price(
    client: Client, distance: dict[str, Json], stops: list[str]
) -> None:
    placed = client.place(type="trailing_stop", side="sell", time_in_force="gtc", **distance)
    assert (placed["hwm"], placed["stop_price"]) == (None, None)
    client.pass_time()
    seen = []
    for price in ("100", "110", "108"):
        client.price("GOOG", price)
        now = client.get(placed["id"])
        seen.append((now["status"], now["hwm"], now["stop_price"]))
    assert seen == [("new", "100", stops[0]), ("new", "110", stops[1]), ("new", "110", stops[2])]
    client.price("GOOG", stops[2])
    filled = client.get(placed["id"])
    assert (filled["status"], filled["filled_avg_price"]) == ("filled", stops[2])


def test_a_trailing_purchase_follows_the_lowest_price(client: Client) -> None:
    placed = client.place(type="trailing_stop", trail_price="5")
    client.pass_time()
    for price in ("100", "90", "94"):
        client.price("GOOG", price)
    assert client.get(placed["id"])["stop_price"] == "95"
    client.price("GOOG", "96")
    assert client.get(placed["id"])["status"] == "filled"


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({}, 40010001, "trailing stop orders must specify one of trail_price or trail_percent"),
        (
            {"trail_price": "1", "trail_percent": "1"},
            40010001,
            "trailing stop orders must specify one of trail_price or trail_percent",
        ),
        ({"trail_price": "0"}, 40010001, "trail must be > 0"),
        (
            {"trail_price": "1", "limit_price": "9"},
            40010001,
            "trailing stop orders require no stop or limit price",
        ),
        ({"trail_price": "1", "time_in_force": "ioc"}, 42210000, "trailing_stop orders must be DAY or GTC"),
        (
            {"trail_price": "1", "qty": "1.5"},
            42210000,
            "fractional orders must be market, limit, stop, or stop_limit orders",
        ),
        (
            {"trail_price": "1", "symbol": "BTC/USD", "time_in_force": "gtc"},
            40010001,
            "invalid order type for crypto order",
        ),
    ],
)
def test_a_trailing_stop_that_breaks_a_rule_is_refused(
    client: Client, members: dict[str, Json], code: int, message: str
) -> None:
    response = client.submit(**{"type": "trailing_stop", **members})
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert response.json()["message"].startswith(message)
