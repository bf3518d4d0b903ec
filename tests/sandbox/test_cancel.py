"""DELETE: a 204 is a request that was taken; what comes of it comes later."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import ORDERS, Client, listening
from worker.sandbox.values import parse_time

if TYPE_CHECKING:
    from worker.sandbox.values import Json

DELETE: dict[str, Json] = {"method": "DELETE"}


def resting(client: Client, **members: Json) -> str:
    """The id of a limit order that is new."""
    placed = client.place_limit("100", **members)
    client.pass_time()
    return str(placed["id"])


def test_a_cancel_is_taken_now_and_happens_later(client: Client) -> None:
    client.settings(cancel_after_ms=2000)
    order_id = resting(client)
    with listening(client) as stream:
        response = client.cancel(order_id)
        assert (response.status_code, response.content) == (204, b"")
        assert "content-length" not in response.headers
        client.pass_time(1.999)
        assert client.get(order_id)["status"] == "pending_cancel"
        client.pass_time(0.001)
        canceled = client.get(order_id)
        assert canceled["status"] == "canceled"
        assert canceled["canceled_at"] == canceled["updated_at"]
        assert stream.events(2) == ["pending_cancel", "canceled"]
    assert client.buying_power() == "400000"


def test_a_cancel_may_happen_at_once(client: Client) -> None:
    client.settings(cancel_after_ms=0)
    order_id = resting(client)
    with listening(client) as stream:
        client.cancel(order_id)
        assert client.get(order_id)["status"] == "canceled"
        assert stream.events(1) == ["canceled"]


def test_a_cancel_may_be_stuck_for_ever(client: Client) -> None:
    client.settings(cancel_after_ms=None)
    order_id = resting(client)
    client.cancel(order_id)
    client.pass_time(10**6)
    assert client.get(order_id)["status"] == "pending_cancel"
    assert client.cancel(order_id).status_code == 204, "asking again changes nothing"


@pytest.mark.parametrize("status", ["pending_new", "accepted"])
def test_an_order_that_does_not_work_yet_is_canceled_too(client: Client, status: str) -> None:
    client.settings(market="closed" if status == "accepted" else "open", accept_after_ms=None)
    placed = client.place()
    assert placed["status"] == status
    assert client.cancel(placed["id"]).status_code == 204
    client.pass_time()
    assert client.get(placed["id"])["status"] == "canceled"


def test_a_canceled_order_is_never_accepted(client: Client) -> None:
    client.settings(accept_after_ms=1000, cancel_after_ms=1)
    placed = client.place()
    client.cancel(placed["id"])
    client.pass_time(5)
    assert client.get(placed["id"])["status"] == "canceled"


@pytest.mark.parametrize("status", ["filled", "expired", "rejected", "replaced"])
def test_what_has_ended_cannot_be_canceled(client: Client, status: str) -> None:
    order_id = resting(client)
    client.put(order_id, status)
    response = client.cancel(order_id)
    assert response.status_code == 422
    assert response.json() == {"code": 42210000, "message": f'order is already in "{status}" state'}


def test_a_repeat_is_accepted_silently_or_refused(client: Client) -> None:
    order_id = resting(client)
    client.cancel(order_id)
    client.pass_time()
    assert client.cancel(order_id).status_code == 204
    client.settings(repeat_cancel_status=422)
    response = client.cancel(order_id)
    assert (response.status_code, response.json()["message"]) == (422, 'order is already in "canceled" state')


def test_an_unknown_order_is_a_404(client: Client, other: Client) -> None:
    unknown = str(uuid.uuid4())
    assert client.cancel(unknown).json() == {"code": 40410000, "message": f"order not found for {unknown}"}
    theirs = other.place()
    assert client.cancel(theirs["id"]).status_code == 404
    assert client.cancel("abc").json() == {"code": 40010001, "message": "order_id is missing"}


def test_all_open_orders_are_canceled_with_a_207(client: Client, other: Client) -> None:
    first, second, done = (resting(client) for _ in range(3))
    client.put(done, "filled")
    theirs = other.place()
    response = client.http.delete(ORDERS)
    assert response.status_code == 207
    assert response.json() == [{"id": order_id, "status": 200} for order_id in (first, second)]
    client.pass_time()
    assert [client.get(order_id)["status"] for order_id in (first, second, done)] == [
        "canceled",
        "canceled",
        "filled",
    ]
    assert other.get(theirs["id"])["status"] == "new"


def test_a_207_names_what_was_not_taken(client: Client) -> None:
    client.settings(replace_after_ms=None)
    order_id = resting(client)
    client.replace(order_id, limit_price="99")
    answers = {row["id"]: row for row in client.http.delete(ORDERS).json()}
    assert answers[order_id]["status"] == 500
    assert answers[order_id]["body"] == {
        "code": 42210000,
        "message": "cannot cancel order in pending_replace status",
    }


def test_a_cancel_is_rejected_and_the_order_goes_on(client: Client) -> None:
    order_id = resting(client)
    client.fault("cancel_ends", match=DELETE, **{"as": "rejected"})
    with listening(client) as stream:
        assert client.cancel(order_id).status_code == 204
        assert client.get(order_id)["status"] == "pending_cancel"
        client.pass_time()
        assert client.get(order_id)["status"] == "new"
        assert stream.events(2) == ["pending_cancel", "order_cancel_rejected"]
    assert client.buying_power() == "399500", "its money is still held back"


def test_a_cancel_of_an_order_that_was_not_accepted_yet_is_rejected(client: Client) -> None:
    client.settings(accept_after_ms=1000)
    placed = client.place()
    client.fault("cancel_ends", match=DELETE, **{"as": "rejected"})
    client.cancel(placed["id"])
    client.pass_time(2)
    assert client.get(placed["id"])["status"] == "new", "it is accepted then, not forgotten"


def test_no_fill_exceeds_the_order(client: Client) -> None:
    order_id = resting(client)
    client.fault("cancel_ends", match=DELETE, **{"as": "filled", "qty": "99"})
    client.cancel(order_id)
    client.pass_time()
    assert client.get(order_id)["filled_qty"] == "5"


def test_a_cancel_is_stuck_once(client: Client) -> None:
    stuck, other = resting(client), resting(client)
    client.fault("cancel_ends", match=DELETE, **{"as": "stuck"})
    client.cancel(stuck)
    client.cancel(other)
    client.pass_time(10**6)
    assert (client.get(stuck)["status"], client.get(other)["status"]) == ("pending_cancel", "canceled")


def test_an_order_fills_while_it_is_being_canceled(client: Client) -> None:
    order_id = resting(client)
    client.fault("cancel_ends", match=DELETE, **{"as": "filled", "price": "99"})
    with listening(client) as stream:
        assert client.cancel(order_id).status_code == 204
        client.pass_time()
        filled = client.get(order_id)
        assert (filled["status"], filled["filled_qty"], filled["filled_avg_price"]) == ("filled", "5", "99")
        assert stream.events(3) == ["pending_cancel", "fill", "order_cancel_rejected"]
        client.pass_time()
        assert stream.is_silent()


def test_a_part_fills_while_an_order_is_being_canceled(client: Client) -> None:
    order_id = resting(client)
    client.fault("cancel_ends", match=DELETE, **{"as": "filled", "qty": "2"})
    with listening(client) as stream:
        client.cancel(order_id)
        client.pass_time()
        canceled = client.get(order_id)
        assert (canceled["status"], canceled["filled_qty"]) == ("canceled", "2")
        assert stream.events(3) == ["pending_cancel", "partial_fill", "canceled"]
    assert client.positions() == {"GOOG": "2"}


def test_a_fill_by_hand_overtakes_a_cancel(client: Client) -> None:
    order_id = resting(client)
    with listening(client) as stream:
        client.cancel(order_id)
        client.fill(order_id)
        client.pass_time()
        assert client.get(order_id)["status"] == "filled"
        assert stream.events(3) == ["pending_cancel", "fill", "order_cancel_rejected"]


def test_a_late_fill_comes_after_the_end(client: Client) -> None:
    order_id = resting(client)
    client.put(order_id, "canceled")
    assert client.ask("POST", f"orders/{order_id}/fill", {"price": "100", "qty": "2"}).status_code == 400
    client.pass_time()
    late = client.fill(order_id, qty="2", late=True)
    assert (late["status"], late["filled_qty"]) == ("canceled", "2")
    assert parse_time(str(late["updated_at"])) > parse_time(str(late["canceled_at"]))
    assert client.positions() == {"GOOG": "2"}
