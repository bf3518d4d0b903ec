"""GET /v2/orders: filters, order, bounds, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.client import Client
    from worker.sandbox.values import Json


def ids(orders: list[dict[str, Json]]) -> list[Json]:
    return [order["client_order_id"] for order in orders]


def place_apart(client: Client, count: int, **members: Json) -> list[dict[str, Json]]:
    """Orders a second apart, named 0, 1, 2, …, as they look when they rest."""
    placed = []
    for number in range(count):
        order = client.place(client_order_id=str(number), **members)
        client.pass_time(1)
        placed.append(client.get(order["id"]))
    return placed


def test_open_orders_newest_first_are_the_default(client: Client) -> None:
    first, _, third = place_apart(client, 3)
    client.tell("PUT", f"orders/{first['id']}", {"status": "canceled"})
    client.tell("PUT", f"orders/{third['id']}", {"status": "pending_cancel"})
    assert ids(client.orders()) == ["2", "1"]
    assert ids(client.orders(status="closed")) == ["0"]
    assert ids(client.orders(status="all", direction="asc")) == ["0", "1", "2"]


def test_the_limit_is_50_unless_given_and_500_at_most(client: Client) -> None:
    client.settings(rate_limit=0)
    for _ in range(503):
        client.tell("POST", "orders", {"account": "paper", "order": _hand()})
    assert len(client.orders()) == 50
    assert len(client.orders(limit="7")) == 7
    assert len(client.orders(limit="500")) == 500
    assert len(client.orders(limit="5000")) == 500
    assert len(client.orders(limit="99999999999999999999")) == 500


def _hand() -> dict[str, Json]:
    return {"symbol": "KO", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}


def test_bounds_are_exclusive_and_compare_submission_time(client: Client) -> None:
    placed = place_apart(client, 4)
    after, until = str(placed[0]["submitted_at"]), str(placed[3]["submitted_at"])
    assert ids(client.orders(after=after, until=until, direction="asc")) == ["1", "2"]
    assert ids(client.orders(after=str(placed[0]["created_at"]), direction="asc")) == ["0", "1", "2", "3"], (
        "submitted_at moved after acceptance"
    )


def test_equal_times_at_a_page_edge_are_skipped(client: Client) -> None:
    """The caveat of time bounds that readers must cope with."""
    for number in range(3):
        client.place(client_order_id=str(number))
    page = client.orders(limit="2", direction="asc")
    assert len(page) == 2
    assert client.orders(after=str(page[-1]["submitted_at"]), direction="asc") == []
    rest = client.orders(after_order_id=str(page[-1]["id"]), direction="asc")
    assert sorted(map(str, ids(page + rest))) == ["0", "1", "2"], "paging by id loses nothing"


@pytest.mark.parametrize(("direction", "bound"), [("asc", "after_order_id"), ("desc", "before_order_id")])
def test_paging_by_order_id_visits_every_order_once(client: Client, direction: str, bound: str) -> None:
    for number in range(9):
        client.place(client_order_id=str(number))
        client.pass_time(number % 2)
    whole = ids(client.orders(direction=direction))
    paged: list[Json] = []
    page = client.orders(direction=direction, limit="2")
    while page:
        paged += ids(page)
        page = client.orders(direction=direction, limit="2", **{bound: str(page[-1]["id"])})
    assert paged == whole
    assert len(whole) == 9


def test_filters_narrow_the_list(client: Client) -> None:
    client.place(client_order_id="a", symbol="GOOG")
    client.place(client_order_id="b", symbol="KO", side="sell")
    client.place(client_order_id="c", symbol="BTC/USD", time_in_force="gtc")
    assert sorted(map(str, ids(client.orders(symbols="GOOG,KO")))) == ["a", "b"]
    assert ids(client.orders(side="sell")) == ["b"]
    assert ids(client.orders(asset_class="crypto")) == ["c"]
    assert ids(client.orders(symbols="MSFT")) == []
    assert len(client.orders(nested="True")) == 3


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-08T15:00:00Z",
        "2026-10-08T15:00:00+00:00",
        "2026-10-08T11:00:00.000000000-04:00",
        "2026-10-08",
    ],
)
def test_times_are_read_in_every_usual_form(client: Client, text: str) -> None:
    client.place()
    assert len(client.orders(after=text)) == 1
    assert client.orders(until=text) == []


def test_an_unescaped_plus_sign_is_understood(client: Client) -> None:
    client.place()
    response = client.http.get("/v2/orders?after=2026-10-08T15:00:00+00:00")
    assert len(response.json()) == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"direction": "up"}, 'direction can only be "asc" or "desc"'),
        ({"status": "strange"}, 'status can only be "open", "closed" or "all"'),
        ({"limit": "0"}, "limit must be a positive number"),
        ({"limit": "many"}, "limit must be a positive number"),
        ({"after": "yesterday"}, "invalid after: yesterday"),
        ({"until": "2026-13-01"}, "invalid until: 2026-13-01"),
        ({"side": "both"}, "invalid side"),
        ({"after_order_id": "abc"}, "order_id is missing"),
    ],
)
def test_a_bad_query_is_422(client: Client, query: dict[str, str], message: str) -> None:
    response = client.http.get("/v2/orders", params=query)
    assert (response.status_code, response.json()) == (422, {"code": 40010001, "message": message})


def test_order_id_bounds_exclude_each_other_and_times(client: Client) -> None:
    order_id = str(client.place()["id"])
    for other in ("before_order_id", "after", "until"):
        query = {"after_order_id": order_id, other: order_id if other == "before_order_id" else "2026-10-08"}
        assert client.http.get("/v2/orders", params=query).status_code == 422
