"""PATCH: a new order in the place of an old one, sometimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import Client, listening
from worker.sandbox.clock import NS
from worker.sandbox.values import parse_time

if TYPE_CHECKING:
    import httpx

    from worker.sandbox.values import Json

PATCH: dict[str, Json] = {"method": "PATCH"}


def resting(client: Client, **members: Json) -> dict[str, Json]:
    """An order that is new: by default a limit order to buy."""
    placed = client.place(**{"type": "limit", "limit_price": "100", **members})
    client.pass_time()
    return client.get(placed["id"])


def told(response: httpx.Response) -> tuple[int, int, str]:
    body = response.json()
    return response.status_code, body["code"], body["message"]


def test_a_replacement_is_a_new_order_that_takes_over(client: Client) -> None:
    old = resting(client, client_order_id="first")
    with listening(client) as stream:
        response = client.replace(old["id"], limit_price=99.5, qty=7, client_order_id="second")
        new = client.accepted(response)
        assert new["id"] != old["id"]
        assert (new["client_order_id"], new["limit_price"], new["qty"]) == ("second", "99.5", "7")
        assert (new["replaces"], new["status"]) == (old["id"], "pending_new")
        assert client.get(old["id"])["status"] == "pending_replace"
        client.pass_time()
        replaced, working = client.get(old["id"]), client.get(new["id"])
        assert (replaced["status"], replaced["replaced_by"]) == ("replaced", new["id"])
        assert replaced["replaced_at"] == replaced["updated_at"]
        assert (working["status"], working["replaces"]) == ("new", old["id"])
        updates = [stream.update() for _ in range(4)]
        assert [(update["event"], _order_of(update)["id"]) for update in updates] == [
            ("pending_replace", old["id"]),
            ("pending_new", new["id"]),
            ("replaced", old["id"]),
            ("new", new["id"]),
        ]
    assert client.find("first").json()["status"] == "replaced"
    assert client.find("second").json()["id"] == new["id"]
    assert client.summary()["duplicates"] == 0


def _order_of(update: dict[str, Json]) -> dict[str, Json]:
    order = update["order"]
    assert isinstance(order, dict)
    return order


def test_another_time_in_force_is_another_life(client: Client) -> None:
    old = resting(client)
    new = client.accepted(client.replace(old["id"], time_in_force="gtc"))
    days = (parse_time(str(new["expires_at"])) - parse_time(str(new["created_at"]))) / NS / 86_400
    assert (new["time_in_force"], days) == ("gtc", 90)


def test_a_chain_of_replacements(client: Client) -> None:
    current = resting(client)
    ids = [current["id"]]
    for price in ("99", "98", "97"):
        current = client.accepted(client.replace(current["id"], limit_price=price))
        client.pass_time()
        ids.append(current["id"])
    family = {row["id"]: row for row in client.family()}
    assert [family[order_id]["replaced_by"] for order_id in ids] == [*ids[1:], None]
    assert [family[order_id]["replaces"] for order_id in ids] == [None, *ids[:-1]]
    assert [order["id"] for order in client.orders()] == [ids[-1]]


def test_without_a_client_order_id_one_is_made_up_or_kept(client: Client) -> None:
    old = resting(client, client_order_id="mine")
    new = client.accepted(client.replace(old["id"], limit_price="99"))
    assert len(str(new["client_order_id"])) == 36
    client.pass_time()
    client.settings(replace_client_order_id="kept")
    third = client.accepted(client.replace(new["id"], limit_price="98"))
    assert third["client_order_id"] == new["client_order_id"]
    client.pass_time()
    assert client.find(new["client_order_id"]).json()["id"] == new["id"], "the lookup finds the original"
    assert client.summary()["duplicates"] == 0


@pytest.mark.parametrize("name", ["mine", "used"])
def test_a_client_order_id_that_was_used_is_refused(client: Client, name: str) -> None:
    client.place_limit("50", client_order_id="used")
    old = resting(client, client_order_id="mine")
    response = client.replace(old["id"], limit_price="99", client_order_id=name)
    assert told(response) == (422, 40010001, "client_order_id must be unique")
    assert client.get(old["id"])["status"] == "new"


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        ("accepted", 40010001, "unable to replace order, order isn't sent to exchange yet"),
        ("pending_new", 40010001, "unable to replace order, order isn't sent to exchange yet"),
        ("pending_cancel", 42210000, "cannot replace order in pending_cancel status"),
        ("pending_replace", 42210000, "cannot replace order in pending_replace status"),
        ("replaced", 42210000, "order already replaced"),
        ("filled", 40010001, "unable to replace order, order is not open"),
        ("canceled", 40010001, "unable to replace order, order is not open"),
        ("done_for_day", 42210000, "unable to replace order in current state"),
    ],
)
def test_only_a_working_order_is_replaced(client: Client, status: str, code: int, message: str) -> None:
    order = resting(client)
    client.put(order["id"], status)
    assert told(client.replace(order["id"], limit_price="99")) == (422, code, message)
    assert len(client.truth()) == 1


REFUSED: list[tuple[dict[str, Json], dict[str, Json], int, int, str]] = [
    ({}, {}, 422, 42210000, "order parameters are not changed"),
    ({}, {"limit_price": "100.00", "qty": 5}, 422, 42210000, "order parameters are not changed"),
    ({}, {"qty": "0"}, 422, 40010001, "qty must be > 0"),
    ({}, {"qty": "1.5"}, 422, 42210000, "qty of fractional orders cannot be replaced"),
    ({"qty": "1.5"}, {"qty": "2"}, 422, 42210000, "qty of fractional orders cannot be replaced"),
    ({}, {"stop_price": "90"}, 422, 40010001, "limit orders must not have stop_price"),
    ({}, {"trail": "1"}, 422, 40010001, "limit orders must not have trail"),
    ({}, {"time_in_force": "gtd"}, 422, 40010001, "invalid time_in_force"),
    ({}, {"limit_price": "-1"}, 422, 40010001, "limit_price must be > 0"),
    ({}, {"limit_price": {}}, 400, 40010000, "request body format is invalid"),
    ({}, {"qty": 4000, "limit_price": "101"}, 403, 40310000, "insufficient buying power"),
    ({}, {"notional": "5"}, 422, 42210000, "notional orders cannot be replaced"),
    (
        {"qty": None, "notional": "50"},
        {"limit_price": "99"},
        422,
        42210000,
        "notional orders cannot be replaced",
    ),
]


@pytest.mark.parametrize(("placed", "change", "status", "code", "message"), REFUSED)
def test_a_replacement_that_breaks_a_rule_is_refused(
    client: Client, placed: dict[str, Json], change: dict[str, Json], status: int, code: int, message: str
) -> None:
    order = resting(client, **placed)
    assert told(client.replace(order["id"], **change)) == (status, code, message)
    assert client.get(order["id"]) == order


def test_a_body_that_is_no_object_is_malformed(client: Client) -> None:
    order = resting(client)
    response = client.http.patch(f"/v2/orders/{order['id']}", content=b"[]")
    assert told(response) == (400, 40010000, "request body format is invalid")


def test_the_larger_of_the_two_is_held_back_while_both_exist(client: Client) -> None:
    order = resting(client, qty="10")
    assert client.buying_power() == "399000"
    larger = client.accepted(client.replace(order["id"], qty=30))
    assert client.buying_power() == "397000"
    client.pass_time()
    assert client.buying_power() == "397000"
    client.accepted(client.replace(larger["id"], qty=20))
    assert client.buying_power() == "397000"
    client.pass_time()
    assert client.buying_power() == "398000"


def test_a_sale_is_replaced_within_what_is_held(client: Client) -> None:
    client.tell(
        "PUT", "positions", {"account": "paper", "symbol": "GOOG", "qty": "5", "avg_entry_price": "90"}
    )
    order = resting(client, side="sell", qty="3")
    refused = client.replace(order["id"], qty=6)
    assert told(refused)[2] == "insufficient qty available for order (requested: 6, available: 5)"
    client.accepted(client.replace(order["id"], qty=5))


def test_a_replaced_trailing_stop_takes_another_distance(client: Client) -> None:
    client.price("GOOG", "100")
    order = resting(client, type="trailing_stop", limit_price=None, side="sell", trail_percent="5")
    assert order["stop_price"] == "95"
    new = client.accepted(client.replace(order["id"], trail=2))
    client.pass_time()
    assert (client.get(new["id"])["trail_percent"], client.get(new["id"])["stop_price"]) == ("2", "98")


@pytest.mark.parametrize(("setting", "filled_qty", "leaves"), [("anew", "0", "5"), ("carried", "2", "3")])
def test_a_partly_filled_order_is_replaced_anew_or_carried_over(
    client: Client, setting: str, filled_qty: str, leaves: str
) -> None:
    client.settings(replace_filled=setting)
    order = resting(client)
    client.fill(order["id"], qty="2")
    assert told(client.replace(order["id"], qty=2))[2] == "qty must be > filled_qty"
    new = client.accepted(client.replace(order["id"], limit_price="99"))
    assert (new["qty"], new["filled_qty"]) == ("5", filled_qty)
    client.pass_time()
    client.fill(new["id"], price="97")
    last = client.activities()[0]
    assert (last["order_id"], last["qty"], last["cum_qty"]) == (new["id"], leaves, "5")
    assert client.positions() == {"GOOG": str(2 + int(leaves))}
    old = client.get(order["id"])
    assert (old["status"], old["filled_qty"]) == ("replaced", "2")
    average = client.get(new["id"])["filled_avg_price"]
    assert average == ("97" if setting == "anew" else "98.2"), "2 at 100 and 3 at 97"


def test_a_fill_in_between_is_carried_over_or_outgrows_the_replacement(client: Client) -> None:
    client.settings(replace_filled="carried")
    order = resting(client)
    new = client.accepted(client.replace(order["id"], limit_price="99"))
    client.fill(order["id"], qty="2")
    client.pass_time()
    assert client.get(new["id"])["filled_qty"] == "2"
    smaller = client.accepted(client.replace(new["id"], qty=4))
    client.fill(new["id"], qty="2")
    client.pass_time()
    assert (client.get(smaller["id"])["status"], client.get(new["id"])["status"]) == (
        "rejected",
        "partially_filled",
    )


def test_an_order_fills_before_its_replacement_arrives(client: Client) -> None:
    order = resting(client)
    client.fault("replace_ends", match=PATCH, **{"as": "filled"})
    with listening(client) as stream:
        new = client.accepted(client.replace(order["id"], limit_price="99"))
        client.pass_time()
        filled, rejected = client.get(order["id"]), client.get(new["id"])
        assert (filled["status"], filled["replaced_by"], rejected["status"]) == ("filled", None, "rejected")
        assert stream.events(5) == [
            "pending_replace",
            "pending_new",
            "fill",
            "rejected",
            "order_replace_rejected",
        ]
    assert client.positions() == {"GOOG": "5"}


def test_a_part_fills_before_the_replacement_arrives(client: Client) -> None:
    order = resting(client)
    client.fault("replace_ends", match=PATCH, **{"as": "filled", "qty": "2"})
    new = client.accepted(client.replace(order["id"], limit_price="99"))
    client.pass_time()
    old = client.get(order["id"])
    assert (old["status"], old["filled_qty"], old["replaced_by"]) == ("replaced", "2", new["id"])


def test_a_success_of_the_patch_is_no_promise(client: Client) -> None:
    order = resting(client)
    client.fault("replace_ends", match=PATCH, **{"as": "rejected"})
    with listening(client) as stream:
        new = client.accepted(client.replace(order["id"], limit_price="99"))
        client.pass_time()
        assert (client.get(order["id"])["status"], client.get(new["id"])["status"]) == ("new", "rejected")
        assert stream.events(4)[2:] == ["rejected", "order_replace_rejected"]
    assert client.buying_power() == "399500"
    client.accepted(client.replace(order["id"], limit_price="98"))


def test_a_replace_is_stuck_until_the_old_order_ends(client: Client) -> None:
    order = resting(client)
    client.fault("replace_ends", match=PATCH, **{"as": "stuck"})
    new = client.accepted(client.replace(order["id"], limit_price="99"))
    client.pass_time(10**6)
    assert (client.get(order["id"])["status"], client.get(new["id"])["status"]) == (
        "pending_replace",
        "pending_new",
    )
    for order_id in (order["id"], new["id"]):
        assert told(client.cancel(order_id))[2] == "cannot cancel order in pending_replace status"
    client.fill(order["id"])
    assert (client.get(order["id"])["status"], client.get(new["id"])["status"]) == ("filled", "rejected")
